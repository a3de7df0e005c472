// SPDX-License-Identifier: AGPL-3.0-only
// Plays the sessions of the folder in the argument against session.c. The backend is this program itself, started with the one argument "job".
#define _GNU_SOURCE
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../payload.h"
#include "../session.h"
#include "check.h"
#include "script.h"
#include "vector_peer.h"

#define SCRIPT_VARIABLE "PODHEITOR_MONGODB_TEST_SCRIPT"
#define PROGRESS_VARIABLE "PODHEITOR_MONGODB_TEST_PROGRESS"

// No verdict may need one of the limits.
static const int64_t limit_ms = 15000;
static const int64_t verdict_ms = 10000;

static char self_path[4096], progress_path[64];

typedef struct {
    const script *play;
    session *talk;
    int wake;
    bool open;      // an object is
    uint64_t left;  // of the file that is being sent
    bool good;      // session_finish() said so
    size_t message; // where the next Message is looked for
} player;

static payload_reader reader_of(const script_line *line) {
    return (payload_reader){.at = line->bytes, .left = line->length};
}

static bool is_next(const player *self, size_t at, char side, char what) {
    return at + 1 < self->play->count && self->play->lines[at + 1].side == side && self->play->lines[at + 1].what == what;
}

static void hear(void *argument, char severity, const char *text) {
    player *self = argument;
    while (self->message < self->play->count && (self->play->lines[self->message].side != 'B' || self->play->lines[self->message].what != 'M')) self->message++;
    if (self->message == self->play->count) {
        fault("a message that nobody sent: %c %s", severity, text);
        return;
    }
    payload_reader reader = reader_of(&self->play->lines[self->message++]);
    char sent_severity = (char)take_integer(&reader, 1);
    char *sent = take_text(&reader);
    if (sent == NULL || severity != sent_severity || strcmp(text, sent) != 0) fault("message %c %s came as %c %s", sent_severity, sent, severity, text);
    free(sent);
}

static void wake(player *self) {
    uint64_t one = 1;
    if (write(self->wake, &one, sizeof one) != sizeof one) fault("cannot wake");
}

static void compare_object(const session_object *object, const script_line *line) {
    payload_writer writer = {0};
    if (object->type == 'V') {
        put_text(&writer, object->name);
    } else if (object->type == 'F') {
        put_integer(&writer, object->is_directory ? 2 : 1, 1);
        put_integer(&writer, object->mode, 4);
        put_integer(&writer, object->size, 8);
        put_integer(&writer, (uint64_t)object->atime, 8);
        put_integer(&writer, (uint64_t)object->mtime, 8);
        put_integer(&writer, (uint64_t)object->ctime, 8);
        put_text(&writer, object->name);
    } else {
        put_integer(&writer, object->object_type, 4);
        put_integer(&writer, object->index, 4);
        put_integer(&writer, 0, 4);
        put_integer(&writer, object->size, 8);
        put_text(&writer, object->name);
        put_text(&writer, "");
    }
    if (object->type != line->what || writer.length != line->length || memcmp(writer.bytes, line->bytes, writer.length) != 0)
        fault("line %d: another object was received", line->number);
    payload_free(&writer);
}

// What the daemon does next on a backup or estimate, given that the backend did `line`. False: the session failed.
static bool receive(player *self, const script_line *line) {
    if (!self->open) {
        session_object object;
        session_next next = session_receive_object(self->talk, &object);
        if (next == SESSION_OBJECT) {
            compare_object(&object, line);
            self->open = self->play->job == 'B';
        } else if (next == SESSION_TOTALS && line->what != 'T') {
            fault("line %d: Totals were received", line->number);
        }
        return next != SESSION_FAILED;
    }
    static uint8_t room[FRAME_PAYLOAD_MAX_BYTES];
    size_t wanted = line->what == 'D' ? line->length : 0;
    for (size_t got = 0; got < wanted || wanted == 0;) {
        ssize_t count = session_read(self->talk, room, wanted == 0 ? 1 : wanted - got);
        if (count < 0) return false;
        if (count == 0) self->open = false;
        if ((count == 0) != (line->what == 'E')) return fault("line %d: %zd bytes were read", line->number, count), false;
        if (memcmp(room, line->bytes + got, (size_t)count) != 0) fault("line %d: other data were read", line->number);
        if (wanted == 0) break;
        got += (size_t)count;
    }
    return true;
}

