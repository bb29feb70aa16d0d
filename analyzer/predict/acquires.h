/* SPDX-License-Identifier: MIT */
/*
 * acquires.h - the acquires of a sequence that matter for deadlocks, and what is the same about many of them: the abstract acquire
 * (thread, lock, held set) of "Sound Dynamic Deadlock Prediction in Linear Time" (Tunc, Mathur, Pavlogiannis, Viswanathan, PLDI 2023).
 *
 * Only acquires in a circle of locks (lock_order.h) have an abstract one: of a lock under another one of its circle. A request that the
 * sequence ends in counts as an acquire that was not made.
 *
 * Kept are these, and the acquires of locks that can keep a run out of them: a lock matters if one of its critical sections has a moment
 * inside after which a part of the run (closure.h) can end. Those are the moments of which other threads learn, the ones before an abstract
 * acquire, and the releases of locks that matter.
 *
 * Two passes: acquires_collect knows the abstract ones and what will be kept; the records are made by order.h.
 */
#ifndef THRUM_ANALYZER_PREDICT_ACQUIRES_H
#define THRUM_ANALYZER_PREDICT_ACQUIRES_H

#include "held.h"
#include "lock_order.h"

#define ACQUIRES_NONE UINT32_MAX

enum {
	PATTERN_MOST = 10
}; /* acquires that wait for each other in a ring: longer ones are not looked for */

struct acquire {
	uint32_t event; /* in the sequence */
	uint32_t place;
	uint32_t thread, lock;
	uint32_t abstract; /* ACQUIRES_NONE = it is in no circle, or no other lock was held */
	uint32_t
		outer; /* of the lock that the thread acquired last among those it held and that are kept */
	uint32_t held;	   /* how many of these */
	uint32_t own;	   /* moment of its thread (digest.h) */
	uint32_t released; /* the same; 0 = never */
};

struct abstract_acquire {
	uint32_t thread, lock;
	size_t held; /* sorted; where in the pool */
	uint32_t held_count;
	uint32_t first; /* its acquires: where in acquires->of_abstract */
	uint32_t count;
};

/* An event that is one of an abstract acquire. */
struct occurrence {
	uint32_t event, abstract;
};

struct acquires {
	struct abstract_acquire *abstract; /* owns */
	uint32_t abstract_count;
	size_t abstract_capacity;
	uint32_t *pool; /* owns: held sets */
	size_t pool_count, pool_capacity;
	uint32_t *slot; /* owns: hash of abstract acquires, id + 1 */
	uint32_t mask;
	struct occurrence *occurrence; /* owns; in the order of the sequence, unmade ones last */
	size_t occurrences, occurrence_capacity;
	uint32_t made; /* of them */
	bool *keeps;   /* owns; by lock */

	struct acquire *acquire; /* owns; in the order of the sequence, unmade ones last */
	size_t count, capacity;
	uint32_t *of_abstract; /* owns; acquires, by abstract acquire, in order */
};

static inline const uint32_t *acquires_held(const struct acquires *acquires,
					    const struct abstract_acquire *abstract)
{
	return acquires->pool + abstract->held;
}

/* Was it made, or only requested? */
static inline bool acquires_is_made(const struct acquires *acquires, uint32_t acquire)
{
	return acquire < acquires->count - (acquires->occurrences - acquires->made);
}

void acquires_collect(const struct digest *digest, const struct predict_sequence *sequence,
		      const struct lock_order *order, struct acquires *ret_acquires);
void acquires_release(struct acquires *acquires);

#endif
