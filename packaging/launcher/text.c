#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

char *make_text(const char *format, ...) {
    va_list values;
    va_start(values, format);
    char *text;
    int length = vasprintf(&text, format, values);
    va_end(values);
    if (length < 0) refuse("there is no memory", "Look at what else this machine runs.");
    return text;
}

_Noreturn void refuse(const char *why, const char *hint) {
    fprintf(stderr, "MONGO-110 Cannot run: %s\nHint: %s\n", why, hint);
    exit(2);
}

bool is_given(const char *text) {
    return text != NULL && *text != '\0';
}
