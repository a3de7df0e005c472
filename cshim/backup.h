// SPDX-License-Identifier: AGPL-3.0-only
// Bacula's calls of a backup, an estimate and a listing.
#ifndef PODHEITOR_BACKUP_H
#define PODHEITOR_BACKUP_H

#include "bacula_abi.h"

// Starts the session of one `Plugin =` line of a backup.
brc begin_backup(plugin_context *context, const char *command);
// Starts the session of an estimate's `Plugin =` line, or of a console's `.ls`.
brc begin_estimate(plugin_context *context, const char *command);
brc start_backup_file(plugin_context *context, save_packet *packet);
void read_file(plugin_context *context, io_packet *io);
brc end_backup_file(plugin_context *context);

#endif
