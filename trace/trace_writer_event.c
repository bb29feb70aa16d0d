/* SPDX-License-Identifier: MIT */
/*
 * trace_writer_event.c - encodes one record from the table of spec/events.def and numbers acquires.
 */
#include "trace_encode.h"
#include "trace_ops.h"
#include "trace_writer_private.h"

#include <pthread.h>
#include <string.h>

#define RECORD_ROOM (10u * (TRACE_FIELDS + 3u))

struct writer_object *trace_writer_object_state(struct trace_writer *w, uint32_t id)
{
	if (id >= 1u << 24) {
		trace_writer_die("object %u: numbers are dense", id);
	}
	if (id >= w->object_capacity) {
		size_t old = w->object_capacity;

		w->objects = trace_writer_grow(w->objects, &w->object_capacity, id + 1u,
					       sizeof(*w->objects));
		for (size_t i = old; i < w->object_capacity; i++) {
			w->objects[i].stream = UINT32_MAX;
		}
	}
	return &w->objects[id];
}

static bool is_recursive(const struct writer_object *o)
{
	return o->kind == TRACE_OBJECT_MUTEX &&
	       (o->attributes & TF_MUTEX_TYPE_MASK) == PTHREAD_MUTEX_RECURSIVE;
}

/* The number that an exclusive acquire by `stream` has to name, 0 = none. */
static uint64_t number_exclusive(struct trace_writer *w, uint32_t id, uint32_t stream,
				 uint32_t thread)
{
	struct writer_object *o = trace_writer_object_state(w, id);
	bool handed_over;

	if (o->depth && o->owner == thread && is_recursive(o)) {
		o->depth++;
		return 0;
	}
	handed_over = o->stream != stream;
	o->acquires++;
	o->stream = stream;
	o->owner = thread;
	o->depth = 1;
	return handed_over ? o->acquires : 0;
}

static uint64_t number_shared(struct trace_writer *w, uint32_t id, uint32_t stream)
{
	struct writer_object *o = trace_writer_object_state(w, id);

	return o->stream != stream ? o->acquires : 0;
}

static void count_release(struct trace_writer *w, uint32_t id)
{
	struct writer_object *o = trace_writer_object_state(w, id);

	if (o->depth) {
		o->depth--;
	}
}

static uint64_t number(struct trace_writer *w, struct writer_stream *s, enum trace_op op,
		       uint32_t object, uint32_t other, uint32_t stream)
{
	switch ((unsigned)op) {
	case TRACE_ACQUIRE:
	case TRACE_ACQUIRE_TRY:
	case TRACE_ACQUIRE_TIMED:
	case TRACE_ACQUIRE_OWNERDEAD:
		if (trace_writer_object_state(w, object)->kind == TRACE_OBJECT_SEM) {
			return 0;
		}
		return number_exclusive(w, object, stream, s->segment->thread_now);
	case TRACE_COND_WAKE:
		return number_exclusive(w, other, stream, s->segment->thread_now);
	case TRACE_ACQUIRE_SHARED:
	case TRACE_ACQUIRE_TRY_SHARED:
	case TRACE_ACQUIRE_TIMED_SHARED:
		return number_shared(w, object, stream);
	case TRACE_RELEASE:
	case TRACE_RELEASE_ODD:
		count_release(w, object);
		return 0;
	case TRACE_COND_WAIT:
		count_release(w, other);
		return 0;
	default:
		return 0;
	}
}

static void follow_owner(struct tf_segment *g, enum trace_op op, uint64_t arg)
{
	if (op == TRACE_THREAD_BEGIN) {
		g->thread_now = (uint32_t)arg;
		g->tid_now = 0;
		if (!g->committed && !g->chunk) {
			g->thread = g->thread_now;
		}
	} else if (op == TRACE_THREAD_END) {
		g->thread_now = 0;
		g->tid_now = 0;
		memset(&g->wait, 0, sizeof(g->wait));
	}
}

/* Ticks as this stream's clock shows them; never back within a stream. */
static uint64_t stamp(struct trace_writer *w, struct writer_stream *s, uint64_t ticks)
{
	uint64_t at;

	if (ticks == TRACE_WRITER_NEXT) {
		ticks = w->now + 100;
	}
	if (ticks > w->now) {
		w->now = ticks;
	}
	at = w->header.start_ticks + ticks + (uint64_t)s->skew;
	return s->started && at < s->last_ticks ? s->last_ticks : at;
}

