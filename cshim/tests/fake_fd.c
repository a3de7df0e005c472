// SPDX-License-Identifier: AGPL-3.0-only
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "fake_data.h"
#include "fake_fd_calls.h"

typedef brc load_function(bacula_info *, bacula_functions *, plugin_info **, plugin_functions **);

static void *library;
static load_function *load;
plugin_functions *plugin;
static bacula_info info;
static bacula_functions functions;

static void check_thread(const fake_job *job, const char *what) {
    if (!pthread_equal(pthread_self(), job->thread)) fault("%s on another thread than the job's", what);
}

static brc give_value(plugin_context *context, int variable, void *value) {
    fake_job *job = context->bacula;
    check_thread(job, "getBaculaValue");
    int number = 0;
    const char *text = NULL;
    bool is_text = true;
    switch (variable) {
    case VAR_CLIENT: text = "fake-fd"; break;
    case VAR_JOB_NAME: text = job->name; break;
    case VAR_WORKING_DIR: text = "/tmp"; break;
    case VAR_WHERE: text = job->restoring ? "" : NULL; break;
    case VAR_REGEX_WHERE: text = NULL; break;
    case VAR_VERSION: text = "15.0.3 (25 March 2025)"; break;
    case VAR_PREV_JOB_NAME: text = ""; break;
    default: is_text = false;
    }
    switch (variable) {
    case VAR_JOB_ID: number = 7; break;
    case VAR_LEVEL: number = job->restoring || job->asking ? ' ' : 'F'; break;
    case VAR_JOB_STATUS: number = atomic_load(&job->status); break;
    case VAR_REPLACE: number = job->restoring ? 'a' : 0; break;
    case VAR_IS_CANCELED: number = strchr("AfE", atomic_load(&job->status)) != NULL; break;
    case VAR_SINCE_TIME:
    case VAR_ACCURATE: break;
    default:
        if (!is_text) fault("variable %d is none that the daemon has", variable);
    }
    if (is_text) *(const char **)value = text;
    else *(int *)value = number;
    return BRC_OK;
}

static brc take_message(plugin_context *context, const char *file, int line, int type, int64_t time_stamp, const char *format, ...) {
    fake_job *job = context->bacula;
    check_thread(job, "JobMessage");
    char text[4000];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= 2000 || length < 1 || text[length - 1] != '\n') fault("a message that the daemon would cut: %.80s", text);
    if (time_stamp != 0 || file == NULL || line == 0) fault("a message of another time or place");
    for (int at = 0; at < length; at++) {
        if ((unsigned char)text[at] < 0x20 && text[at] != '\n') fault("a control character in: %.80s", text);
    }
    if (type == M_INFO || type == M_WARNING) job->infos++;
    else if (type != M_ERROR && type != M_FATAL) fault("message type %d", type);
    if (type == M_ERROR && job->errors++ == 0) snprintf(job->error, sizeof job->error, "%.1999s", text);
    if (type == M_FATAL && job->fatals++ == 0) snprintf(job->fatal, sizeof job->fatal, "%.1999s", text);
    if (type == M_FATAL && atomic_load(&job->status) != 'A') atomic_store(&job->status, 'f');
    if (strstr(text, ": now\n") != NULL) sem_post(&job->now);
    return BRC_OK;
}

static brc refuse(plugin_context *context, ...) {
    (void)context;
    fault("a function of the daemon was called that nobody needs");
    return BRC_ERROR;
}

bool fake_fd_accepts(uint32_t info_size, uint32_t info_version, uint32_t functions_size, uint32_t functions_version) {
    bacula_info other_info = {info_size, info_version};
    bacula_functions other = functions;
    other.size = functions_size;
    other.version = functions_version;
    plugin_info *about;
    plugin_functions *calls;
    bool good = load(&other_info, &other, &about, &calls) == BRC_OK;
    return load(&info, &functions, &about, &calls) == BRC_OK && good;
}

bool fake_fd_load(const char *path) {
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return fault("%s", dlerror()), false;
    *(void **)&load = dlsym(library, "loadPlugin");
    if (load == NULL || dlsym(library, "unloadPlugin") == NULL) return fault("a symbol is missing"), false;
    info = (bacula_info){sizeof info, 23};
    functions = (bacula_functions){.size = sizeof functions, .version = 23, .get_value = give_value, .job_message = take_message};
    for (size_t at = 0; at < 15; at++) *(brc (**)(plugin_context *, ...))&functions.unused[at] = refuse;
    functions.register_events = refuse;
    *(brc (**)(plugin_context *, ...))&functions.debug_message = refuse;
    *(brc (**)(plugin_context *, ...))&functions.set_value = refuse;
    plugin_info *about;
    if (load(&info, &functions, &about, &plugin) != BRC_OK) return fault("loadPlugin refused"), false;
    bool known = about->size == 56 && about->version == 23 && strcmp(about->magic, "*FDPluginData*") == 0 && strcmp(about->license, "AGPLv3") == 0;
    if (!known || plugin->size != 168 || plugin->version != 23) return fault("the daemon would reject the plugin"), false;
    return true;
}