static bool open_object(player *self, const script_line *line) {
    payload_reader reader = reader_of(line);
    uint32_t type = (uint32_t)take_integer(&reader, 4), index = (uint32_t)take_integer(&reader, 4), job_id = (uint32_t)take_integer(&reader, 4);
    uint64_t size = take_integer(&reader, 8);
    char *name = take_text(&reader), *command = take_text(&reader);
    bool good = session_open_object(self->talk, type, index, job_id, name, command, size);
    self->open = true;
    self->left = size;
    free(name);
    free(command);
    return good;
}

static bool start(player *self, const script_line *line) {
    payload_reader reader = reader_of(line);
    char replace = (char)take_integer(&reader, 1);
    char *where = take_text(&reader), *regex_where = take_text(&reader);
    bool good = session_start(self->talk, replace, where, regex_where);
    free(where);
    free(regex_where);
    return good;
}

// Offers a file; the Answer is the next line but Messages and Heartbeats.
static bool offer(player *self, size_t at) {
    const script_line *line = &self->play->lines[at];
    payload_reader reader = reader_of(line);
    session_object file = {.type = 'F'};
    take_integer(&reader, 1);
    file.mode = (uint32_t)take_integer(&reader, 4);
    file.size = take_integer(&reader, 8);
    file.atime = (int64_t)take_integer(&reader, 8);
    file.mtime = (int64_t)take_integer(&reader, 8);
    file.ctime = (int64_t)take_integer(&reader, 8);
    file.name = take_text(&reader);
    int answer = session_offer(self->talk, &file);
    free(file.name);
    if (answer < 0) return false;
    while (is_next(self, at, 'B', 'M') || is_next(self, at, 'B', 'B')) at++;
    if (!is_next(self, at, 'B', 'A') || self->play->lines[at + 1].bytes[0] != (answer == 1 ? 1 : 2)) fault("line %d: answered %d", line->number, answer);
    self->open = answer == 1;
    self->left = file.size;
    return true;
}

static bool send_text(player *self, size_t at) {
    const script_line *line = &self->play->lines[at];
    if (line->what == 'L') {
        payload_reader reader = reader_of(line);
        char *name = take_text(&reader);
        bool good = session_list(self->talk, name);
        free(name);
        return good;
    }
    char *command = strndup((const char *)line->bytes, line->length);
    bool good;
    if (self->play->job == 'R') {
        good = session_command(self->talk, command);
    } else if (self->play->job == 'L' || self->play->job == 'Q') {
        payload_reader reader = is_next(self, at, 'S', 'Q') ? reader_of(line + 1) : (payload_reader){0};
        char *question = take_text(&reader);
        good = session_ask(self->talk, command, question);
        free(question);
    } else {
        good = session_begin(self->talk, command);
    }
    free(command);
    return good;
}

// Plays one line. False: the session has come to its end.
static bool play_line(player *self, size_t at) {
    const script_line *line = &self->play->lines[at];
    bool restores = self->play->job == 'R';
    if (line->side == 'B') {
        siginfo_t ended;
        if (line->what == SCRIPT_EXIT && session_is_complete(self->talk)) waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT);
        if (line->what < ' ' || line->what == 'M' || line->what == 'B' || line->what == 'H' || restores) return true;
        return session_is_complete(self->talk) || receive(self, line);
    }
    if (is_next(self, at, 'S', 'C')) wake(self);
    switch (line->what) {
    case 'L':
    case 'P':
        return send_text(self, at);
    case 'S':
        return !restores || start(self, line);
    case 'R':
        return open_object(self, line);
    case 'F':
        return offer(self, at);
    case 'D':
        self->left -= line->length;
        return session_write(self->talk, line->bytes, line->length);
    case 'E':
        self->open = false;
        return session_end_object(self->talk);
    case 'T':
        return session_complete(self->talk);
    case 'Z':
        self->good = session_finish(self->talk, (char)line->bytes[0]);
        return false;
    case 'C':
        if (!restores) wake(self);
        return true;
    }
    return true;
}

// The daemon goes on with its job to the end, until the session fails.
static void carry_on(player *self) {
    static const uint8_t zeros[64];
    session_object object;
    while (session_failure(self->talk) == NULL && !session_is_complete(self->talk)) {
        if (self->play->job != 'R') {
            if (self->open) self->open = session_read(self->talk, &(char){0}, 1) > 0;
            else if (session_receive_object(self->talk, &object) == SESSION_OBJECT) self->open = self->play->job == 'B';
            continue;
        }
        for (; self->open && self->left > 0; self->left -= self->left < sizeof zeros ? self->left : sizeof zeros) {
            if (!session_write(self->talk, zeros, self->left < sizeof zeros ? (size_t)self->left : sizeof zeros)) return;
        }
        if (!session_end_object(self->talk) || !session_complete(self->talk)) return;
    }
    if (session_failure(self->talk) == NULL) self->good = session_finish(self->talk, 'T');
}

