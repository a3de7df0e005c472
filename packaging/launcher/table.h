// What is baked in: the table of packaging/permissions.ts, and what is started. The header `baked.h` is generated from there.
#pragma once

#include <stdbool.h>

// As in permissions.ts; a list ends with NONE.
enum place {
    PLACE_NONE,
    PLACE_ANYWHERE,
    PLACE_TO,
    PLACE_FROM,
    PLACE_OPERAND,
    PLACE_WORKING,
    PLACE_WHERE,
    PLACE_COMMAND_WHERE,
    PLACE_NOT_YET_KNOWN,
    PLACE_KEYS,
    PLACE_KEY_PAIR,
};

enum program {
    PROGRAM_NONE,
    PROGRAM_MONGODUMP,
    PROGRAM_MONGORESTORE,
    PROGRAM_MONGOD,
    PROGRAM_MONGOD_ON_PATH,
};

enum { ROW_PLACES = 6, ROW_PROGRAMS = 4, ROW_NAMES = 16 };

struct row {
    const char *command;
    enum place read[ROW_PLACES];
    enum place write[ROW_PLACES];
    // NULL for no network, "" for all of it, else a host.
    const char *net;
    enum program run[ROW_PROGRAMS];
    const char *variables[ROW_NAMES];
    const char *facts[ROW_NAMES];
    // The working directory where none is named; NULL where it then isn't used.
    const char *working;
    bool writes_protected;
    // What it says has colours on a terminal, unless the operator wants none.
    bool is_coloured;
};
