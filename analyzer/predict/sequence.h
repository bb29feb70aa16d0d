/* SPDX-License-Identifier: MIT */
/*
 * sequence.h - a run as a sequence of abstract events: which thread did what to which object, and where; all in dense numbers.
 *
 * What predict/ works on, wherever it came from. The events are in an order that could have happened:
 *  - a lock is acquired by one thread at a time and released by that thread; nested acquires of one lock count as one;
 *  - a read sees the newest write before it.
 * predict_sequence_add holds it to the first, so nothing behind it has to check.
 *
 * Either all events are kept, 12 bytes each; or those who hear of them take what they need, and nothing is kept (predict_sequence_hear).
 */
#ifndef THRUM_ANALYZER_PREDICT_SEQUENCE_H
#define THRUM_ANALYZER_PREDICT_SEQUENCE_H

#include "../../trace/trace_diag.h"
#include "names.h"

#include <stdbool.h>

enum predict_op {
	PREDICT_READ, /* of a variable */
	PREDICT_WRITE,
	PREDICT_ACQUIRE, /* of a lock */
	PREDICT_TRY,	 /* an acquire that would not have waited */
	PREDICT_RELEASE,
	PREDICT_REQUEST, /* of a lock: the acquire follows, or the thread is stuck there */
	PREDICT_UNKNOWN, /* of nothing: what the thread does from here on may be due to what the sequence does not tell */
	PREDICT_WAIT, /* for a notification through a lock, which the thread has released before and acquires after */
	PREDICT_NOTIFY,
	PREDICT_FORK, /* of a thread */
	PREDICT_JOIN,
};

struct predict_event {
	uint32_t thread;
	uint32_t object; /* variable, lock or thread, by `op` */
	uint32_t place : 28, op : 4;
};

enum {
	PREDICT_MOST_THREADS = 4096, /* clocks have an entry for each */
	PREDICT_MOST_PLACES = 1 << 28,
};

struct predict_lock_state {
	uint32_t owner; /* thread + 1; 0 = free */
	uint32_t depth;
};

/* An acquire that came in while another thread had the lock. */
struct predict_late {
	uint32_t lock; /* + 1; 0 = none */
	uint32_t place;
};

struct predict_sequence;

/* Who hears of the events as they come, some thousand at a time: `first` is the index of the first one. */
struct predict_listener {
	void (*hear)(void *cookie, const struct predict_sequence *sequence,
		     const struct predict_event *event, size_t count, size_t first);
	void *cookie; /* borrowed */
};

enum { PREDICT_LISTENERS = 2 };

/* Zeroed = empty. */
struct predict_sequence {
	struct predict_event
		*event; /* owns; with listeners only those that they have not heard of */
	size_t count, capacity;
	struct predict_listener listener[PREDICT_LISTENERS];
	uint32_t listeners;
	uint32_t window; /* events that they hear of at once; 0 = what is best */
	size_t heard;	 /* events that the listeners heard of, and that are gone */
	struct names threads, locks, variables, places;
	struct predict_lock_state *state; /* owns; by lock, while events are added */
	size_t state_capacity, state_count;
	struct predict_late *late; /* owns; by thread, while events are added */
	size_t late_capacity, late_count;
	uint32_t lates; /* of them that are not made yet */
	/*
	 * By whoever makes the sequence, after its end. Locks of one group other than 0 are parts of one, that a thread takes all together;
	 * a request of one while it has another is no ring. NULL = none are.
	 */
	uint32_t *group; /* owns; by lock */
	bool has_memory; /* also where it has no variable: what threads share was recorded */
	uint64_t nested; /* acquires of a lock that the thread had, left out with their releases */
	/*
	 * Called now and then by what reads or works on the sequence: bytes or events so far of a pass, and of how many. UINT64_MAX = it is
	 * not known of how many. NULL = nobody wants to know.
	 */
	void (*tell)(void *cookie, uint64_t done, uint64_t total);
	void *tell_cookie;
};

/* Before the first event. From then on no event is kept that was heard of by all; predict_sequence_end tells of the last ones. */
void predict_sequence_hear(struct predict_sequence *sequence, struct predict_listener listener);

static inline bool predict_sequence_keeps(const struct predict_sequence *sequence)
{
	return !sequence->listeners;
}

/*
 * Some recorders write an acquire down before it is granted. So one of a lock that another thread has counts as made right before the
 * thread's next event; and as a request that was never granted where there is none.
 *
 * `object` and `place` are numbers of the names. Fails where no run could have done that; `diag` says why, without the line.
 */
int predict_sequence_add(struct predict_sequence *sequence, uint32_t thread, enum predict_op op,
			 uint32_t object, uint32_t place, struct diag *diag);
/* After the last event. */
void predict_sequence_end(struct predict_sequence *sequence);
void predict_sequence_release(struct predict_sequence *sequence);

#endif