static void check_verdict(const player *self) {
    const char *failure = session_failure(self->talk);
    char progress[400] = "", wanted[40];
    FILE *file = fopen(progress_path, "r");
    if (file == NULL || fgets(progress, sizeof progress, file) == NULL) fault("the peer said nothing");
    if (file != NULL) fclose(file);
    snprintf(wanted, sizeof wanted, "line %d", self->play->lines[self->play->count - 1].number);
    if (strcmp(progress, wanted) != 0) fault("the peer came to \"%s\" of \"%s\"", progress, wanted);
    siginfo_t ended;
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0) fault("the backend is left");
    if (strcmp(self->play->expected, "ok") == 0) {
        if (!self->good || failure != NULL) fault("failed: %s", failure);
        for (size_t at = self->message; at < self->play->count; at++) {
            const script_line *line = &self->play->lines[at];
            if (line->side == 'B' && line->what == 'M') fault("line %d: the message was not heard", line->number);
        }
    } else if (self->good || failure == NULL) {
        fault("taken for good");
    }
}

static void run(const script *play) {
    payload_reader hello = reader_of(&play->lines[0]), job = {0};
    take_integer(&hello, 2);
    char *program = take_text(&hello), *version = take_text(&hello);
    for (size_t at = 0; at < play->count && job.at == NULL; at++) {
        if (play->lines[at].what == 'J') job = reader_of(&play->lines[at]);
    }
    session_job described = {.kind = (char)take_integer(&job, 1), .level = (char)take_integer(&job, 1), .accurate = take_integer(&job, 1) != 0,
                             .job_id = (uint32_t)take_integer(&job, 4), .since_time = (int64_t)take_integer(&job, 8)};
    described.kind = play->job;
    char *texts[5];
    for (size_t at = 0; at < 5; at++) texts[at] = take_text(&job);
    described.job_name = texts[0];
    described.previous_job_name = texts[1];
    described.client_name = texts[2];
    described.working_directory = texts[3];
    described.bacula_version = texts[4];
    player self = {.play = play, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    const session_settings settings = {.path = self_path, .program = program, .version = version, .wake = self.wake,
                                       .silence_ms = limit_ms, .cancel_ms = limit_ms, .exit_ms = limit_ms};
    int64_t begun = now_ms();
    self.talk = session_open(&settings, &described, (session_listener){hear, &self});
    bool goes_on = session_failure(self.talk) == NULL;
    for (size_t at = 0; at < play->count && goes_on; at++) goes_on = play_line(&self, at);
    if (!self.good && session_failure(self.talk) == NULL) carry_on(&self);
    check_verdict(&self);
    if (now_ms() - begun > verdict_ms) fault("the verdict took %lld ms", (long long)(now_ms() - begun));
    session_close(self.talk);
    close(self.wake);
    for (size_t at = 0; at < 5; at++) free(texts[at]);
    free(program);
    free(version);
}

int main(int count, char **arguments) {
    signal(SIGPIPE, SIG_IGN); // as in the daemon
    script play;
    if (count > 2 && strcmp(arguments[1], "job") == 0) {
        script_read(&play, getenv(SCRIPT_VARIABLE));
        vector_peer_play(&play, getenv(PROGRESS_VARIABLE));
    }
    glob_t found;
    char pattern[4096];
    snprintf(pattern, sizeof pattern, "%s/*.txt", count == 2 ? arguments[1] : ".");
    if (glob(pattern, 0, NULL, &found) != 0 || readlink("/proc/self/exe", self_path, sizeof self_path - 1) < 0) return 2;
    snprintf(progress_path, sizeof progress_path, "/tmp/podheitor-progress-%d", getpid());
    setenv(PROGRESS_VARIABLE, progress_path, 1);
    for (size_t at = 0; at < found.gl_pathc; at++) {
        script_read(&play, found.gl_pathv[at]);
        if (play.fault[0] != 0 || play.expected[0] != 0) {
            test_begin("session: %s", strrchr(found.gl_pathv[at], '/') + 1);
            setenv(SCRIPT_VARIABLE, found.gl_pathv[at], 1);
            if (play.fault[0] != 0) fault("%s", play.fault);
            else run(&play);
            test_end();
            unlink(progress_path);
        }
        script_free(&play);
    }
    globfree(&found);
    return tests_status();
}
