/* SPDX-License-Identifier: MIT */
/*
 * shim_emit.h - records into the thread's stream. Safety class HOT: the guard is held and `enter`
 * made room.
 *
 * A record is visible once segment.committed covers it: that release store is last, and pairs with
 * the reader's load; a kill at any instruction leaves a whole prefix. Names follow spec/events.def;
 * a field left out there is left out here.
 *
 * In bounded mode each emitter also looks whether its record is something new: shim_bounded.h.
 */
#ifndef THRUM_SHIM_EMIT_H
#define THRUM_SHIM_EMIT_H

#include "../trace/trace_encode.h"
#include "shim_bounded.h"

static hot_inline uint8_t *emit_head(struct stream *s, unsigned op, uint64_t ticks)
{
	uint64_t delta = ticks - s->last_ticks;
	uint8_t *p = s->cursor;

	if (unlikely((int64_t)delta < 0)) {
		delta = 0; /* another processor's counter: time stands still for this record */
	} else {
		s->last_ticks = ticks;
	}
	*p++ = (uint8_t)op;
	return encode_varint(p, delta);
}

/* A record at the time of the one before it, to be committed with it. */
static inline uint8_t *emit_head_at(uint8_t *p, unsigned op)
{
	*p++ = (uint8_t)op;
	return encode_varint(p, 0);
}

static hot_inline void emit_commit(struct stream *s, uint8_t *end)
{
	s->cursor = end;
	s->segment->events++;
	atomic_store_explicit(s->committed, (uint32_t)(end - s->payload), memory_order_release);
}

/* Bounded mode's look at a record that was just committed. */
#define emit_note(s, ...)                                               \
	do {                                                            \
		if (unlikely((s)->bounded != NULL)) {                   \
			bounded_note(s, &(struct fact){ __VA_ARGS__ }); \
		}                                                       \
	} while (0)

/* Head and object: every op whose first field is O. `seq` 0 = none. */
static hot_inline uint8_t *emit_object_head(struct stream *s, unsigned op, uint32_t object,
					    uint64_t seq)
{
	bool same = s->last_object == object;
	uint8_t *p = emit_head(s, op | (same ? TF_REC_SAME_OBJECT : 0) | (seq ? TF_REC_HAS_SEQ : 0),
			       arch_ticks());

	if (!same) {
		s->last_object = object;
		p = encode_varint(p, object);
	}
	return p;
}
static hot_inline uint8_t *emit_seq(uint8_t *p, uint64_t seq)
{
	return seq ? encode_varint(p, seq) : p;
}

/* O */
static hot_inline void emit_o(struct stream *s, unsigned op, uint32_t object)
{
	emit_commit(s, emit_object_head(s, op, object, 0));
	if (unlikely(s->bounded != NULL)) {
		if (op == TRACE_RELEASE) {
			bounded_released(s, object);
		} else {
			bounded_note(s, &(struct fact){ .op = op, .object = object });
		}
	}
}

