// SPDX-License-Identifier: AGPL-3.0-only
#define _GNU_SOURCE
#include "check.h"

#include <dirent.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_LEAK_CHECK 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_LEAK_CHECK 1
#endif
#ifdef HAS_LEAK_CHECK
#include <sanitizer/lsan_interface.h>
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char name[256];
static int faults, failed_tests, descriptors;

static int count_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

void test_begin(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    faults = 0;
    descriptors = count_descriptors();
}

void fault(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&lock);
    faults++;
    printf("# %s: ", name);
    vprintf(format, arguments);
    printf("\n");
    pthread_mutex_unlock(&lock);
    va_end(arguments);
}

void test_end(void) {
    siginfo_t child = {0};
    if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0) fault("a child is left: %d", child.si_pid);
    int now = count_descriptors();
    if (now != descriptors) fault("%d descriptors were open, %d are", descriptors, now);
#ifdef HAS_LEAK_CHECK
    if (__lsan_do_recoverable_leak_check() != 0) fault("memory leaks");
#endif
    printf("%s %s\n", faults == 0 ? "ok" : "FAIL", name);
    fflush(stdout);
    if (faults > 0) failed_tests++;
}

int tests_status(void) {
    return failed_tests > 0;
}
