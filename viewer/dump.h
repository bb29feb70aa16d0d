/* SPDX-License-Identifier: MIT */
/*
 * dump.h - the events of a trace as text, one a line, like strace.
 *
 *	    0.000001234  2 worker  timed-acquire  mutex#12  seq=3 stack=5 (queue_pop)
 *	seconds since start  thread id and name  event  object  the record's other fields, by name
 *
 * Lines that start with '#' are about a process: one before its events, and at the end one for each
 * thread that was blocked. Everything from the trace is escaped: no control character reaches a
 * terminal. Deterministic for the same trace and options; no wall-clock times.
 */
#ifndef THRUM_VIEWER_DUMP_H
#define THRUM_VIEWER_DUMP_H

#include "../trace/trace_reader.h"

#include <stdio.h>

struct dump_filter;

/*
 * Top frame of a stack in words ("queue_pop queue.c:31"); NULL = unknown. The text stays valid
 * until the next call. The caller puts its symbolisation behind this, so that the renderer needs
 * none.
 */
typedef const char *dump_frame_fn(void *context, size_t process, uint32_t stack, uint64_t time_ns);

struct dump_options {
	const struct dump_filter *filter; /* borrowed; NULL = everything */
	dump_frame_fn *frame;		  /* NULL = stack ids only */
	dump_frame_fn *chain;		  /* the same for all frames; NULL = as `frame` */
	void *frame_context;
};

/*
 * Writes the events of all processes. 0, THRUM_EIO when `out` failed (its errno's text in diag), or
 * an error of the reader. Does not close `out`.
 */
int dump_write(struct trace_reader *reader, const struct dump_options *options, FILE *out,
	       struct diag *diag);

/* ---- filters ---- */

/*
 * Adds "key=value,key=value" to *filter, which is made when NULL. Values of one key are
 * alternatives, keys are all needed:
 *
 *	thread=3         id, or name with * and ?          object=12    id; O or P of the record
 *	op=*acquire*     event word with * and ?           kind=mutex   kind of the object
 *	process=123      pid, or PID.N                     stack=5      id
 *
 * THRUM_EINVAL names what is wrong and leaves *filter as it was.
 */
int dump_filter_add(struct dump_filter **filter, const char *text, struct diag *diag);
void dump_filter_free(struct dump_filter *filter); /* takes NULL */

/* For dump_write and tests. `process` is where the event comes from. */
bool dump_filter_has_process(const struct dump_filter *filter, const struct trace_process *process);
bool dump_filter_passes(const struct dump_filter *filter, const struct trace_process *process,
			const struct trace_event *event);
bool dump_filter_has_thread(const struct dump_filter *filter, const struct trace_process *process,
			    uint32_t thread);
bool dump_filter_has_object(const struct dump_filter *filter, const struct trace_process *process,
			    uint32_t object);

#endif
