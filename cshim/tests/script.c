// SPDX-License-Identifier: AGPL-3.0-only
#define _GNU_SOURCE
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char character) {
    static const char digits[] = "0123456789abcdef";
    const char *found = character == 0 ? NULL : strchr(digits, character);
    return found == NULL ? -1 : (int)(found - digits);
}

bool append_hex(uint8_t **bytes, size_t *length, const char *text) {
    size_t count = strlen(text);
    if (count % 2 != 0) return false;
    *bytes = realloc(*bytes, *length + count / 2 + 1);
    for (size_t at = 0; at < count; at += 2) {
        if (digit(text[at]) < 0 || digit(text[at + 1]) < 0) return false;
        (*bytes)[(*length)++] = (uint8_t)(digit(text[at]) << 4 | digit(text[at + 1]));
    }
    return true;
}

static bool read_payload(script_line *line, const char *text) {
    if (text[0] != '*') return append_hex(&line->bytes, &line->length, text);
    char *end;
    line->length = strtoul(text + 1, &end, 10);
    line->bytes = malloc(line->length + 1);
    for (size_t at = 0; at < line->length; at++) line->bytes[at] = (uint8_t)(at % 251);
    return *end == 0 && end != text + 1;
}

// `S> D 0102`: what follows the side.
static bool read_step(script_line *line, char *text) {
    char *rest = strchr(text, ' ');
    if (rest != NULL) *rest++ = 0;
    if (strcmp(text, "raw") == 0) line->what = SCRIPT_RAW;
    else if (strcmp(text, "eof") == 0) line->what = SCRIPT_EOF;
    else if (strcmp(text, "exit") == 0) line->what = SCRIPT_EXIT;
    else if (strlen(text) == 1 && strchr("HJPLQSFRDEAVMBTZCX", text[0]) != NULL) line->what = text[0];
    else return false;
    if (line->what == SCRIPT_EOF) return rest == NULL;
    if (line->what == SCRIPT_EXIT) return rest != NULL && sscanf(rest, "%d", &line->status) == 1 && line->side == 'B';
    return read_payload(line, rest == NULL ? "" : rest);
}

static bool read_line(script *self, char *text, int number) {
    char *value = strchr(text, ' ');
    if (value == NULL) return false;
    *value++ = 0;
    value += strspn(value, " ");
    if (strcmp(text, "title") == 0) return true;
    if (strcmp(text, "expect") == 0) {
        if (sscanf(value, "shim %7s", self->expected) == 1) return strcmp(self->expected, "ok") == 0 || strcmp(self->expected, "failed") == 0;
        return strcmp(value, "backend ok") == 0 || strcmp(value, "backend failed") == 0;
    }
    if (strcmp(text, "job") == 0) {
        self->job = strcmp(value, "backup") == 0 ? 'B' : strcmp(value, "restore") == 0 ? 'R' : strcmp(value, "estimate") == 0 ? 'E' : 0;
        if (strcmp(value, "listing") == 0) self->job = 'L';
        if (strcmp(value, "query") == 0) self->job = 'Q';
        return self->job != 0;
    }
    if (strcmp(text, "S>") != 0 && strcmp(text, "B>") != 0) return false;
    self->lines = realloc(self->lines, (self->count + 1) * sizeof *self->lines);
    script_line *line = &self->lines[self->count++];
    *line = (script_line){.side = text[0], .number = number};
    return read_step(line, value);
}

void script_read(script *self, const char *path) {
    *self = (script){0};
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        snprintf(self->fault, sizeof self->fault, "cannot open %s: %m", path);
        return;
    }
    char *text = NULL;
    size_t room = 0;
    for (int number = 1; self->fault[0] == 0 && getline(&text, &room, file) >= 0; number++) {
        text[strcspn(text, "\n")] = 0;
        if (text[0] == 0 || text[0] == '#') continue;
        if (!read_line(self, text, number)) snprintf(self->fault, sizeof self->fault, "line %d means nothing: %.60s", number, text);
    }
    if (self->fault[0] == 0 && (self->job == 0 || self->count == 0)) snprintf(self->fault, sizeof self->fault, "no job or no lines");
    free(text);
    fclose(file);
}

void script_free(script *self) {
    for (size_t at = 0; at < self->count; at++) free(self->lines[at].bytes);
    free(self->lines);
}