void fake_fd_unload(void) {
    brc (*unload)(void);
    *(void **)&unload = dlsym(library, "unloadPlugin");
    if (unload() != BRC_OK) fault("unloadPlugin failed");
    dlclose(library);
}

brc event(fake_job *job, uint32_t type, void *value) {
    bacula_event_t one = {type};
    return plugin->handle_event(&job->context, &one, value);
}

// What poll(2) is to the kernel; newer processors have no call of that name.
#if defined(SYS_poll)
enum { POLL_CALL = SYS_poll };
#else
enum { POLL_CALL = SYS_ppoll };
#endif

// Whether the job's thread waits in poll(2).
static bool is_waiting(const fake_job *job) {
    char path[64], text[32] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", job->thread_id);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0) text[0] = 0;
    if (fd >= 0) close(fd);
    return strtol(text, NULL, 10) == POLL_CALL && text[0] >= '0' && text[0] <= '9';
}

// The Director's console: the event first, then the status, then the signal.
static void *cancel_from_console(void *argument) {
    fake_job *job = argument;
    sem_wait(&job->now);
    while (job->cancel == CANCEL_WHEN_WAITING && !atomic_load(&job->over) && !is_waiting(job)) sched_yield();
    if (atomic_load(&job->over)) return NULL;
    atomic_store(&job->cancel_told, true);
    event(job, EVENT_CANCEL_COMMAND, NULL);
    atomic_store(&job->status, 'A');
    pthread_kill(job->thread, SIGUSR2);
    return NULL;
}

bool is_lost(const fake_job *job) {
    return strchr("AfE", atomic_load(&job->status)) != NULL;
}

void run(fake_job *job, void (*play)(fake_job *)) {
    pthread_t console;
    job->context = (plugin_context){.bacula = job};
    job->thread = pthread_self();
    job->thread_id = (int)syscall(SYS_gettid);
    atomic_store(&job->status, 'R');
    sem_init(&job->now, 0, 0);
    if (plugin->new_plugin(&job->context) != BRC_OK) fault("newPlugin failed");
    if (job->cancel != CANCEL_NEVER) pthread_create(&console, NULL, cancel_from_console, job);
    event(job, EVENT_JOB_START, (void *)"JobId=7 Job=fake");
    if (play != NULL) play(job);
    if (!is_lost(job)) event(job, EVENT_JOB_END, NULL);
    atomic_store(&job->over, true);
    sem_post(&job->now);
    if (job->cancel != CANCEL_NEVER) pthread_join(console, NULL);
    plugin->free_plugin(&job->context);
    if (job->context.plugin != NULL) fault("freePlugin left something");
    sem_destroy(&job->now);
}

void io_call(fake_job *job, int function, char *buffer, int count, io_packet *packet) {
    memset(packet, 0xa5, sizeof *packet);
    packet->size = packet->end = sizeof *packet;
    packet->func = function;
    packet->buf = buffer;
    packet->count = count;
    packet->status = -1;
    plugin->plugin_io(&job->context, packet);
    if (packet->status > count && function != IO_OPEN) fault("%d bytes of %d", packet->status, count);
    if ((packet->status < 0) != (packet->io_errno != 0)) fault("status %d with errno %d", packet->status, packet->io_errno);
}

void tell_lost(fake_job *job) {
    if (is_lost(job) && !atomic_exchange(&job->cancel_told, true)) event(job, EVENT_CANCEL_COMMAND, NULL);
}

static void read_data(fake_job *job, const save_packet *packet) {
    static _Thread_local char room[65536];
    io_packet io;
    uint64_t at = 0;
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    io_call(job, IO_OPEN, NULL, 0, &io);
    do {
        io_call(job, IO_READ, room, sizeof room, &io);
        if (io.status > 0 && !fake_matches(room, at, (size_t)io.status)) fault("other data at %llu", (unsigned long long)at);
        if (io.status > 0) at += (uint64_t)io.status;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - begun.tv_sec > 30) fault("the reading never ends");
    } while (io.status > 0 && now.tv_sec - begun.tv_sec <= 30);
    if (io.status == 0 && at != (uint64_t)packet->statp.st_size) fault("%s has %llu bytes", packet->fname, (unsigned long long)at);
    if (io.status < 0 && job->fatals != 1) fault("a read error without a fatal message");
    job->bytes += at;
    tell_lost(job);
    io_call(job, IO_CLOSE, NULL, 0, &io);
}

