/* SPDX-License-Identifier: MIT */
/*
 * wait_history.h - what the wait analysis must remember of a run beyond the model: which signals
 * are still to be consumed, which threads ever had to do with an object, which waits were left in
 * the ordinary way.
 *
 * Invariants
 *  - A waiter counts as woken when a broadcast came after its COND_WAIT, or while its condvar has
 *    credit: signals sent to waiters that have not come back yet. A signal that found no waiter
 *    gives no credit.
 *  - A touch set is exact up to WAIT_TOUCHERS threads, then `many`: any thread may have touched the
 *    object.
 *  - Grows with objects, threads and stacks, not with events.
 *
 * Not thread-safe. A failed allocation ends the program.
 */
#ifndef THRUM_ANALYZER_WAIT_HISTORY_H
#define THRUM_ANALYZER_WAIT_HISTORY_H

#include "model/model.h"

#define WAIT_TOUCHERS_INLINE 3u
#define WAIT_TOUCHERS 256u

struct wait_touch {
	uint32_t thread[WAIT_TOUCHERS_INLINE]; /* 0 = free place */
	uint16_t more;	      /* index + 1 of a longer set in wait_history.sets, 0 = none */
	bool many;	      /* others did, nobody wrote down who */
	bool foreign_release; /* a thread that did not hold it unlocked it: no owner to rely on */
};

/* Threads of a condvar or of a mutex that is used with one. */
struct wait_touch_set {
	uint32_t *thread; /* owned */
	uint32_t count, capacity;
};

struct wait_cond {
	uint32_t object;
	uint32_t fresh;	    /* waiters that came after the last broadcast */
	uint32_t credit;    /* signals of these that are not consumed */
	uint64_t broadcast; /* number of the event; 0 = never */
};

/* A futex word that is used behind libc's back. */
struct wait_futex {
	uint32_t waiters; /* threads inside FUTEX_WAIT..FUTEX_WOKEN */
	uint32_t credit;  /* of them, woken but not out yet */
	uint64_t wakes;
	struct model_site last; /* newest wake; thread 0 = never */
};

struct wait_history {
	const struct model *model; /* borrowed */
	struct wait_touch *touch;  /* by object id; owned */
	size_t object_count;
	struct wait_touch_set *sets; /* owned */
	uint32_t set_count, set_capacity;
	struct wait_cond *conds; /* owned */
	uint32_t cond_count, cond_capacity;
	uint32_t *cond_of;	    /* object id -> index + 1; owned */
	struct wait_futex *futexes; /* owned */
	uint32_t futex_count, futex_capacity;
	uint32_t *futex_of;	/* object id -> index + 1; owned, NULL before the first */
	uint64_t *wait_event;	/* thread id -> number of its newest COND_WAIT; owned */
	uint32_t *arrive_stack; /* thread id -> stack of its newest BARRIER_ARRIVE; owned */
	size_t thread_count;
	uint8_t *
		left; /* bit per stack id: a wait with this stack ended in the ordinary way; owned */
	size_t stack_count;
};

/* Events that wait_history_apply wants. */
#define WAIT_HISTORY_BIT(op) (UINT64_C(1) << (op))
#define WAIT_HISTORY_CONSUMES                                                                   \
	(WAIT_HISTORY_BIT(TRACE_ACQUIRE) | WAIT_HISTORY_BIT(TRACE_ACQUIRE_SHARED) |             \
	 WAIT_HISTORY_BIT(TRACE_ACQUIRE_TRY) | WAIT_HISTORY_BIT(TRACE_ACQUIRE_TRY_SHARED) |     \
	 WAIT_HISTORY_BIT(TRACE_ACQUIRE_TIMED) | WAIT_HISTORY_BIT(TRACE_ACQUIRE_TIMED_SHARED) | \
	 WAIT_HISTORY_BIT(TRACE_RELEASE_ODD) | WAIT_HISTORY_BIT(TRACE_COND_WAIT) |              \
	 WAIT_HISTORY_BIT(TRACE_COND_WAKE) | WAIT_HISTORY_BIT(TRACE_COND_SIGNAL) |              \
	 WAIT_HISTORY_BIT(TRACE_COND_BROADCAST) | WAIT_HISTORY_BIT(TRACE_BARRIER_ARRIVE) |      \
	 WAIT_HISTORY_BIT(TRACE_BARRIER_LEAVE) | WAIT_HISTORY_BIT(TRACE_JOIN) |                 \
	 WAIT_HISTORY_BIT(TRACE_ONCE_PASS) | WAIT_HISTORY_BIT(TRACE_FUTEX_WAIT) |               \
	 WAIT_HISTORY_BIT(TRACE_FUTEX_WOKEN) | WAIT_HISTORY_BIT(TRACE_FUTEX_WAKE) |             \
	 WAIT_HISTORY_BIT(TRACE_KEYFRAME))

struct wait_history *wait_history_new(const struct model *m);
void wait_history_free(struct wait_history *h); /* takes NULL */

/* After the model applied `event`. */
void wait_history_apply(struct wait_history *h, const struct trace_event *event,
			const struct model_step *step);

/* ---- questions at the end ---- */

/*
 * True when `thread`, which is inside a wait on `cond`, was (or may have been) signalled since it
 * began.
 */
bool wait_history_is_woken(const struct wait_history *h, uint32_t thread, uint32_t cond);

/*
 * True when one of the threads that wait at the futex word was woken and is not out yet: nobody
 * knows which.
 */
bool wait_history_is_futex_woken(const struct wait_history *h, uint32_t object);

/* NULL when `object` was never used as a futex word. */
const struct wait_futex *wait_history_get_futex(const struct wait_history *h, uint32_t object);

/* True when some thread left a wait at this call stack normally. */
bool wait_history_was_left(const struct wait_history *h, uint32_t stack);

/* True when somebody unlocked it who did not hold it. */
bool wait_history_is_handed_over(const struct wait_history *h, uint32_t object);

/*
 * Calls `visit` for each thread known to have touched `object`. Returns false when there are others
 * that are not known. `visit` may be NULL.
 */
bool wait_history_visit_touchers(const struct wait_history *h, uint32_t object,
				 void (*visit)(void *cookie, uint32_t thread), void *cookie);

#endif
