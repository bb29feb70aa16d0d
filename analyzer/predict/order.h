/* SPDX-License-Identifier: MIT */
/*
 * order.h - what every reordering of a sequence keeps that leaves its critical sections in their order and lets its reads see what
 * they saw: the order of each thread, fork before the thread, the thread before its join, a write before the reads that see it, and a
 * notification before the end of a wait. Locks order nothing here: see closure.h.
 *
 * In two strengths: all of it, and without the reads. Kept as who learnt when of whom (learn_log.h), in moments of a digest.
 */
#ifndef THRUM_ANALYZER_PREDICT_ORDER_H
#define THRUM_ANALYZER_PREDICT_ORDER_H

#include "acquires.h"
#include "learn_log.h"

struct order {
	struct learn_log without_reads;
	struct learn_log with_reads; /* empty where no read sees what another thread wrote */
	bool has_reads;
	uint32_t *limit; /* owns; by thread: no part may reach this moment. UINT32_MAX = none */
};

/* Up to the last abstract acquire; makes the records of `acquires`, too. `spacing` is that of learn_log.h. */
void order_build(const struct digest *digest, const struct predict_sequence *sequence,
		 uint32_t spacing, struct acquires *acquires, struct order *ret_order);
void order_release(struct order *order);

#endif