static bool save_one(fake_job *job, const char *line, bool estimates) {
    save_packet packet = {.size = sizeof packet, .portable = true, .cmd = (char *)line, .end = sizeof packet};
    if (plugin->start_backup_file(&job->context, &packet) != BRC_OK) return false;
    if (packet.size != sizeof packet || packet.end != sizeof packet || packet.cmd != line) fault("save_packet was written over");
    if (packet.type == FT_RESTORE_FIRST) {
        job->objects++;
        const restore_object *object = &packet.object;
        if (object->object_name[0] == 0 || object->index < 1) fault("a restore object without name or index");
        if (object->object_len != FAKE_OBJECT_BYTES || !fake_matches(object->object, 0, FAKE_OBJECT_BYTES)) fault("a damaged restore object");
    } else {
        job->files++;
        bool empty = packet.statp.st_size == 0;
        job->directories += packet.type == FT_DIRECTORY_END;
        if (packet.type == FT_DIRECTORY_END) {
            if (packet.statp.st_mode != (S_IFDIR | 0700) || strcmp(packet.link, packet.fname) != 0 || !packet.no_read) fault("other attributes of a directory");
        } else if (packet.type != (empty ? FT_REGULAR_EMPTY : FT_REGULAR) || (empty && !packet.no_read)) fault("type %d", packet.type);
        if ((packet.statp.st_mode != (S_IFREG | 0640) && packet.type != FT_DIRECTORY_END) || packet.statp.st_mtime != 2 || strncmp(packet.fname, "/@mongodb/", 10) != 0) fault("other attributes");
        if (!estimates && !empty) read_data(job, &packet);
        if (estimates) job->bytes += (uint64_t)packet.statp.st_size;
    }
    return plugin->end_backup_file(&job->context) == BRC_MORE && !is_lost(job);
}

static void prepare(fake_job *job) {
    event(job, EVENT_LEVEL, (void *)(intptr_t)'F');
    for (int at = 0; at < FAKE_LINES && job->lines[at] != NULL; at++) event(job, EVENT_PLUGIN_COMMAND, (void *)job->lines[at]);
    event(job, EVENT_END_FILE_SET, NULL);
}

static void play_backup(fake_job *job) {
    prepare(job);
    event(job, EVENT_START_BACKUP_JOB, NULL);
    for (int at = 0; at < FAKE_LINES && job->lines[at] != NULL && !is_lost(job); at++) {
        if (event(job, EVENT_BACKUP_COMMAND, (void *)job->lines[at]) != BRC_OK) continue;
        while (save_one(job, job->lines[at], false)) continue;
    }
    event(job, EVENT_END_BACKUP_JOB, NULL);
}

static void play_estimate(fake_job *job) {
    prepare(job);
    if (event(job, EVENT_ESTIMATE_COMMAND, (void *)job->lines[0]) != BRC_OK) return;
    while (save_one(job, job->lines[0], true)) continue;
}

// As an estimate, but without a level and with the path behind the command.
static void play_listing(fake_job *job) {
    char line[200];
    job->asking = true;
    snprintf(line, sizeof line, "%s listing=%s", job->lines[0], job->question);
    event(job, EVENT_PLUGIN_COMMAND, line);
    event(job, EVENT_END_FILE_SET, NULL);
    if (event(job, EVENT_ESTIMATE_COMMAND, line) != BRC_OK) return;
    while (save_one(job, line, true)) continue;
}

static void play_query(fake_job *job) {
    job->asking = true;
    query_packet packet = {.size = sizeof packet, .parameter = (char *)job->question, .command = (char *)job->lines[0], .end = sizeof packet};
    brc answered;
    do {
        answered = plugin->query_parameter(&job->context, &packet);
        const char *error = answered == BRC_OK || answered == BRC_MORE ? "" : "error=plugin protocol error";
        size_t length = strlen(job->answer);
        snprintf(job->answer + length, sizeof job->answer - length, "%s%s", packet.result == NULL ? "" : packet.result, error);
        // What the plugin said is the plugin's: the daemon doesn't free it, and gives the pointer back.
    } while (answered == BRC_MORE);
    if (packet.size != sizeof packet || packet.end != sizeof packet) fault("query_packet was written over");
}

void fake_fd_backup(fake_job *job) {
    run(job, play_backup);
}

void fake_fd_estimate(fake_job *job) {
    run(job, play_estimate);
}

void fake_fd_listing(fake_job *job) {
    run(job, play_listing);
}

void fake_fd_query(fake_job *job) {
    run(job, play_query);
}

void fake_fd_console(fake_job *job) {
    run(job, NULL);
}

brc fake_fd_check_file(fake_job *job, const char *name) {
    return plugin->check_file(&job->context, (char *)name);
}
