/* SPDX-License-Identifier: MIT */
/*
 * names.h - what threads, locks and tasks of a trace are called, for whoever shows a trace without findings: the same words as reports use.
 *
 * Functions write at most `bytes` - 1 characters and NUL and return the buffer. What they write is not escaped: names come from the
 * recorded program.
 */
#ifndef THRUM_VIEWER_NAMES_H
#define THRUM_VIEWER_NAMES_H

#include "export.h"

#define NAMES_BYTES 256

/*
 * "mutex g_accounts"; where it has no name what findings call it ("mutex #1"), or where it lies ("mutex 0x7ff…"), or its number in the
 * trace; "a lock" for 0.
 */
const char *names_object(const struct export_source *source, size_t process, uint32_t object,
			 char *buffer, size_t bytes);

/* The part of it for locks without a name. `word`: of its kind. `labels` may be NULL. */
void names_nameless(const struct lock_labels *labels, size_t process, const struct trace_object *o,
		    uint32_t object, const char *word, char *buffer, size_t bytes);

/* "main thread", "thread 3 \"worker\"", "thread 3"; "a thread" for 0. */
const char *names_thread(const struct trace_process *process, uint32_t thread, char *buffer,
			 size_t bytes);

/* "task fetch", "task 7". */
const char *names_task(const struct trace_process *process, uint32_t task, char *buffer,
		       size_t bytes);

/*
 * Innermost frames of the program on one line: "init bank.c:9 <- main bank.c:30"; "" = unknown.
 */
const char *names_site(const struct export_source *source, size_t process, uint32_t stack,
		       uint64_t time_ns, char *buffer, size_t bytes);

#endif
