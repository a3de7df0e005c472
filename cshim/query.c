// SPDX-License-Identifier: AGPL-3.0-only
#define _GNU_SOURCE
#include "query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"

// Starts the session with the first call.
static session *query_session(plugin_context *context, const query_packet *packet) {
    job_context *job = context->plugin;
    if (job->current != NULL) return current(context);
    job->queries = true;
    session *talk = open_session(context, 'Q');
    if (talk == NULL || !checked(context, session_ask(talk, packet->command, packet->parameter))) return NULL;
    job->after = session_receive_object(talk, &job->object);
    return checked(context, job->after != SESSION_FAILED) ? talk : NULL;
}

// The daemon sends a line to the console as it is, and knows an answer that begins with "error=".
static char *make_line(const char *prefix, const char *text) {
    char *line;
    if (asprintf(&line, "%s%s\n", prefix, text) < 0) return NULL;
    for (char *at = strchr(line, '\n'); at[1] != 0; at = strchr(at + 1, '\n')) *at = ' ';
    return line;
}

// One line a call. The backend must have ended well before the last one is out: nobody would hear of it afterwards.
brc query_parameter(plugin_context *context, query_packet *packet) {
    job_context *job = context->plugin;
    packet->result = NULL;
    if (job == NULL) return BRC_ERROR;
    free(job->line);
    job->line = NULL;
    session *talk = query_session(context, packet);
    if (talk != NULL && job->after == SESSION_OBJECT) {
        job->line = make_line("", job->object.name);
        if (job->line == NULL) report(context, "MONGO-901 Cannot answer: memory ran out");
        job->after = session_receive_object(talk, &job->object);
        checked(context, job->after != SESSION_FAILED);
    } else if (job->failure != NULL) {
        job->line = make_line("error=", job->failure);
        free(job->failure);
        job->failure = NULL;
    }
    if (job->after == SESSION_TOTALS) end_sessions(context);
    packet->result = job->line;
    if (job->failed && job->failure == NULL && job->line == NULL) return BRC_ERROR;
    return job->failure != NULL || job->after == SESSION_OBJECT ? BRC_MORE : BRC_OK;
}
