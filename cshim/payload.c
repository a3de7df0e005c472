// SPDX-License-Identifier: AGPL-3.0-only
#include "payload.h"

#include <stdlib.h>
#include <string.h>

#include "frame.h"

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

bool payload_ended(const payload_reader *self) {
    return !self->failed && self->left == 0;
}
