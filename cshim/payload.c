// SPDX-License-Identifier: AGPL-3.0-only
#include "payload.h"

#include <stdlib.h>
#include <string.h>

#include "frame.h"

#define MESSAGE_MAX_BYTES 1900

void put_bytes(payload_writer *self, const void *bytes, size_t length) {
    if (length > FRAME_PAYLOAD_MAX_BYTES - self->length) self->failed = true;
    if (self->failed) return;
    if (self->length + length > self->capacity) {
        size_t capacity = (self->length + length) * 2 + 64;
        uint8_t *grown = realloc(self->bytes, capacity);
        if (grown == NULL) {
            self->failed = true;
            return;
        }
        self->bytes = grown;
        self->capacity = capacity;
    }
    if (length > 0) memcpy(self->bytes + self->length, bytes, length);
    self->length += length;
}

void put_integer(payload_writer *self, uint64_t value, int size) {
    uint8_t bytes[8];
    for (int at = 0; at < size; at++) bytes[at] = (uint8_t)(value >> (8 * at));
    put_bytes(self, bytes, (size_t)size);
}

void put_text(payload_writer *self, const char *text) {
    size_t length = text == NULL ? 0 : strlen(text);
    put_integer(self, length, 4);
    put_bytes(self, text, length);
}

void payload_free(payload_writer *self) {
    free(self->bytes);
    *self = (payload_writer){0};
}

uint64_t take_integer(payload_reader *self, int size) {
    if (self->left < (size_t)size) self->failed = true;
    if (self->failed) return 0;
    uint64_t value = 0;
    for (int at = 0; at < size; at++) value |= (uint64_t)self->at[at] << (8 * at);
    self->at += size;
    self->left -= (size_t)size;
    return value;
}

char *take_text(payload_reader *self) {
    size_t length = (size_t)take_integer(self, 4);
    if (self->failed || length > self->left || memchr(self->at, 0, length) != NULL) {
        self->failed = true;
        return NULL;
    }
    char *text = malloc(length + 1);
    if (text == NULL) {
        self->failed = true;
        return NULL;
    }
    memcpy(text, self->at, length);
    text[length] = 0;
    self->at += length;
    self->left -= length;
    return text;
}

// The length of the UTF-8 sequence that a text begins with; 0 when there is none.
static size_t utf8_length(const unsigned char *text) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (text[0] < 0x80) return 1;
    size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc0 ? 2 : 0;
    uint32_t code = text[0] & (0x7fu >> length);
    for (size_t at = 1; at < length; at++) {
        if ((text[at] & 0xc0) != 0x80) return 0;
        code = code << 6 | (text[at] & 0x3f);
    }
    bool good = length > 0 && text[0] < 0xf8 && code >= smallest[length] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return good ? length : 0;
}

static bool is_message(const char *text) {
    size_t length;
    const unsigned char *at = (const unsigned char *)text;
    for (; *at != 0; at += length) {
        length = utf8_length(at);
        if (length == 0 || (*at < 0x20 && *at != '\n') || *at == 0x7f) return false;
    }
    return (const char *)at - text <= MESSAGE_MAX_BYTES;
}

char *take_message(payload_reader *self) {
    char *text = take_text(self);
    if (text == NULL || is_message(text)) return text;
    free(text);
    self->failed = true;
    return NULL;
}

bool payload_ended(const payload_reader *self) {
    return !self->failed && self->left == 0;
}
