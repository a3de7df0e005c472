// SPDX-License-Identifier: AGPL-3.0-only
#include "exchange.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const int64_t abort_patience_ms = 5000; // from Abort to the backend's own end
static const int64_t death_patience_ms = 1000; // from the end of its output to its exit status


// Appends to a text; what doesn't fit is cut.
__attribute__((format(printf, 3, 4))) static void append(char *text, size_t room, const char *format, ...) {
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, room - length, format, arguments);
    va_end(arguments);
}

// Adds the end of what the backend said on standard error, control characters made visible.
static void append_tail(const child *backend, char *text, size_t room) {
    size_t from = backend->tail_length > 1200 ? backend->tail_length - 1200 : 0;
    for (size_t at = from; at < backend->tail_length; at++) {
        unsigned char byte = (unsigned char)backend->tail[at];
        bool plain = byte >= 0x20 && byte != 0x7f;
        append(text, room, plain ? "%c" : byte == '\n' ? " " : "\\x%02x", byte);
    }
}

// After Totals or an Abort the backend has no other way to say something: that it could not keep its record, for one.
void pass_on_tail(session *self) {
    if (self->backend.tail_length == 0) return;
    char text[sizeof self->failure] = "";
    append_tail(&self->backend, text, sizeof text);
    self->listener.message(self->listener.argument, 'W', text);
}

// Records the first failure and ends the backend. Always false.
bool fail(session *self, const char *format, ...) {
    if (self->failure[0] != 0) return false;
    // After its Abort it still writes its record; one that fell silent or broke the protocol is given no time.
    child_wait(&self->backend, now_ms() + (self->aborted ? abort_patience_ms : self->backend.out < 0 ? death_patience_ms : 0));
    bool died = self->backend.pid == 0 && self->backend.status != 0;
    child_kill(&self->backend);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->failure, sizeof self->failure, format, arguments);
    va_end(arguments);
    if (died && !self->aborted && WIFSIGNALED(self->backend.status)) {
        int number = WTERMSIG(self->backend.status);
        const char *guess = number == SIGKILL ? ", as the kernel does when memory runs out: see its log, dmesg" : "";
        append(self->failure, sizeof self->failure, " (killed by signal %d%s)", number, guess);
    } else if (died && !self->aborted) {
        append(self->failure, sizeof self->failure, " (exit status %d)", WEXITSTATUS(self->backend.status));
    }
    if (self->aborted) {
        pass_on_tail(self);
    } else if (self->backend.tail_length > 0) {
        append(self->failure, sizeof self->failure, "; its last words: ");
        append_tail(&self->backend, self->failure, sizeof self->failure);
    }
    return false;
}

// A protocol error, with the header of the frame at fault.
bool fail_frame(session *self, const char *wanted) {
    char hex[2 * FRAME_HEADER_BYTES + 1];
    for (size_t at = 0; at < FRAME_HEADER_BYTES; at++) sprintf(hex + 2 * at, "%02x", self->head[at]);
    return fail(self, "MONGO-201 Cannot read the backend's frame %s: wanted %s. Plugin and backend must be of the same release", hex, wanted);
}

// Takes the bytes that have come in as far as they make a frame. False: a protocol error.
static bool check_incoming(session *self) {
    if (self->head_length < FRAME_HEADER_BYTES) return true;
    if (self->body_length == 0) {
        const char *fault = frame_decode_header(self->head, self->receive_sequence, &self->header);
        if (fault != NULL) return fail_frame(self, fault);
    }
    if (self->body_length < self->header.length) return true;
    if (!frame_payload_matches(&self->header, self->body)) return fail_frame(self, "another crc");
    self->receive_sequence++;
    self->frame_ready = true;
    return true;
}

void drop_frame(session *self) {
    self->head_length = self->body_length = self->taken = 0;
    self->frame_ready = false;
}

static bool counts_backend(const session *self) {
    return self->kind != 'R';
}

static bool say(session *self, payload_reader *reader) {
    char severity = (char)take_integer(reader, 1);
    char *text = take_message(reader);
    bool good = payload_ended(reader) && strchr("IWE", severity) != NULL && severity != 0;
    if (good) self->listener.message(self->listener.argument, severity, text);
    free(text);
    return good || fail_frame(self, "a Message of a known severity and its text");
}

static bool hear_heartbeat(session *self, payload_reader *reader) {
    take_integer(reader, 8);
    take_integer(reader, 8);
    free(take_text(reader));
    return payload_ended(reader) || fail_frame(self, "a Heartbeat's two counts and its text");
}

static bool hear_abort(session *self, payload_reader *reader) {
    take_integer(reader, 2);
    char *text = take_message(reader);
    self->aborted = payload_ended(reader);
    // A failure is told from success by its text.
    if (self->aborted) fail(self, "%s", text[0] != 0 ? text : "MONGO-202 The backend gave up and gave no reason");
    else fail_frame(self, "an Abort's code and text");
    free(text);
    return false;
}

