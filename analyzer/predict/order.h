/* SPDX-License-Identifier: MIT */
/*
 * order.h - what every reordering of a sequence keeps that leaves its critical sections in their order and lets its reads see what
 * they saw: the order of each thread, fork before the thread, the thread before its join, a write before the reads that see it, and a
 * notification before the end of a wait. Locks order nothing here: see closure.h.
 *
 * A stamp for each acquire and each release, in clocks.h's form: of thread t the events up to its own entry.
 */
#ifndef THRUM_ANALYZER_PREDICT_ORDER_H
#define THRUM_ANALYZER_PREDICT_ORDER_H

#include "acquires.h"
#include "clocks.h"

/* What is left out; 0 = nothing. A reordering then is possible only if what the reads saw does not matter. */
enum predict_ignore { PREDICT_IGNORE_READS = 1, PREDICT_IGNORE_WAITS = 2 };

struct order {
	struct clocks clocks;
	struct clock_stamp *acquired; /* owns; by acquire, the moment of its own */
	struct clock_stamp *released; /* owns; by acquire; thread NONE = never */
};

void order_build(const struct predict_sequence *sequence, const struct acquires *acquires,
		 unsigned ignore, struct order *ret_order);
void order_release(struct order *order);

/* Does the event make a moment of its own? Others belong to the one before. A join makes one of the thread that is joined. */
static inline bool order_ticks(enum predict_op op)
{
	return op != PREDICT_READ && op != PREDICT_JOIN && op != PREDICT_WAIT &&
	       op != PREDICT_REQUEST;
}

#endif
