/* SPDX-License-Identifier: MIT */
/*
 * source.h - lines of source files named by debug information, where they can be read on this
 * machine.
 *
 * The names come from the recorded program: only regular files are opened, nothing is followed that
 * blocks, files above SOURCE_MAX_BYTES and files that hold NUL bytes count as unreadable. Never
 * fails: no line is no line.
 */
#ifndef THRUM_ANALYZER_REPORT_SOURCE_H
#define THRUM_ANALYZER_REPORT_SOURCE_H

#define SOURCE_MAX_BYTES (8u << 20)

struct source_cache;

/* NULL when out of memory, which the other functions take: they then know no line. */
struct source_cache *source_cache_new(void);
void source_cache_free(struct source_cache *cache); /* takes NULL */

/*
 * Line `line` (1-based) of `file` without its newline, tabs as they are; NULL = unknown. Borrowed
 * until the cache is freed. Reads each file once.
 */
const char *source_get_line(struct source_cache *cache, const char *file, int line);

#endif
