#include "start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "baked.h"
#include "text.h"

// What is started, and its first arguments.
static const char *const first[] = {BAKED_START};
// Variables that are passed on whatever the command, and those that are set.
static const char *const kept_variables[] = {BAKED_KEPT};
static const char *const own_variables[] = {BAKED_OWN};

enum { COUNT_FIRST = sizeof first / sizeof *first };

static void *reserve(size_t count) {
    void *pointers = calloc(count, sizeof(char *));
    if (pointers == NULL) refuse("there is no memory", "Look at what else this machine runs.");
    return pointers;
}

static size_t count_of(const char *const names[]) {
    size_t count = 0;
    while (names[count] != NULL) count++;
    return count;
}

// The command line: what is started, the flags, the module, and the arguments.
static char **make_command(char *const flags[], int count, char *const values[]) {
    char **command = reserve(COUNT_FIRST + count_of((const char *const *)flags) + 1 + (size_t)count + 1);
    size_t length = 0;
    for (size_t at = 0; at < COUNT_FIRST; at++) command[length++] = make_text("%s", first[at]);
#ifdef BAKED_MODULE
    for (; *flags != NULL; flags++) command[length++] = *flags;
    command[length++] = make_text("%s", BAKED_MODULE);
#endif
    for (int at = 1; at < count; at++) command[length++] = values[at];
    return command;
}

static void keep_variables(char **environment, size_t *count, const char *const names[]) {
    for (; *names != NULL; names++) {
        const char *value = getenv(*names);
        if (value != NULL) environment[(*count)++] = make_text("%s=%s", *names, value);
    }
}

// Nothing else of the caller's gets through: variables of Deno's could change what it allows, those of the dynamic loader what it is.
static char **make_environment(const char *const variables[]) {
    char **environment = reserve(count_of(kept_variables) + count_of(variables) + count_of(own_variables) + 1);
    size_t count = 0;
    keep_variables(environment, &count, kept_variables);
    keep_variables(environment, &count, variables);
    for (size_t at = 0; own_variables[at] != NULL; at++) environment[count++] = make_text("%s", own_variables[at]);
    return environment;
}

void start(char *const flags[], const char *const variables[], int count, char *const values[]) {
    char **command = make_command(flags, count, values);
    execve(command[0], command, make_environment(variables));
    refuse(make_text("%s can't be started (%s)", command[0], strerror(errno)), "Install the package podheitor-mongodb again.");
}

void forbid_core_files(void) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}
