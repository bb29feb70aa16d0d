/* SPDX-License-Identifier: MIT */
/*
 * loop_stall.h - what loop_stall.c found out, for loop_stall_report.c to put into words.
 */
#ifndef THRUM_ANALYZER_CHECKERS_LOOP_STALL_H
#define THRUM_ANALYZER_CHECKERS_LOOP_STALL_H

#include "../model/model_loops.h"
#include "sites.h"

/* What a stretch waited for. */
struct cause {
	uint32_t call;	     /* enum trace_call; 0 = a lock or condition */
	uint32_t object;     /* lock, condition, pipe; 0 = not known */
	uint32_t holder;     /* thread that held the lock, or was to be joined; 0 = not known */
	uint32_t held_stack; /* where it had taken the lock; 0 = not known */
	uint32_t stack;
	uint64_t total_ns, since_ns, held_ns; /* held_ns: when it took it */
};

/* The worst stretch of one callback, or place. */
struct stall {
	/* Stacks: of the callback, or of the loop's wait; of what most of the time went to, 0 = the processor */
	uint32_t key, did;
	struct model_callback callback;
	struct model_wake wake; /* what the turn began with, where that may be the reason */
	uint32_t thread;
	uint64_t count, total_ns, worst_ns, since_ns;
	uint32_t turn_stack;
	bool unfinished;
	struct cause cause;
	uint64_t waited_ns;
	uint64_t counted_ns;   /* of worst_ns, without what the system gave to others */
	uint64_t processor_ns; /* of worst_ns; UINT64_MAX = not known */
	uint32_t gap_stack; /* of the last record before the longest time without one; 0 = none */
	uint64_t gap_ns;
};

/* --stall-ms, or 100 ms. */
static inline uint64_t stall_threshold_ns(const struct analysis *a)
{
	return a->options->stall_ns ? a->options->stall_ns : UINT64_C(100000000);
}

/* It makes up at least half of what counts of a stretch. */
static inline bool stall_is_main(const struct cause *c, uint64_t counted_ns)
{
	return c && c->total_ns && c->total_ns * 2 >= counted_ns;
}

/* blocking-call-in-loop: one wait of `callback` (NULL = of a turn outside of callbacks), on the thread of a loop. Waits in `blocking`. */
void stall_report_blocking(struct sites *blocking, struct analysis *a, uint32_t thread,
			   const struct model_callback *callback, const struct cause *c);
/* loop-stall */
void stall_report(struct analysis *a, const struct stall *x);

#endif
