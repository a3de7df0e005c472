// SPDX-License-Identifier: AGPL-3.0-only
// Side B of a scripted session, on standard input and output.
#ifndef PODHEITOR_VECTOR_PEER_H
#define PODHEITOR_VECTOR_PEER_H

#include "script.h"

// Sends the `B>` lines and compares the `S>` lines. The file `progress` says how far it came: "line N", or "line N: what was wrong". Doesn't return.
_Noreturn void vector_peer_play(const script *play, const char *progress);

#endif
