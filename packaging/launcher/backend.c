// Starts the backend with the flags of the command that it is called with. Paths come from the same arguments and variables that the backend reads.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "baked.h"
#include "grants.h"
#include "lists.h"
#include "start.h"
#include "table.h"
#include "text.h"
#include "unprivileged.h"

static const struct row rows[] = {BAKED_ROWS};
static const struct row unknown_command = {.writes_protected = true};

enum { MOST_FLAGS = 7 };

static const struct row *find_row(const char *command) {
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        if (strcmp(rows[at].command, command) == 0) return &rows[at];
    }
    return &unknown_command;
}

static char *join(const char *const names[]) {
    char *list = NULL;
    for (; *names != NULL; names++) append(&list, *names);
    return list;
}

static void add_list(char **flags, size_t *count, const char *flag, char *list) {
    if (list != NULL) flags[(*count)++] = make_text("%s=%s", flag, list);
    free(list);
}

static void make_flags(char *flags[MOST_FLAGS + 1], const struct row *row, const struct grants *grants) {
    size_t count = 0;
    add_list(flags, &count, "--allow-sys", join(row->facts));
    add_list(flags, &count, "--allow-env", join(row->variables));
    add_list(flags, &count, "--allow-run", grants->programs);
    if (row->net != NULL) flags[count++] = *row->net == '\0' ? make_text("--allow-net") : make_text("--allow-net=%s", row->net);
    if (row->writes_protected) flags[count++] = make_text("%s", BAKED_PROTECTED);
    add_list(flags, &count, "--allow-write", grants->writes);
    add_list(flags, &count, "--allow-read", grants->reads);
}

int main(int count, char *values[]) {
    forbid_core_files();
    struct arguments arguments = read_arguments(count, values);
    const struct row *row = find_row(arguments.command);
    struct grants grants = grant(row, &arguments);
    if (!row->is_coloured) setenv("NO_COLOR", "1", true);
    give_up_root(arguments.command, arguments.working);
    char *flags[MOST_FLAGS + 1] = {0};
    make_flags(flags, row, &grants);
    start(flags, row->variables, count, values);
}