// Deals with a frame that may come at any time. False on failure, an Abort included.
static bool dispatch(session *self) {
    char type = self->header.type;
    payload_reader reader = {.at = self->body, .left = self->header.length};
    if (counts_backend(self) && type != 'T' && type != 'X') self->counts.frames++;
    if (type != 'M' && type != 'B' && type != 'X') return true;
    if (self->receive_sequence == 1 || self->complete) return fail_frame(self, "another type at this place");
    bool good = type == 'M' ? say(self, &reader) : type == 'B' ? hear_heartbeat(self, &reader) : hear_abort(self, &reader);
    drop_frame(self);
    return good;
}

static void begin_cancel(session *self) {
    self->canceling = true;
    self->cancel_deadline_ms = now_ms() + self->settings.cancel_ms;
}

static bool fail_silent(session *self) {
    if (self->canceling) return fail(self, "MONGO-203 The job was cancelled; the backend didn't stop in time and was killed");
    return fail(self, "MONGO-202 Cannot go on: the backend said nothing for %lld s and was killed", (long long)(self->settings.silence_ms / 1000));
}

// Takes what came in, as far as it makes a frame. False on failure.
static bool take_incoming(session *self, size_t count) {
    if (count == 0) return true;
    if (self->head_length < FRAME_HEADER_BYTES) self->head_length += count;
    else self->body_length += count;
    return check_incoming(self) && (!self->frame_ready || dispatch(self));
}

// Writes `bytes`, and with `wants_frame` waits for a frame that isn't just talk. Reads whatever comes meanwhile, so that neither side can block the
// other. When the job is cancelled it ends early, but never within a frame that is being written.
static bool pump(session *self, const void *bytes, size_t length, bool wants_frame) {
    child_transfer transfer = {.write_bytes = bytes, .write_length = length};
    int64_t heard_ms = now_ms();
    for (;;) {
        bool waits = wants_frame && !self->frame_ready && (!self->canceling || self->winding_down);
        if (transfer.written == transfer.write_length && !waits) return true;
        size_t head_left = FRAME_HEADER_BYTES - self->head_length;
        transfer.read_room = head_left > 0 ? self->head + self->head_length : self->body + self->body_length;
        transfer.read_length = self->frame_ready ? 0 : head_left > 0 ? head_left : self->header.length - self->body_length;
        transfer.read = 0;
        int64_t deadline = self->canceling ? self->cancel_deadline_ms : heard_ms + self->settings.silence_ms;
        switch (child_transfer_some(&self->backend, &transfer, self->canceling ? -1 : self->settings.wake, deadline)) {
        case CHILD_READY:
            if (transfer.read > 0) heard_ms = now_ms();
            if (!take_incoming(self, transfer.read)) return false;
            break;
        case CHILD_WOKEN:
            begin_cancel(self);
            break;
        case CHILD_TIMEOUT:
            return fail_silent(self);
        case CHILD_BROKEN:
            // It listens no more, but may still have something to say: an Abort, perhaps.
            if (self->backend.out < 0 || self->frame_ready) return fail(self, "MONGO-202 Cannot go on: the backend ended early");
            transfer.write_length = transfer.written;
            wants_frame = true;
            break;
        case CHILD_EOF:
            return fail(self, "MONGO-202 Cannot go on: the backend ended early");
        }
    }
}

// After a frame was sent or awaited: a cancelled job ends here.
bool conclude(session *self, bool good) {
    if (good && self->canceling) wind_down(self, true, "cancelled in Bacula");
    return good && !self->canceling;
}

bool send_frame(session *self, char type, const void *payload, size_t length) {
    if (self->failure[0] != 0) return false;
    uint8_t head[FRAME_HEADER_BYTES];
    frame_encode_header(head, type, self->send_sequence++, payload, (uint32_t)length);
    if (!counts_backend(self) && type != 'T' && type != 'Z') self->counts.frames++;
    return pump(self, head, sizeof head, false) && pump(self, payload, length, false);
}

bool send_payload(session *self, char type, payload_writer *writer) {
    bool good = writer->failed ? fail(self, "MONGO-901 Cannot send a frame of type %c: it is too long or memory ran out", type)
                               : send_frame(self, type, writer->bytes, writer->length);
    payload_free(writer);
    return conclude(self, good);
}

// Waits for a frame that isn't just talk; it stays until drop_frame().
bool wait_frame(session *self) {
    if (self->failure[0] != 0) return false;
    if (self->frame_ready) return true;
    return conclude(self, pump(self, NULL, 0, true));
}

// Waits for a frame of one type and hands out its payload.
bool expect_frame(session *self, char type, payload_reader *reader) {
    if (!wait_frame(self)) return false;
    if (self->header.type != type) return fail_frame(self, "another type at this place");
    *reader = (payload_reader){.at = self->body, .left = self->header.length};
    return true;
}

void wind_down(session *self, bool canceled, const char *why) {
    if (!self->canceling) begin_cancel(self);
    self->winding_down = true;
    bool good = true;
    if (canceled) {
        payload_writer reason = {0};
        put_text(&reason, why);
        good = send_frame(self, 'C', reason.bytes, reason.length);
        payload_free(&reason);
    } else {
        // Not a Cancel, or the record would say so.
        child_close_input(&self->backend);
    }
    // Whatever it still sends is read and dropped, up to its Abort or its end.
    while (good) {
        if (self->frame_ready) drop_frame(self);
        good = pump(self, NULL, 0, true);
    }
    fail(self, "MONGO-203 The job was stopped: %s", why);
}
