/* SPDX-License-Identifier: MIT */
/*
 * flow.h - clocks of threads, moved by what orders their events whatever locks and accesses do: fork before the thread, the thread before its
 * join, and a notification before the end of a wait. Threads tick after they published.
 */
#ifndef THRUM_ANALYZER_PREDICT_FLOW_H
#define THRUM_ANALYZER_PREDICT_FLOW_H

#include "clocks.h"
#include "sequence.h"

/* Zeroed = empty. */
struct flow {
	struct clocks clocks;
	struct clock_stamp
		*notified; /* owns; by lock: all notifications so far, as known to the newest */
	size_t notified_count, notified_capacity;
	struct clock_stamp given; /* what one thread tells another */
	uint32_t *waits;	  /* owns; by thread: lock + 1 it waits through */
	size_t waits_count, waits_capacity;
};

/* For all threads and locks that the sequence has by now. */
void flow_make_room(struct flow *flow, const struct predict_sequence *sequence);
void flow_release(struct flow *flow);

void flow_end_wait(struct flow *flow, uint32_t thread);
void flow_apply_sync(struct flow *flow, const struct predict_event *event);

/* Does an event of these orders anything by itself? */
static inline bool flow_is_sync(enum predict_op op)
{
	return op >= PREDICT_WAIT;
}

/* Before the event: what its thread knows by now. */
static inline void flow_begin(struct flow *flow, const struct predict_event *event)
{
	/* A request is no progress: the notification may come while the thread stands there. */
	if (flow->waits[event->thread] && event->op != PREDICT_REQUEST)
		flow_end_wait(flow, event->thread);
	/* Which notification woke whom is not told: all of them before it. */
	if (event->op == PREDICT_NOTIFY)
		clocks_learn(&flow->clocks, event->thread, &flow->notified[event->object]);
}

/* The event itself. */
static inline void flow_apply(struct flow *flow, const struct predict_event *event)
{
	if (flow_is_sync((enum predict_op)event->op))
		flow_apply_sync(flow, event);
}

#endif
