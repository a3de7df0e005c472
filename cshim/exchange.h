// SPDX-License-Identifier: AGPL-3.0-only
// What a session is made of, and how frames are exchanged: for session.c and exchange.c only.
#ifndef PODHEITOR_EXCHANGE_H
#define PODHEITOR_EXCHANGE_H

#include "payload.h"
#include "session.h"

struct session {
    child backend;
    session_settings settings;
    session_listener listener;
    char kind;
    uint32_t send_sequence, receive_sequence;
    session_totals counts; // of the side that this kind of session counts
    bool complete;         // Totals agree
    bool aborted;          // the backend said Abort
    bool canceling;        // Bacula cancelled the job: the frame under way is completed, then wind_down() takes over
    bool winding_down;
    int64_t cancel_deadline_ms;
    char failure[SESSION_FAILURE_BYTES];

    // The frame that is coming in, or that is here and waits to be taken.
    uint8_t head[FRAME_HEADER_BYTES];
    size_t head_length, body_length;
    frame_header header;
    bool frame_ready;
    uint8_t *body;

    // The open object.
    bool open;
    uint64_t size, moved;
    size_t taken; // of the Data frame that waits
    char *name;
};

// Records the first failure, ends the backend, and returns false.
__attribute__((format(printf, 2, 3))) bool fail(session *self, const char *format, ...);

// A protocol error, with the header of the frame at fault. Always false.
bool fail_frame(session *self, const char *wanted);

// Sends one frame. False on failure; a cancellation is dealt with by conclude().
bool send_frame(session *self, char type, const void *payload, size_t length);

// The job is over before the backend is: asks it to stop, or ends its input where the job failed; gives it some time to leave its record, and ends it.
// Always a failure.
void wind_down(session *self, bool canceled, const char *why);

// Passes on what a backend said on standard error that otherwise ended as it should.
void pass_on_tail(session *self);

// After a frame was sent or awaited: a cancelled job ends here.
bool conclude(session *self, bool good);

// Sends a frame of collected fields and frees them.
bool send_payload(session *self, char type, payload_writer *writer);

// Waits for a frame that isn't just talk; it stays in `header` and `body` until drop_frame().
bool wait_frame(session *self);
void drop_frame(session *self);

// Waits for a frame of one type and hands out its payload.
bool expect_frame(session *self, char type, payload_reader *reader);

#endif
