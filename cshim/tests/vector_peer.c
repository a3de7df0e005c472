// SPDX-License-Identifier: AGPL-3.0-only
#define _GNU_SOURCE
#include "vector_peer.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../frame.h"

static int progress_fd;
static uint32_t sent, received;
static uint8_t payload[FRAME_PAYLOAD_MAX_BYTES];

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...) {
    char text[300] = {0};
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (ftruncate(progress_fd, 0) != 0 || pwrite(progress_fd, text, (size_t)length, 0) < 0) _exit(98);
}

static void write_all(const void *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t count = write(1, (const char *)bytes + done, length - done);
        if (count <= 0) _exit(97);
        done += (size_t)count;
    }
}

static bool read_all(void *room, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t count = read(0, (char *)room + done, length - done);
        if (count <= 0) return false;
        done += (size_t)count;
    }
    return true;
}

// The end stays open until the other side has come to its verdict.
_Noreturn static void wait_for_the_end(void) {
    while (read(0, payload, sizeof payload) > 0) continue;
    for (;;) pause();
}

static void act(const script_line *line) {
    uint8_t head[FRAME_HEADER_BYTES];
    switch (line->what) {
    case SCRIPT_EXIT:
        _exit(line->status);
    case SCRIPT_EOF:
        close(1);
        break;
    case SCRIPT_RAW:
        write_all(line->bytes, line->length);
        break;
    default:
        frame_encode_header(head, line->what, sent++, line->bytes, (uint32_t)line->length);
        write_all(head, sizeof head);
        write_all(line->bytes, line->length);
    }
}

static bool compare(const script_line *line) {
    uint8_t head[FRAME_HEADER_BYTES];
    frame_header header;
    if (!read_all(head, sizeof head)) return note("line %d: the shim's frames ended", line->number), false;
    const char *wanted = frame_decode_header(head, received++, &header);
    if (wanted != NULL) return note("line %d: the shim's frame has another %s", line->number, wanted), false;
    if (!read_all(payload, header.length)) return note("line %d: the shim's frames ended within one", line->number), false;
    if (!frame_payload_matches(&header, payload)) return note("line %d: the shim's frame has another crc", line->number), false;
    if (header.type != line->what) return note("line %d: the shim sent a frame %c", line->number, header.type), false;
    if (header.type == 'C') return true;
    if (header.length == line->length && memcmp(payload, line->bytes, header.length) == 0) return true;
    return note("line %d: the shim sent another payload, of %u bytes", line->number, header.length), false;
}

void vector_peer_play(const script *play, const char *progress) {
    alarm(60);
    progress_fd = open(progress, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    for (size_t at = 0; at < play->count; at++) {
        const script_line *line = &play->lines[at];
        if (line->side == 'S' && !compare(line)) wait_for_the_end();
        note("line %d", line->number);
        if (line->side == 'B') act(line);
    }
    wait_for_the_end();
}
