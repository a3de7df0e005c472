// Text that is made and refusals that are said.
#pragma once

#include <stdbool.h>

// A new text by printf's rules; the program ends where there is no memory.
char *make_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Says why this can't run and what to do, and ends with the status for that.
_Noreturn void refuse(const char *why, const char *hint);

bool is_given(const char *text);
