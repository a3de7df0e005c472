// SPDX-License-Identifier: AGPL-3.0-only
#include "session.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "payload.h"

#define PROTOCOL_VERSION 1

static const int64_t abort_patience_ms = 5000; // from Abort to the backend's own end
static const int64_t death_patience_ms = 1000; // from the end of its output to its exit status

struct session {
    child backend;
    session_settings settings;
    session_listener listener;
    char kind;
    uint32_t send_sequence, receive_sequence;
    session_totals counts; // of the side that this kind of session counts
    bool complete;         // Totals agree
    bool aborted;          // the backend said Abort
    bool canceling;        // Bacula cancelled the job: the frame under way is completed, then wind_down() takes over
    bool winding_down;
    int64_t cancel_deadline_ms;
    char failure[SESSION_FAILURE_BYTES];

    // The frame that is coming in, or that is here and waits to be taken.
    uint8_t head[FRAME_HEADER_BYTES];
    size_t head_length, body_length;
    frame_header header;
    bool frame_ready;
    uint8_t *body;

    // The open object.
    bool open;
    uint64_t size, moved;
    size_t taken; // of the Data frame that waits
    char *name;
};

static void wind_down(session *self);

// Appends to a text; what doesn't fit is cut.
__attribute__((format(printf, 3, 4))) static void append(char *text, size_t room, const char *format, ...) {
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, room - length, format, arguments);
    va_end(arguments);
}

// Adds the end of what the backend said on standard error, control characters made visible.
static void append_tail(session *self) {
    const child *backend = &self->backend;
    if (backend->tail_length == 0) return;
    size_t from = backend->tail_length > 1200 ? backend->tail_length - 1200 : 0;
    append(self->failure, sizeof self->failure, "; its last words: ");
    for (size_t at = from; at < backend->tail_length; at++) {
        unsigned char byte = (unsigned char)backend->tail[at];
        bool plain = byte >= 0x20 && byte != 0x7f;
        append(self->failure, sizeof self->failure, plain ? "%c" : byte == '\n' ? " " : "\\x%02x", byte);
    }
}

// Records the first failure and ends the backend. Always false.
__attribute__((format(printf, 2, 3))) static bool fail(session *self, const char *format, ...) {
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
        append(self->failure, sizeof self->failure, " (killed by signal %d)", WTERMSIG(self->backend.status));
    } else if (died && !self->aborted) {
        append(self->failure, sizeof self->failure, " (exit status %d)", WEXITSTATUS(self->backend.status));
    }
    if (!self->aborted) append_tail(self);
    return false;
}

