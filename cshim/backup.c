// SPDX-License-Identifier: AGPL-3.0-only
#include "backup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"

static brc begin_session(plugin_context *context, char kind, const char *command) {
    session *talk = open_session(context, kind);
    return talk != NULL && checked(context, session_begin(talk, command)) ? BRC_OK : BRC_ERROR;
}

brc begin_backup(plugin_context *context, const char *command) {
    return begin_session(context, 'B', command);
}

// Where the last of several stands; NULL: there is none.
static const char *find_last(const char *text, const char *wanted) {
    const char *last = NULL;
    for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++) last = at;
    return last;
}

// The daemon has no event for `.ls`: it is an estimate without a level, whose command ends in " listing=" and the path as it was typed.
brc begin_estimate(plugin_context *context, const char *command) {
    static const char mark[] = " listing=";
    const char *path = variable_int(context, VAR_LEVEL) == ' ' ? find_last(command, mark) : NULL;
    if (path == NULL) return begin_session(context, 'E', command);
    char *asked = strndup(command, (size_t)(path - command));
    if (asked == NULL) report(context, "MONGO-901 Cannot list: memory ran out");
    session *talk = asked == NULL ? NULL : open_session(context, 'L');
    bool good = talk != NULL && checked(context, session_ask(talk, asked, path + strlen(mark)));
    free(asked);
    return good ? BRC_OK : BRC_ERROR;
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
    packet->link = object->is_directory ? object->name : (char *)"";
    packet->type = object->is_directory ? FT_DIRECTORY_END : object->size > 0 ? FT_REGULAR : FT_REGULAR_EMPTY;
    packet->no_read = object->is_directory || object->size == 0;
    packet->portable = true;
    packet->flags = 0;
    packet->statp.st_mode = (object->is_directory ? S_IFDIR : S_IFREG) | object->mode;
    packet->statp.st_nlink = 1;
    packet->statp.st_size = (off_t)object->size;
    packet->statp.st_blksize = 65536;
    packet->statp.st_blocks = (blkcnt_t)((object->size + 511) / 512);
    packet->statp.st_atime = object->atime;
    packet->statp.st_mtime = object->mtime;
    packet->statp.st_ctime = object->ctime;
}

brc start_backup_file(plugin_context *context, save_packet *packet) {
    job_context *job = context->plugin;
    session *talk = current(context);
    if (talk == NULL) return BRC_ERROR;
    // A first call has nothing behind it yet; later ones were looked ahead by endBackupFile.
    if (job->after != SESSION_OBJECT) job->after = session_receive_object(talk, &job->object);
    if (job->after == SESSION_FAILED) return checked(context, false) ? BRC_OK : BRC_ERROR;
    // No object at all: this line is over, and EndBackupJob looks whether that is well.
    if (job->after == SESSION_TOTALS) return BRC_STOP;
    describe_file(packet, &job->object);
    job->object_read = false;
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

void read_file(plugin_context *context, io_packet *io) {
    job_context *job = context->plugin;
    session *talk = current(context);
    ssize_t count = talk == NULL ? -1 : session_read(talk, io->buf, (size_t)io->count);
    if (talk != NULL) checked(context, count >= 0);
    if (count == 0) job->object_read = true;
    io->status = (int32_t)count;
    io->io_errno = count < 0 ? EIO : 0;
}

brc end_backup_file(plugin_context *context) {
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
