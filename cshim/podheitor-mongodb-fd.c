// SPDX-License-Identifier: AGPL-3.0-only
// Copyright (c) 2026 PodHeitor
//
// The File Daemon's plugin: Bacula's calls become a conversation with the backend. The daemon hardly ever fails a job for what a plugin returns, so
// every failure is said with M_FATAL, once for each session; and nothing here lets the daemon write a virtual file by itself.
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bacula_abi.h"
#include "session.h"

#ifndef VERSION
#error "VERSION comes from the Makefile"
#endif

#define EXPORTED __attribute__((visibility("default")))
#define DEFAULT_BACKEND "/opt/bacula/bin/podheitor-mongodb-backend"
#define VIRTUAL_ROOT "/@mongodb/"

static const bacula_functions *bacula;

// A backup runs one session for each Plugin line, kept until the job ends; a restore runs one.
typedef struct job_session {
    session *talk;
    bool reported; // its failure has been said
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
    bool failed; // a session failed, or none could be had: nothing is done any more
} job_context;

static void say(plugin_context *context, int type, const char *text) {
    char line[2000];
    snprintf(line, sizeof line, "podheitor-mongodb: %.1960s\n", text);
    bacula->job_message(context, __FILE__, __LINE__, type, 0, "%s", line);
}

static void hear(void *context, char severity, const char *text) {
    say(context, severity == 'E' ? M_ERROR : severity == 'W' ? M_WARNING : M_INFO, text);
}

static char *variable_text(plugin_context *context, int variable) {
    char *text = NULL;
    bacula->get_value(context, variable, &text);
    return text == NULL ? "" : text;
}

static int variable_int(plugin_context *context, int variable) {
    int value = 0;
    bacula->get_value(context, variable, &value);
    return value;
}

// Reports a failure of the job; the first one only.
static void report(plugin_context *context, const char *text) {
    job_context *job = context->plugin;
    if (job != NULL && job->failed) return;
    if (job != NULL) job->failed = true;
    say(context, M_FATAL, text);
}

