/* SPDX-License-Identifier: MIT */
/*
 * hookable_search.h - where glibc's loader would find a library: RPATH, LD_LIBRARY_PATH, RUNPATH,
 * ld.so.cache, defaults.
 *
 * The environment is read as the program would get it. Not covered: hwcaps subdirectories of
 * directories that are not in the cache (the plain file beside them serves as well for questions
 * about imports).
 */
#ifndef THRUM_ANALYZER_HOOKABLE_SEARCH_H
#define THRUM_ANALYZER_HOOKABLE_SEARCH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct hookable_search {
	const unsigned char *cache; /* mapped; NULL = none */
	size_t cache_bytes;
};

void hookable_search_init(struct hookable_search *search);
void hookable_search_release(struct hookable_search *search);

/*
 * Looks for `name` on behalf of the module at `path`. `rpaths`: DT_RPATH of it and of those that
 * loaded it, with the directories of their modules, innermost first (none where the module has a
 * RUNPATH).
 */
struct hookable_path {
	const char *list;   /* colon-separated; NULL = none */
	const char *module; /* for $ORIGIN */
};

bool hookable_search_find(const struct hookable_search *search, const char *name,
			  const struct hookable_path *rpaths, size_t rpath_count,
			  const struct hookable_path *runpath, char ret_path[PATH_MAX]);

#endif
