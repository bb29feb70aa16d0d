/* SPDX-License-Identifier: MIT */
/*
 * order.h - what every reordering of a sequence keeps that leaves its critical sections in their order and lets its reads see what
 * they saw: the order of each thread, fork before the thread, the thread before its join, a write before the reads that see it, and a
 * notification before the end of a wait. Locks order nothing here: see closure.h.
 *
 * In two strengths, in one pass: all of it, and without the reads. Kept as who learnt when of whom (learn_log.h). A moment is a number
 * of a thread's own: events that do not tick belong to the one before. The first is 1, before all events.
 */
#ifndef THRUM_ANALYZER_PREDICT_ORDER_H
#define THRUM_ANALYZER_PREDICT_ORDER_H

#include "acquires.h"
#include "flow.h"
#include "learn_log.h"

/* What is left out; 0 = nothing. A reordering then is possible only if what the reads saw does not matter. */
enum predict_ignore { PREDICT_IGNORE_READS = 1, PREDICT_IGNORE_WAITS = 2 };

struct order {
	struct learn_log without_reads;
	struct learn_log with_reads; /* empty where reads are ignored or there are none */
	bool has_reads;
	uint32_t *limit; /* owns; by thread: no part may reach this moment. UINT32_MAX = none */
};

struct order_options {
	unsigned ignore;  /* enum predict_ignore */
	uint32_t spacing; /* of learn_log.h */
};

/* Up to the last abstract acquire; makes the records of `acquires`, too. */
void order_build(const struct predict_sequence *sequence, const struct order_options *options,
		 struct acquires *acquires, struct order *ret_order);
void order_release(struct order *order);

/* Does the event make a moment of its own? A join makes one of the thread that is joined: its end. */
static inline bool order_ticks(enum predict_op op)
{
	return op != PREDICT_READ && op != PREDICT_JOIN && op != PREDICT_WAIT &&
	       op != PREDICT_REQUEST;
}

#endif
