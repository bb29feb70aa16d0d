/* SPDX-License-Identifier: MIT */
/*
 * dump_private.h - what the files of dump share: the process being written, and pieces of a line.
 */
#ifndef THRUM_VIEWER_DUMP_PRIVATE_H
#define THRUM_VIEWER_DUMP_PRIVATE_H

#include "dump.h"

#define DUMP_NS 1000000000u

/* What is being written and for which process. */
struct dump {
	const struct dump_options *options;
	const struct trace_process *process;
	size_t index;
	FILE *out;
};

/* "3 worker-1", "mutex#5", " stack=7 (frame)"; "?" for id 0 of the first two. */
void dump_put_thread(const struct dump *d, uint32_t thread);
void dump_put_object(const struct dump *d, uint32_t object);
void dump_put_stack(const struct dump *d, uint32_t stack, uint64_t time_ns);
/* Whose work it does: " (request_id=42)", or nothing. */
void dump_put_context(const struct dump *d, uint64_t task);
/* All of its frames, the innermost first. */
void dump_put_chain(const struct dump *d, uint32_t stack, uint64_t time_ns);

/* ---- dump_arguments.c ---- */

/* Argument, result and second object as fields of the line; of some ops one text says all of it, behind the other fields. */
void dump_put_argument(const struct dump *d, const struct trace_event *e);
void dump_put_result(const struct dump *d, const struct trace_event *e);
void dump_put_other(const struct dump *d, const struct trace_event *e);
bool dump_is_special(unsigned op);
void dump_put_special(const struct dump *d,
		      const struct trace_event *e); /* nothing of the other ops */

/* ---- dump_state.c ---- */

/*
 * What the trace says of an object beyond its kind: a line for each that has a name or can be met in
 * other processes.
 */
void dump_put_definitions(const struct dump *d);

/* In dump_awaits.c: what tasks waited for at the newest look. */
void dump_put_awaits(const struct dump *d);

/* What a thread is blocked in at the end. */
void dump_put_wait(const struct dump *d, const struct trace_wait_state *s);

#endif
