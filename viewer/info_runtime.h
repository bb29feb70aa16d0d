/* SPDX-License-Identifier: MIT */
/*
 * info_runtime.h - what the recorder saw of an interpreter in the process: its version, what works, what does not and why.
 */
#ifndef THRUM_VIEWER_INFO_RUNTIME_H
#define THRUM_VIEWER_INFO_RUNTIME_H

#include "../trace/trace_reader.h"

#include <jansson.h>
#include <stdio.h>

/* Writes one line without its key; false = there is no interpreter, and nothing was written. */
bool info_put_runtime(FILE *out, const struct trace_process *p, const char *key);
json_t *info_json_runtime(const struct trace_process *p); /* NULL = none */

#endif
