#include "unprivileged.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text.h"

// Where accounts are; the launcher is one file without libraries, which couldn't ask a directory service.
#ifndef ACCOUNTS
#define ACCOUNTS "/etc"
#endif

enum { GROUPS = 256, SECRET_BYTES = 65536 };

struct account {
    char *name;
    uid_t uid;
    gid_t gid;
    gid_t groups[GROUPS];
    size_t group_count;
};

static bool names_account(const struct passwd *entry, const char *user) {
    char *number = make_text("%lu", (unsigned long)entry->pw_uid);
    bool is_number = strcmp(number, user) == 0;
    free(number);
    return is_number || strcmp(entry->pw_name, user) == 0;
}

static bool is_member(const struct group *group, const char *name) {
    for (char **member = group->gr_mem; *member != NULL; member++) {
        if (strcmp(*member, name) == 0) return true;
    }
    return false;
}

static void find_groups(struct account *self) {
    self->groups[self->group_count++] = self->gid;
    FILE *file = fopen(ACCOUNTS "/group", "re");
    if (file == NULL) return;
    for (const struct group *group; (group = fgetgrent(file)) != NULL && self->group_count < GROUPS;) {
        if (group->gr_gid != self->gid && is_member(group, self->name)) self->groups[self->group_count++] = group->gr_gid;
    }
    fclose(file);
}

static bool find_account(struct account *self, const char *user) {
    *self = (struct account){0};
    FILE *file = fopen(ACCOUNTS "/passwd", "re");
    if (file == NULL) return false;
    for (const struct passwd *entry; self->name == NULL && (entry = fgetpwent(file)) != NULL;) {
        if (!names_account(entry, user)) continue;
        self->name = make_text("%s", entry->pw_name);
        self->uid = entry->pw_uid;
        self->gid = entry->pw_gid;
    }
    fclose(file);
    if (self->name == NULL) return false;
    find_groups(self);
    return true;
}

static void must(bool is_done, const char *what) {
    if (is_done) return;
    refuse(make_text("root's rights can't be given up (%s: %s)", what, strerror(errno)),
           "Let the File Daemon's unit keep the capabilities SETUID, SETGID and SETPCAP, or start it as the user itself.");
}

// The kernel's call, version 3, for this process.
static struct {
    uint32_t version;
    int process;
} capability_header = {0x20080522, 0};
struct capabilities {
    uint32_t effective;
    uint32_t permitted;
    uint32_t inheritable;
};

// What is left until the next program starts, which has none: to find that program also in a folder of root's.
static void keep_search_alone(void) {
    const uint32_t read_search = 1 << 2;
    struct capabilities sets[2] = {{0}};
    must(syscall(SYS_capget, &capability_header, sets) == 0, "capabilities");
    uint32_t kept = sets[0].permitted & read_search;
    const struct capabilities rest[2] = {{.effective = kept, .permitted = kept}};
    must(syscall(SYS_capset, &capability_header, rest) == 0, "capabilities");
}

static void become(const struct account *account) {
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
    must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0, "ambient capabilities");
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
        must(prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0, "bounding set");
    }
    must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0, "capabilities");
    must(setgroups(account->group_count, account->groups) == 0, "groups");
    must(setresgid(account->gid, account->gid, account->gid) == 0, "group");
    must(setresuid(account->uid, account->uid, account->uid) == 0, "user");
    keep_search_alone();
    errno = 0;
    must(account->uid == 0 || setresuid(0, 0, 0) != 0, "root could be had again");
}

// Whether this process's user can write there, by its own rights alone, also to what jobs left there before.
static bool can_work_in(const char *folder) {
    if (access(folder, W_OK | X_OK) != 0) return false;
    DIR *entries = opendir(folder);
    if (entries == NULL) return true;
    bool can = true;
    for (const struct dirent *entry; can && (entry = readdir(entries)) != NULL;) {
        if (strncmp(entry->d_name, "podheitor-mongodb-", 18) != 0) continue;
        char *path = make_text("%s/%s", folder, entry->d_name);
        struct stat status;
        can = stat(path, &status) != 0 || !S_ISREG(status.st_mode) || access(path, R_OK | W_OK) == 0;
        free(path);
    }
    closedir(entries);
    return can;
}

// Sets a variable that isn't set to what systemd's file of that name holds, less the ends of lines behind it.
static void pass_credential(const char *variable, const char *name) {
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (is_given(getenv(variable)) || !is_given(folder)) return;
    char *path = make_text("%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    free(path);
    if (file == NULL) return;
    static char text[SECRET_BYTES];
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    while (length > 0 && text[length - 1] == '\n') length--;
    text[length] = '\0';
    setenv(variable, text, true);
    explicit_bzero(text, sizeof text);
}

// Whose job it is: root's, if nothing says otherwise.
static char *choose_user(const char *command, const char *working) {
    const char *named = getenv("PODHEITOR_MONGODB_USER");
    bool is_job = strncmp(command, "job ", 4) == 0 || strcmp(command, "doctor") == 0;
    struct stat status;
    if (!is_job && strcmp(command, "prepare-restore") != 0) return make_text("root");
    if (is_given(named)) return make_text("%s", named);
    if (is_job) return make_text("bacula");
    // Whose jobs read what it leaves is told by whose directory it is.
    if (working == NULL || stat(working, &status) != 0 || status.st_uid == 0) return make_text("root");
    return make_text("%lu", (unsigned long)status.st_uid);
}

void give_up_root(const char *command, const char *working) {
    if (getuid() != 0) return;
    char *user = choose_user(command, working);
    struct account account;
    struct stat status;
    if (strcmp(user, "root") == 0) return free(user);
    if (!find_account(&account, user)) {
        if (is_given(getenv("PODHEITOR_MONGODB_USER"))) {
            refuse(make_text("there is no user %s; PODHEITOR_MONGODB_USER names %s", user, user),
                   "Correct that variable of the File Daemon, or make the user, on this machine itself.");
        }
        fprintf(stderr,
                "This runs as root: there is no user %s. Make the user, or say PODHEITOR_MONGODB_USER=root in the File Daemon's environment.\n",
                user);
        return free(user);
    }
    // The doctor says itself what isn't as it should be.
    bool has_working = strcmp(command, "doctor") != 0 && working != NULL && stat(working, &status) == 0 && S_ISDIR(status.st_mode);
    pass_credential("PODHEITOR_MONGODB_URI", "podheitor-mongodb-uri");
    pass_credential("PODHEITOR_MONGODB_PASSWORD", "podheitor-mongodb-password");
    unsetenv("CREDENTIALS_DIRECTORY");
    become(&account);
    if (has_working && !can_work_in(working)) {
        refuse(make_text("the user %s can't write to %s, or to what root's jobs left there", account.name, working),
               make_text("Run: chown -h %s: '%s' '%s'/podheitor-mongodb-*", account.name, working, working));
    }
    free(account.name);
    free(user);
}

void read_as_owner(const char *folder) {
    if (getuid() != 0) return;
    struct stat status;
    bool has_owner = stat(folder, &status) == 0 && status.st_uid != 0;
    char *user = has_owner ? make_text("%lu", (unsigned long)status.st_uid) : make_text("bacula");
    struct account account;
    if (find_account(&account, user)) become(&account);
    else fprintf(stderr, "This runs as root: there is no user %s.\n", user);
    free(account.name);
    free(user);
}
