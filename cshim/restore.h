// SPDX-License-Identifier: AGPL-3.0-only
// Bacula's calls of a restore.
#ifndef PODHEITOR_RESTORE_H
#define PODHEITOR_RESTORE_H

#include <stdbool.h>

#include "bacula_abi.h"

void take_restore_object(plugin_context *context, const restore_object_packet *packet);
bool start_restore(plugin_context *context);
void take_restore_command(plugin_context *context, const char *command);
brc create_file(plugin_context *context, restore_packet *packet);
void write_file(plugin_context *context, io_packet *io);
brc end_restore_file(plugin_context *context);
brc restore_file_list(plugin_context *context, file_list_packet *packet);
void end_restore(plugin_context *context);

#endif
