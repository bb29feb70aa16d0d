/* SPDX-License-Identifier: MIT */
/*
 * trace_scratch.h - temporary trace directories and slurped events for unit tests. Every failure
 * ends the test.
 */
#ifndef THRUM_TESTS_TRACE_SCRATCH_H
#define THRUM_TESTS_TRACE_SCRATCH_H

#include "../../trace/trace_reader.h"

#include <stddef.h>

/* A new empty directory of this process; owned by the caller, who gives it to scratch_remove. */
char *scratch_new(void);

/* Deletes the files in it, the directory and the string. */
void scratch_remove(char *dir);

/* All events of process `index`, in merge order; owned by the caller. */
struct trace_event *scratch_events(struct trace_reader *reader, size_t index, size_t *ret_count);

struct trace_reader *scratch_open(const char *dir);

/* Whole file in memory with its size; NULL where it does not exist. */
void *scratch_read(const char *dir, const char *name, size_t *ret_bytes);
void scratch_write(const char *dir, const char *name, const void *bytes, size_t count);

#endif
