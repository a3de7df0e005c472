// The start of what is baked in.
#pragma once

// Starts it with these flags, and the arguments that this program was given; of the caller's variables it gets those named, and a few that say
// nothing. Both lists end with NULL.
_Noreturn void start(char *const flags[], const char *const variables[], int count, char *const values[]);

// To be called first: a core file would hold secrets.
void forbid_core_files(void);
