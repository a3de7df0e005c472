// Lists of paths as Deno's flags take them, with commas between the items.
#pragma once

// NULL is a list without items.
void append(char **list, const char *item);

// Refuses a path that could make the list longer, in words for what it is.
void allow_path(char **list, const char *what, const char *path);
