/* SPDX-License-Identifier: MIT */
/*
 * tsan_exit.c - what ThreadSanitizer's own library does at the end of a program whose other threads are still at work: it waits, for as
 * long as its option atexit_sleep_ms says (1000), so that they get to what they were about to do. A thread that was just made has
 * often not begun when main returns. We end the wait as soon as the others have ended. Class SLOW.
 */
#define _GNU_SOURCE
#include "tsan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLEEP_MS = 1000, STEP_MS = 5 };

/* Is there a second thread? /proc says so; where it cannot, there is none. */
static bool others_live(void)
{
	char entries[512];
	long fd = sys4(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		       0);
	long got, threads = 0;

	if (fd < 0) {
		return false;
	}
	while (threads < 2 && (got = sys3(SYS_getdents64, fd, entries, sizeof(entries))) > 0) {
		for (long at = 0; at < got;) {
			unsigned short bytes;

			memcpy(&bytes, entries + at + 16, sizeof(bytes));
			threads += entries[at + 19] != '.';
			at += bytes;
		}
	}
	sys1(SYS_close, fd);
	return threads > 1;
}

static long sleep_ms(void)
{
	const char *options = getenv("TSAN_OPTIONS"), *found = NULL;

	for (const char *p = options; p && (p = strstr(p, "atexit_sleep_ms=")); found = p) {
		p += sizeof("atexit_sleep_ms=") - 1;
	}
	return found ? strtol(found, NULL, 10) : SLEEP_MS;
}

static void wait_for_others(void)
{
	struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	const struct lane *t = lane_now;
	int error = errno;

	if (t && t->syncs) {
		for (long left = sleep_ms(); left > 0 && others_live(); left -= STEP_MS) {
			sys4(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &step, NULL);
		}
	}
	errno = error;
}

/* Early: the program's own handlers are called before it. */
__attribute__((constructor)) static void wait_at_exit(void)
{
	atexit(wait_for_others);
}
