#include "lists.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

void append(char **list, const char *item) {
    char *longer = *list == NULL ? make_text("%s", item) : make_text("%s,%s", *list, item);
    free(*list);
    *list = longer;
}

static bool is_plain(const char *path) {
    if (*path == '\0' || *path == '-') return false;
    for (const unsigned char *at = (const unsigned char *)path; *at != 0; at++) {
        if (*at < 0x20 || *at == 0x7f || strchr(",\"'", *at) != NULL) return false;
    }
    return true;
}

void allow_path(char **list, const char *what, const char *path) {
    if (!is_plain(path)) {
        refuse(
            make_text("the path of %s is empty, begins with a dash, or has a comma, a quote or a control character", what),
            "What the program may read and write is a list of paths: give this one a plain name.");
    }
    append(list, path);
}
