// SPDX-License-Identifier: AGPL-3.0-only
// Plays tests/vectors/frames.txt, the one argument, against frame.c; and the rules of texts against payload.c.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../frame.h"
#include "../payload.h"
#include "check.h"
#include "script.h"

typedef struct {
    char name[200], expect[16], type;
    uint32_t sequence;
    uint8_t *bytes, *payload;
    size_t length, payload_length;
} block;

// What a receiver that waits for `sequence` finds in the block's bytes.
static const char *receive(const block *self, frame_header *header) {
    if (self->length < FRAME_HEADER_BYTES) return "truncated";
    const char *wanted = frame_decode_header(self->bytes, self->sequence, header);
    if (wanted != NULL) return wanted;
    if (self->length < FRAME_HEADER_BYTES + header->length) return "truncated";
    return frame_payload_matches(header, self->bytes + FRAME_HEADER_BYTES) ? "ok" : "crc";
}

static void play(const block *self) {
    test_begin("frame: %s", self->name);
    frame_header header = {0};
    const char *found = receive(self, &header);
    if (strcmp(found, self->expect) != 0) fault("expected %s, found %s", self->expect, found);
    if (strcmp(self->expect, "ok") == 0 && strcmp(found, "ok") == 0) {
        uint8_t made[FRAME_HEADER_BYTES];
        frame_encode_header(made, self->type, self->sequence, self->payload, (uint32_t)self->payload_length);
        if (header.type != self->type) fault("type %c in place of %c", header.type, self->type);
        if (self->length != FRAME_HEADER_BYTES + self->payload_length) fault("%zu bytes in place of %zu", self->length, self->payload_length);
        else if (self->payload_length > 0 && memcmp(self->bytes + FRAME_HEADER_BYTES, self->payload, self->payload_length) != 0) fault("another payload");
        if (memcmp(made, self->bytes, FRAME_HEADER_BYTES) != 0) fault("the header is made differently");
    }
    test_end();
}

static void finish(block *self) {
    if (self->name[0] != 0) play(self);
    free(self->bytes);
    free(self->payload);
    *self = (block){0};
}

static bool take_line(block *self, const char *key, const char *value) {
    if (strcmp(key, "name") == 0) snprintf(self->name, sizeof self->name, "%s", value);
    else if (strcmp(key, "sequence") == 0) self->sequence = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(key, "expect") == 0) snprintf(self->expect, sizeof self->expect, "%s", value);
    else if (strcmp(key, "type") == 0) self->type = value[0];
    else if (strcmp(key, "bytes") == 0) return append_hex(&self->bytes, &self->length, value);
    else if (strcmp(key, "payload") == 0) return append_hex(&self->payload, &self->payload_length, value);
    else return false;
    return true;
}

static void play_file(const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fault("cannot open %s: %m", path);
        return;
    }
    static char line[1 << 20];
    block one = {0};
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] == 0 || line[0] == '#') continue;
        char *value = line + strcspn(line, " ");
        if (*value != 0) *value++ = 0;
        value += strspn(value, " ");
        if (strcmp(line, "name") == 0) finish(&one);
        if (!take_line(&one, line, value)) fault("unknown line: %s", line);
    }
    finish(&one);
    fclose(file);
}

// The checksum is the same however its bytes come: in one piece or in two, at any alignment.
static void check_pieces(void) {
    test_begin("crc32c() of pieces agrees with crc32c() of the whole");
    uint8_t bytes[64];
    for (size_t at = 0; at < sizeof bytes; at++) bytes[at] = (uint8_t)(at * 37);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        if (crc32c(crc32c(0, bytes, cut), bytes + cut, sizeof bytes - cut) != crc32c(0, bytes, sizeof bytes)) fault("cut at %zu", cut);
    }
    if (crc32c(0, "123456789", 9) != 0xE3069283u) fault("the check value of CRC32C is %08x", crc32c(0, "123456789", 9));
    test_end();
}

// The rules of a Message's and an Abort's text.
static void check_message_texts(void) {
    static char longest[1900], too_long[1901];
    memset(longest, 'm', sizeof longest);
    memset(too_long, 'm', sizeof too_long);
    const struct {
        const char *name, *text;
        size_t length;
        bool good;
    } cases[] = {
        {"empty", "", 0, true},
        {"a line feed", "a\nb", 3, true},
        {"two, three and four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, true},
        {"the last code point", "\xf4\x8f\xbf\xbf", 4, true},
        {"1900 bytes", longest, sizeof longest, true},
        {"1901 bytes", too_long, sizeof too_long, false},
        {"a tab", "a\tb", 3, false},
        {"delete", "\x7f", 1, false},
        {"NUL", "a\0b", 3, false},
        {"Latin-1", "caf\xe9", 4, false},
        {"a sequence without its beginning", "\x80", 1, false},
        {"a sequence without its end", "\xe2\x82", 2, false},
        {"a longer form than needed", "\xc0\xaf", 2, false},
        {"a longer form of three bytes", "\xe0\x80\xaf", 3, false},
        {"half of a surrogate pair", "\xed\xa0\x80", 3, false},
        {"beyond the last code point", "\xf4\x90\x80\x80", 4, false},
        {"five bytes", "\xf8\x88\x80\x80\x80", 5, false},
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        test_begin("take_message(): %s", cases[at].name);
        payload_writer writer = {0};
        put_integer(&writer, cases[at].length, 4);
        put_bytes(&writer, cases[at].text, cases[at].length);
        payload_reader reader = {.at = writer.bytes, .left = writer.length};
        char *text = take_message(&reader);
        if ((text != NULL) != cases[at].good || payload_ended(&reader) != cases[at].good) fault("taken wrongly");
        free(text);
        payload_free(&writer);
        test_end();
    }
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    check_pieces();
    check_message_texts();
    play_file(arguments[1]);
    return tests_status();
}
