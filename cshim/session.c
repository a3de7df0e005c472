// SPDX-License-Identifier: AGPL-3.0-only
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "exchange.h"

#define PROTOCOL_VERSION 1

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

// What the backend's launcher must know to let it do what a job of this kind needs, and nothing else.
static bool start_backend(session *self, const session_job *job) {
    const char kind[] = {job->kind, 0};
    char *const arguments[] = {(char *)self->settings.path, "job", "--kind", (char *)kind, "--working-dir", (char *)job->working_directory, NULL};
    return child_start(&self->backend, arguments);
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
    } else if (!start_backend(self, job)) {
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
    return session_command(self, command) && session_start(self, 0, "", "");
}

bool session_ask(session *self, const char *command, const char *question) {
    if (!session_command(self, command)) return false;
    payload_writer writer = {0};
    put_text(&writer, question);
    return send_payload(self, 'Q', &writer) && session_start(self, 0, "", "");
}

static bool take_file(payload_reader *reader, session_object *object, bool may_be_directory) {
    uint64_t kind = take_integer(reader, 1);
    object->is_directory = kind == 2;
    object->mode = (uint32_t)take_integer(reader, 4);
    object->size = take_integer(reader, 8);
    object->atime = (int64_t)take_integer(reader, 8);
    object->mtime = (int64_t)take_integer(reader, 8);
    object->ctime = (int64_t)take_integer(reader, 8);
    object->name = take_text(reader);
    return payload_ended(reader) && (kind == 1 || (may_be_directory && kind == 2)) && object->mode <= 07777 && object->size <= INT64_MAX && object->name[0] != 0;
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

static bool take_value(payload_reader *reader, session_object *object) {
    object->name = take_message(reader);
    return payload_ended(reader) && strchr(object->name, '\n') == NULL;
}

// What a session of this kind may receive of this type.
static bool take_object(const session *self, payload_reader *reader, session_object *object) {
    if (self->kind == 'Q') return object->type == 'V' && take_value(reader, object);
    if (object->type == 'F') return take_file(reader, object, self->kind == 'L');
    return object->type == 'R' && self->kind == 'B' && take_restore_object(reader, object);
}

session_next session_receive_object(session *self, session_object *object) {
    if (self->complete && self->failure[0] == 0) return SESSION_TOTALS;
    if (self->open) fail(self, "MONGO-901 Cannot go on: the object %s was not read to its end", self->name);
    if (!wait_frame(self)) return SESSION_FAILED;
    if (self->header.type == 'T') return take_totals(self) ? SESSION_TOTALS : SESSION_FAILED;
    payload_reader reader = {.at = self->body, .left = self->header.length};
    *object = (session_object){.type = self->header.type};
    bool good = take_object(self, &reader, object);
    free(self->name);
    self->name = object->name;
    if (!good) {
        fail_frame(self, "an object's header, or Totals");
        return SESSION_FAILED;
    }
    drop_frame(self);
    if (object->type == 'F') self->counts.files++;
    else if (object->type == 'R') self->counts.restore_objects++;
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

bool session_open_object(session *self, uint32_t type, uint32_t index, uint32_t job_id, const char *name, const char *command, uint64_t size) {
    payload_writer writer = {0};
    put_integer(&writer, type, 4);
    put_integer(&writer, index, 4);
    put_integer(&writer, job_id, 4);
    put_integer(&writer, size, 8);
    put_text(&writer, name);
    put_text(&writer, command);
    self->counts.restore_objects++;
    self->size = size;
    self->moved = 0;
    self->open = send_payload(self, 'R', &writer);
    return self->open;
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

bool session_end_object(session *self) {
    if (!self->open) return self->failure[0] == 0;
    self->open = false;
    // Also where the volume brought less: the backend says so, and has it in its record.
    payload_writer writer = {0};
    put_integer(&writer, self->moved, 8);
    return send_payload(self, 'E', &writer);
}

bool session_complete(session *self) {
    payload_writer writer = {0};
    put_totals(&writer, &self->counts);
    return send_payload(self, 'T', &writer) && take_totals(self);
}

// After Totals there is nothing but the backend's end: a byte more is a protocol error.
static bool wait_end(session *self) {
    int64_t deadline = now_ms() + self->settings.exit_ms;
    child_transfer transfer = {.read_room = self->head, .read_length = FRAME_HEADER_BYTES, .read = self->head_length};
    memset(self->head + self->head_length, 0, FRAME_HEADER_BYTES - self->head_length);
    child_event event = CHILD_READY;
    while (event == CHILD_READY && transfer.read < FRAME_HEADER_BYTES) {
        event = child_transfer_some(&self->backend, &transfer, -1, deadline);
    }
    if (transfer.read > 0) return fail_frame(self, "silence after Totals");
    if (child_wait(&self->backend, deadline)) return true;
    return fail(self, "MONGO-202 The backend didn't end within %lld s after the job and was killed", (long long)(self->settings.exit_ms / 1000));
}

bool session_finish(session *self, char status) {
    if (self->failure[0] != 0) return false;
    if (!self->complete) {
        bool canceled = status == 'A';
        wind_down(self, canceled, canceled ? "cancelled in Bacula" : "it ended in Bacula before the backend had finished");
        return false;
    }
    payload_writer writer = {0};
    put_integer(&writer, (uint8_t)status, 1);
    put_totals(&writer, &self->counts);
    if (!send_payload(self, 'Z', &writer)) return false;
    child_close_input(&self->backend);
    if (!wait_end(self)) return false;
    bool clean = WIFEXITED(self->backend.status) && WEXITSTATUS(self->backend.status) == 0;
    if (clean) pass_on_tail(self);
    return clean || fail(self, "MONGO-202 The backend failed after the last object");
}

void session_close(session *self) {
    if (self == NULL) return;
    child_kill(&self->backend);
    free(self->name);
    free(self->body);
    free(self);
}
