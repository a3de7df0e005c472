// SPDX-License-Identifier: AGPL-3.0-only
// PTCOMM frames: sixteen bytes of header, then the payload.
#ifndef PODHEITOR_FRAME_H
#define PODHEITOR_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER_BYTES 16
#define FRAME_PAYLOAD_MAX_BYTES (1u << 20)

typedef struct {
    char type;
    uint32_t length;
    uint32_t crc;
    uint8_t raw[FRAME_HEADER_BYTES];
} frame_header;

// CRC32C of what `seed` is the checksum of, followed by `data`; the seed of nothing is 0.
uint32_t crc32c(uint32_t seed, const void *data, size_t length);

// Writes the header of a frame with this payload.
void frame_encode_header(uint8_t out[FRAME_HEADER_BYTES], char type, uint32_t sequence, const void *payload, uint32_t length);

// Reads a header. Returns what was wanted instead ("magic", "type", "reserved", "length", "sequence"), or NULL when all is well.
const char *frame_decode_header(const uint8_t in[FRAME_HEADER_BYTES], uint32_t sequence, frame_header *header);

// Whether a payload is the one that the header's checksum was taken of.
bool frame_payload_matches(const frame_header *header, const void *payload);

#endif
