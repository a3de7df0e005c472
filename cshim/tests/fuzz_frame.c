// SPDX-License-Identifier: AGPL-3.0-only
// Fuzzes what comes from a backend. The first byte of the input chooses: a header and the readers of payloads, or a whole session (backup, restore,
// estimate, listing, query) whose backend is made here of the rest: bytes as they are, or frames (type, u16 length, payload) that are given a sequence and a checksum.
// A File, End or Totals without a payload is given the right one, so that whole conversations are found.
#include <stdlib.h>
#include <string.h>

#include "../child.h"
#include "../frame.h"
#include "../payload.h"
#include "../session.h"

static uint8_t *incoming;
static size_t incoming_length, incoming_taken;

int64_t now_ms(void) {
    return 0;
}

bool child_start(child *self, char *const arguments[]) {
    (void)arguments;
    *self = (child){.pid = 1, .in = 1, .out = 1, .err = -1};
    return true;
}

child_event child_transfer_some(child *self, child_transfer *transfer, int wake, int64_t deadline_ms) {
    (void)wake, (void)deadline_ms;
    size_t left = incoming_length - incoming_taken;
    size_t count = left < transfer->read_length - transfer->read ? left : transfer->read_length - transfer->read;
    if (count > 0) memcpy(transfer->read_room + transfer->read, incoming + incoming_taken, count);
    incoming_taken += count;
    transfer->read += count;
    if (count > 0 || transfer->written < transfer->write_length) {
        transfer->written = transfer->write_length;
        return CHILD_READY;
    }
    self->out = -1;
    return CHILD_EOF;
}

void child_close_input(child *self) {
    self->in = -1;
}

bool child_wait(child *self, int64_t deadline_ms) {
    (void)deadline_ms;
    self->pid = 0;
    return true;
}

void child_kill(child *self) {
    *self = (child){.in = -1, .out = -1, .err = -1};
}

static void append(const void *bytes, size_t length) {
    incoming = realloc(incoming, incoming_length + length + 1);
    if (length > 0) memcpy(incoming + incoming_length, bytes, length);
    incoming_length += length;
}

static void append_frame(uint32_t sequence, char type, const void *payload, uint32_t length) {
    uint8_t head[FRAME_HEADER_BYTES];
    frame_encode_header(head, type, sequence, payload, length);
    append(head, sizeof head);
    append(payload, length);
}

// What the frames up to here amount to; on a restore, what side S sends.
typedef struct {
    session_totals totals;
    uint64_t object_size;
    int answers;
} progress;

static void count_frame(progress *self, char kind, char type, const uint8_t *payload, size_t length) {
    if (kind == 'R') {
        if (type != 'A' || length != 1 || self->answers++ >= 3) return;
        self->totals.files++;
        self->totals.frames += payload[0] == 1 ? 3 : 1;
        self->totals.bytes += payload[0] == 1 ? 4 : 0;
        return;
    }
    self->totals.frames++;
    self->totals.files += type == 'F';
    self->totals.restore_objects += type == 'R';
    self->totals.bytes += type == 'D' ? length : 0;
}

static void append_right_frame(const progress *self, uint32_t sequence, char type, uint64_t next_size) {
    payload_writer writer = {0};
    if (type == 'F') {
        put_integer(&writer, 1, 1);
        put_integer(&writer, 0600, 4);
        put_integer(&writer, next_size, 8);
        for (int time = 0; time < 3; time++) put_integer(&writer, 0, 8);
        put_text(&writer, "/@mongodb/f");
    } else if (type == 'E') {
        put_integer(&writer, self->object_size, 8);
    } else {
        put_integer(&writer, self->totals.files, 8);
        put_integer(&writer, self->totals.restore_objects, 8);
        put_integer(&writer, self->totals.bytes, 8);
        put_integer(&writer, self->totals.frames, 8);
    }
    append_frame(sequence, type, writer.bytes, (uint32_t)writer.length);
    payload_free(&writer);
}

static void make_incoming(char kind, const uint8_t *data, size_t size, bool raw) {
    static const uint8_t hello[10] = {1};
    // On a restore: H J, an object of three frames, L S P.
    progress done = {.totals = {.frames = kind == 'R' ? 8 : 1, .restore_objects = kind == 'R', .bytes = kind == 'R' ? 4 : 0}};
    append_frame(0, 'H', hello, sizeof hello);
    if (raw) append(data, size);
    for (uint32_t sequence = 1; !raw && size >= 3; sequence++) {
        char type = (char)data[0];
        size_t length = (size_t)(data[1] | data[2] << 8);
        if (length > size - 3) length = size - 3;
        const uint8_t *payload = data + 3;
        data += 3 + length;
        size -= 3 + length;
        uint64_t next_size = size >= 3 && data[0] == 'D' ? (uint64_t)(data[1] | data[2] << 8) : 0;
        if (type == 'F') done.object_size = next_size;
        if (length == 0 && (type == 'F' || type == 'E' || type == 'T')) append_right_frame(&done, sequence, type, next_size);
        else append_frame(sequence, type, payload, (uint32_t)length);
        count_frame(&done, kind, type, payload, length);
    }
}

