// SPDX-License-Identifier: AGPL-3.0-only
// Plays whole jobs of a fake File Daemon through the plugin: fake_fd_test PLUGIN FAKE_BACKEND, both with absolute paths.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "fake_data.h"
#include "fake_fd.h"

#define LINE "podheitor-mongodb: fake"
#define PARALLEL 4

typedef void play_function(fake_job *);

// What must come of a job: the text of its only fatal message, or NULL for a good one. A restore that fails while the Storage Daemon sends gives its
// reason in an error message.
typedef struct {
    const char *title;
    play_function *play;
    fake_job job;
    const char *fatal, *error, *answer;
} example;

static void check_good(const fake_job *job, play_function *play) {
    if (play == fake_fd_query) return;
    if (play == fake_fd_listing) {
        if (job->files != 2 || job->directories != 1 || job->bytes != 200) fault("%d entries, %d directories", (int)job->files, job->directories);
        return;
    }
    uint64_t lines = job->lines[1] != NULL ? 2 : 1;
    uint64_t objects = play == fake_fd_backup ? lines : 0, files = play == fake_fd_restore ? 0 : 2 * lines;
    uint64_t bytes = files / 2 * FAKE_FILE_BYTES;
    if (job->files != files) fault("%d files", (int)job->files);
    if (job->objects != objects) fault("%d restore objects", (int)job->objects);
    if (job->bytes != bytes) fault("%d bytes", (int)job->bytes);
    if (job->errors != 0) fault("%d error messages", job->errors);
    if (play == fake_fd_restore && (job->extracted != 2 || job->skipped != 1)) fault("%d extracted, %d skipped", job->extracted, job->skipped);
}

static void check_job(const fake_job *job, play_function *play, const char *fatal) {
    if (job->fatals != (fatal != NULL)) fault("%d fatal messages; the first: %s", job->fatals, job->fatal);
    if (fatal != NULL && strstr(job->fatal, fatal) == NULL) fault("the fatal message is: %s", job->fatal);
    if (fatal == NULL && play != fake_fd_console && job->fatals == 0) check_good(job, play);
}

