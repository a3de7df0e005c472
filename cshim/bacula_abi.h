// SPDX-License-Identifier: AGPL-3.0-only
// The interface between bacula-fd 15.0.3 and a plugin, version 23, on 64-bit Linux: written from observed facts about sizes, offsets and numbers.
// Of these, x86-64 and AArch64 differ in the size of struct stat alone, and so in what stands behind one.
// A daemon with another interface version is refused at load, so that nothing here needs to guess.
#ifndef PODHEITOR_BACULA_ABI_H
#define PODHEITOR_BACULA_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define BACULA_INTERFACE_VERSION 23
#define BACULA_PLUGIN_MAGIC "*FDPluginData*"

typedef enum {
    BRC_OK = 0,
    BRC_STOP = 1,
    BRC_ERROR = 2,
    BRC_MORE = 3,
    BRC_SEEN = 5,
    BRC_CORE = 6,
    BRC_SKIP = 7,
} brc;

enum bacula_event {
    EVENT_JOB_START = 1,
    EVENT_JOB_END = 2,
    EVENT_START_BACKUP_JOB = 3,
    EVENT_END_BACKUP_JOB = 4,
    EVENT_START_RESTORE_JOB = 5,
    EVENT_END_RESTORE_JOB = 6,
    EVENT_BACKUP_COMMAND = 9,
    EVENT_RESTORE_COMMAND = 10,
    EVENT_ESTIMATE_COMMAND = 11,
    EVENT_LEVEL = 12,
    EVENT_SINCE = 13,
    EVENT_CANCEL_COMMAND = 14,
    EVENT_RESTORE_OBJECT = 18,
    EVENT_END_FILE_SET = 19,
    EVENT_PLUGIN_COMMAND = 20,
    EVENT_FEATURES = 26,
};

enum bacula_variable {
    VAR_JOB_ID = 1,
    VAR_LEVEL = 3,
    VAR_CLIENT = 5,
    VAR_JOB_NAME = 6,
    VAR_JOB_STATUS = 7,
    VAR_SINCE_TIME = 8,
    VAR_ACCURATE = 9,
    VAR_WORKING_DIR = 13,
    VAR_WHERE = 15,
    VAR_REGEX_WHERE = 16,
    VAR_VERSION = 18,
    VAR_PREV_JOB_NAME = 20,
    VAR_REPLACE = 24,
    VAR_IS_CANCELED = 27,
};

enum bacula_message { M_FATAL = 4, M_ERROR = 5, M_WARNING = 6, M_INFO = 7 };
enum file_type { FT_REGULAR_EMPTY = 2, FT_REGULAR = 3, FT_DIRECTORY_END = 5, FT_RESTORE_FIRST = 25, FT_PLUGIN_CONFIG = 27, FT_PLUGIN_CONFIG_FILLED = 28 };
enum create_status { CF_SKIP = 1, CF_ERROR = 2, CF_EXTRACT = 3, CF_CREATED = 4, CF_CORE = 5 };
enum io_function { IO_OPEN = 1, IO_READ = 2, IO_WRITE = 3, IO_CLOSE = 4, IO_SEEK = 5 };

typedef struct {
    uint32_t size;
    uint32_t version;
} bacula_info;

typedef struct {
    uint32_t size;
    uint32_t version;
    const char *magic;
    const char *license;
    const char *author;
    const char *date;
    const char *plugin_version;
    const char *description;
} plugin_info;

typedef struct {
    uint32_t type;
} bacula_event_t;

typedef struct {
    void *bacula;
    void *plugin;
} plugin_context;

typedef struct {
    char *object_name;
    char *object;
    int32_t object_len;
    int32_t index;
    int32_t compression;
} restore_object;

typedef struct {
    int32_t size;
    char *fname;
    char *snap_fname;
    int32_t plugin_mode;
    char *link;
    struct stat statp;
    int32_t type;
    uint64_t flags;
    bool no_read;
    bool portable;
    bool accurate_found;
    bool do_dedup;
    bool stat_update;
    char *cmd;
    restore_object object;
    char plugin_object[72];
    const void *plug_meta;
    uint32_t delta_seq;
    int32_t link_fi;
    int32_t end;
} save_packet;

typedef struct {
    int32_t size;
    char *object_name;
    char *object;
    char *plugin_name;
    int32_t object_type;
    int32_t object_len;
    int32_t object_full_len;
    int32_t object_index;
    int32_t compression;
    int32_t stream;
    uint32_t job_id;
    int32_t end;
} restore_object_packet;

typedef struct {
    int32_t size;
    int32_t plugin_mode;
    int32_t stream;
    int32_t data_stream;
    int32_t type;
    int32_t file_index;
    int32_t link_fi;
    uid_t uid;
    struct stat statp;
    const char *attr_ex;
    const char *ofname;
    const char *olname;
    const char *where;
    const char *regex_where;
    int replace;
    int create_status;
    uint32_t delta_seq;
    int32_t end;
} restore_packet;

typedef struct {
    int32_t size;
    int32_t func;
    int32_t count;
    int32_t flags;
    mode_t mode;
    char *buf;
    const char *fname;
    int32_t status;
    int32_t io_errno;
    int32_t lerror;
    int32_t whence;
    int64_t offset;
    bool win32;
    int32_t end;
} io_packet;