void trace_writer_event(struct trace_writer *w, uint32_t stream, enum trace_op op, uint64_t ticks,
			uint32_t object, uint32_t other, uint32_t stack, uint64_t arg,
			int32_t result, uint64_t seq)
{
	const struct trace_op_info *info = trace_op_get(op);
	struct writer_stream *s = trace_writer_get_stream(w, stream);
	struct tf_segment *g = s->segment;
	uint64_t field[TRACE_FIELDS] = { object, other, stack, arg, encode_zigzag(result) };
	bool same = trace_op_has_object(op) && object == s->last_object;
	uint64_t at;
	uint8_t *p;

	if (!info) {
		trace_writer_die("no event %u", (unsigned)op);
	}
	if (g->committed + RECORD_ROOM > TF_PAYLOAD_BYTES) {
		trace_writer_seal(w, stream);
		same = trace_op_has_object(op) && object == s->last_object;
	}
	follow_owner(g, op, arg);
	if (seq == TRACE_WRITER_AUTO) {
		seq = number(w, s, op, object, other, stream);
	}
	at = stamp(w, s, ticks);
	if (!g->committed) {
		g->base_ticks = at;
		g->base_mono_ns = w->header.start_mono_ns + w->now * TRACE_WRITER_TICK_NS;
		s->last_ticks = at;
	}
	s->started = true;
	p = trace_writer_payload(s) + g->committed;
	*p++ = (uint8_t)(op | (same ? TF_REC_SAME_OBJECT : 0) | (seq ? TF_REC_HAS_SEQ : 0));
	p = encode_varint(p, at - s->last_ticks);
	for (unsigned i = same; i < info->count; i++) {
		p = encode_varint(p, field[info->field[i]]);
	}
	if (seq) {
		p = encode_varint(p, seq);
	}
	if (trace_op_has_object(op)) {
		s->last_object = object;
	}
	s->last_ticks = at;
	g->committed = (uint32_t)(p - trace_writer_payload(s));
	g->events++;
}

/* ---- the usual ones ---- */

void trace_writer_begin(struct trace_writer *w, uint32_t stream, uint32_t thread)
{
	trace_writer_event(w, stream, TRACE_THREAD_BEGIN, TRACE_WRITER_NEXT, 0, 0, 0, thread, 0, 0);
}

void trace_writer_end(struct trace_writer *w, uint32_t stream)
{
	trace_writer_event(w, stream, TRACE_THREAD_END, TRACE_WRITER_NEXT, 0, 0, 0, 0, 0, 0);
}

void trace_writer_acquire(struct trace_writer *w, uint32_t stream, uint32_t object, uint32_t stack)
{
	trace_writer_event(w, stream, TRACE_ACQUIRE, TRACE_WRITER_NEXT, object, 0, stack, 0, 0,
			   TRACE_WRITER_AUTO);
}

void trace_writer_release(struct trace_writer *w, uint32_t stream, uint32_t object)
{
	trace_writer_event(w, stream, TRACE_RELEASE, TRACE_WRITER_NEXT, object, 0, 0, 0, 0,
			   TRACE_WRITER_AUTO);
}

void trace_writer_create(struct trace_writer *w, uint32_t stream, uint32_t thread, uint32_t stack)
{
	trace_writer_event(w, stream, TRACE_CREATE, TRACE_WRITER_NEXT, 0, 0, stack, thread, 0, 0);
}

void trace_writer_join(struct trace_writer *w, uint32_t stream, uint32_t thread, uint32_t stack)
{
	trace_writer_event(w, stream, TRACE_JOIN, TRACE_WRITER_NEXT, 0, 0, stack, thread, 0, 0);
}

void trace_writer_wait(struct trace_writer *w, uint32_t stream, const struct trace_wait *wait)
{
	struct tf_segment *g = trace_writer_get_stream(w, stream)->segment;

	memset(&g->wait, 0, sizeof(g->wait));
	if (wait) {
		g->wait = *wait;
		if (!g->wait.thread) {
			g->wait.thread = g->thread_now;
		}
		if (g->wait.ticks) {
			g->wait.ticks += w->header.start_ticks;
		}
	}
}

void trace_writer_tid(struct trace_writer *w, uint32_t stream, uint32_t tid)
{
	trace_writer_get_stream(w, stream)->segment->tid_now = tid;
}

void trace_writer_skew(struct trace_writer *w, uint32_t stream, int64_t ticks)
{
	trace_writer_get_stream(w, stream)->skew = ticks;
}
