// What a command line says, as far as it decides what the command may do.
#pragma once

struct arguments {
    // A job's with its kind: "job B".
    char *command;
    // NULL where they aren't given.
    const char *to;
    const char *from;
    const char *where;
    const char *working;
    const char *key;
    const char *kind;
    // The last one that is neither an option nor an option's value.
    const char *operand;
};

struct arguments read_arguments(int count, char *const values[]);
