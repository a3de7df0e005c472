// SPDX-License-Identifier: AGPL-3.0-only
// Bacula's calls of a backup and an estimate.
#ifndef PODHEITOR_BACKUP_H
#define PODHEITOR_BACKUP_H

#include "bacula_abi.h"

// Starts the session of one `Plugin =` line; `kind` is 'B' or 'E'.
brc begin_session(plugin_context *context, char kind, const char *command);
brc start_backup_file(plugin_context *context, save_packet *packet);
void read_file(plugin_context *context, io_packet *io);
brc end_backup_file(plugin_context *context);

#endif
