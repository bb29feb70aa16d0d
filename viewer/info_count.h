/* SPDX-License-Identifier: MIT */
/*
 * info_count.h - one pass over a process's events: how many of each kind, which threads and objects
 * took part.
 */
#ifndef THRUM_VIEWER_INFO_COUNT_H
#define THRUM_VIEWER_INFO_COUNT_H

#include "../trace/trace_reader.h"

#define INFO_KINDS 64u
#define INFO_TASKS 256u
#define INFO_LIBRARIES 16u /* TF_LIBRARY_MASK + 1 */

struct info_counts {
	uint64_t events; /* without synthetic ones */
	uint64_t by_op[TF_OPS];
	/* The same by what they are done to: whose kind (TF_LIBRARY_*), which kind, the event. */
	uint64_t (*by_object)[INFO_KINDS][TF_OPS]; /* INFO_LIBRARIES of them; owned */
	uint64_t gaps;				   /* places where records are missing */
	uint64_t lost;				   /* events that LOST records tell of */
	uint64_t threads;			   /* defined, or with at least one event */
	uint64_t objects
		[INFO_KINDS]; /* defined, by enum trace_object_kind; 0 = without a definition */
	uint64_t stacks;
	uint64_t tasks[INFO_TASKS]; /* made, by enum trace_task_kind; 0 = of another number */
	uint64_t callbacks;
	uint64_t blocked; /* threads that waited in a hooked call at the end */
	/* By thread: from its first event to its end, 0 = not known; owned. */
	uint64_t *life_ns;
};

/* Leaves the reader at the end of process `index`. 0, or an error of the reader and nothing to free. */
int info_count(struct trace_reader *reader, size_t index, struct info_counts *ret_counts,
	       struct diag *diag);
void info_count_free(struct info_counts *c);

#endif
