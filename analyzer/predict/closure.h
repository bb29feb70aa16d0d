/* SPDX-License-Identifier: MIT */
/*
 * closure.h - the smallest part of a sequence that contains what it must and that a run could stop after: the sync-preserving closure.
 *
 * A part is a prefix of each thread. It is closed under order.h, and of the acquires of a lock in it all but the newest are released
 * in it. Such a part, in the order of the sequence, is a run that could have happened: that is what a proof stands on.
 *
 * What it costs does not grow with the part: of what a thread learnt up to a moment learn_log.h has clocks, and only sections in which a
 * thread's prefix ends can lack a release.
 */
#ifndef THRUM_ANALYZER_PREDICT_CLOSURE_H
#define THRUM_ANALYZER_PREDICT_CLOSURE_H

#include "order.h"

/* Acquires for questions of the kind "the newest one of a thread, or of a thread and a lock, up to here". */
struct acquire_index {
	uint32_t *thread_first; /* owns; by thread, one more: where in by_thread */
	uint32_t *by_thread;	/* owns; made acquires of a thread, in order */
	uint32_t *user_first;	/* owns; by lock, one more: where in user */
	uint32_t *
		user; /* owns; where in by_lock the acquires of one thread begin; one more at the end */
	uint32_t *by_lock; /* owns; made acquires by lock, thread, order */
};

struct closure {
	const struct predict_sequence *sequence; /* borrowed, like the next two */
	const struct acquires *acquires;
	const struct learn_log *log;
	const uint32_t *limit;		   /* borrowed; of order.h; NULL = none */
	const struct acquire_index *index; /* borrowed; NULL = locks do not count */
	uint32_t *in;			   /* owns; by thread: its moments up to this one are in */
	uint32_t *known; /* owns; by thread: what it learnt up to this moment is in */
	uint64_t steps;	 /* done so far, of about 5 ns */
};

void acquire_index_build(const struct predict_sequence *sequence, const struct acquires *acquires,
			 struct acquire_index *ret_index);
void acquire_index_release(struct acquire_index *index);

void closure_init(struct closure *closure, const struct predict_sequence *sequence,
		  const struct acquires *acquires, const struct learn_log *log,
		  const uint32_t *limit, const struct acquire_index *index);
void closure_release(struct closure *closure);

/* An empty part; it only grows from there. */
void closure_start(struct closure *closure);
/* `thread` up to `moment`. Not closed then. */
void closure_need(struct closure *closure, uint32_t thread, uint32_t moment);
/* False = no run has all of this in it: a lock is never given back, or order.h sets a limit. */
bool closure_close(struct closure *closure);

static inline bool closure_has(const struct closure *closure, uint32_t thread, uint32_t moment)
{
	return moment <= closure->in[thread];
}

/*
 * Are there acquires of these abstract ones, one of each, before all of which a run can stand at the same time? Then they are in
 * `ret_acquire`, and the part in closure->in. `count` is at most PATTERN_MOST.
 */
bool closure_find(struct closure *closure, const uint32_t *abstract, uint32_t count,
		  uint32_t *ret_acquire);

#endif
