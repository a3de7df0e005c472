// SPDX-License-Identifier: AGPL-3.0-only
// The sessions of tests/vectors as values; their format is described in tests/vectors/README.md.
#ifndef PODHEITOR_SCRIPT_H
#define PODHEITOR_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCRIPT_RAW = 1, SCRIPT_EOF = 2, SCRIPT_EXIT = 3 };

typedef struct {
    char side; // 'S' or 'B'
    char what; // a frame's type, or one of SCRIPT_*
    uint8_t *bytes;
    size_t length;
    int status; // of SCRIPT_EXIT
    int number; // in the file
} script_line;

typedef struct {
    char job;         // 'B', 'R', 'E'
    char expected[8]; // of the shim: "ok", "failed", or "" when it can't be played against the shim
    script_line *lines;
    size_t count;
    char fault[256]; // what is wrong with the file, or ""
} script;

// Appends the bytes of a hexadecimal text. False: it is none.
bool append_hex(uint8_t **bytes, size_t *length, const char *text);

// Reads a file; look at `fault`.
void script_read(script *self, const char *path);
void script_free(script *self);

#endif
