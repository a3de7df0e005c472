// SPDX-License-Identifier: AGPL-3.0-only
#include <string.h>

#include "check.h"
#include "fake_data.h"
#include "fake_fd_calls.h"

static void hand_over_object(fake_job *job, int type, int index) {
    char room[FAKE_OBJECT_BYTES], name[] = "podheitor-mongodb/manifest/fake", line[] = "podheitor-mongodb: fake";
    fake_fill((uint8_t *)room, 0, sizeof room);
    restore_object_packet packet = {.size = sizeof packet, .object_name = name, .object = room, .plugin_name = line, .object_type = type,
                                    .object_len = sizeof room, .object_full_len = sizeof room, .object_index = index, .job_id = 3, .end = sizeof packet};
    event(job, EVENT_RESTORE_OBJECT, &packet);
    memset(room, 0, sizeof room);
}

// The data of a file that the plugin wants. False: the daemon stops the restore.
static bool write_data(fake_job *job, const char *name, size_t size) {
    static _Thread_local uint8_t room[65536];
    io_packet io = {0};
    io_call(job, IO_OPEN, NULL, 0, &io);
    size_t end = job->breaks_off > 0 && job->breaks_off < size ? job->breaks_off : size;
    for (size_t at = 0; at < end && !is_lost(job); at += sizeof room) {
        size_t count = end - at < sizeof room ? end - at : sizeof room;
        fake_fill(room, at, count);
        io_call(job, IO_WRITE, (char *)room, (int)count, &io);
        if (io.status != (int)count) {
            if (!is_lost(job)) atomic_store(&job->status, 'E');
            break;
        }
    }
    restore_packet packet = {.size = sizeof packet, .ofname = name, .create_status = CF_EXTRACT, .end = sizeof packet};
    plugin->set_file_attributes(&job->context, &packet);
    if (packet.create_status == CF_CORE) fault("setFileAttributes answered CORE");
    tell_lost(job);
    io_call(job, IO_CLOSE, NULL, 0, &io);
    return end == size && !is_lost(job);
}

static bool restore_one(fake_job *job, const char *name, size_t size) {
    char line[] = "podheitor-mongodb: fake";
    if (event(job, EVENT_RESTORE_COMMAND, line) != BRC_OK) fault("RestoreCommand: the daemon would write %s itself", name);
    if (plugin->start_restore_file(&job->context, line) != BRC_OK) fault("startRestoreFile: the daemon would write %s itself", name);
    memset(line, 'x', sizeof line - 1);
    bool failed_before = job->fatals + job->errors > 0;
    restore_packet packet = {.size = sizeof packet, .plugin_mode = 0x5a5a, .stream = 1, .data_stream = 2, .type = size > 0 ? FT_REGULAR : FT_REGULAR_EMPTY,
                             .statp = {.st_mode = S_IFREG | 0640, .st_size = (off_t)size}, .attr_ex = "", .ofname = name, .olname = "", .where = "",
                             .replace = 'a', .create_status = CF_ERROR, .end = sizeof packet};
    if (plugin->create_file(&job->context, &packet) != BRC_OK) fault("createFile failed without a fatal message");
    if (packet.create_status == CF_SKIP) job->skipped++;
    else if (packet.create_status == CF_EXTRACT) job->extracted++;
    else fault("createFile answered %d for %s", packet.create_status, name);
    if (failed_before && packet.create_status == CF_EXTRACT) fault("createFile extracts after a failure");
    bool goes_on = packet.create_status != CF_EXTRACT || write_data(job, name, size);
    plugin->end_restore_file(&job->context);
    return goes_on && !is_lost(job);
}

static void play_restore(fake_job *job) {
    static const char *const names[] = {"/@mongodb/big", "/@mongodb/skipped", "/@mongodb/empty"};
    for (int index = 1; index <= 2 && !job->without_objects && !is_lost(job); index++) hand_over_object(job, FT_RESTORE_FIRST, index);
    if (!job->without_objects) event(job, EVENT_RESTORE_OBJECT, NULL);
    const char *features = NULL;
    event(job, EVENT_FEATURES, &features);
    if (features == NULL || strcmp(features, "RestoreListFiles") != 0) fault("no list of files is asked for");
    for (size_t at = 0; at < 3; at++) {
        file_list_packet packet = {.size = sizeof packet, .ofname = (char *)names[at], .end = sizeof packet};
        plugin->restore_file_list(&job->context, &packet);
    }
    plugin->restore_file_list(&job->context, NULL);
    job->restoring = true;
    if (!is_lost(job)) event(job, EVENT_START_RESTORE_JOB, NULL);
    bool goes_on = !is_lost(job);
    if (goes_on && job->climbing != NULL) goes_on = restore_one(job, job->climbing, 10);
    for (size_t at = 0; at < 3 && goes_on; at++) goes_on = restore_one(job, names[at], at == 2 ? 0 : FAKE_FILE_BYTES);
    event(job, EVENT_END_RESTORE_JOB, NULL);
}

void fake_fd_restore(fake_job *job) {
    run(job, play_restore);
}
