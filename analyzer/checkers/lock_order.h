/* SPDX-License-Identifier: MIT */
/*
 * lock_order.h - what the parts of the lock-order checker share: collecting, solving, reporting.
 *
 * lock_order.c collects facts while events pass. At the end lock_order_search.c goes through
 * candidates, lock_order_solve.c says which of them can happen, lock_order_report.c puts them into
 * words.
 */
#ifndef THRUM_ANALYZER_CHECKERS_LOCK_ORDER_H
#define THRUM_ANALYZER_CHECKERS_LOCK_ORDER_H

#include "../checker.h"
#include "../lock_graph.h"
#include "../pair_set.h"

/*
 * Requests met before, by (thread, held set, request, epoch): a hit costs one probe of eight bytes
 * and no look into the graph. It is a cache: two ways a bucket, grows with what it holds up to a
 * fixed size, then forgets.
 *
 *   63            20 19      0
 *  +----------------+---------+
 *  | tag            | uses    |   slot; 0 = free. Uses are not yet added to the contexts' counts
 *  +----------------+---------+
 */
#define LOCK_CACHE_USES UINT64_C(0xfffff)

/* Beside each slot, looked at only when it is filled or flushed. */
struct lock_cache_target {
	uint32_t object;     /* requested */
	uint32_t context[3]; /* those of the newest holds, 0 = none */
};
struct lock_cache {
	uint64_t *slot;			  /* owned */
	struct lock_cache_target *target; /* owned */
	uint64_t mask;			  /* slots - 1; bucket = slots 2n and 2n + 1 */
	uint64_t filled;		  /* since it last grew */
};

struct lock_order {
	struct lock_graph *graph;
	/* waits on a condvar and signals of it with locks held; see S31 in lock_order.c */
	struct lock_graph *conds;
	struct lock_cache cache;
	/*
	 * Edges met after max_contexts was reached, without contexts: enough to say where a second
	 * pass has to look.
	 */
	struct pair_set lean;
	uint64_t max_contexts;
	uint32_t many_held;
	/*
	 * Second pass: one bit per object, set for those in a cycle; only edges between them count.
	 * Owned; NULL in the first pass.
	 */
	uint64_t *focus;
	bool overflowed; /* even the second pass had too many */
	/* Nestings of locks of one class: lock_order_class.h. NULL in a second pass and in a look at several processes. */
	struct lock_graph *classes;
	uint64_t *class_of_edge; /* owned; by edge of `classes` */
	size_t class_count;
	/* For options->lock_view, else empty: see struct lock_view. */
	bool is_viewed;
	uint32_t *rounds, *rounds_of_thread; /* owned; by segment, by thread */
	size_t rounds_count;
	struct pair_set passed; /* thread, barrier */
};

/* One edge of a cycle in one thread: the context and the use that fit all others. */
struct lock_choice {
	uint32_t edge;
	uint32_t context;
	struct lock_use use;
};

enum lock_weakness {
	WEAK_BOUNDED = 1,    /* a wait has a timeout */
	WEAK_PRIVATE = 2,    /* a held lock was brand new */
	WEAK_UNCERTAIN = 4,  /* records missing */
	WEAK_MIXED_READ = 8, /* needs a third thread that waits to write */
};

struct lock_cycle {
	struct lock_choice *choice; /* choice[i] waits for what choice[i + 1] holds */
	uint32_t count;
	uint32_t weakness;  /* enum lock_weakness: any makes it a hint */
	bool behind_writer; /* every reader waits behind a writer */
};

/* Facts kept until now to findings and counts. */
void lock_order_solve(struct lock_order *order, struct analysis *a);

/* Asks for a second pass when an edge without contexts is in a cycle. Returns whether it did. */
bool lock_order_focus(struct lock_order *order, struct analysis *a);

struct lock_report;
struct lock_report *lock_report_new(struct lock_order *order, struct analysis *a);
void lock_report_cycle(struct lock_report *report, const struct lock_cycle *cycle);
/*
 * The read side taken again by one thread; `writer` = index of a context of a waiting writer, 0 =
 * none fits.
 */
void lock_report_reread(struct lock_report *report, uint32_t context, struct lock_use use,
			uint32_t writer, struct lock_use writer_use);
/* A wait on a condvar with a lock held that its signaller needs. Contexts are of order->conds. */
void lock_report_nested_wait(struct lock_report *report, const struct lock_choice *wait,
			     const struct lock_choice *signal);
/* Commits everything. */
void lock_report_free(struct lock_report *report);

#endif
