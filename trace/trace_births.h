/* SPDX-License-Identifier: MIT */
/*
 * trace_births.h - bounded mode: that a task was made, was armed and is over, in the place of records that were overwritten.
 *
 * Such records are no facts: the slot of a task has what they said (struct tf_task_live). What the rings still have is left out here.
 */
#ifndef THRUM_TRACE_BIRTHS_H
#define THRUM_TRACE_BIRTHS_H

#include "trace_defs.h"

enum trace_birth_what { TRACE_BIRTH_MADE, TRACE_BIRTH_ARMED, TRACE_BIRTH_OVER };

struct trace_birth {
	uint64_t ticks;
	uint32_t task;
	uint32_t what; /* enum trace_birth_what */
};

struct trace_births {
	struct trace_birth *birth; /* owned; by time */
	size_t count, next;
};

/* 0 or THRUM_ENOMEM. */
int trace_births_init(struct trace_births *births, const struct trace_defs *defs);
void trace_births_release(struct trace_births *births);

/* Is the next one no later than `ticks`? */
static inline bool trace_births_are_due(const struct trace_births *b, uint64_t ticks)
{
	return b->next < b->count && b->birth[b->next].ticks <= ticks;
}
/* The next one, which is there, as an event. */
void trace_births_take(struct trace_births *births, const struct trace_defs *defs,
		       struct trace_event *ret_event);

#endif
