/* SPDX-License-Identifier: MIT */
/*
 * shim_bounded.h - bounded mode: what a thread holds, what is already known, and the ring and the
 * facts that a trace consists of then.
 *
 * A service runs for days; nearly all that it does it did before. So in bounded mode
 *
 *   - each thread writes its records into a RING segment, slot after slot, overwritten for ever: the
 *     last thing that every thread did is there after a hang or a kill. Each slot begins with a
 *     KEYFRAME: all that the thread holds then.
 *   - a record that tells something new is written once more, with its context, to the facts: one stream
 *     of the process, sealed to the .events file like any other.
 *
 *       OF thread | KEYFRAME n | n HELD | the record | KEYFRAME 0
 *
 *     The last KEYFRAME ends what is known of the thread. A reader leaves out the facts of a thread from
 *     where its ring begins on: the ring has them.
 *
 * New is what has a key that was not met: the record's op, object, stack, and of a request all that is
 * held with stacks and modes; and for the first threads and order epochs of these, thread and epoch, since
 * the analysis rules a cycle out when its parts cannot run side by side. Two tables: a cache per
 * thread (`known`, HOT), and one of the process (facts.key).
 *
 * Objects and threads that come and go for ever (a lock for each connection) are told apart only
 * at first: of a place that made CHURN_OBJECTS objects which are gone, the next ones share one key, until
 * one of them is part of a fact. The id of an object that no kept record names is given out again, and its
 * definition is written over. Tasks have slots, which are used again as well: shim_task_slot.h.
 *
 * Everything is bounded: by code, live objects and live threads, and by tables of fixed size. What no
 * longer fits is counted in tf_process.lost_facts.
 *
 * Safety: the inline functions are HOT, all else SLOW. The lock of the facts ranks below meta: nothing is taken
 * under it.
 */
#ifndef THRUM_SHIM_BOUNDED_H
#define THRUM_SHIM_BOUNDED_H

#include "shim.h"

enum {
	HOLDS = 192,	 /* locks of a thread that are followed */
	KNOWN_BITS = 11, /* of the cache of a thread */
	FACT_KEY_BITS = 20,
	CHURN_OBJECTS = 64,
	CHURN_THREADS = 256,
	CLASS_BITS = 14,
};

#define BOUNDED_DEFAULT_BYTES (64u << 20)
#define BOUNDED_LONG_HOLD_TICKS (uint64_t)(200000000u >> TF_TICK_SHIFT) /* about 0.1 s */

/* One lock that the thread holds; taken twice = twice here. */
struct hold {
	uint32_t object, stack;
	uint32_t mode; /* enum trace_mode | enum trace_hold bits */
	uint32_t op;
	uint64_t mix;	/* its part of bounded.mix */
	uint64_t ticks; /* when taken; 0 = its release is to be told in any case */
};

/* A record as a value. `r` is zig-zag coded already. */
struct fact {
	unsigned op;
	uint32_t object, other, stack;
	uint64_t a, r;
};

/* Beside a stream. */
struct bounded {
	uint64_t mix; /* sum of the holds' */
	uint64_t
		salt; /* of thread and epoch; disturbed where the next acquire has to be looked at */
	uint32_t count;
	uint32_t unseen;    /* holds beyond HOLDS */
	uint32_t epoch;	    /* advances at create, join, barrier */
	bool recording;	    /* else only the holds are followed: full mode, with a size limit */
	bool ring;	    /* the segment is one */
	bool at_thread_end; /* THREAD_END was told with what is held */
	bool block_told;    /* BLOCK was a fact: so is its UNBLOCK */
	bool masked;	    /* it ever blocked a signal */
	bool seen;	    /* the record at hand repeats one of the cache `known` */
	uint64_t told_mask; /* what the facts say of its signal mask */
	uint32_t request_object;
	uint32_t lost; /* of its facts, so far: see facts_is_new */
	uint64_t request_ticks;
	uint32_t turn_stack,
		turn_count;  /* turns of its loop in a row at one place, as far as they are told */
	uint64_t turn_ticks; /* of the newest; 0 = none */
	uint64_t busy_us, busy_result; /* the BUSY that no fact told yet; 0 = none */
	uint64_t arrival; /* at the barrier that it is in: its place among all arrivals */
	uint64_t known[1 << KNOWN_BITS];
	struct hold holds[HOLDS];
	struct fact told[HOLDS]; /* scratch: the host's stack may be small */
};

/* Of an object, for as long as its id is its. Bytes are stored side by side by several threads. */
struct story {
	struct object *object; /* valid while object->story is this */
	uint32_t id;
	uint8_t extra_defs; /* IDENTITY, NAME, OWNER follow its definition: the id is its for ever */
	uint8_t pinned;	    /* a kept record names it: the same */
	uint8_t churns;	    /* known by its class until pinned */
	uint8_t signals;    /* semaphore that is no lock */
	uint8_t shared;	    /* met by a second thread */
	uint8_t with_cond;  /* mutex of a condition wait */
	uint8_t met_by;	    /* threads that were written down */
	uint8_t contended;  /* somebody waited for it */
	uint8_t gone;
	uint32_t birth_thread, birth_epoch, birth_stack;
	uint32_t destroy_thread, destroy_stack; /* 0 = was not */
	uint32_t cond_mutex;			/* condvar: mutex of the newest wait */
	uint32_t robbed_from; /* thread whose lock another one unlocked; 0 = none */
	uint32_t sem_owner;   /* who took it, of a semaphore that began with 1 */
	uint32_t request_thread, request_stack;
	uint64_t request_ticks;
	_Atomic uint64_t arrivals;	  /* barrier */
	_Atomic uint64_t tell_generation; /* barrier: + 1; those who come out of it tell */
	uint64_t told_facts; /* barrier: facts.order_facts at the last generation that was told */
	struct tf_def_object *def; /* in the map; NULL = did not fit */
	struct tf_object_live *live;
	struct story *next; /* of the ids to be given out again */
};