static void play_examples(void) {
    const example examples[] = {
        {"a backup", fake_fd_backup, {.name = "happy.1", .lines = {LINE}}, NULL},
        {"a backup of two lines", fake_fd_backup, {.name = "happy.1", .lines = {LINE, LINE " too"}}, NULL},
        {"a backup whose second line is bad", fake_fd_backup, {.name = "happy.1", .lines = {LINE, LINE " bad"}}, "MONGO-101"},
        {"a backup whose first line is bad", fake_fd_backup, {.name = "happy.1", .lines = {LINE " bad", LINE}}, "MONGO-101"},
        {"a restore", fake_fd_restore, {.name = "happy.1"}, NULL},
        {"a restore without restore objects", fake_fd_restore, {.name = "happy.1", .without_objects = true}, NULL},
        {"an estimate", fake_fd_estimate, {.name = "happy.1", .lines = {LINE}}, NULL},
        {"an estimate that is aborted", fake_fd_estimate, {.name = "abort.1", .lines = {LINE}}, "MONGO-301"},
        {"an estimate whose backend ends with 1", fake_fd_estimate, {.name = "exit-1.1", .lines = {LINE}}, "MONGO-202"},
        {"a listing", fake_fd_listing, {.name = "happy.1", .lines = {LINE " listing=x"}, .question = "/app and more"}, NULL},
        {"a listing that is aborted", fake_fd_listing, {.name = "abort.1", .lines = {LINE " listing=x"}, .question = "/app and more"}, "MONGO-101 The fake"},
        {"a listing whose backend ends with 1", fake_fd_listing, {.name = "exit-1.1", .lines = {LINE " listing=x"}, .question = "/app and more"}, "MONGO-202"},
        {"a query", fake_fd_query, {.name = "happy.1", .lines = {LINE}, .question = "databases"}, .answer = "database=app\ndatabase=shop %s\n"},
        {"a query of which nothing is known", fake_fd_query, {.name = "nothing.1", .lines = {LINE}, .question = "databases"}, .answer = ""},
        {"a query that is refused", fake_fd_query, {.name = "abort.1", .lines = {LINE}, .question = "databases"},
         .answer = "error=MONGO-102 There is no such parameter Hint: ask for another one\n"},
        {"a query whose backend dies", fake_fd_query, {.name = "death.1", .lines = {LINE}, .question = "databases"},
         .answer = "database=app\nerror=MONGO-202 Cannot go on: the backend ended early (killed by signal 9, as the kernel does when memory runs out: see its log, dmesg)\n"},
        {"a query whose backend ends with 1", fake_fd_query, {.name = "exit-1.1", .lines = {LINE}, .question = "databases"},
         .answer = "database=app\ndatabase=shop %s\nerror=MONGO-202 The backend failed after the last object (exit status 1)\n"},
        {"a console's context", fake_fd_console, {.name = "happy.1"}, NULL},
        {"the backend dies within the data", fake_fd_backup, {.name = "death.1", .lines = {LINE}}, "killed by signal 9"},
        {"the backend ends with last words", fake_fd_backup, {.name = "last-words.1", .lines = {LINE}},
         "(exit status 3); its last words: fake backend: panicked at 'no\\x09memory'"},
        {"the backend writes text in place of a frame", fake_fd_backup, {.name = "garbage.1", .lines = {LINE}}, "wanted magic"},
        {"the backend counts other totals", fake_fd_backup, {.name = "short-totals.1", .lines = {LINE}}, "MONGO-201 Cannot agree"},
        {"the backend sends totals twice", fake_fd_backup, {.name = "second-totals.1", .lines = {LINE}}, "MONGO-201"},
        {"the backend ends with 1 after Finish", fake_fd_backup, {.name = "exit-1.1", .lines = {LINE}}, "MONGO-202"},
        {"the backend aborts within the data", fake_fd_backup, {.name = "abort.1", .lines = {LINE}}, "MONGO-301"},
        {"the backend aborts and gives no reason", fake_fd_backup, {.name = "silent-abort.1", .lines = {LINE}}, "gave no reason"},
        {"1 MiB on standard error while data flow", fake_fd_backup, {.name = "stderr.1", .lines = {LINE}}, NULL},
        {"messages flow while a restore writes", fake_fd_restore, {.name = "chatter.1"}, NULL},
        {"the backend dies within a restore's data", fake_fd_restore, {.name = "death.1"}, "MONGO-603", "killed by signal 9"},
        {"the backend aborts a restore", fake_fd_restore, {.name = "abort.1"}, "MONGO-603", "MONGO-501"},
        {"the Storage Daemon goes away within a file", fake_fd_restore, {.name = "happy.1", .breaks_off = 100000}, "MONGO-505 The fake volume broke off"},
        {"the backend gives an unknown answer", fake_fd_restore, {.name = "bad-answer.1"}, "MONGO-603", "an Answer of 1 or 2"},
        {"the backend counts a restore's totals differently", fake_fd_restore, {.name = "short-totals.1"}, "MONGO-201"},
        {"the backend ends with 1 after a restore's Finish", fake_fd_restore, {.name = "exit-1.1"}, "MONGO-202"},
        {"a restore of a name that climbs", fake_fd_restore, {.name = "climb.1", .climbing = "/@mongodb/a/../../../etc/passwd"}, "MONGO-603", "MONGO-602"},
        {"cancelled while waiting for an object", fake_fd_backup, {.name = "wait-object.1", .lines = {LINE}, .cancel = CANCEL_WHEN_WAITING}, "MONGO-203"},
        {"cancelled while waiting for data", fake_fd_backup, {.name = "wait-data.1", .lines = {LINE}, .cancel = CANCEL_WHEN_WAITING}, "MONGO-203 The fake"},
        {"cancelled within a frame", fake_fd_backup, {.name = "partial.1", .lines = {LINE}, .cancel = CANCEL_WHEN_WAITING}, "MONGO-203 The fake"},
        {"cancelled while data flow", fake_fd_backup, {.name = "flood.1", .lines = {LINE}, .cancel = CANCEL_AT_ONCE}, "MONGO-203 The fake"},
        {"cancelled while waiting for an answer", fake_fd_restore, {.name = "wait-answer.1", .cancel = CANCEL_WHEN_WAITING}, "MONGO-203 The fake"},
        {"cancelled while the backend doesn't read", fake_fd_restore, {.name = "stuck.1", .cancel = CANCEL_WHEN_WAITING}, "MONGO-203"},
    };
    for (size_t at = 0; at < sizeof examples / sizeof *examples; at++) {
        fake_job job = examples[at].job;
        test_begin("daemon: %s", examples[at].title);
        examples[at].play(&job);
        check_job(&job, examples[at].play, examples[at].fatal);
        if (examples[at].error != NULL && strstr(job.error, examples[at].error) == NULL) fault("the error message is: %s", job.error);
        if (examples[at].answer != NULL && strcmp(job.answer, examples[at].answer) != 0) fault("the answer is: %s", job.answer);
        test_end();
    }
}

