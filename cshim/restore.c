// SPDX-License-Identifier: AGPL-3.0-only
#include "restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"

// The restore's session, begun with the first thing that Bacula hands over.
static session *restore_session(plugin_context *context) {
    job_context *job = context->plugin;
    if (job != NULL && job->current != NULL) return current(context);
    return open_session(context, 'R');
}

void take_restore_object(plugin_context *context, const restore_object_packet *packet) {
    session *talk = restore_session(context);
    if (talk == NULL) return;
    uint32_t index = packet->object_index > 0 ? (uint32_t)packet->object_index : 1;
    size_t length = (size_t)packet->object_len;
    checked(context, session_open_object(talk, (uint32_t)packet->object_type, index, packet->job_id, packet->object_name, packet->plugin_name, length) &&
                         session_write(talk, packet->object, length) && session_end_object(talk));
}

bool start_restore(plugin_context *context) {
    job_context *job = context->plugin;
    session *talk = current(context);
    if (talk == NULL) return false;
    if (job->restore_started) return true;
    job->restore_started = true;
    int replace = variable_int(context, VAR_REPLACE);
    char rule = replace == 'n' || replace == 'w' || replace == 'o' ? (char)replace : 'a';
    return checked(context, session_start(talk, rule, variable_text(context, VAR_WHERE), variable_text(context, VAR_REGEX_WHERE)));
}

void take_restore_command(plugin_context *context, const char *command) {
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

brc create_file(plugin_context *context, restore_packet *packet) {
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

void write_file(plugin_context *context, io_packet *io) {
    job_context *job = context->plugin;
    session *talk = current(context);
    bool good = talk != NULL && checked(context, session_write(talk, io->buf, (size_t)io->count));
    if (job != NULL && job->draining) good = true;
    io->status = good ? io->count : -1;
    io->io_errno = good ? 0 : EIO;
}

brc end_restore_file(plugin_context *context) {
    session *talk = current(context);
    if (talk == NULL) return BRC_OK;
    // A job that is lost in Bacula closes the file that it was at, wherever that stood.
    if (job_status(context) != 'T') end_sessions(context);
    else checked(context, session_end_object(talk));
    return BRC_OK;
}

void end_restore(plugin_context *context) {
    job_context *job = context->plugin;
    if (job == NULL || job->first == NULL) return;
    bool sending = job->restore_started;
    // The Storage Daemon has sent everything: from here on a failure is fatal at once.
    job->restore_started = false;
    if (job->draining) {
        job->failed = false;
        report(context, "MONGO-603 The restore failed; the reason was given above");
        return;
    }
    if (job_status(context) != 'T') {
        end_sessions(context);
        return;
    }
    session *talk = current(context);
    if (talk == NULL) return;
    if (!sending && !start_restore(context)) return;
    job->restore_started = false;
    if (checked(context, session_complete(talk))) end_sessions(context);
}

brc restore_file_list(plugin_context *context, file_list_packet *packet) {
    if (packet == NULL || packet->ofname == NULL || strstr(packet->ofname, VIRTUAL_ROOT) == NULL) return BRC_OK;
    session *talk = restore_session(context);
    if (talk != NULL) checked(context, session_list(talk, packet->ofname));
    return BRC_OK;
}
