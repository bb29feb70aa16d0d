/* SPDX-License-Identifier: MIT */
/*
 * closure.h - the smallest part of a sequence that contains what it must and that a run could stop after: the sync-preserving closure.
 *
 * A part is a prefix of each thread. It is closed under order.h, and of the acquires of a lock in it all but the newest are released
 * in it. Such a part, in the order of the sequence, is a run that could have happened: that is what a proof stands on.
 *
 * A part only grows between two closure_start: the work of all that is asked between them is linear in the part.
 */
#ifndef THRUM_ANALYZER_PREDICT_CLOSURE_H
#define THRUM_ANALYZER_PREDICT_CLOSURE_H

#include "order.h"

struct closure {
	const struct predict_sequence *sequence; /* borrowed, like the next two */
	const struct acquires *acquires;
	const struct order *order;
	bool locks;	 /* false = only order.h counts */
	uint32_t *in;	 /* owns; by thread: its moments up to this one are in */
	uint32_t *first; /* owns; by thread, one more: its acquires in `own` */
	uint32_t *
		own; /* owns; made acquires of locks that several threads use, by thread, in order */
	uint32_t *taken;   /* owns; by thread: those that are in, as index of `own` */
	uint32_t *newest;  /* owns; by lock: its newest acquire that is in */
	uint32_t *touched; /* owns; by lock: part in which `newest` is valid */
	uint32_t part;
	uint64_t steps; /* done so far, of about 5 ns */
};

void closure_init(struct closure *closure, const struct predict_sequence *sequence,
		  const struct acquires *acquires, const struct order *order, bool locks);
void closure_release(struct closure *closure);

/*
 * Are there acquires of these abstract ones, one of each, before all of which a run can stand at the same time? Then they are in
 * `ret_acquire`, and the part in closure->in. `count` is at most PATTERN_MOST.
 */
bool closure_find(struct closure *closure, const uint32_t *abstract, uint32_t count,
		  uint32_t *ret_acquire);

#endif
