/* SPDX-License-Identifier: MIT */
/*
 * patterns.h - abstract acquires that could wait for each other in a ring: each one's lock is held where the next one is made, all of
 * different threads, no lock held by two of them. Whether they can happen at the same time is not asked here.
 *
 * Only inside circles of locks (lock_order.h). Each ring comes once, from its smallest member.
 */
#ifndef THRUM_ANALYZER_PREDICT_PATTERNS_H
#define THRUM_ANALYZER_PREDICT_PATTERNS_H

#include "acquires.h"

struct patterns_visitor {
	void *cookie;
	/* abstract[i] wants what abstract[i + 1] holds, the last one what the first one holds. Returns steps of its own. */
	uint64_t (*visit)(void *cookie, const uint32_t *abstract, uint32_t count);
};

struct patterns_stats {
	bool spent; /* the budget was: there may be more */
};

/* `budget` in steps, about 5 ns each. */
void patterns_search(const struct predict_sequence *sequence, const struct lock_order *order,
		     const struct acquires *acquires, uint64_t budget,
		     const struct patterns_visitor *visitor, struct patterns_stats *ret_stats);

#endif
