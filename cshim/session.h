// SPDX-License-Identifier: AGPL-3.0-only
// Side S of PTCOMM: one conversation with one backend. Every call that returns failure leaves a sentence in `failure` and the backend dead.
#ifndef PODHEITOR_SESSION_H
#define PODHEITOR_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "child.h"
#include "frame.h"

#define SESSION_FAILURE_BYTES 1960
#define SESSION_OBJECT_MAX_BYTES (64u << 20)

typedef struct {
    char kind;  // 'B' backup, 'R' restore, 'E' estimate, 'L' listing, 'Q' query
    char level; // 'F', 'I', 'D', or ' ' on any but backup and estimate
    bool accurate;
    uint32_t job_id;
    int64_t since_time;
    const char *job_name;
    const char *previous_job_name;
    const char *client_name;
    const char *working_directory;
    const char *bacula_version;
} session_job;

typedef struct {
    uint64_t files;
    uint64_t restore_objects;
    uint64_t bytes;
    uint64_t frames;
} session_totals;

// A file's or restore object's header, or a value. Strings belong to the session until its next object.
typedef struct {
    char type; // 'F', 'R' or 'V'
    bool is_directory;
    uint32_t mode;
    uint64_t size;
    int64_t atime, mtime, ctime;
    char *name; // of a value, its text
    uint32_t object_type, index;
} session_object;

// Hears what the backend says; called on the caller's own thread, within a call of the session.
typedef struct {
    void (*message)(void *argument, char severity, const char *text);
    void *argument;
} session_listener;

typedef struct {
    const char *path; // the backend's executable
    const char *program, *version; // what Hello says of this side
    int wake;                      // becomes readable when the job is cancelled; -1: never
    int64_t silence_ms;            // a backend that says nothing for so long is taken for dead
    int64_t cancel_ms;             // time from Cancel to SIGKILL
    int64_t exit_ms;               // time from Finish to the backend's end
} session_settings;

typedef enum { SESSION_OBJECT, SESSION_TOTALS, SESSION_FAILED } session_next;

typedef struct session session;

// Starts a backend and exchanges Hello and Job. NULL only when memory runs out; look at session_failure().
session *session_open(const session_settings *settings, const session_job *job, session_listener listener);

// The sentence of the first failure, or NULL while there is none.
const char *session_failure(const session *self);

// Whether Totals have been exchanged and agree.
bool session_is_complete(const session *self);

// Backup and estimate: sends the plugin command and starts the work.
bool session_begin(session *self, const char *command);

// Listing and query: the same with the path or the parameter that is asked about.
bool session_ask(session *self, const char *command, const char *question);

// The next object's header or the next value, or Totals that agree.
session_next session_receive_object(session *self, session_object *object);

// Data of the open object: number of bytes, 0 at its End, -1 on failure.
ssize_t session_read(session *self, void *room, size_t length);

// Restore, in this order: objects, names, start; then for each file the command when it changed, the offer. Data and the end follow each object
// and each file that is wanted.
bool session_open_object(session *self, uint32_t type, uint32_t index, uint32_t job_id, const char *name, const char *command, uint64_t size);
bool session_list(session *self, const char *name);
bool session_start(session *self, char replace, const char *where, const char *regex_where);
bool session_command(session *self, const char *command);
// 1: the backend wants the data, 0: it doesn't, -1: failure.
int session_offer(session *self, const session_object *file);
bool session_write(session *self, const void *bytes, size_t length);
bool session_end_object(session *self);
// Sends Totals and waits for the backend's.
bool session_complete(session *self);

// Tells the backend how the job ended ('T', 'f' or 'A') and waits for its end. True only when everything agreed and it left with 0.
bool session_finish(session *self, char status);

// Ends the backend, if it still lives, and frees the session.
void session_close(session *self);

#endif
