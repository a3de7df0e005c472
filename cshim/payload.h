// SPDX-License-Identifier: AGPL-3.0-only
// Fields of PTCOMM payloads: little-endian integers and texts with a length in front.
#ifndef PODHEITOR_PAYLOAD_H
#define PODHEITOR_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Collects fields. Memory that runs out, or a text that can't fit a frame, shows in `failed`.
typedef struct {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    bool failed;
} payload_writer;

void put_integer(payload_writer *self, uint64_t value, int size);
void put_bytes(payload_writer *self, const void *bytes, size_t length);
// A length and the text; NULL is an empty one.
void put_text(payload_writer *self, const char *text);
void payload_free(payload_writer *self);

// Takes fields in turn. Anything that doesn't fit shows in `failed`; what is taken then is 0 or NULL.
typedef struct {
    const uint8_t *at;
    size_t left;
    bool failed;
} payload_reader;

uint64_t take_integer(payload_reader *self, int size);
// A text as a string of its own, to be freed by the caller; NULL when failed. A NUL within it is a failure.
char *take_text(payload_reader *self);
// The text of a Message or an Abort, to be freed by the caller; NULL when it breaks the rules for those: 1,900 bytes of UTF-8 at most, and no
// control character but the line feed.
char *take_message(payload_reader *self);
// Whether every byte has been taken, and nothing failed.
bool payload_ended(const payload_reader *self);

#endif
