// SPDX-License-Identifier: AGPL-3.0-only
// One job of the File Daemon: its sessions, and how its failures are told. For the plugin's own files only.
#ifndef PODHEITOR_JOB_H
#define PODHEITOR_JOB_H

#include <stdatomic.h>
#include <stdbool.h>

#include "bacula_abi.h"
#include "session.h"

#define VIRTUAL_ROOT "/@mongodb/"

// The daemon's functions, set once at load.
extern const bacula_functions *bacula;

// A backup runs one session for each Plugin line, kept until the job ends; a restore runs one.
typedef struct job_session {
    session *talk;
    bool reported; // its failure has been said
    bool ended;    // it was told how the job ended
    struct job_session *next;
} job_session;

typedef struct {
    atomic_int wake; // eventfd that the cancelling thread writes to; -1 until the first session
    atomic_bool canceled;
    job_session *first, *current;
    session_object object; // header of the object that is on its way
    char *object_bytes;    // of a restore object, Bacula's until endBackupFile
    bool object_read;      // its End has been seen
    session_next after;    // what came behind it
    bool restore_started;
    char *last_command;
    bool queries; // a console's `.query`: failures are part of its answer
    char *line; // of the answer, the daemon's until the next call
    char *failure; // of a query, still to be said
    bool failed; // a session failed, or none could be had: nothing is done any more
    bool draining; // a restore failed while the Storage Daemon sends: see report()
} job_context;

char *variable_text(plugin_context *context, int variable);
int variable_int(plugin_context *context, int variable);

// Says a failure of the job; the first one only.
void report(plugin_context *context, const char *text);

// Passes a call's success on; a failure of the current session is reported first.
bool checked(plugin_context *context, bool good);

// Starts a backend for this job. NULL: the failure has been reported.
session *open_session(plugin_context *context, char kind);

// The session that works now, or NULL where there is none or it failed.
session *current(plugin_context *context);

// 'T' while the job is good, 'f' when it failed, 'A' when it was cancelled.
char job_status(plugin_context *context);

// Tells every session how the job ended; each must have come to its end, and its backend must leave in peace.
void end_sessions(plugin_context *context);

brc new_plugin(plugin_context *context);
brc free_plugin(plugin_context *context);

// Called by another thread: wakes the job's own thread, and does nothing else.
void cancel(plugin_context *context);

#endif
