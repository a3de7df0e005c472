// SPDX-License-Identifier: AGPL-3.0-only
// The data that the fake backend and the fake File Daemon agree on: byte i of a file is i modulo 251.
#ifndef PODHEITOR_FAKE_DATA_H
#define PODHEITOR_FAKE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_FILE_BYTES 3000000 // more than a pipe holds
#define FAKE_OBJECT_BYTES 3000

static inline void fake_fill(uint8_t *room, uint64_t from, size_t length) {
    for (size_t at = 0; at < length; at++) room[at] = (uint8_t)((from + at) % 251);
}

static inline bool fake_matches(const void *bytes, uint64_t from, size_t length) {
    for (size_t at = 0; at < length; at++) {
        if (((const uint8_t *)bytes)[at] != (uint8_t)((from + at) % 251)) return false;
    }
    return true;
}

#endif
