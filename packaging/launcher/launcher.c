// Starts Deno with the flags of the command that it is called with, in an environment of its own making. Paths come from the same arguments and
// variables that the program itself reads.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arguments.h"
#include "baked.h"
#include "grants.h"
#include "table.h"
#include "text.h"
#include "unprivileged.h"

static const struct row rows[] = {BAKED_ROWS};
static const struct row unknown_command = {.writes_protected = true};
// What is started, and its first arguments.
static const char *const start[] = {BAKED_START};
// Variables that are passed on whatever the command, and those that are set.
static const char *const kept_variables[] = {BAKED_KEPT};
static const char *const own_variables[] = {BAKED_OWN};

enum { COUNT_START = sizeof start / sizeof *start, FLAGS = 7, VARIABLES = ROW_NAMES + 32 };

static const struct row *find_row(const char *command) {
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        if (strcmp(rows[at].command, command) == 0) return &rows[at];
    }
    return &unknown_command;
}

static char *join(const char *const names[]) {
    char *list = NULL;
    for (; *names != NULL; names++) {
        char *longer = list == NULL ? make_text("%s", *names) : make_text("%s,%s", list, *names);
        free(list);
        list = longer;
    }
    return list;
}

static void add_list(char **arguments, size_t *count, const char *flag, char *list) {
    if (list != NULL) arguments[(*count)++] = make_text("%s=%s", flag, list);
    free(list);
}

static size_t add_flags(char **arguments, const struct row *row, const struct grants *grants) {
    size_t count = 0;
    add_list(arguments, &count, "--allow-sys", join(row->facts));
    add_list(arguments, &count, "--allow-env", join(row->variables));
    add_list(arguments, &count, "--allow-run", grants->programs);
    if (row->net != NULL) arguments[count++] = *row->net == '\0' ? make_text("--allow-net") : make_text("--allow-net=%s", row->net);
    if (row->writes_protected) arguments[count++] = make_text("%s", BAKED_PROTECTED);
    add_list(arguments, &count, "--allow-write", grants->writes);
    add_list(arguments, &count, "--allow-read", grants->reads);
    return count;
}

// The command line: what is started, the flags, the module, and the arguments that this program was given.
static char **make_command(const struct row *row, const struct grants *grants, int count, char *const values[]) {
    char **command = calloc((size_t)COUNT_START + FLAGS + 1 + (size_t)count + 1, sizeof *command);
    if (command == NULL) refuse("there is no memory", "Look at what else this machine runs.");
    size_t length = 0;
    while (length < COUNT_START) {
        command[length] = make_text("%s", start[length]);
        length++;
    }
#ifdef BAKED_MODULE
    length += add_flags(command + length, row, grants);
    command[length++] = make_text("%s", BAKED_MODULE);
#else
    (void)add_flags;
    (void)row;
    (void)grants;
#endif
    for (int at = 1; at < count; at++) command[length++] = values[at];
    return command;
}

static void keep_variable(char **environment, size_t *count, const char *name) {
    const char *value = getenv(name);
    if (value != NULL) environment[(*count)++] = make_text("%s=%s", name, value);
}

// Nothing else of the caller's gets through: variables of Deno's could change what it allows, those of the dynamic loader what it is.
static char **make_environment(const struct row *row) {
    static char *environment[VARIABLES];
    size_t count = 0;
    for (size_t at = 0; kept_variables[at] != NULL; at++) keep_variable(environment, &count, kept_variables[at]);
    for (size_t at = 0; row->variables[at] != NULL; at++) keep_variable(environment, &count, row->variables[at]);
    for (size_t at = 0; own_variables[at] != NULL; at++) environment[count++] = make_text("%s", own_variables[at]);
    return environment;
}

int main(int count, char *values[]) {
    // A core file would hold secrets.
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    struct arguments arguments = read_arguments(count, values);
    const struct row *row = find_row(arguments.command);
    struct grants grants = grant(row, &arguments);
    give_up_root(arguments.command, arguments.working);
    char **command = make_command(row, &grants, count, values);
    execve(command[0], command, make_environment(row));
    refuse(make_text("%s can't be started (%s)", command[0], strerror(errno)), "Install the package podheitor-mongodb again.");
}
