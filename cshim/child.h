// SPDX-License-Identifier: AGPL-3.0-only
// A child process on three pipes. Knows no protocol.
#ifndef PODHEITOR_CHILD_H
#define PODHEITOR_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_TAIL_BYTES 4096

typedef struct {
    pid_t pid;  // 0 once it has been reaped
    int status; // as of waitpid, once it has been reaped
    int in;     // its standard input, -1 when closed
    int out;    // its standard output, -1 at its end
    int err;    // its standard error, -1 at its end
    char tail[CHILD_TAIL_BYTES]; // the end of its standard error
    size_t tail_length;
} child;

typedef enum {
    CHILD_READY,   // bytes were moved
    CHILD_EOF,     // standard output has ended
    CHILD_WOKEN,   // the wake descriptor became readable
    CHILD_TIMEOUT, // nothing happened until the deadline
    CHILD_BROKEN,  // standard input can't be written any more
} child_event;

// What a wait is for: bytes to write, room to read into, or both. `written` and `read` say how far it came.
typedef struct {
    const uint8_t *write_bytes;
    size_t write_length;
    uint8_t *read_room;
    size_t read_length;
    size_t written;
    size_t read;
} child_transfer;

// Starts a program, whose path is the first argument, in a process group of its own, with clean signals and an environment of its own. False: errno
// tells.
bool child_start(child *self, char *const arguments[]);

// Waits until at least one byte was moved or something ended, draining standard error all the while. `wake` is a descriptor to watch, or -1.
child_event child_transfer_some(child *self, child_transfer *transfer, int wake, int64_t deadline_ms);

// Ends the child's standard input.
void child_close_input(child *self);

// Waits for the child's end until the deadline. True: it has been reaped, `status` tells.
bool child_wait(child *self, int64_t deadline_ms);

// Kills the whole process group and reaps the child. Closes all pipes.
void child_kill(child *self);

// Milliseconds of a clock that only goes forward.
int64_t now_ms(void);

#endif
