/* SPDX-License-Identifier: MIT */
/*
 * acquires.h - the acquires of a sequence, and what is the same about many of them: the abstract acquire (thread, lock, held set) of
 * "Sound Dynamic Deadlock Prediction in Linear Time" (Tunc, Mathur, Pavlogiannis, Viswanathan, PLDI 2023).
 *
 * Only acquires under another lock have an abstract one. A request that the sequence ends in counts as an acquire that was not made.
 */
#ifndef THRUM_ANALYZER_PREDICT_ACQUIRES_H
#define THRUM_ANALYZER_PREDICT_ACQUIRES_H

#include "sequence.h"

#define ACQUIRES_NONE UINT32_MAX

enum {
	PATTERN_MOST = 10
}; /* acquires that wait for each other in a ring: longer ones are not looked for */

struct acquire {
	uint32_t thread, lock;
	size_t event;	    /* in the sequence */
	uint32_t abstract;  /* ACQUIRES_NONE = nothing was held */
	uint32_t next_same; /* the next one of the same abstract acquire, ACQUIRES_NONE = none */
	uint32_t outer;	    /* of the lock that the thread acquired last among those it held */
	bool released, made;
};

struct abstract_acquire {
	uint32_t thread, lock;
	size_t held; /* sorted; where in the pool */
	uint32_t held_count;
	uint32_t first, last; /* acquires */
	uint32_t count;
};

struct acquires {
	struct acquire *acquire; /* owns; in the order of the sequence, unmade ones last */
	uint32_t count;
	size_t capacity;
	struct abstract_acquire *abstract; /* owns */
	uint32_t abstract_count;
	size_t abstract_capacity;
	uint32_t *pool; /* owns: held sets */
	size_t pool_count, pool_capacity;
	uint32_t *slot; /* owns: hash of abstract acquires, id + 1 */
	uint32_t mask;
	uint64_t edges; /* acquires under another lock */
};

static inline const uint32_t *acquires_held(const struct acquires *acquires,
					    const struct abstract_acquire *abstract)
{
	return acquires->pool + abstract->held;
}

/* THRUM_EFORMAT where there are more than 2^32 - 2 acquires. */
int acquires_collect(const struct predict_sequence *sequence, struct acquires *ret_acquires,
		     struct diag *diag);
void acquires_release(struct acquires *acquires);

#endif
