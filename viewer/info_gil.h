/* SPDX-License-Identifier: MIT */
/*
 * info_gil.h - how long the threads of a process waited for CPython's GIL, and who had it meanwhile.
 */
#ifndef THRUM_VIEWER_INFO_GIL_H
#define THRUM_VIEWER_INFO_GIL_H

#include "../trace/trace_reader.h"

#include <jansson.h>
#include <stdio.h>

/*
 * Writes one line; nothing where no thread waited. `life_ns`: of each thread, by number, how long it was seen to live, 0 = not known; or
 * NULL.
 */
void info_put_gil(FILE *out, const struct trace_process *p, const uint64_t *life_ns,
		  const char *key);
json_t *info_json_gil(const struct trace_process *p); /* NULL = no thread waited */

#endif
