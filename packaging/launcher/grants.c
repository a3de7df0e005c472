#include "grants.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lists.h"
#include "text.h"

static void allow_given(char **list, const char *what, const char *path) {
    if (path != NULL) allow_path(list, what, path);
}

static bool is_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static void allow_keys(char **list, const char *key) {
    const char *keys = key != NULL ? key : getenv("PODHEITOR_MONGODB_TRUSTED_KEYS");
    if (!is_given(keys)) {
        // A key that isn't in a file, also a mistyped one, has no place among the arguments.
        const char *own = getenv("PODHEITOR_MONGODB_SIGNING_KEY");
        if (is_given(own) && is_file(own)) allow_path(list, "the signing key", own);
        return;
    }
    while (*keys != '\0') {
        size_t length = strcspn(keys, ":");
        if (length > 0) {
            char *one = make_text("%.*s", (int)length, keys);
            allow_path(list, "a trusted key", one);
            free(one);
        }
        keys += length + (keys[length] == ':');
    }
}

static void allow_place(char **list, enum place place, const struct row *row, struct arguments *arguments) {
    switch (place) {
        case PLACE_NONE:
            return;
        case PLACE_ANYWHERE:
        case PLACE_NOT_YET_KNOWN:
            return append(list, "/");
        case PLACE_COMMAND_WHERE:
            if (arguments->operand != NULL && strstr(arguments->operand, "where") != NULL) append(list, "/");
            return;
        case PLACE_TO:
            if (arguments->to != NULL && strcmp(arguments->to, "/dev/null") != 0) allow_path(list, "--to", arguments->to);
            return;
        case PLACE_WHERE:
            if (arguments->where != NULL && strcmp(arguments->where, "/") != 0) allow_path(list, "--where", arguments->where);
            return;
        case PLACE_FROM:
            return allow_given(list, "--from", arguments->from);
        case PLACE_OPERAND:
            return allow_given(list, "the folder", arguments->operand);
        case PLACE_KEY_PAIR:
            if (arguments->operand == NULL) return;
            allow_path(list, "the file", arguments->operand);
            char *public_half = make_text("%s.pub", arguments->operand);
            append(list, public_half);
            return free(public_half);
        case PLACE_WORKING:
            if (arguments->working == NULL) arguments->working = row->working;
            return allow_given(list, "--working-dir", arguments->working);
        case PLACE_KEYS:
            return allow_keys(list, arguments->key);
    }
}

// A program is absolute and plain, or none.
static void allow_program(char **list, const char *path) {
    if (path == NULL || *path != '/') return;
    for (const char *at = path; *at != '\0'; at++) {
        bool is_letter = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');
        if (!is_letter && strchr("/._-", *at) == NULL) return;
    }
    append(list, path);
}

static void allow_tool(char **list, const char *name) {
    const char *folder = getenv("PODHEITOR_MONGODB_TOOLS");
    if (!is_given(folder)) return;
    size_t length = strlen(folder);
    char *path = make_text("%.*s/%s", (int)(folder[length - 1] == '/' ? length - 1 : length), folder, name);
    allow_program(list, path);
    free(path);
}

static bool is_program(const char *path) {
    return is_file(path) && access(path, X_OK) == 0;
}

// The path of a program by a shell's rules, as a new text, or NULL.
static char *find_program(const char *name) {
    if (strchr(name, '/') != NULL) return is_program(name) ? make_text("%s", name) : NULL;
    for (const char *folders = getenv("PATH"); is_given(folders);) {
        size_t length = strcspn(folders, ":");
        char *path = make_text("%.*s/%s", (int)length, folders, name);
        if (length > 0 && is_program(path)) return path;
        free(path);
        folders += length + (folders[length] == ':');
    }
    return NULL;
}

static void allow_found_mongod(char **list) {
    const char *name = getenv("PODHEITOR_MONGODB_MONGOD");
    if (!is_given(name)) name = getenv("MONGOD_BIN");
    char *found = find_program(is_given(name) ? name : "mongod");
    setenv("PODHEITOR_MONGODB_MONGOD", found == NULL ? "" : found, true);
    allow_program(list, found);
    free(found);
}

struct grants grant(const struct row *row, struct arguments *arguments) {
    struct grants self = {0};
    for (const enum place *place = row->read; *place != PLACE_NONE; place++) allow_place(&self.reads, *place, row, arguments);
    for (const enum place *place = row->write; *place != PLACE_NONE; place++) allow_place(&self.writes, *place, row, arguments);
    for (const enum program *program = row->run; *program != PROGRAM_NONE; program++) {
        switch (*program) {
            case PROGRAM_NONE:
                break;
            case PROGRAM_MONGODUMP:
                allow_tool(&self.programs, "mongodump");
                break;
            case PROGRAM_MONGORESTORE:
                allow_tool(&self.programs, "mongorestore");
                break;
            case PROGRAM_MONGOD:
                allow_program(&self.programs, getenv("PODHEITOR_MONGODB_MONGOD"));
                break;
            case PROGRAM_MONGOD_ON_PATH:
                allow_found_mongod(&self.programs);
                break;
        }
    }
    return self;
}
