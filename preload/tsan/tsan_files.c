/* SPDX-License-Identifier: MIT */
/*
 * tsan_files.c - order that comes through names of files: who finds that one is gone, or there, sees what was done before it was removed
 * or made. All names are one, which is too much order, and only behind calls that remove, rename or make one. Class SLOW.
 */
#define _GNU_SOURCE
#include "tsan.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALL_NAMES = 56 }; /* below the addresses of tsan_channel.c */

/* They go on to the next definition, libc's. */
#define CHANGES(name, params, args)                                        \
	static int(*real_##name) params;                                   \
	EXPORT int name params                                             \
	{                                                                  \
		const struct lane *t = lane_now;                           \
                                                                           \
		if (t && t->syncs) {                                       \
			sync_release(ALL_NAMES, CALLER_PC(), CALLER_SP()); \
		}                                                          \
		return FIND(name) args;                                    \
	}
#define LOOKS(type, name, params, args)                                    \
	static type(*real_##name) params;                                  \
	EXPORT type name params                                            \
	{                                                                  \
		type result = FIND(name) args;                             \
		const struct lane *t = lane_now;                           \
                                                                           \
		if (t && t->syncs) {                                       \
			sync_acquire(ALL_NAMES, CALLER_PC(), CALLER_SP()); \
		}                                                          \
		return result;                                             \
	}

CHANGES(unlink, (const char *path), (path))
CHANGES(rmdir, (const char *path), (path))
CHANGES(rename, (const char *from, const char *to), (from, to))
CHANGES(mkdir, (const char *path, mode_t mode), (path, mode))
LOOKS(FILE *, fopen, (const char *path, const char *mode), (path, mode))
LOOKS(FILE *, fopen64, (const char *path, const char *mode), (path, mode))
LOOKS(DIR *, opendir, (const char *path), (path))
LOOKS(int, access, (const char *path, int mode), (path, mode))
