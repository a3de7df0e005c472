// Options among the arguments, as the executables take them: `--name value` and `--name=value`.
#pragma once

#include <stddef.h>

// Where the value of an option goes.
struct option {
    const char *name;
    const char **place;
};

// Keeps the value of the option whose name is the first `length` characters of `name`; of one that isn't among them, nothing.
void keep_option(const struct option *options, size_t count, const char *name, size_t length, const char *value);
