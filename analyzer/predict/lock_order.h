/* SPDX-License-Identifier: MIT */
/*
 * lock_order.h - in which order locks are taken, and which of them are in a circle. One pass over a sequence in which nothing is kept
 * of an acquire but its edge: where all locks have an order, this is all there is to do.
 */
#ifndef THRUM_ANALYZER_PREDICT_LOCK_ORDER_H
#define THRUM_ANALYZER_PREDICT_LOCK_ORDER_H

#include "sequence.h"

#define LOCK_ORDER_NONE UINT32_MAX

struct lock_order {
	uint32_t *
		component; /* owns; by lock: number of the circle of locks it is in; LOCK_ORDER_NONE = in none */
	uint32_t components; /* circles */
	uint32_t edges;	     /* different ones, from the lock that was taken last */
	uint64_t nested;     /* acquires under another lock */
	size_t *stuck;	     /* owns; by thread: the request that it ends in, event + 1; 0 = none */
};

/* THRUM_EFORMAT where there are 4 G events or more. */
int lock_order_build(const struct predict_sequence *sequence, struct lock_order *ret_order,
		     struct diag *diag);
void lock_order_release(struct lock_order *order);

#endif