// A protocol error, with the header of the frame at fault.
static bool fail_frame(session *self, const char *wanted) {
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

static void drop_frame(session *self) {
    self->head_length = self->body_length = self->taken = 0;
    self->frame_ready = false;
}

static bool counts_backend(const session *self) {
    return self->kind != 'R';
}

static bool say(session *self, payload_reader *reader) {
    char severity = (char)take_integer(reader, 1);
    char *text = take_text(reader);
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
    char *text = take_text(reader);
    self->aborted = payload_ended(reader);
    if (self->aborted) fail(self, "%s", text);
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
static bool conclude(session *self, bool good) {
    if (good && self->canceling) wind_down(self);
    return good && !self->canceling;
}

static bool send_frame(session *self, char type, const void *payload, size_t length) {
    if (self->failure[0] != 0) return false;
    uint8_t head[FRAME_HEADER_BYTES];
    frame_encode_header(head, type, self->send_sequence++, payload, (uint32_t)length);
    if (!counts_backend(self) && type != 'T' && type != 'Z') self->counts.frames++;
    return pump(self, head, sizeof head, false) && pump(self, payload, length, false);
}

static bool send_payload(session *self, char type, payload_writer *writer) {
    bool good = writer->failed ? fail(self, "MONGO-901 Cannot send a frame of type %c: it is too long or memory ran out", type)
                               : send_frame(self, type, writer->bytes, writer->length);
    payload_free(writer);
    return conclude(self, good);
}

// Waits for a frame that isn't just talk; it stays until drop_frame().
static bool wait_frame(session *self) {
    if (self->failure[0] != 0) return false;
    if (self->frame_ready) return true;
    return conclude(self, pump(self, NULL, 0, true));
}

// Waits for a frame of one type and hands out its payload.
static bool expect_frame(session *self, char type, payload_reader *reader) {
    if (!wait_frame(self)) return false;
    if (self->header.type != type) return fail_frame(self, "another type at this place");
    *reader = (payload_reader){.at = self->body, .left = self->header.length};
    return true;
}

// The job was cancelled: asks the backend to stop, gives it some time, and ends it.
static void wind_down(session *self) {
    self->winding_down = true;
    payload_writer reason = {0};
    put_text(&reason, "cancelled in Bacula");
    bool good = send_frame(self, 'C', reason.bytes, reason.length);
    payload_free(&reason);
    // Whatever it still sends is read and dropped, up to its Abort or its end.
    while (good) {
        drop_frame(self);
        good = pump(self, NULL, 0, true);
    }
    fail(self, "MONGO-203 The job was cancelled");
}

static void put_totals(payload_writer *writer, const session_totals *totals) {
    put_integer(writer, totals->files, 8);
    put_integer(writer, totals->restore_objects, 8);
    put_integer(writer, totals->bytes, 8);
    put_integer(writer, totals->frames, 8);
}

// Compares the Totals that wait with what was counted here.
static bool take_totals(session *self) {
    payload_reader reader;
    if (!expect_frame(self, 'T', &reader)) return false;
    session_totals theirs = {take_integer(&reader, 8), take_integer(&reader, 8), take_integer(&reader, 8), take_integer(&reader, 8)};
    const session_totals *ours = &self->counts;
    if (!payload_ended(&reader)) return fail_frame(self, "four counts");
    drop_frame(self);
    if (theirs.files != ours->files || theirs.restore_objects != ours->restore_objects || theirs.bytes != ours->bytes ||
        theirs.frames != ours->frames) {
        return fail(self, "MONGO-201 Cannot agree on the totals: backend %llu files, %llu objects, %llu bytes, %llu frames; plugin %llu, %llu, %llu, %llu",
                    (unsigned long long)theirs.files, (unsigned long long)theirs.restore_objects, (unsigned long long)theirs.bytes,
                    (unsigned long long)theirs.frames, (unsigned long long)ours->files, (unsigned long long)ours->restore_objects,
                    (unsigned long long)ours->bytes, (unsigned long long)ours->frames);
    }
    self->complete = true;
    return true;
}

static bool exchange_hello(session *self) {
    payload_writer hello = {0};
    put_integer(&hello, PROTOCOL_VERSION, 2);
    put_text(&hello, self->settings.program);
    put_text(&hello, self->settings.version);
    payload_reader reader;
    if (!send_payload(self, 'H', &hello) || !expect_frame(self, 'H', &reader)) return false;
    uint64_t version = take_integer(&reader, 2);
    free(take_text(&reader));
    free(take_text(&reader));
    if (!payload_ended(&reader)) return fail_frame(self, "a Hello's version and two texts");
    drop_frame(self);
    if (version == PROTOCOL_VERSION) return true;
    return fail(self, "MONGO-201 Cannot talk to the backend: it speaks version %u of the protocol, this plugin %u. Install both from one release",
                (unsigned)version, PROTOCOL_VERSION);
}

static bool send_job(session *self, const session_job *job) {
    payload_writer writer = {0};
    put_integer(&writer, (uint8_t)job->kind, 1);
    put_integer(&writer, (uint8_t)job->level, 1);
    put_integer(&writer, job->accurate, 1);
    put_integer(&writer, job->job_id, 4);
    put_integer(&writer, (uint64_t)job->since_time, 8);
    put_text(&writer, job->job_name);
    put_text(&writer, job->previous_job_name);
    put_text(&writer, job->client_name);
    put_text(&writer, job->working_directory);
    put_text(&writer, job->bacula_version);
    return send_payload(self, 'J', &writer);
}

session *session_open(const session_settings *settings, const session_job *job, session_listener listener) {
    session *self = calloc(1, sizeof *self);
    if (self == NULL) return NULL;
    self->settings = *settings;
    self->listener = listener;
    self->kind = job->kind;
    self->body = malloc(FRAME_PAYLOAD_MAX_BYTES);
    self->backend = (child){.in = -1, .out = -1, .err = -1};
    if (self->body == NULL) {
        fail(self, "MONGO-901 Cannot start the backend: memory ran out");
    } else if (!child_start(&self->backend, settings->path)) {
        fail(self, "MONGO-202 Cannot start the backend %s: %s. Install the package, or correct PODHEITOR_MONGODB_BACKEND in the File Daemon's environment",
             settings->path, strerror(errno));
    } else if (exchange_hello(self)) {
        send_job(self, job);
    }
    return self;
}

const char *session_failure(const session *self) {
    return self->failure[0] == 0 ? NULL : self->failure;
}

bool session_is_complete(const session *self) {
    return self->complete && self->failure[0] == 0;
}

bool session_begin(session *self, const char *command) {
    payload_writer writer = {0};
    put_bytes(&writer, command, strlen(command));
    return send_payload(self, 'P', &writer) && session_start(self, 0, "", "");
}

static bool take_file(payload_reader *reader, session_object *object) {
    uint64_t kind = take_integer(reader, 1);
    object->mode = (uint32_t)take_integer(reader, 4);
    object->size = take_integer(reader, 8);
    object->atime = (int64_t)take_integer(reader, 8);
    object->mtime = (int64_t)take_integer(reader, 8);
    object->ctime = (int64_t)take_integer(reader, 8);
    object->name = take_text(reader);
    return payload_ended(reader) && kind == 1 && object->mode <= 07777 && object->size <= INT64_MAX && object->name[0] != 0;
}

static bool take_restore_object(payload_reader *reader, session_object *object) {
    object->object_type = (uint32_t)take_integer(reader, 4);
    object->index = (uint32_t)take_integer(reader, 4);
    uint64_t job_id = take_integer(reader, 4);
    object->size = take_integer(reader, 8);
    object->name = take_text(reader);
    char *command = take_text(reader);
    bool plain = command != NULL && command[0] == 0;
    free(command);
    return payload_ended(reader) && plain && job_id == 0 && (object->object_type == 25 || object->object_type == 27) && object->index >= 1 &&
           object->index <= INT32_MAX && object->size <= SESSION_OBJECT_MAX_BYTES && object->name[0] != 0;
}

session_next session_receive_object(session *self, session_object *object) {
    if (self->complete && self->failure[0] == 0) return SESSION_TOTALS;
    if (self->open) fail(self, "MONGO-901 Cannot go on: the object %s was not read to its end", self->name);
    if (!wait_frame(self)) return SESSION_FAILED;
    if (self->header.type == 'T') return take_totals(self) ? SESSION_TOTALS : SESSION_FAILED;
    payload_reader reader = {.at = self->body, .left = self->header.length};
    *object = (session_object){.type = self->header.type};
    bool good = object->type == 'F' ? take_file(&reader, object) : object->type == 'R' && self->kind == 'B' && take_restore_object(&reader, object);
    free(self->name);
    self->name = object->name;
    if (!good) {
        fail_frame(self, "an object's header, or Totals");
        return SESSION_FAILED;
    }
    drop_frame(self);
    if (object->type == 'F') self->counts.files++;
    else self->counts.restore_objects++;
    self->open = self->kind == 'B';
    self->size = object->size;
    self->moved = 0;
    return SESSION_OBJECT;
}

// The open object's End waits: all three sizes must agree.
static bool take_end(session *self) {
    payload_reader reader;
    if (!expect_frame(self, 'E', &reader)) return false;
    uint64_t size = take_integer(&reader, 8);
    if (!payload_ended(&reader)) return fail_frame(self, "an End's size");
    drop_frame(self);
    self->open = false;
    if (size == self->size && self->moved == self->size) return true;
    return fail(self, "MONGO-201 Cannot take %s: its header says %llu bytes, its end %llu, and %llu came", self->name,
                (unsigned long long)self->size, (unsigned long long)size, (unsigned long long)self->moved);
}

ssize_t session_read(session *self, void *room, size_t length) {
    if (!self->open) return self->failure[0] != 0 ? -1 : 0;
    if (!wait_frame(self)) return -1;
    if (self->header.type == 'E') return take_end(self) ? 0 : -1;
    if (self->header.type != 'D' || self->header.length == 0) return fail_frame(self, "Data or End"), -1;
    if (self->taken == 0) {
        self->moved += self->header.length;
        self->counts.bytes += self->header.length;
        if (self->moved > self->size) return fail_frame(self, "no more Data than the object's header says"), -1;
    }
    size_t left = self->header.length - self->taken;
    size_t count = left < length ? left : length;
    memcpy(room, self->body + self->taken, count);
    self->taken += count;
    if (count == left) drop_frame(self);
    return (ssize_t)count;
}

bool session_send_object(session *self, uint32_t type, uint32_t index, uint32_t job_id, const char *name, const char *command,
                         const void *bytes, size_t length) {
    payload_writer writer = {0};
    put_integer(&writer, type, 4);
    put_integer(&writer, index, 4);
    put_integer(&writer, job_id, 4);
    put_integer(&writer, length, 8);
    put_text(&writer, name);
    put_text(&writer, command);
    self->counts.restore_objects++;
    self->size = length;
    self->moved = 0;
    self->open = send_payload(self, 'R', &writer);
    return self->open && session_write(self, bytes, length) && session_end_file(self);
}

bool session_list(session *self, const char *name) {
    payload_writer writer = {0};
    put_text(&writer, name);
    return send_payload(self, 'L', &writer);
}

bool session_start(session *self, char replace, const char *where, const char *regex_where) {
    payload_writer writer = {0};
    put_integer(&writer, (uint8_t)replace, 1);
    put_text(&writer, where);
    put_text(&writer, regex_where);
    return send_payload(self, 'S', &writer);
}

bool session_command(session *self, const char *command) {
    payload_writer writer = {0};
    put_bytes(&writer, command, strlen(command));
    return send_payload(self, 'P', &writer);
}

int session_offer(session *self, const session_object *file) {
    payload_writer writer = {0};
    put_integer(&writer, 1, 1);
    put_integer(&writer, file->mode & 07777, 4);
    put_integer(&writer, file->size, 8);
    put_integer(&writer, (uint64_t)file->atime, 8);
    put_integer(&writer, (uint64_t)file->mtime, 8);
    put_integer(&writer, (uint64_t)file->ctime, 8);
    put_text(&writer, file->name);
    self->counts.files++;
    payload_reader reader;
    if (!send_payload(self, 'F', &writer) || !expect_frame(self, 'A', &reader)) return -1;
    uint64_t answer = take_integer(&reader, 1);
    if (!payload_ended(&reader) || answer < 1 || answer > 2) return fail_frame(self, "an Answer of 1 or 2"), -1;
    drop_frame(self);
    self->open = answer == 1;
    self->size = file->size;
    self->moved = 0;
    return self->open;
}

bool session_write(session *self, const void *bytes, size_t length) {
    if (!self->open) return fail(self, "MONGO-901 Cannot send data: no object is open");
    for (size_t at = 0; at < length;) {
        size_t count = length - at < FRAME_PAYLOAD_MAX_BYTES ? length - at : FRAME_PAYLOAD_MAX_BYTES;
        self->moved += count;
        self->counts.bytes += count;
        if (!conclude(self, send_frame(self, 'D', (const uint8_t *)bytes + at, count))) return false;
        at += count;
    }
    return true;
}

bool session_end_file(session *self) {
    if (!self->open) return self->failure[0] == 0;
    self->open = false;
    if (self->moved != self->size) {
        return fail(self, "MONGO-505 Cannot restore: the volume brought %llu bytes of a file of %llu", (unsigned long long)self->moved,
                    (unsigned long long)self->size);
    }
    payload_writer writer = {0};
    put_integer(&writer, self->size, 8);
    return send_payload(self, 'E', &writer);
}

bool session_complete(session *self) {
    payload_writer writer = {0};
    put_totals(&writer, &self->counts);
    return send_payload(self, 'T', &writer) && take_totals(self);
}

bool session_finish(session *self, char status) {
    if (!self->complete) return fail(self, "MONGO-202 The job ended before the backend had finished");
    payload_writer writer = {0};
    put_integer(&writer, (uint8_t)status, 1);
    put_totals(&writer, &self->counts);
    if (!send_payload(self, 'Z', &writer)) return false;
    child_close_input(&self->backend);
    if (!child_wait(&self->backend, now_ms() + self->settings.exit_ms)) {
        return fail(self, "MONGO-202 The backend didn't end within %lld s after the job and was killed", (long long)(self->settings.exit_ms / 1000));
    }
    bool clean = WIFEXITED(self->backend.status) && WEXITSTATUS(self->backend.status) == 0;
    return clean || fail(self, "MONGO-202 The backend failed after the last object");
}

void session_close(session *self) {
    if (self == NULL) return;
    child_kill(&self->backend);
    free(self->name);
    free(self->body);
    free(self);
}
