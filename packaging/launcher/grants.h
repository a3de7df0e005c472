// What a command may do with these arguments and variables: lists as Deno's flags take them.
#pragma once

#include "arguments.h"
#include "table.h"

struct grants {
    // Items with commas between them, or NULL.
    char *reads;
    char *writes;
    char *programs;
};

// A path that could make a list longer is refused. Names the working directory in the arguments where it has a default, and in the environment
// the mongod that was found.
struct grants grant(const struct row *row, struct arguments *arguments);
