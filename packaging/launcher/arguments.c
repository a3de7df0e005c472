#include "arguments.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "options.h"
#include "text.h"

static void keep(struct arguments *self, const char *option, size_t length, const char *value) {
    const struct option options[] = {
        {"--to", &self->to},
        {"--from", &self->from},
        {"--where", &self->where},
        {"--working-dir", &self->working},
        {"--key", &self->key},
        {"--kind", &self->kind},
    };
    keep_option(options, sizeof options / sizeof *options, option, length, value);
}

struct arguments read_arguments(int count, char *const values[]) {
    struct arguments self = {0};
    const char *option = NULL;
    for (int at = 2; at < count; at++) {
        const char *value = values[at];
        const char *equals = strchr(value, '=');
        if (option != NULL) {
            keep(&self, option, strlen(option), value);
            option = NULL;
        } else if (strcmp(value, "--") == 0 || strcmp(value, "--json") == 0 || strcmp(value, "--restore") == 0) {
            continue;
        } else if (strncmp(value, "--", 2) != 0) {
            self.operand = value;
        } else if (equals != NULL) {
            keep(&self, value, (size_t)(equals - value), equals + 1);
        } else {
            option = value;
        }
    }
    const char *command = count > 1 ? values[1] : "";
    bool is_job = strcmp(command, "job") == 0;
    self.command = is_job ? make_text("job %s", self.kind == NULL ? "" : self.kind) : make_text("%s", command);
    return self;
}
