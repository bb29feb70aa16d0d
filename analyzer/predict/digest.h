/* SPDX-License-Identifier: MIT */
/*
 * digest.h - what matters of a sequence for deadlocks, packed: its events of locks and threads, and who learnt of whom. Made while the events
 * come in; 4 to 8 bytes for each event that is kept. Most accesses are not.
 *
 * Moments of a thread are its events in here, counted from 1; what else it does belongs to the moment before. What orders the moments of
 * different threads in every reordering that keeps what reads saw and critical sections in their order (those order nothing here: closure.h):
 *
 *  - DIGEST_LEARNS: a thread comes after a moment of another one by a fork, a join or a notification;
 *  - DIGEST_SEES: the same by a read, of what the other one wrote then.
 *
 * Why accesses can go. Where thread B reads what A wrote at its moment m, every part of a run (closure.h) with the read has A up to m, and all
 * that A does between m and m + 1 can be in it, too: writes there are seen by nobody who should not see them, as the order stays that of
 * the sequence, and its reads see nothing that is not there (else they would be a moment). So an edge is all that a read is; and none where the
 * thread came after that moment by an edge before, or wrote it itself, or nobody did.
 */
#ifndef THRUM_ANALYZER_PREDICT_DIGEST_H
#define THRUM_ANALYZER_PREDICT_DIGEST_H

#include "sequence.h"

enum digest_op {
	DIGEST_SEES,
	DIGEST_LEARNS,
	DIGEST_WAKES, /* a wait has ended by now */
	DIGEST_ACQUIRE, /* from here on what enum predict_op says; requests are not kept, but see struct digest_request */
	DIGEST_TRY,
	DIGEST_RELEASE,
	DIGEST_UNKNOWN,
	DIGEST_WAIT,
	DIGEST_NOTIFY,
	DIGEST_FORK,
	DIGEST_JOIN,
};

/* What is left out; 0 = nothing. A reordering then is possible only if what the reads saw does not matter. */
enum predict_ignore { PREDICT_IGNORE_READS = 1, PREDICT_IGNORE_WAITS = 2 };

struct digest_event {
	uint32_t
		event; /* of the sequence: its index, or that of the one which makes the thread learn */
	uint32_t thread;
	uint32_t object; /* lock or thread */
	uint32_t detail; /* place; of SEES and LEARNS the moment of `object` */
	enum digest_op op;
	bool wrote; /* the thread wrote since its event before, what others may read */
};

enum { DIGEST_BLOCK = 256, DIGEST_NUMBERS = 4 };

/* What a thread does at the end of the sequence: it waits for a lock that it requested. */
struct digest_request {
	uint32_t event; /* + 1; 0 = it does not */
	uint32_t lock, place;
};

/* An event of the sequence, or only what a thread knows and does not do? */
static inline bool digest_is_event(enum digest_op op)
{
	return op >= DIGEST_ACQUIRE;
}

/* While events come in. */
struct digest_thread {
	uint32_t moment;
	uint32_t last;	/* event + 1 */
	uint32_t waits; /* lock + 1 it waits through */
	bool wrote;
	struct digest_request
		request; /* its newest; once there are no more events only where it is `last` */
};

/* Thread + 1 and its moment; zeroed = none. */
struct digest_moment {
	uint32_t thread, moment;
};

/*
 * Up to which moment of another thread a thread comes after it: by edges without reads, and by all. Not through a third one. All there are of
 * itself, and of nobody.
 */
struct digest_known {
	uint32_t learnt, any;
};

struct digest_start {
	size_t byte;
	uint32_t event; /* before the first one of the block */
};

/* Zeroed = empty. */
struct digest {
	unsigned ignore; /* enum predict_ignore; by the caller, before the first event */
	size_t count;
	bool sees;     /* there is a DIGEST_SEES */
	uint8_t *byte; /* owns */
	size_t bytes, byte_capacity;
	struct digest_start *start; /* owns; by block */
	size_t starts, start_capacity;
	struct digest_event previous;
	uint8_t ends[256]
		    [DIGEST_NUMBERS]; /* by the lengths of an event's numbers: where each ends */
	struct digest_thread *thread; /* owns */
	size_t threads, thread_capacity;
	struct digest_known *known; /* owns; `width` for each thread: of nobody, of thread 0, … */
	uint32_t width;
	struct digest_moment *written; /* owns; by variable: its newest write */
	size_t written_count, written_capacity;
	struct digest_moment *notified; /* owns; by lock: its newest notification */
	size_t notified_count, notified_capacity;
};

/* The next events of the sequence; as of struct predict_listener. */
void digest_add(struct digest *digest, const struct predict_sequence *sequence,
		const struct predict_event *event, size_t count, size_t first);
/* After the last one: what is only needed to add is given back. */
void digest_end(struct digest *digest);
void digest_release(struct digest *digest);

/* Unpacks a block, number 0 … digest_blocks - 1; returns how many events are in it. */
size_t digest_read(const struct digest *digest, size_t block,
		   struct digest_event ret_event[DIGEST_BLOCK]);

/* Before a block: says now and then how far a pass is. */
static inline void digest_tell(const struct predict_sequence *sequence, const struct digest *digest,
			       size_t block)
{
	if (!(block & 0xfff) && sequence->tell)
		sequence->tell(sequence->tell_cookie, block, digest->starts);
}

static inline size_t digest_blocks(const struct digest *digest)
{
	return digest->starts;
}

#endif
