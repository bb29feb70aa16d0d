/* SPDX-License-Identifier: MIT */
/*
 * trace_order.h - which record may come out next, whatever the clocks say: hand-overs of locks,
 * create before begin, end before join.
 *
 * A lock's records are let out as its sequence numbers tell: an exclusive acquire with number n
 * only after number n-1 came out and was released, a shared one with number n only after exclusive
 * acquire n came out and was released. Records without a number follow an acquire of their own
 * stream; they only wait while somebody else is shown to hold the lock.
 *
 * Invariants
 *  - A cursor waits in at most one place: a lock, the creation of a thread, or the end of a thread.
 *    Locks keep their waiting cursors in a pairing heap by the number they need: parking and waking
 *    cost O(log n) amortised.
 *  - A step wakes all shared acquires that became possible, or else at most one exclusive one.
 *  - A JOIN with a number n came back before the thread was over, because a runtime of its own said so: it waits for the first
 *    n records of that thread's stream only. What comes later there may follow from what the joiner did.
 *  - Nothing tells a writer how many readers there were before it, so with skewed clocks it may
 *    come out too early. Such a reader is `stale`: it waits for the writer's release; where the
 *    writer in turn waits for the reader's thread, the reader is let out beside the writer.
 *    Exclusive acquires stay in order.
 *  - What waits for something that never comes is forced out by trace_merge.c; the state is
 *    corrected to match. A lock that needed this FORCE_LIMIT times is no longer waited for: it is
 *    unlocked in ways that the recorder does not see.
 */
#ifndef THRUM_TRACE_ORDER_H
#define THRUM_TRACE_ORDER_H

#include "trace_cursor.h"

struct order_object {
	uint64_t acquired; /* number of the newest exclusive acquire that came out */
	uint32_t owner;	   /* thread, while depth */
	uint32_t depth;
	uint32_t readers;
	uint8_t flags;
	uint8_t forced;
	struct trace_cursor *waiting; /* root of a pairing heap */
};

struct order_thread {
	bool expect_create; /* a CREATE should name it */
	bool created, finished;
	struct trace_cursor *begin_waiting, *join_waiting;
	struct trace_cursor *cursor; /* once it began: of its stream */
};

struct trace_order {
	struct order_object *objects; /* owned; by object id */
	struct order_thread *threads; /* owned; by thread id */
	struct trace_cursor *woken;   /* list by cursor.woken, newest first; the caller takes it */
	bool early_joins;	      /* a JOIN with a number had to wait: see trace_order_passed */
	bool bounded; /* records may have expired: what was forced out proves nothing */
};

/* 0 or THRUM_ENOMEM. */
int trace_order_init(struct trace_order *order, const struct trace_process *process);
void trace_order_release(struct trace_order *order);

/*
 * May the cursor's record come out now? Otherwise the cursor knows where it has to wait, for
 * trace_order_park.
 */
bool trace_order_may_go(struct trace_order *order, struct trace_cursor *c);

void trace_order_park(struct trace_cursor *c);

/* Takes a cursor out of the place where it waits, its record allowed or not. */
void trace_order_unpark(struct trace_cursor *c);

/* The record of a cursor comes out although it may not: what it waited for is taken as done. */
void trace_order_force(struct trace_order *order, struct trace_cursor *c);

/* The cursor's record has come out. May add to `woken`: those are parked no more. */
void trace_order_apply(struct trace_order *order, struct trace_cursor *c);

/* The cursor stepped on: joins wait no more that asked for what has come out. Only needed once `early_joins` is set. */
void trace_order_passed(struct trace_order *order, const struct trace_cursor *c);

/* The last event of a thread has come out. */
void trace_order_finish(struct trace_order *order, uint32_t thread);

#endif
