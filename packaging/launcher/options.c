#include "options.h"

#include <string.h>

void keep_option(const struct option *options, size_t count, const char *name, size_t length, const char *value) {
    for (size_t at = 0; at < count; at++) {
        if (strlen(options[at].name) == length && memcmp(options[at].name, name, length) == 0) *options[at].place = value;
    }
}
