/* SPDX-License-Identifier: MIT */
/*
 * symbols_search.h - where the file of a module is looked for: its own path, paths by which other processes of the
 * run knew it, the directories that the user named, and servers that the user configured, in this order.
 *
 * Every place is held to the same rule: a file counts only where its build-id is the recorded one,
 * or, without one, where it is older than the recording. So the order never changes an answer.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_SEARCH_H
#define THRUM_ANALYZER_SYMBOLS_SEARCH_H

#include "symbols_debuginfod.h"
#include "symbols_find.h"
#include "symbols_index.h"

/* A module as some process of the run saw it. */
struct symbols_sighting {
	const char *path; /* borrowed, as is the build-id */
	const unsigned char *build_id;
	size_t build_id_bytes;
};

struct symbols_search {
	struct symbols_sighting *sightings; /* owns */
	size_t sighting_count, sighting_capacity;
	char **directories; /* owns; absolute */
	size_t directory_count, directory_capacity;
	struct symbols_index *index;	       /* owns */
	struct symbols_debuginfod *debuginfod; /* owns */
};

void symbols_search_init(struct symbols_search *search);
void symbols_search_release(struct symbols_search *search);

/* Before the first search. What is no directory holds nothing. */
void symbols_search_add(struct symbols_search *search, const char *directory);

/*
 * Before the first search: this build has been seen at `path` too. A process that changed its root knows its modules by
 * names that nobody else understands. Strings are borrowed.
 */
void symbols_search_add_sighting(struct symbols_search *search, const char *path,
				 const unsigned char *build_id, size_t build_id_bytes);

/*
 * A descriptor of the file of the module recorded as `path`, and where it was found (malloc'ed,
 * caller frees); else -1 and what is wrong with the file at its own path. The vdso, which is no
 * file, is taken from this process where the kernel is the same.
 */
int symbols_search_module(struct symbols_search *search, const char *path,
			  const struct symbols_identity *identity, char **ret_path,
			  enum symbols_absence *ret_absence);

#endif
