/* SPDX-License-Identifier: MIT */
/*
 * info_races.h - how much of the memory that threads share was watched: without it "no findings" says nothing of races.
 */
#ifndef THRUM_VIEWER_INFO_RACES_H
#define THRUM_VIEWER_INFO_RACES_H

#include "../trace/trace_reader.h"

#include <jansson.h>
#include <stdio.h>

/* Watchpoints. Writes one line; false = nothing is known, and nothing was written. */
bool info_put_races(FILE *out, const struct trace_process *p, const char *key);

/* The same of accesses that a ThreadSanitizer build recorded; reads all of them. */
bool info_put_accesses(FILE *out, const struct trace_process *p, const char *key);
json_t *info_json_accesses(const struct trace_process *p); /* NULL = none were recorded */

#endif
