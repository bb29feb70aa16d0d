/* SPDX-License-Identifier: MIT */
/*
 * flow.h - what orders events of different threads whatever else does: fork before the thread, the thread before its join, and a
 * notification before the end of a wait. The part that all orders over a sequence have in common.
 */
#ifndef THRUM_ANALYZER_PREDICT_FLOW_H
#define THRUM_ANALYZER_PREDICT_FLOW_H

#include "clocks.h"
#include "sequence.h"

struct flow {
	struct clocks clocks;
	struct clock_stamp
		*notified; /* owns; by lock: all notifications so far, as known to the newest */
	struct clock_stamp given; /* what one thread tells another */
	uint32_t *waits;	  /* owns; by thread: lock + 1 it waits through */
	bool ticks;	    /* a thread ticks after it published; else the caller ticks before */
	bool ignores_waits; /* they order nothing */
};

void flow_init(struct flow *flow, const struct predict_sequence *sequence, bool ticks);
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
	if (event->op == PREDICT_NOTIFY && !flow->ignores_waits)
		clocks_learn(&flow->clocks, event->thread, &flow->notified[event->object]);
}

/* The event itself. */
static inline void flow_apply(struct flow *flow, const struct predict_event *event)
{
	if (flow_is_sync((enum predict_op)event->op))
		flow_apply_sync(flow, event);
}

#endif
