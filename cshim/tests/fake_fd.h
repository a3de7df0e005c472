// SPDX-License-Identifier: AGPL-3.0-only
// A FAKE File Daemon: loads the plugin as bacula-fd 15.0.3 does, offers it what a job asks for, and plays the daemon's sequences of calls. What the
// plugin does against the rules of the interface is a fault of the running test.
#ifndef PODHEITOR_FAKE_FD_H
#define PODHEITOR_FAKE_FD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "../bacula_abi.h"

#define FAKE_LINES 2

// When another thread cancels the job: never; at the backend's message "now"; or when the job's thread waits after that message.
enum fake_cancel { CANCEL_NEVER, CANCEL_AT_ONCE, CANCEL_WHEN_WAITING };

typedef struct {
    const char *name;  // of the job; the fake backend's orders
    const char *lines[FAKE_LINES]; // of Plugin; NULL: none
    const char *climbing; // a restore's file of this name is offered too
    size_t breaks_off; // bytes of each file of a restore after which the Storage Daemon is gone, and no more is read; 0: never
    bool without_objects;
    const char *question; // the path of a listing, the parameter of a query
    enum fake_cancel cancel;

    // What came of it.
    atomic_int status; // Bacula's letter
    int fatals, errors, infos;
    char fatal[2000], error[2000]; // the text of the first of each
    uint64_t files, objects, bytes;
    int extracted, skipped, directories;
    char answer[2000]; // of a query, as the console shows it

    plugin_context context;
    pthread_t thread;
    int thread_id;
    bool restoring, asking;
    atomic_bool over;
    atomic_bool cancel_told;
    sem_t now;
} fake_job;

// Loads the plugin; false: a fault was recorded.
bool fake_fd_load(const char *path);
void fake_fd_unload(void);

// Whether loadPlugin() takes a daemon of these sizes and versions.
bool fake_fd_accepts(uint32_t info_size, uint32_t info_version, uint32_t functions_size, uint32_t functions_version);

void fake_fd_backup(fake_job *job);
void fake_fd_estimate(fake_job *job);
void fake_fd_restore(fake_job *job);
void fake_fd_listing(fake_job *job);
void fake_fd_query(fake_job *job);
void fake_fd_console(fake_job *job);
brc fake_fd_check_file(fake_job *job, const char *name);

#endif
