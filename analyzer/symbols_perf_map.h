/* SPDX-License-Identifier: MIT */
/*
 * symbols_perf_map.h - names of code that a program made itself: the perf-PID.map files that JIT
 * compilers write for perf (node --perf-basic-prof, python -X perf, java agents …).
 *
 * Invariants
 *  - A file counts only if it belongs to this user or to root, and was written after the process
 *    began: files of an older process with the same pid lie about.
 *  - Where several functions had the address one after the other, none of them is claimed.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_PERF_MAP_H
#define THRUM_ANALYZER_SYMBOLS_PERF_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct perf_map;

/* NULL where there is none that counts. `begin_real_ns`: wall clock, when the process began. */
struct perf_map *perf_map_read(const char *path, uint64_t begin_real_ns);
void perf_map_free(struct perf_map *map); /* takes NULL */

/* The function with the code address; NULL = unknown. Borrowed until the map is freed. */
const char *perf_map_find(const struct perf_map *map, uint64_t address);

/*
 * V8 writes "LazyCompile:~readList /srv/app.js:10", with a sign for how it was compiled and an empty name for a function that has
 * none; scripts of node itself are "node:net". False: no such name. `ret_function` may be empty; the parts are not terminated.
 */
struct perf_map_part {
	const char *text;
	int length;
};
bool perf_map_split(const char *name, struct perf_map_part *ret_function,
		    struct perf_map_part *ret_file, int *ret_line);

#endif
