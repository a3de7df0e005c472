// SPDX-License-Identifier: AGPL-3.0-only
// Copyright (c) 2026 PodHeitor
//
// The File Daemon's plugin: Bacula's calls become a conversation with the backend. The daemon hardly ever fails a job for what a plugin returns, so
// every failure is said with M_FATAL, once; and nothing here lets the daemon write a virtual file by itself.
#include <string.h>

#include "backup.h"
#include "job.h"
#include "query.h"
#include "restore.h"

#define EXPORTED __attribute__((visibility("default")))

static brc handle_event(plugin_context *context, bacula_event_t *event, void *value) {
    static const char features[] = "RestoreListFiles";
    switch (event->type) {
    case EVENT_BACKUP_COMMAND:
        return begin_backup(context, value);
    case EVENT_ESTIMATE_COMMAND:
        return begin_estimate(context, value);
    case EVENT_END_BACKUP_JOB:
    case EVENT_JOB_END: // of an estimate or a listing, which have no end of their own
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
        .query_parameter = query_parameter,
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
