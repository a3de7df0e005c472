// SPDX-License-Identifier: AGPL-3.0-only
#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const int pipe_bytes = 1 << 20;
static const int reap_interval_ms = 20;

int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

// Whether the child may see a variable of the daemon's environment.
static bool is_passed_on(const char *variable) {
    static const char *const names[] = {"PODHEITOR_MONGODB_", "LANG=", "LC_ALL=", "TZ=", "CREDENTIALS_DIRECTORY="};
    for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
        if (strncmp(variable, names[at], strlen(names[at])) == 0) return true;
    }
    return false;
}

// An environment of the child's own; its strings belong to the daemon's environment or are constants.
static char **make_environment(void) {
    size_t count = 0;
    while (environ[count] != NULL) count++;
    char **variables = calloc(count + 3, sizeof *variables);
    if (variables == NULL) return NULL;
    size_t kept = 0;
    variables[kept++] = (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    variables[kept++] = (char *)"HOME=/";
    for (size_t at = 0; at < count; at++) {
        if (is_passed_on(environ[at])) variables[kept++] = environ[at];
    }
    return variables;
}

// The daemon ignores some signals, and a child would inherit that.
static bool set_attributes(posix_spawnattr_t *attributes) {
    sigset_t all, none;
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    sigemptyset(&none);
    return posix_spawnattr_setsigdefault(attributes, &all) == 0 && posix_spawnattr_setsigmask(attributes, &none) == 0 &&
           posix_spawnattr_setpgroup(attributes, 0) == 0 &&
           posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP) == 0;
}

static int spawn(child *self, char *const arguments[], const int fds[3]) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **variables = make_environment();
    if (variables == NULL) return ENOMEM;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int error = set_attributes(&attributes) ? 0 : EINVAL;
    for (int fd = 0; fd < 3 && error == 0; fd++) error = posix_spawn_file_actions_adddup2(&actions, fds[fd], fd);
    if (error == 0) error = posix_spawn_file_actions_addchdir_np(&actions, "/");
    if (error == 0) error = posix_spawn(&self->pid, arguments[0], &actions, &attributes, arguments, variables);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    free(variables);
    return error;
}

bool child_start(child *self, char *const arguments[]) {
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    *self = (child){.in = -1, .out = -1, .err = -1};
    int error = 0;
    for (int at = 0; at < 3 && error == 0; at++) {
        if (pipe2(pipes[at], O_CLOEXEC) != 0) error = errno;
    }
    if (error == 0) {
        const int theirs[3] = {pipes[0][0], pipes[1][1], pipes[2][1]};
        error = spawn(self, arguments, theirs);
    }
    if (error == 0) {
        self->in = pipes[0][1];
        self->out = pipes[1][0];
        self->err = pipes[2][0];
        pipes[0][1] = pipes[1][0] = pipes[2][0] = -1;
        const int ours[3] = {self->in, self->out, self->err};
        for (int at = 0; at < 3; at++) fcntl(ours[at], F_SETFL, fcntl(ours[at], F_GETFL) | O_NONBLOCK);
        // Larger pipes are faster; smaller ones do as well.
        fcntl(self->in, F_SETPIPE_SZ, pipe_bytes);
        fcntl(self->out, F_SETPIPE_SZ, pipe_bytes);
    }
    for (int at = 0; at < 3; at++) {
        close_fd(&pipes[at][0]);
        close_fd(&pipes[at][1]);
    }
    if (error != 0) self->pid = 0;
    errno = error;
    return error == 0;
}

// Keeps the end of what the child says on standard error.
static void drain_error(child *self) {
    char piece[CHILD_TAIL_BYTES];
    ssize_t length = read(self->err, piece, sizeof piece);
    if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) close_fd(&self->err);
    if (length <= 0) return;
    size_t keep = CHILD_TAIL_BYTES - (size_t)length;
    if (self->tail_length > keep) {
        memmove(self->tail, self->tail + self->tail_length - keep, keep);
        self->tail_length = keep;
    }
    memcpy(self->tail + self->tail_length, piece, (size_t)length);
    self->tail_length += (size_t)length;
}

// True: bytes were moved. `broken`: the pipe has no reader any more.
static bool write_some(child *self, child_transfer *transfer, bool *broken) {
    ssize_t length = write(self->in, transfer->write_bytes + transfer->written, transfer->write_length - transfer->written);
    if (length > 0) transfer->written += (size_t)length;
    if (length < 0 && errno != EAGAIN && errno != EINTR) {
        close_fd(&self->in);
        *broken = true;
    }
    return length > 0;
}

static bool read_some(child *self, child_transfer *transfer) {
    ssize_t length = read(self->out, transfer->read_room + transfer->read, transfer->read_length - transfer->read);
    if (length > 0) transfer->read += (size_t)length;
    if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) close_fd(&self->out);
    return length > 0;
}

child_event child_transfer_some(child *self, child_transfer *transfer, int wake, int64_t deadline_ms) {
    for (;;) {
        bool wants_write = transfer->written < transfer->write_length;
        bool wants_read = transfer->read < transfer->read_length;
        if (wants_write && self->in < 0) return CHILD_BROKEN;
        if (wants_read && self->out < 0) return CHILD_EOF;
        struct pollfd watched[4] = {
            {.fd = wants_write ? self->in : -1, .events = POLLOUT},
            {.fd = wants_read ? self->out : -1, .events = POLLIN},
            {.fd = self->err, .events = POLLIN},
            {.fd = wake, .events = POLLIN},
        };
        int64_t left = deadline_ms - now_ms();
        int ready = poll(watched, 4, left < 0 ? 0 : left > 60000 ? 60000 : (int)left);
        if (ready < 0 && errno != EINTR) return CHILD_BROKEN;
        if (ready > 0) {
            // First, or a child that never stops sending would never let it through.
            if (watched[3].revents != 0) return CHILD_WOKEN;
            if (watched[2].revents != 0) drain_error(self);
            bool moved = false;
            bool broken = false;
            if (watched[1].revents != 0) moved = read_some(self, transfer);
            if (watched[0].revents != 0) moved |= write_some(self, transfer, &broken);
            if (moved) return CHILD_READY;
            if (broken) return CHILD_BROKEN;
        }
        if (now_ms() >= deadline_ms) return CHILD_TIMEOUT;
    }
}

void child_close_input(child *self) {
    close_fd(&self->in);
}

static bool reap(child *self) {
    if (self->pid == 0) return true;
    pid_t reaped = waitpid(self->pid, &self->status, WNOHANG);
    if (reaped == 0 || (reaped < 0 && errno == EINTR)) return false;
    // ECHILD: somebody else reaped it, and its status is lost; that is no clean end.
    if (reaped < 0) self->status = 0x7f00;
    self->pid = 0;
    return true;
}

bool child_wait(child *self, int64_t deadline_ms) {
    while (!reap(self)) {
        if (now_ms() >= deadline_ms) return false;
        struct pollfd watched = {.fd = self->err, .events = POLLIN};
        if (poll(&watched, 1, reap_interval_ms) > 0) drain_error(self);
    }
    while (self->err >= 0) {
        struct pollfd watched = {.fd = self->err, .events = POLLIN};
        if (poll(&watched, 1, 0) <= 0) break;
        drain_error(self);
    }
    return true;
}

void child_kill(child *self) {
    if (self->pid > 0) {
        kill(-self->pid, SIGKILL);
        kill(self->pid, SIGKILL);
        while (!child_wait(self, now_ms() + 60000)) kill(self->pid, SIGKILL);
    }
    close_fd(&self->in);
    close_fd(&self->out);
    close_fd(&self->err);
}