/* BOOT: tables, when the options ask for them. */
void bounded_boot(void);
/* SLOW: follows the stream from now on; before its first record. True: its segment is a ring now. */
bool bounded_stream_new(struct stream *s);
/* SLOW: another thread has the stream. Before its THREAD_BEGIN. */
void bounded_thread_begin(struct stream *s);
/*
 * SLOW: the slot is full, or the segment, which was handed to the file: the next slot. False: full mode goes
 * on.
 */
bool bounded_next_slot(struct stream *s);
/* SLOW: a record other than the acquires and releases below. */
cold_call void bounded_note(struct stream *s, const struct fact *f);
/* SLOW: the same for a record without an object: its fields in order. */
cold_call void bounded_plain(struct stream *s, unsigned op, uint64_t a, uint64_t b, uint64_t c);
/* SLOW: the miss of bounded_acquired; the hold is not pushed yet. */
cold_call void bounded_acquire_new(struct stream *s, unsigned op, uint32_t object, uint32_t stack,
				   uint64_t key, uint64_t *slot);
cold_call void bounded_release_slow(struct stream *s, uint32_t object);
/* SLOW: POSIX semaphores: taken, posted. */
cold_call void bounded_sem(struct stream *s, const struct fact *f);

/* SLOW: an object's id and definition: new ones, or those of one that nobody names any more. */
void bounded_object_born(struct stream *s, struct object *o, uint32_t stack);
void bounded_object_gone(struct object *o);
/* SLOW: writes its definition, over that of the id's former object. */
void bounded_object_define(struct object *o, struct tf_def_object *def);
/* SLOW: about to be written; one that is about an object binds its id for ever. */
void bounded_defined(const struct tf_def *def);
/* SLOW: another look at it: by another thread, or after its destroy. */
void bounded_object_met(struct stream *s, const struct object *o);
/*
 * SLOW: a thread's id and definition, which is all but written: new ones, or of a thread that nobody names any
 * more.
 */
uint32_t bounded_thread_define(struct tf_def_thread *def);
/* SLOW: it is over. */
void bounded_thread_over(uint32_t thread, bool joined);
/* Was `a` made after `b`? */
bool bounded_thread_is_newer(uint32_t a, uint32_t b);

static hot_inline uint64_t bounded_mix(uint32_t object, uint32_t stack, unsigned op)
{
	uint64_t x = ((uint64_t)object << 32 | stack) * 0x9e3779b97f4a7c15u;

	return (x ^ x >> 29) + op;
}

/* Mixes no two sets and requests alike: {A} then B is not {B} then A. */
static hot_inline uint64_t bounded_key(const struct bounded *b, uint64_t mix)
{
	return (b->mix ^ b->salt) * 0xd6e8feb86659fd93u + mix;
}

static hot_inline void bounded_push(struct stream *s, unsigned op, uint32_t object, uint32_t stack,
				    uint32_t mode, uint64_t mix)
{
	struct bounded *b = s->bounded;

	if (unlikely(b->count == HOLDS)) {
		b->unseen++;
		return;
	}
	b->holds[b->count++] = (struct hold){ .object = object,
					      .stack = stack,
					      .mode = mode,
					      .op = op,
					      .mix = mix,
					      .ticks = s->last_ticks };
	b->mix += mix;
}

/* Bits of HELD that an acquire op says. */
static hot_inline uint32_t bounded_mode(unsigned op)
{
	return (op == TRACE_ACQUIRE_SHARED || op == TRACE_ACQUIRE_TRY_SHARED ||
				op == TRACE_ACQUIRE_TIMED_SHARED
			? TRACE_MODE_SHARED
			: 0) |
	       (op == TRACE_ACQUIRE_TRY || op == TRACE_ACQUIRE_TRY_SHARED ? TRACE_MODE_TRY : 0) |
	       (op == TRACE_ACQUIRE_TIMED || op == TRACE_ACQUIRE_TIMED_SHARED ? TRACE_MODE_TIMED
									      : 0);
}

/* HOT: after the record of an acquire that is held from now on. */
static hot_inline void bounded_acquired(struct stream *s, unsigned op, uint32_t object,
					uint32_t stack)
{
	uint64_t mix = bounded_mix(object, stack, op);
	uint64_t key = bounded_key(s->bounded, mix);
	uint64_t *slot = &s->bounded->known[(key * 0x9e3779b97f4a7c15u) >> (64 - KNOWN_BITS)];

	if (unlikely(*slot != key)) {
		bounded_acquire_new(s, op, object, stack, key, slot);
	}
	bounded_push(s, op, object, stack, bounded_mode(op), mix);
}

/* HOT: after the record of a release by the owner. */
static hot_inline void bounded_released(struct stream *s, uint32_t object)
{
	struct bounded *b = s->bounded;
	const struct hold *h = &b->holds[b->count - 1];

	if (unlikely(!b->count || h->object != object ||
		     s->last_ticks - h->ticks > BOUNDED_LONG_HOLD_TICKS)) {
		bounded_release_slow(s, object);
		return;
	}
	b->count--;
	b->mix -= h->mix;
}

#endif