static void play_with(const char *title, const char *variable, const char *value, play_function *play, fake_job job, const char *fatal) {
    const char *before = getenv(variable);
    test_begin("daemon: %s", title);
    setenv(variable, value, 1);
    play(&job);
    check_job(&job, play, fatal);
    if (before != NULL) setenv(variable, before, 1);
    else unsetenv(variable);
    test_end();
}

static void *play_in_thread(void *job) {
    fake_fd_backup(job);
    return NULL;
}

static void play_in_parallel(void) {
    test_begin("daemon: %d jobs at once", PARALLEL);
    static const char *const names[PARALLEL] = {"happy.1", "death.2", "stderr.3", "abort.4"};
    static const char *const fatals[PARALLEL] = {NULL, "signal 9", NULL, "MONGO-301"};
    fake_job jobs[PARALLEL] = {0};
    pthread_t threads[PARALLEL];
    for (size_t at = 0; at < PARALLEL; at++) {
        jobs[at].name = names[at];
        jobs[at].lines[0] = LINE;
        pthread_create(&threads[at], NULL, play_in_thread, &jobs[at]);
    }
    for (size_t at = 0; at < PARALLEL; at++) {
        pthread_join(threads[at], NULL);
        check_job(&jobs[at], fake_fd_backup, fatals[at]);
    }
    test_end();
}

static void check_loading(void) {
    test_begin("daemon: other sizes and versions are refused at load");
    const uint32_t right[4] = {8, 23, 168, 23};
    if (!fake_fd_accepts(right[0], right[1], right[2], right[3])) fault("the right ones are refused");
    for (size_t at = 0; at < 8; at++) {
        uint32_t other[4];
        memcpy(other, right, sizeof other);
        other[at / 2] += at % 2 == 0 ? 1u : -1u;
        if (fake_fd_accepts(other[0], other[1], other[2], other[3])) fault("%u %u %u %u is taken", other[0], other[1], other[2], other[3]);
    }
    test_end();
}

static void check_accurate(void) {
    test_begin("daemon: checkFile keeps virtual files and no other");
    fake_job job = {.name = "happy.1"};
    if (fake_fd_check_file(&job, "/@mongodb/rs0/app/users.bson") != BRC_SEEN) fault("a virtual file would be marked as deleted");
    if (fake_fd_check_file(&job, "/@mongodb") == BRC_SEEN || fake_fd_check_file(&job, "/etc/passwd") == BRC_SEEN) fault("another file would be kept");
    test_end();
}

static void note_signal(int number) {
    (void)number;
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    // As in the daemon: no descriptor that a child would inherit; SIGPIPE ignored, SIGUSR2 and SIGCHLD with handlers that interrupt calls.
    close_range(3, ~0u, 0);
    signal(SIGPIPE, SIG_IGN);
    struct sigaction interrupting = {.sa_handler = note_signal};
    sigaction(SIGUSR2, &interrupting, NULL);
    sigaction(SIGCHLD, &interrupting, NULL);
    setenv("PODHEITOR_MONGODB_BACKEND", arguments[2], 1);
    setenv("FAKE_SECRET", "1", 1);
    test_begin("daemon: the plugin loads");
    bool loaded = fake_fd_load(arguments[1]);
    test_end();
    if (!loaded) return 1;
    check_loading();
    check_accurate();
    play_examples();
    const fake_job silent = {.name = "silence.1", .lines = {LINE}}, backup = {.name = "happy.1", .lines = {LINE}};
    const fake_job restore = {.name = "happy.1", .without_objects = true};
    play_with("the backend falls silent", "PODHEITOR_MONGODB_SILENCE_SECONDS", "1", fake_fd_backup, silent, "nothing for 1 s");
    play_with("no backend on a backup", "PODHEITOR_MONGODB_BACKEND", "/nowhere/backend", fake_fd_backup, backup, "MONGO-202");
    play_with("no backend on a restore", "PODHEITOR_MONGODB_BACKEND", "/nowhere/backend", fake_fd_restore, restore, "MONGO-202");
    test_begin("daemon: a query without a backend");
    fake_job query = {.name = "happy.1", .lines = {LINE}, .question = "databases"};
    setenv("PODHEITOR_MONGODB_BACKEND", "/nowhere/backend", 1);
    fake_fd_query(&query);
    if (query.fatals != 0 || strncmp(query.answer, "error=MONGO-202 Cannot start", 28) != 0) fault("the answer is: %s", query.answer);
    setenv("PODHEITOR_MONGODB_BACKEND", arguments[2], 1);
    test_end();
    play_in_parallel();
    fake_fd_unload();
    return tests_status();
}