static hot_inline bool emit_is_acquire(unsigned op)
{
	return (op >= TRACE_ACQUIRE && op <= TRACE_ACQUIRE_TIMED_SHARED) || op == TRACE_ONCE_BEGIN;
}
/* O S, with a sequence number */
static hot_inline void emit_os_seq(struct stream *s, unsigned op, uint32_t object, uint32_t stack,
				   uint64_t seq)
{
	uint8_t *p = emit_object_head(s, op, object, seq);

	p = encode_varint(p, stack);
	emit_commit(s, emit_seq(p, seq));
	if (unlikely(s->bounded != NULL)) {
		if (likely(emit_is_acquire(op))) {
			bounded_acquired(s, op, object, stack);
		} else {
			bounded_note(s,
				     &(struct fact){ .op = op, .object = object, .stack = stack });
		}
	}
}
/* A semaphore was taken: as above, and held perhaps. */
static hot_inline void emit_sem_taken(struct stream *s, unsigned op, uint32_t object,
				      uint32_t stack)
{
	emit_commit(s, encode_varint(emit_object_head(s, op, object, 0), stack));
	if (unlikely(s->bounded != NULL)) {
		bounded_sem(s, &(struct fact){ .op = op, .object = object, .stack = stack });
	}
}
/* O S A, with a sequence number */
static inline void emit_osa_seq(struct stream *s, unsigned op, uint32_t object, uint32_t stack,
				uint64_t a, uint64_t seq)
{
	uint8_t *p = emit_object_head(s, op, object, seq);

	p = encode_varint(p, stack);
	p = encode_varint(p, a);
	emit_commit(s, emit_seq(p, seq));
	emit_note(s, .op = op, .object = object, .stack = stack, .a = a);
}
/* O A */
static inline void emit_oa(struct stream *s, unsigned op, uint32_t object, uint64_t a)
{
	emit_commit(s, encode_varint(emit_object_head(s, op, object, 0), a));
	emit_note(s, .op = op, .object = object, .a = a);
}
/* O R */
static inline void emit_or(struct stream *s, unsigned op, uint32_t object, int64_t r)
{
	emit_commit(s, encode_varint(emit_object_head(s, op, object, 0), encode_zigzag(r)));
	emit_note(s, .op = op, .object = object, .r = encode_zigzag(r));
}
/* O S R */
static inline void emit_osr(struct stream *s, unsigned op, uint32_t object, uint32_t stack,
			    int64_t r)
{
	uint8_t *p = emit_object_head(s, op, object, 0);

	p = encode_varint(p, stack);
	emit_commit(s, encode_varint(p, encode_zigzag(r)));
	emit_note(s, .op = op, .object = object, .stack = stack, .r = encode_zigzag(r));
}
/* O S A R */
static inline void emit_osar(struct stream *s, unsigned op, uint32_t object, uint32_t stack,
			     uint64_t a, int64_t r)
{
	uint8_t *p = emit_object_head(s, op, object, 0);

	p = encode_varint(p, stack);
	p = encode_varint(p, a);
	emit_commit(s, encode_varint(p, encode_zigzag(r)));
	emit_note(s, .op = op, .object = object, .stack = stack, .a = a, .r = encode_zigzag(r));
}
/* O S A P: REQUEST */
static inline void emit_request(struct stream *s, uint32_t object, uint32_t stack, uint64_t mode,
				uint32_t holder)
{
	uint8_t *p = emit_object_head(s, TRACE_REQUEST, object, 0);

	p = encode_varint(p, stack);
	p = encode_varint(p, mode);
	emit_commit(s, encode_varint(p, holder));
	emit_note(s, .op = TRACE_REQUEST, .object = object, .other = holder, .stack = stack,
		  .a = mode);
}
/* O P S A: COND_WAIT */
static inline void emit_cond_wait(struct stream *s, uint32_t cond, uint32_t mutex, uint32_t stack,
				  uint64_t mode)
{
	uint8_t *p = emit_object_head(s, TRACE_COND_WAIT, cond, 0);

	p = encode_varint(p, mutex);
	p = encode_varint(p, stack);
	emit_commit(s, encode_varint(p, mode));
	emit_note(s, .op = TRACE_COND_WAIT, .object = cond, .other = mutex, .stack = stack,
		  .a = mode);
}
/* O P S A R: COND_WAKE; seq is the mutex's */
static inline void emit_cond_wake(struct stream *s, uint32_t cond, uint32_t mutex, uint32_t stack,
				  uint64_t cancelled, int64_t r, uint64_t seq)
{
	uint8_t *p = emit_object_head(s, TRACE_COND_WAKE, cond, seq);

	p = encode_varint(p, mutex);
	p = encode_varint(p, stack);
	p = encode_varint(p, cancelled);
	p = encode_varint(p, encode_zigzag(r));
	emit_commit(s, emit_seq(p, seq));
	emit_note(s, .op = TRACE_COND_WAKE, .object = cond, .other = mutex, .stack = stack,
		  .a = cancelled, .r = encode_zigzag(r));
}
/* Any op without O: up to three fields, already zig-zagged where the table says R. */
static inline void emit_plain_at(struct stream *s, unsigned op, uint64_t ticks, unsigned fields,
				 uint64_t a, uint64_t b, uint64_t c)
{
	uint8_t *p = emit_head(s, op, ticks);

	if (fields > 0) {
		p = encode_varint(p, a);
	}
	if (fields > 1) {
		p = encode_varint(p, b);
	}
	if (fields > 2) {
		p = encode_varint(p, c);
	}
	emit_commit(s, p);
	if (unlikely(s->bounded != NULL)) {
		bounded_plain(s, op, a, b, c);
	}
}
static inline void emit_plain(struct stream *s, unsigned op, unsigned fields, uint64_t a,
			      uint64_t b, uint64_t c)
{
	emit_plain_at(s, op, arch_ticks(), fields, a, b, c);
}

/* JOIN: A S R, with a sequence number where the thread may still run */
static inline void emit_join(struct stream *s, uint64_t thread, uint32_t stack, uint64_t r,
			     uint64_t seq)
{
	uint8_t *p = emit_head(s, TRACE_JOIN | (seq ? TF_REC_HAS_SEQ : 0), arch_ticks());

	p = encode_varint(encode_varint(encode_varint(p, thread), stack), r);
	emit_commit(s, emit_seq(p, seq));
	if (unlikely(s->bounded != NULL)) {
		bounded_plain(s, TRACE_JOIN, thread, stack, r);
	}
}

/* ---- the wait slot: kind last on the way in, first on the way out ---- */

/*
 * SLOW: the slot is taken. Either this call runs inside that wait (a signal handler, or a
 * constructor inside dlopen) and will put it back, or that wait was left by longjmp, cancellation
 * or dlopen's return, and is over.
 */
void wait_outer(struct call *c);

static hot_inline void wait_set(struct call *c, uint32_t kind, uint32_t object, uint32_t other,
				uint32_t mode, uint64_t ticks)
{
	struct stream *s = c->s;
	struct trace_wait *w = &s->segment->wait;

	if (unlikely(w->kind != TRACE_WAIT_NONE)) {
		wait_outer(c);
	}
	w->mode = mode;
	w->object = object;
	w->other = other;
	w->stack = c->stack;
	w->thread = s->thread;
	w->ticks = ticks;
	s->wait_sp = c->caller.sp;
	__atomic_store_n(&w->kind, kind, __ATOMIC_RELEASE);
}

static hot_inline void wait_clear(struct call *c)
{
	struct trace_wait *w = &c->s->segment->wait;

	__atomic_store_n(&w->kind, TRACE_WAIT_NONE, __ATOMIC_RELEASE);
	if (unlikely(c->saved)) {
		uint32_t kind = c->outer.kind;

		c->outer.kind = TRACE_WAIT_NONE;
		*w = c->outer;
		c->s->wait_sp = c->outer_wait_sp;
		__atomic_store_n(&w->kind, kind, __ATOMIC_RELEASE);
	}
}

#endif