static void report_session(plugin_context *context, job_session *one) {
    job_context *job = context->plugin;
    if (one->reported) return;
    one->reported = true;
    job->failed = true;
    say(context, M_FATAL, session_failure(one->talk));
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

// Starts a backend for this job. NULL: the failure has been reported.
static session *open_session(plugin_context *context, char kind) {
    job_context *job = open_job(context);
    if (job == NULL) return NULL;
    int level = variable_int(context, VAR_LEVEL);
    const session_job described = {
        .kind = kind,
        .level = kind != 'R' && (level == 'I' || level == 'D') ? (char)level : kind == 'R' ? ' ' : 'F',
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

// The session that works now, or NULL where there is none or it failed.
static session *current(plugin_context *context) {
    job_context *job = context->plugin;
    return job == NULL || job->failed || job->current == NULL ? NULL : job->current->talk;
}

// Passes a call's success on; a failure is reported first.
static bool checked(plugin_context *context, bool good) {
    job_context *job = context->plugin;
    if (!good) report_session(context, job->current);
    return good;
}

// --- backup ---------------------------------------------------------------------------------------------------------------------------------

static brc begin_session(plugin_context *context, char kind, const char *command) {
    session *talk = open_session(context, kind);
    return talk != NULL && checked(context, session_begin(talk, command)) ? BRC_OK : BRC_ERROR;
}

static char *read_object(session *talk, const session_object *object) {
    char *bytes = malloc(object->size + 1);
    size_t length = 0;
    for (ssize_t count = 1; bytes != NULL && count > 0; length += count > 0 ? (size_t)count : 0) {
        count = session_read(talk, bytes + length, object->size + 1 - length);
        if (count < 0) {
            free(bytes);
            return NULL;
        }
    }
    return bytes;
}

static void describe_file(save_packet *packet, const session_object *object) {
    packet->fname = object->name;
    packet->link = (char *)"";
    packet->type = object->size > 0 ? FT_REGULAR : FT_REGULAR_EMPTY;
    packet->no_read = object->size == 0;
    packet->portable = true;
    packet->flags = 0;
    packet->statp.st_mode = S_IFREG | object->mode;
    packet->statp.st_nlink = 1;
    packet->statp.st_size = (off_t)object->size;
    packet->statp.st_blksize = 65536;
    packet->statp.st_blocks = (blkcnt_t)((object->size + 511) / 512);
    packet->statp.st_atime = object->atime;
    packet->statp.st_mtime = object->mtime;
    packet->statp.st_ctime = object->ctime;
}

static brc start_backup_file(plugin_context *context, save_packet *packet) {
    job_context *job = context->plugin;
    session *talk = current(context);
    if (talk == NULL) return BRC_ERROR;
    // A first call has nothing behind it yet; later ones were looked ahead by endBackupFile.
    if (job->after != SESSION_OBJECT) job->after = session_receive_object(talk, &job->object);
    if (job->after == SESSION_FAILED) return checked(context, false) ? BRC_OK : BRC_ERROR;
    // No object at all: this line is over, and EndBackupJob looks whether that is well.
    if (job->after == SESSION_TOTALS) return BRC_STOP;
    describe_file(packet, &job->object);
    job->object_read = job->object.size == 0 && false;
    if (job->object.type == 'F') return BRC_OK;
    job->object_bytes = read_object(talk, &job->object);
    if (job->object_bytes == NULL) {
        if (session_failure(talk) == NULL) report(context, "MONGO-901 Cannot take a restore object: memory ran out");
        else checked(context, false);
        return BRC_ERROR;
    }
    job->object_read = true;
    packet->type = (int32_t)job->object.object_type;
    packet->object = (restore_object){
        .object_name = job->object.name,
        .object = job->object_bytes,
        .object_len = (int32_t)job->object.size,
        .index = (int32_t)job->object.index,
    };
    return BRC_OK;
}

static void read_file(plugin_context *context, io_packet *io) {
    job_context *job = context->plugin;
    session *talk = current(context);
    ssize_t count = talk == NULL ? -1 : session_read(talk, io->buf, (size_t)io->count);
    if (talk != NULL) checked(context, count >= 0);
    if (count == 0) job->object_read = true;
    io->status = (int32_t)count;
    io->io_errno = count < 0 ? EIO : 0;
}

static brc end_backup_file(plugin_context *context) {
    job_context *job = context->plugin;
    session *talk = current(context);
    if (talk == NULL) return BRC_ERROR;
    free(job->object_bytes);
    job->object_bytes = NULL;
    // An empty file isn't read by the daemon, and an estimate reads nothing: the object's End, where there is one, is still to be taken.
    if (!job->object_read) {
        char none;
        ssize_t count = session_read(talk, &none, sizeof none);
        if (count > 0) report(context, "MONGO-202 Cannot go on: Bacula stopped reading a file before its end");
        else checked(context, count == 0);
        if (count != 0) return BRC_ERROR;
    }
    job->after = session_receive_object(talk, &job->object);
    if (job->after == SESSION_OBJECT) return BRC_MORE;
    bool good = checked(context, job->after == SESSION_TOTALS);
    job->after = SESSION_TOTALS;
    return good ? BRC_OK : BRC_ERROR;
}

static char job_status(plugin_context *context) {
    int status = variable_int(context, VAR_JOB_STATUS);
    if (status == 'A') return 'A';
    return variable_int(context, VAR_IS_CANCELED) != 0 ? 'f' : 'T';
}

// Every line that was begun must have come to its end, and its backend must leave in peace.
static void end_sessions(plugin_context *context) {
    job_context *job = context->plugin;
    if (job == NULL) return;
    for (job_session *one = job->first; one != NULL; one = one->next) {
        if (session_failure(one->talk) != NULL || session_finish(one->talk, job_status(context))) continue;
        // A job that was lost anyway has its reason; the backend's is not another one.
        if (job_status(context) == 'T') report_session(context, one);
        one->reported = true;
    }
}

// --- restore --------------------------------------------------------------------------------------------------------------------------------

// The restore's session, begun with the first thing that Bacula hands over.
static session *restore_session(plugin_context *context) {
    job_context *job = context->plugin;
    if (job != NULL && job->current != NULL) return current(context);
    return open_session(context, 'R');
}

static void take_restore_object(plugin_context *context, const restore_object_packet *packet) {
    session *talk = restore_session(context);
    if (talk == NULL) return;
    checked(context, session_send_object(talk, (uint32_t)packet->object_type, (uint32_t)(packet->object_index > 0 ? packet->object_index : 1),
                                         packet->job_id, packet->object_name, packet->plugin_name, packet->object, (size_t)packet->object_len));
}

static bool start_restore(plugin_context *context) {
    job_context *job = context->plugin;
    session *talk = current(context);
    if (talk == NULL) return false;
    if (job->restore_started) return true;
    job->restore_started = true;
    int replace = variable_int(context, VAR_REPLACE);
    char rule = replace == 'n' || replace == 'w' || replace == 'o' ? (char)replace : 'a';
    return checked(context, session_start(talk, rule, variable_text(context, VAR_WHERE), variable_text(context, VAR_REGEX_WHERE)));
}

static void take_restore_command(plugin_context *context, const char *command) {
    job_context *job = context->plugin;
    session *talk = restore_session(context);
    if (talk == NULL || !start_restore(context)) return;
    if (job->last_command != NULL && strcmp(job->last_command, command) == 0) return;
    free(job->last_command);
    job->last_command = strdup(command);
    checked(context, session_command(talk, command));
}

static bool climbs(const char *path) {
    for (const char *at = path; (at = strstr(at, "..")) != NULL; at += 2) {
        if ((at == path || at[-1] == '/') && (at[2] == 0 || at[2] == '/')) return true;
    }
    return false;
}

static brc create_file(plugin_context *context, restore_packet *packet) {
    packet->create_status = CF_SKIP;
    session *talk = current(context);
    if (talk == NULL) return BRC_OK;
    if (climbs(packet->ofname) || (packet->type != FT_REGULAR && packet->type != FT_REGULAR_EMPTY)) {
        report(context, "MONGO-602 Cannot restore: a virtual name with \"..\", or of something that is no file. The volume or the catalog was changed");
        return BRC_OK;
    }
    const session_object file = {
        .mode = packet->statp.st_mode & 07777,
        .size = (uint64_t)packet->statp.st_size,
        .atime = packet->statp.st_atime,
        .mtime = packet->statp.st_mtime,
        .ctime = packet->statp.st_ctime,
        .name = (char *)packet->ofname,
    };
    int answer = session_offer(talk, &file);
    if (checked(context, answer >= 0) && answer == 1) packet->create_status = CF_EXTRACT;
    return BRC_OK;
}

static void write_file(plugin_context *context, io_packet *io) {
    session *talk = current(context);
    bool good = talk != NULL && checked(context, session_write(talk, io->buf, (size_t)io->count));
    io->status = good ? io->count : -1;
    io->io_errno = good ? 0 : EIO;
}

static brc end_restore_file(plugin_context *context) {
    session *talk = current(context);
    if (talk != NULL) checked(context, session_end_file(talk));
    return BRC_OK;
}

static void end_restore(plugin_context *context) {
    job_context *job = context->plugin;
    if (job == NULL || job->first == NULL) return;
    session *talk = current(context);
    if (talk != NULL && job_status(context) == 'T' && start_restore(context)) checked(context, session_complete(talk));
    if (job->failed) return;
    if (job_status(context) == 'T') end_sessions(context);
}

static brc restore_file_list(plugin_context *context, file_list_packet *packet) {
    session *talk = current(context);
    if (talk == NULL || packet == NULL || packet->ofname == NULL || strstr(packet->ofname, VIRTUAL_ROOT) == NULL) return BRC_OK;
    checked(context, session_list(talk, packet->ofname));
    return BRC_OK;
}

// --- both -----------------------------------------------------------------------------------------------------------------------------------

// Called by another thread: wakes the job's own thread, and does nothing else.
static void cancel(plugin_context *context) {
    job_context *job = context->plugin;
    if (job == NULL) return;
    atomic_store(&job->canceled, true);
    int wake = atomic_load(&job->wake);
    uint64_t one = 1;
    if (wake >= 0 && write(wake, &one, sizeof one) < 0) return; // it is awake already
}

static brc handle_event(plugin_context *context, bacula_event_t *event, void *value) {
    static const char features[] = "RestoreListFiles";
    switch (event->type) {
    case EVENT_BACKUP_COMMAND:
        return begin_session(context, 'B', value);
    case EVENT_ESTIMATE_COMMAND:
        return begin_session(context, 'E', value);
    case EVENT_END_BACKUP_JOB:
        end_sessions(context);
        break;
    case EVENT_RESTORE_OBJECT:
        if (value != NULL) take_restore_object(context, value);
        break;
    case EVENT_FEATURES:
        *(const char **)value = features;
        break;
    case EVENT_START_RESTORE_JOB:
        start_restore(context);
        break;
    case EVENT_RESTORE_COMMAND:
        take_restore_command(context, value);
        break;
    case EVENT_END_RESTORE_JOB:
        end_restore(context);
        break;
    case EVENT_CANCEL_COMMAND:
        cancel(context);
        break;
    }
    return BRC_OK;
}

static brc plugin_io(plugin_context *context, io_packet *io) {
    io->status = 0;
    io->io_errno = 0;
    if (io->func == IO_READ) read_file(context, io);
    else if (io->func == IO_WRITE) write_file(context, io);
    else if (io->func == IO_SEEK) io->status = -1;
    return BRC_OK;
}

static brc new_plugin(plugin_context *context) {
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

static brc free_plugin(plugin_context *context) {
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
    free(job);
    return BRC_OK;
}

// The daemon must not mark the Full's virtual files as deleted when an incremental doesn't send them again.
static brc check_file(plugin_context *context, char *fname) {
    (void)context;
    return strncmp(fname, VIRTUAL_ROOT, strlen(VIRTUAL_ROOT)) == 0 ? BRC_SEEN : BRC_OK;
}

static brc start_restore_file(plugin_context *context, const char *command) {
    (void)context;
    (void)command;
    return BRC_OK;
}

static brc set_file_attributes(plugin_context *context, restore_packet *packet) {
    (void)context;
    (void)packet;
    return BRC_OK;
}

EXPORTED brc loadPlugin(bacula_info *info, bacula_functions *functions, plugin_info **plugin, plugin_functions **calls);
EXPORTED brc unloadPlugin(void);

brc loadPlugin(bacula_info *info, bacula_functions *functions, plugin_info **plugin, plugin_functions **calls) {
    static plugin_info about = {
        .size = sizeof about,
        .version = BACULA_INTERFACE_VERSION,
        .magic = BACULA_PLUGIN_MAGIC,
        .license = "AGPLv3",
        .author = "PodHeitor",
        .date = "2026",
        .plugin_version = VERSION,
        .description = "PodHeitor MongoDB",
    };
    static plugin_functions table = {
        .size = sizeof table,
        .version = BACULA_INTERFACE_VERSION,
        .new_plugin = new_plugin,
        .free_plugin = free_plugin,
        .handle_event = handle_event,
        .start_backup_file = start_backup_file,
        .end_backup_file = end_backup_file,
        .start_restore_file = start_restore_file,
        .end_restore_file = end_restore_file,
        .plugin_io = plugin_io,
        .create_file = create_file,
        .set_file_attributes = set_file_attributes,
        .check_file = check_file,
        .restore_file_list = restore_file_list,
    };
    if (info->size != sizeof *info || info->version != BACULA_INTERFACE_VERSION) return BRC_ERROR;
    if (functions->size != sizeof *functions || functions->version != BACULA_INTERFACE_VERSION) return BRC_ERROR;
    bacula = functions;
    *plugin = &about;
    *calls = &table;
    return BRC_OK;
}

brc unloadPlugin(void) {
    return BRC_OK;
}
