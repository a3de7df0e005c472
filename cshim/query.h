// SPDX-License-Identifier: AGPL-3.0-only
// A console's `.query`.
#ifndef PODHEITOR_QUERY_H
#define PODHEITOR_QUERY_H

#include "bacula_abi.h"

brc query_parameter(plugin_context *context, query_packet *packet);

#endif
