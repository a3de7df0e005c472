// SPDX-License-Identifier: AGPL-3.0-only
#define _GNU_SOURCE
#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DEFAULT_BACKEND "/opt/bacula/bin/podheitor-mongodb-backend"

#ifndef VERSION
#error "VERSION comes from the Makefile"
#endif

const bacula_functions *bacula;

static void say(plugin_context *context, int type, const char *text) {
    char line[2000];
    snprintf(line, sizeof line, "podheitor-mongodb: %.1960s\n", text);
    bacula->job_message(context, __FILE__, __LINE__, type, 0, "%s", line);
}

static void hear(void *context, char severity, const char *text) {
    say(context, severity == 'E' ? M_ERROR : severity == 'W' ? M_WARNING : M_INFO, text);
}

char *variable_text(plugin_context *context, int variable) {
    char *text = NULL;
    bacula->get_value(context, variable, &text);
    return text == NULL ? "" : text;
}

int variable_int(plugin_context *context, int variable) {
    int value = 0;
    bacula->get_value(context, variable, &value);
    return value;
}

// A fatal message ends a job at once, but not well while the Storage Daemon sends: it would wait for the File Daemon to read, the File Daemon for the
// Director, and the Director for the Storage Daemon, for ever. So a restore says what is wrong right away, lets the rest come and drops it, and is made
// fatal by end_restore().
void report(plugin_context *context, const char *text) {
    job_context *job = context->plugin;
    if (job != NULL && job->failed) return;
    if (job != NULL) job->failed = true;
    if (job != NULL && job->queries) {
        job->failure = strdup(text);
        return;
    }
    // The daemon sets its variable after it told of the cancellation.
    bool canceled = job != NULL && (atomic_load(&job->canceled) || variable_int(context, VAR_IS_CANCELED) != 0);
    if (job == NULL || !job->restore_started || canceled) {
        say(context, M_FATAL, text);
        return;
    }
    job->draining = true;
    say(context, M_ERROR, text);
    say(context, M_ERROR, "Nothing more is restored; the rest of the volume is read and dropped, and the job fails then. Cancel it to end it now");
}

static void report_session(plugin_context *context, job_session *one) {
    if (one->reported) return;
    one->reported = true;
    report(context, session_failure(one->talk));
}

// The backend's path: a constant, or what the administrator of this machine wrote into the daemon's environment. Never what came from a Director.
static const char *backend_path(void) {
    const char *path = secure_getenv("PODHEITOR_MONGODB_BACKEND");
    return path != NULL && path[0] == '/' ? path : DEFAULT_BACKEND;
}

static int64_t silence_ms(void) {
    const char *text = secure_getenv("PODHEITOR_MONGODB_SILENCE_SECONDS");
    long seconds = text == NULL ? 0 : strtol(text, NULL, 10);
    return (seconds >= 1 && seconds <= 86400 ? seconds : 120) * 1000L;
}

static job_context *open_job(plugin_context *context) {
    job_context *job = context->plugin;
    if (job == NULL) {
        say(context, M_FATAL, "MONGO-901 Cannot run: memory ran out");
        return NULL;
    }
    if (job->failed) return NULL;
    if (atomic_load(&job->wake) < 0) atomic_store(&job->wake, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    // The cancelling thread may have come before there was anything to wake.
    if (atomic_load(&job->canceled)) {
        report(context, "MONGO-203 The job was cancelled");
        return NULL;
    }
    return job;
}

session *open_session(plugin_context *context, char kind) {
    job_context *job = open_job(context);
    if (job == NULL) return NULL;
    int level = variable_int(context, VAR_LEVEL);
    const session_job described = {
        .kind = kind,
        .level = kind != 'B' && kind != 'E' ? ' ' : level == 'I' || level == 'D' ? (char)level : 'F',
        .accurate = variable_int(context, VAR_ACCURATE) != 0,
        .job_id = (uint32_t)variable_int(context, VAR_JOB_ID),
        .since_time = (uint32_t)variable_int(context, VAR_SINCE_TIME),
        .job_name = variable_text(context, VAR_JOB_NAME),
        .previous_job_name = variable_text(context, VAR_PREV_JOB_NAME),
        .client_name = variable_text(context, VAR_CLIENT),
        .working_directory = variable_text(context, VAR_WORKING_DIR),
        .bacula_version = variable_text(context, VAR_VERSION),
    };
    const session_settings settings = {
        .path = backend_path(),
        .program = "podheitor-mongodb-fd",
        .version = VERSION,
        .wake = atomic_load(&job->wake),
        .silence_ms = silence_ms(),
        .cancel_ms = 10000,
        .exit_ms = 30000,
    };
    job_session *one = calloc(1, sizeof *one);
    if (one != NULL) one->talk = session_open(&settings, &described, (session_listener){hear, context});
    if (one == NULL || one->talk == NULL) {
        free(one);
        report(context, "MONGO-901 Cannot start the backend: memory ran out");
        return NULL;
    }
    one->next = job->first;
    job->first = job->current = one;
    if (session_failure(one->talk) == NULL) return one->talk;
    report_session(context, one);
    return NULL;
}

session *current(plugin_context *context) {
    job_context *job = context->plugin;
    return job == NULL || job->failed || job->current == NULL ? NULL : job->current->talk;
}

bool checked(plugin_context *context, bool good) {
    job_context *job = context->plugin;
    if (!good) report_session(context, job->current);
    return good;
}

char job_status(plugin_context *context) {
    int status = variable_int(context, VAR_JOB_STATUS);
    if (status == 'A') return 'A';
    return variable_int(context, VAR_IS_CANCELED) != 0 ? 'f' : 'T';
}

void end_sessions(plugin_context *context) {
    job_context *job = context->plugin;
    if (job == NULL) return;
    for (job_session *one = job->first; one != NULL; one = one->next) {
        if (one->ended) continue;
        one->ended = true;
        if (session_failure(one->talk) != NULL || session_finish(one->talk, job_status(context))) continue;
        // A job that was lost anyway has its reason; the backend's is not another one.
        if (job_status(context) == 'T') report_session(context, one);
        one->reported = true;
    }
}

void cancel(plugin_context *context) {
    job_context *job = context->plugin;
    if (job == NULL) return;
    atomic_store(&job->canceled, true);
    int wake = atomic_load(&job->wake);
    uint64_t one = 1;
    if (wake >= 0 && write(wake, &one, sizeof one) < 0) return; // it is awake already
}

brc new_plugin(plugin_context *context) {
    // Consoles make contexts too: nothing is started here. Without memory the first command says so.
    job_context *job = calloc(1, sizeof *job);
    if (job != NULL) {
        atomic_init(&job->wake, -1);
        atomic_init(&job->canceled, false);
        job->after = SESSION_TOTALS;
    }
    context->plugin = job;
    return BRC_OK;
}

brc free_plugin(plugin_context *context) {
    job_context *job = context->plugin;
    context->plugin = NULL;
    if (job == NULL) return BRC_OK;
    for (job_session *one = job->first; one != NULL;) {
        job_session *next = one->next;
        session_close(one->talk);
        free(one);
        one = next;
    }
    int wake = atomic_load(&job->wake);
    if (wake >= 0) close(wake);
    free(job->object_bytes);
    free(job->last_command);
    free(job->line);
    free(job->failure);
    free(job);
    return BRC_OK;
}