typedef struct {
    int32_t size;
    int32_t plugin_mode;
    int32_t file_index;
    int32_t link_fi;
    struct stat statp;
    char *attr_ex;
    char *ofname;
    uint32_t delta_seq;
    char *checksum;
    int32_t end;
} file_list_packet;

typedef struct {
    int32_t size;
    char *parameter;
    char *command;
    char *api_options;
    char *result;
    int32_t end;
} query_packet;

typedef struct {
    uint32_t size;
    uint32_t version;
    brc (*register_events)(plugin_context *, ...);
    brc (*get_value)(plugin_context *, int variable, void *value);
    brc (*set_value)(plugin_context *, int variable, void *value);
    brc (*job_message)(plugin_context *, const char *file, int line, int type, int64_t time, const char *format, ...);
    brc (*debug_message)(plugin_context *, const char *file, int line, int level, const char *format, ...);
    void *unused[15];
} bacula_functions;

typedef struct {
    uint32_t size;
    uint32_t version;
    brc (*new_plugin)(plugin_context *);
    brc (*free_plugin)(plugin_context *);
    brc (*get_plugin_value)(plugin_context *, int, void *);
    brc (*set_plugin_value)(plugin_context *, int, void *);
    brc (*handle_event)(plugin_context *, bacula_event_t *, void *value);
    brc (*start_backup_file)(plugin_context *, save_packet *);
    brc (*end_backup_file)(plugin_context *);
    brc (*start_restore_file)(plugin_context *, const char *command);
    brc (*end_restore_file)(plugin_context *);
    brc (*plugin_io)(plugin_context *, io_packet *);
    brc (*create_file)(plugin_context *, restore_packet *);
    brc (*set_file_attributes)(plugin_context *, restore_packet *);
    brc (*check_file)(plugin_context *, char *fname);
    brc (*handle_xacl_data)(plugin_context *, void *);
    brc (*restore_file_list)(plugin_context *, file_list_packet *);
    brc (*check_stream)(plugin_context *, void *);
    brc (*query_parameter)(plugin_context *, query_packet *);
    brc (*metadata_restore)(plugin_context *, void *);
    brc (*start_verify_file)(plugin_context *, restore_packet *);
    brc (*end_verify_file)(plugin_context *);
} plugin_functions;

_Static_assert(sizeof(bacula_info) == 8 && sizeof(plugin_info) == 56 && sizeof(bacula_event_t) == 4, "small structures");
_Static_assert(sizeof(bacula_functions) == 168 && sizeof(plugin_functions) == 168, "function tables");
_Static_assert(offsetof(bacula_functions, job_message) == 32 && offsetof(plugin_functions, plugin_io) == 80, "function tables");
_Static_assert(offsetof(plugin_functions, restore_file_list) == 120 && offsetof(plugin_functions, end_verify_file) == 160, "function tables");
#if defined(__x86_64__)
enum { STAT_BYTES = 144 };
#elif defined(__aarch64__)
enum { STAT_BYTES = 128 };
#else
#error "Nobody has looked at the interface on this processor"
#endif
_Static_assert(sizeof(struct stat) == STAT_BYTES, "struct stat");
_Static_assert(sizeof(save_packet) == 200 + STAT_BYTES && offsetof(save_packet, statp) == 40, "save_packet");
_Static_assert(offsetof(save_packet, type) == 40 + STAT_BYTES && offsetof(save_packet, no_read) == 56 + STAT_BYTES, "save_packet");
_Static_assert(offsetof(save_packet, cmd) == 64 + STAT_BYTES && offsetof(save_packet, object) == 72 + STAT_BYTES, "save_packet");
_Static_assert(offsetof(save_packet, plugin_object) == 104 + STAT_BYTES && offsetof(save_packet, plug_meta) == 176 + STAT_BYTES, "save_packet");
_Static_assert(offsetof(save_packet, end) == 192 + STAT_BYTES, "save_packet");
_Static_assert(sizeof(restore_object) == 32, "restore_object");
_Static_assert(sizeof(restore_object_packet) == 64 && offsetof(restore_object_packet, object_type) == 32, "restore_object_packet");
_Static_assert(offsetof(restore_object_packet, job_id) == 56, "restore_object_packet");
_Static_assert(sizeof(restore_packet) == 88 + STAT_BYTES && offsetof(restore_packet, statp) == 32, "restore_packet");
_Static_assert(offsetof(restore_packet, ofname) == 40 + STAT_BYTES && offsetof(restore_packet, create_status) == 76 + STAT_BYTES, "restore_packet");
_Static_assert(sizeof(io_packet) == 72 && offsetof(io_packet, buf) == 24 && offsetof(io_packet, status) == 40, "io_packet");
_Static_assert(offsetof(io_packet, offset) == 56, "io_packet");
_Static_assert(sizeof(file_list_packet) == 56 + STAT_BYTES && offsetof(file_list_packet, ofname) == 24 + STAT_BYTES, "file_list_packet");
_Static_assert(sizeof(query_packet) == 48 && offsetof(query_packet, parameter) == 8 && offsetof(query_packet, result) == 32, "query_packet");

#endif
