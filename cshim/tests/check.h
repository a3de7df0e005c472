// SPDX-License-Identifier: AGPL-3.0-only
// Says what was tested: a line "ok NAME" or "FAIL NAME" for each test, with a line "# why" for each fault before it.
#ifndef PODHEITOR_CHECK_H
#define PODHEITOR_CHECK_H

__attribute__((format(printf, 1, 2))) void test_begin(const char *format, ...);

// Records a fault of the running test; any thread may call it.
__attribute__((format(printf, 1, 2))) void fault(const char *format, ...);

// Ends the test. Faults are children that are left, descriptors that weren't open at its beginning, and (in builds with AddressSanitizer) leaks.
void test_end(void);

// The program's exit status: 1 when a test failed.
int tests_status(void);

#endif
