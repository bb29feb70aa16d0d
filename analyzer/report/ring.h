/* SPDX-License-Identifier: MIT */
/*
 * ring.h - the cycle inside a deadlock or a lock-order finding, in the order in which it should be
 * told or drawn.
 *
 * Two kinds of ring come out of the same search over a finding's stacks:
 *
 *   waits   thread -waits for-> lock -held by-> thread … -> the first thread     (stacks with role
 *   waits and holds) order   lock -then-> lock … -> the first lock
 *   (stacks with role acquires and held locks)
 *
 * A finding without a cycle (stuck-wait, misuse) has no ring.
 */
#ifndef THRUM_ANALYZER_REPORT_RING_H
#define THRUM_ANALYZER_REPORT_RING_H

#include "../finding.h"

#define RING_MAX_NODES 128

enum ring_edge_kind {
	RING_WAITS_FOR, /* thread to lock, or thread to thread (join) */
	RING_HELD_BY,	/* lock to thread */
	RING_EXPECTS,	/* condvar, semaphore … to the thread that should signal it */
	RING_THEN,	/* lock to lock: the second was taken while the first was held */
};

struct ring_node {
	bool is_thread;
	uint32_t id;
	/* The edge from this node to the next one (from the last to the first). */
	enum ring_edge_kind edge;
	const struct finding_stack *stack; /* that tells the edge; borrowed from the finding */
};

struct ring {
	struct ring_node node[RING_MAX_NODES];
	size_t count; /* 0 = no ring */
};

/*
 * The longest cycle found within a fixed budget of steps; starts at the first thread or lock of the
 * finding on it.
 */
void ring_build(struct ring *ring, const struct finding *f);

/*
 * The next stack with role holds on `lock` at or after `*index` whose thread is not `but`; NULL =
 * no more. Moves `*index` behind it. For telling who holds what someone waits for.
 */
const struct finding_stack *finding_next_holder(const struct finding *f, uint32_t lock,
						uint32_t but, size_t *index);

#endif
