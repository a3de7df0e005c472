// Starts the exporter with one port to open, and nothing to read but the working directory and the web configuration. What it can't make out, it
// grants nothing for: the exporter then says what is wrong.
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baked.h"
#include "lists.h"
#include "options.h"
#include "start.h"
#include "text.h"
#include "unprivileged.h"

struct options {
    const char *listen;
    const char *working;
    const char *web;
    // Whether the exporter only says something of itself.
    bool answers;
};

static void keep(struct options *self, const char *option, size_t length, const char *value) {
    const struct option options[] = {
        {"--listen", &self->listen},
        {"--working-dir", &self->working},
        {"--web.config.file", &self->web},
    };
    keep_option(options, sizeof options / sizeof *options, option, length, value);
}

static struct options read_options(int count, char *const values[]) {
    struct options self = {.listen = ":9105", .working = BAKED_WORKING, .web = ""};
    const char *option = NULL;
    for (int at = 1; at < count; at++) {
        const char *value = values[at];
        const char *equals = strchr(value, '=');
        if (option != NULL) {
            keep(&self, option, strlen(option), value);
            option = NULL;
        } else if (strcmp(value, "--help") == 0 || strcmp(value, "--version") == 0) {
            self.answers = true;
        } else if (strncmp(value, "--", 2) == 0 && equals != NULL) {
            keep(&self, value, (size_t)(equals - value), equals + 1);
        } else if (strncmp(value, "--", 2) == 0) {
            option = value;
        }
    }
    return self;
}

static bool is_port(const char *text) {
    size_t length = strspn(text, "0123456789");
    return length > 0 && length <= 5 && text[length] == '\0' && atoi(text) <= 65535;
}

static bool is_host(const char *text, size_t length) {
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
    if (length > 2 && text[0] == '[' && text[length - 1] == ']') return strspn(text + 1, "0123456789ABCDEFabcdef:.") == length - 2;
    return strspn(text, letters) >= length;
}

// The address that may be listened on, as a new text, or NULL.
static char *find_address(const char *listen) {
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || !is_port(colon + 1)) return NULL;
    size_t length = (size_t)(colon - listen);
    if (length == 0) return make_text("0.0.0.0%s", colon);
    return is_host(listen, length) ? make_text("%s", listen) : NULL;
}

static char *skip_spaces(char *text) {
    while (isspace((unsigned char)*text)) text++;
    return text;
}

// The value behind cert_file: or key_file: in a line of the web configuration, which is changed; or NULL.
static char *find_file_name(char *line) {
    line = skip_spaces(line);
    size_t length = strncmp(line, "cert_file", 9) == 0 ? 9 : strncmp(line, "key_file", 8) == 0 ? 8 : 0;
    char *value = skip_spaces(line + length);
    if (length == 0 || *value != ':') return NULL;
    value = skip_spaces(value + 1);
    for (char *at = value; *at != '\0'; at++) {
        char *rest = skip_spaces(at);
        bool is_comment = *rest == '#' && (rest > at || at == value);
        if (is_comment || (rest > at && *rest == '\0')) *at = '\0';
        if (*at == '\0') break;
    }
    length = strlen(value);
    if (length >= 2 && (*value == '"' || *value == '\'') && value[length - 1] == *value) {
        value[length - 1] = '\0';
        value++;
    }
    return *value == '\0' ? NULL : value;
}

// The files that lines of the web configuration name, each where the exporter looks for it.
static void allow_web_files(char **reads, const char *web) {
    allow_path(reads, "--web.config.file", web);
    FILE *file = fopen(web, "re");
    if (file == NULL) return;
    const char *slash = strrchr(web, '/');
    char *folder = slash == NULL ? make_text(".") : make_text("%.*s", (int)(slash - web), web);
    char *what = make_text("a file that %s names", web);
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0) {
        const char *name = find_file_name(line);
        if (name == NULL) continue;
        char *path = *name == '/' ? make_text("%s", name) : make_text("%s/%s", folder, name);
        allow_path(reads, what, path);
        free(path);
    }
    free(line);
    free(what);
    free(folder);
    fclose(file);
}

int main(int count, char *values[]) {
    be_modest();
    struct options options = read_options(count, values);
    char *reads = NULL;
    char *address = NULL;
    if (!options.answers) {
        allow_path(&reads, "--working-dir", options.working);
        address = find_address(options.listen);
        if (*options.web != '\0') allow_web_files(&reads, options.web);
        read_as_owner(options.working);
    }
    char *flags[3] = {0};
    size_t flag_count = 0;
    if (address != NULL) flags[flag_count++] = make_text("--allow-net=%s", address);
    if (reads != NULL) flags[flag_count++] = make_text("--allow-read=%s", reads);
    free(address);
    free(reads);
    setenv("NO_COLOR", "1", true);
    start(flags, (const char *const[]){NULL}, count, values);
}
