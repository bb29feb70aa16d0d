/* SPDX-License-Identifier: MIT */
/*
 * lock_order.h - in which order locks are taken, and which of them are in a circle. Told of events as they come, and nothing is kept of an
 * acquire but its edge: where all locks have an order, this is all there is to do.
 */
#ifndef THRUM_ANALYZER_PREDICT_LOCK_ORDER_H
#define THRUM_ANALYZER_PREDICT_LOCK_ORDER_H

#include "digest.h"
#include "held.h"

#define LOCK_ORDER_NONE UINT32_MAX

enum { LOCK_ORDER_WAITING = 16 };

/* A set; zeroed = empty. */
struct lock_edges {
	uint64_t *slot; /* owns; from << 32 | to, + 1; open addressing, at most half full */
	size_t mask;
	size_t count;
	/* Not in it yet, while what is needed for that comes from memory: a ring. Zero = none. */
	uint64_t waiting[LOCK_ORDER_WAITING];
	uint32_t next;
};

/* Zeroed = empty. */
struct lock_order {
	struct held *held; /* owns; by thread */
	size_t threads, thread_capacity;
	struct lock_edges set;
	uint64_t nested; /* acquires under another lock */
	/* After lock_order_end. */
	uint32_t *
		component; /* owns; by lock: number of the circle of locks it is in; LOCK_ORDER_NONE = in none */
	uint32_t components; /* circles */
	uint32_t edges;	     /* different ones, from the lock that was taken last */
};

/* The next events of the sequence. */
void lock_order_add(struct lock_order *order, const struct predict_sequence *sequence,
		    const struct predict_event *event, size_t count);
/* After the last one. `digest` of the same events, ended: what threads request at the end is an edge, too. */
void lock_order_end(struct lock_order *order, const struct predict_sequence *sequence,
		    const struct digest *digest);
void lock_order_release(struct lock_order *order);

#endif
