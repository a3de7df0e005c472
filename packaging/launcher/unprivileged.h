// What the File Daemon starts, and what leaves something for it, is no work for root.
#pragma once

// Where this runs as root and need not: makes this process another user's, without any capability. That user has to be able to work in the
// working directory. systemd gives root's services their credentials in files of root's, which are passed on as variables.
void give_up_root(const char *command, const char *working);

// Where this runs as root: makes this process the user whom the directory belongs to, or Bacula's, since reading what the backend left is no work
// for root.
void read_as_owner(const char *folder);
