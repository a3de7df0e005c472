// SPDX-License-Identifier: AGPL-3.0-only
// The FAKE File Daemon's calls of the plugin, for its own files.
#ifndef PODHEITOR_FAKE_FD_CALLS_H
#define PODHEITOR_FAKE_FD_CALLS_H

#include "fake_fd.h"

extern plugin_functions *plugin;

brc event(fake_job *job, uint32_t type, void *value);
void io_call(fake_job *job, int function, char *buffer, int count, io_packet *packet);

bool is_lost(const fake_job *job);

// The daemon tells of a job that is lost once more, on its own thread, before it closes the file.
void tell_lost(fake_job *job);

// Runs one job between newPlugin and freePlugin; a console's context has nothing to play.
void run(fake_job *job, void (*play)(fake_job *));

#endif