static void hear(void *argument, char severity, const char *text) {
    (void)argument;
    if (strchr("IWE", severity) == NULL || strlen(text) > 1900) abort();
}

static bool back_up(session *talk, char kind) {
    session_object object;
    session_next next = SESSION_FAILED;
    const char *command = "podheitor-mongodb: fuzz";
    if (!(kind == 'L' || kind == 'Q' ? session_ask(talk, command, "/") : session_begin(talk, command))) return false;
    while ((next = session_receive_object(talk, &object)) == SESSION_OBJECT) {
        uint8_t room[100];
        uint64_t came = 0;
        if (object.is_directory && kind != 'L') abort();
        if ((object.type == 'V') != (kind == 'Q') || (kind == 'Q' && strchr(object.name, '\n') != NULL)) abort();
        ssize_t count;
        while ((count = session_read(talk, room, sizeof room)) > 0) came += (uint64_t)count;
        if (count < 0) return false;
        if (came != 0 && came != object.size) abort();
    }
    return next == SESSION_TOTALS;
}

static bool restore(session *talk) {
    const session_object file = {.type = 'F', .size = 4, .name = (char *)"/@mongodb/f"};
    bool good = session_open_object(talk, 25, 1, 1, "o", "c", 4) && session_write(talk, "data", 4) && session_end_object(talk) &&
                session_list(talk, "/@mongodb/f") && session_start(talk, 'a', "", "") && session_command(talk, "c");
    for (int round = 0; good && round < 3; round++) {
        int answer = session_offer(talk, &file);
        good = answer >= 0 && (answer == 0 || (session_write(talk, "data", 4) && session_end_object(talk)));
    }
    return good && session_complete(talk);
}

static void play_session(char kind, const uint8_t *data, size_t size, bool raw) {
    const session_settings settings = {.path = "fuzz", .program = "p", .version = "v", .wake = -1, .silence_ms = 1, .cancel_ms = 1, .exit_ms = 1};
    const session_job job = {.kind = kind, .level = kind == 'B' || kind == 'E' ? 'F' : ' '};
    incoming_length = incoming_taken = 0;
    make_incoming(kind, data, size, raw);
    session *talk = session_open(&settings, &job, (session_listener){hear, NULL});
    bool good = session_failure(talk) == NULL && (kind == 'R' ? restore(talk) : back_up(talk, kind));
    if (good != session_is_complete(talk) || good == (session_failure(talk) != NULL)) abort();
    // What is good was read to its last byte.
    if (session_finish(talk, 'T') && (!good || incoming_taken != incoming_length)) abort();
    session_close(talk);
}

static void play_header(const uint8_t *data, size_t size) {
    frame_header header;
    if (size < FRAME_HEADER_BYTES) return;
    uint32_t sequence = (uint32_t)data[8] | (uint32_t)data[9] << 8 | (uint32_t)data[10] << 16 | (uint32_t)data[11] << 24;
    bool good = frame_decode_header(data, sequence, &header) == NULL;
    if (good && header.length <= size - FRAME_HEADER_BYTES) frame_payload_matches(&header, data + FRAME_HEADER_BYTES);
    payload_reader reader = {.at = data + FRAME_HEADER_BYTES, .left = size - FRAME_HEADER_BYTES};
    for (int field = 0; !reader.failed && reader.left > 0; field++) {
        if (field % 3 == 0) take_integer(&reader, 1 << data[0] % 4);
        else free(field % 3 == 1 ? take_text(&reader) : take_message(&reader));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    switch (data[0] % 10) {
    case 0: play_header(data + 1, size - 1); break;
    case 1: play_session('B', data + 1, size - 1, true); break;
    case 2: play_session('R', data + 1, size - 1, true); break;
    case 3: play_session('E', data + 1, size - 1, false); break;
    case 4:
    case 5: play_session('R', data + 1, size - 1, false); break;
    case 8: play_session('L', data + 1, size - 1, false); break;
    case 9: play_session('Q', data + 1, size - 1, false); break;
    default: play_session('B', data + 1, size - 1, false); break;
    }
    return 0;
}
