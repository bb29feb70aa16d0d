/* SPDX-License-Identifier: MIT */
/*
 * wait_knots.h - the knots of a wait-for graph: groups of nodes that wait for each other, and which
 * of them are causes.
 *
 * A knot is a strongly connected component of what cannot run. It is a root when nothing in it
 * waits for another knot: then the reason why it hangs is inside. All other stuck nodes are behind
 * some root.
 *
 * Invariants
 *  - Every blocked thread that cannot run in the chosen world, and every target of one, is in
 *    exactly one knot.
 *  - Knots are numbered so that edges lead to equal or smaller numbers.
 */
#ifndef THRUM_ANALYZER_WAIT_KNOTS_H
#define THRUM_ANALYZER_WAIT_KNOTS_H

#include "wait_world.h"

struct wait_knot {
	uint32_t first,
		count; /* members, as a range of wait_knots.member: nodes in ascending order, so threads first */
	uint32_t threads;
	uint32_t hard_targets, open_targets;
	bool root;
};

struct wait_knots {
	uint32_t *component;	/* node -> knot, WAIT_NO_COMPONENT = not stuck; owned */
	uint32_t *member;	/* owned */
	struct wait_knot *knot; /* owned */
	uint32_t count;
};

/*
 * `closed` false: what can never go on, whoever ends open waits. `closed` true: what hangs when
 * nobody can run; asks for world->closed. The latter may add edges to the graph of `w`: see
 * wait_knots.c.
 */
struct wait_knots *wait_knots_new(struct wait_world *w, bool closed);
void wait_knots_free(struct wait_knots *k); /* takes NULL */

/* The knot's nodes wait for each other: at least a thread and what it waits for. */
static inline bool wait_knot_is_cycle(const struct wait_knot *knot)
{
	return knot->threads > 0 && knot->count > 1;
}

/*
 * By node: number of the marked knot that it waits for, directly or not (its own if it is in one),
 * else WAIT_NO_COMPONENT. `marked` has one byte a knot. Caller frees.
 */
uint32_t *wait_knots_behind(struct wait_world *w, const struct wait_knots *k,
			    const uint8_t *marked);

#endif
