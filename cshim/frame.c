// SPDX-License-Identifier: AGPL-3.0-only
#include "frame.h"

#include <string.h>

static const char known_types[] = "HJPLQSFRDEAVMBTZCX";

static uint32_t load32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void store32(uint8_t *bytes, uint32_t value) {
    for (int at = 0; at < 4; at++) bytes[at] = (uint8_t)(value >> (8 * at));
}

static uint32_t crc_table[256];

// Before anything calls: the plugin is used by several threads, and pthread_once would need a newer libc.
__attribute__((constructor)) static void make_crc_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t remainder = byte;
        for (int bit = 0; bit < 8; bit++) remainder = remainder & 1 ? remainder >> 1 ^ 0x82F63B78u : remainder >> 1;
        crc_table[byte] = remainder;
    }
}

static uint32_t crc32c_by_table(uint32_t crc, const uint8_t *data, size_t length) {
    while (length-- > 0) crc = crc >> 8 ^ crc_table[(crc ^ *data++) & 0xff];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_by_instruction(uint32_t crc, const uint8_t *data, size_t length) {
    uint64_t wide = crc;
    for (; length >= 8; length -= 8, data += 8) {
        uint64_t word;
        memcpy(&word, data, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    while (length-- > 0) crc = __builtin_ia32_crc32qi(crc, *data++);
    return crc;
}
#endif

uint32_t crc32c(uint32_t seed, const void *data, size_t length) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc32c_by_instruction(~seed, data, length);
#endif
    return ~crc32c_by_table(~seed, data, length);
}

void frame_encode_header(uint8_t out[FRAME_HEADER_BYTES], char type, uint32_t sequence, const void *payload, uint32_t length) {
    memset(out, 0, FRAME_HEADER_BYTES);
    out[0] = 'P';
    out[1] = 'H';
    out[2] = (uint8_t)type;
    store32(out + 4, length);
    store32(out + 8, sequence);
    store32(out + 12, crc32c(crc32c(0, payload, length), out, 12));
}

const char *frame_decode_header(const uint8_t in[FRAME_HEADER_BYTES], uint32_t sequence, frame_header *header) {
    if (in[0] != 'P' || in[1] != 'H') return "magic";
    if (in[3] != 0) return "reserved";
    if (in[2] == 0 || strchr(known_types, in[2]) == NULL) return "type";
    if (load32(in + 4) > FRAME_PAYLOAD_MAX_BYTES) return "length";
    if (load32(in + 8) != sequence) return "sequence";
    header->type = (char)in[2];
    header->length = load32(in + 4);
    header->crc = load32(in + 12);
    memcpy(header->raw, in, FRAME_HEADER_BYTES);
    return NULL;
}

bool frame_payload_matches(const frame_header *header, const void *payload) {
    return crc32c(crc32c(0, payload, header->length), header->raw, 12) == header->crc;
}
