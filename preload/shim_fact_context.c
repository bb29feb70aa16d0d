/* SPDX-License-Identifier: MIT */
/*
 * shim_fact_context.c - bounded mode: what other threads have to do with a fact, told beside it.
 */
#include "shim_facts_private.h"

/* The stream of a thread, NULL = it is over. */
static struct stream *stream_of(uint32_t thread)
{
	for (uint32_t i = 1; i <= shim->stream_count; i++) {
		if (shim->streams[i] && shim->streams[i]->thread == thread) {
			return shim->streams[i];
		}
	}
	return NULL;
}

/* Everybody who has something to do with it; false when there is no room. */
static void put_owner(struct facts *w, const struct fact *f, uint64_t ticks, uint32_t *ret_owner)
{
	const struct story *t = f->object < BY_ID ? shim->by_id[f->object] : NULL;
	uint32_t owner = f->op == TRACE_RELEASE_ODD ? (uint32_t)f->a : 0;
	struct fact *held = w->held;
	struct stream *s;
	uint32_t count;

	if (!owner && t && t->object) {
		owner = atomic_load_explicit(&t->object->owner, memory_order_relaxed);
	}
	s = owner && owner != UINT32_MAX ? stream_of(owner) : NULL;
	count = s && s != shim_stream ? facts_list_held(s, held) : 0;
	for (uint32_t i = 0; i < count; i++) {
		if (held[i].object == f->object && facts_make_room(w, 8)) {
			facts_put_of(w, owner, ticks);
			facts_put_held(w, &held[i], 1, ticks);
			*ret_owner = owner;
		}
	}
}

static void put_waiter(struct facts *w, const struct stream *s, const struct trace_wait *wait,
		       uint64_t ticks)
{
	struct fact f = {
		.op = TRACE_REQUEST, .object = wait->object, .stack = wait->stack, .a = wait->mode
	};

	if (wait->kind == TRACE_WAIT_COND) {
		f.op = TRACE_COND_WAIT;
		f.other = wait->other;
	} else if (wait->kind == TRACE_WAIT_BARRIER) {
		f.op = TRACE_BARRIER_ARRIVE;
	}
	facts_pin(&f);
	facts_put_of(w, s->thread, ticks);
	facts_put(w, &f, ticks);
}

/* Waiters for the object, or all that hold something. */
static void put_others(struct facts *w, const struct fact *f, uint64_t ticks, unsigned context,
		       struct witnesses *ret_told)
{
	for (uint32_t i = 1; i <= shim->stream_count && ret_told->count < WITNESSES; i++) {
		const struct stream *s = shim->streams[i];
		struct fact *held = w->held;
		struct trace_wait wait;
		uint32_t count = 0;

		if (!s || !s->thread || s == shim_stream || !facts_make_room(w, HOLDS + 8)) {
			continue;
		}
		wait = s->segment->wait;
		if (context & FACT_EVERYBODY) {
			count = facts_list_held(s, held);
		}
		if (count) {
			facts_put_of(w, s->thread, ticks);
			facts_put_held(w, held, count, ticks);
		} else if (context & FACT_WAITERS && wait.kind && wait.object == f->object) {
			put_waiter(w, s, &wait, ticks);
		} else {
			continue;
		}
		ret_told->thread[ret_told->count++] = s->thread;
	}
}

void facts_put_before(struct facts *w, const struct fact *f, uint64_t ticks, unsigned context,
		      struct witnesses *told)
{
	const struct story *t = f->object < BY_ID ? shim->by_id[f->object] : NULL;
	uint32_t owner = 0;

	if (context & FACT_OWNER) {
		put_owner(w, f, ticks, &owner);
	}
	if (owner) {
		told->thread[told->count++] = owner;
	}
	if (context & (FACT_WAITERS | FACT_EVERYBODY)) {
		put_others(w, f, ticks, context, told);
	}
	if (context & FACT_DESTROYED && t && t->destroy_thread && facts_make_room(w, 8)) {
		facts_put_of(w, t->destroy_thread, ticks);
		facts_put(w,
			  &(struct fact){ .op = TRACE_DESTROY,
					  .object = f->object,
					  .stack = t->destroy_stack },
			  ticks);
	}
	if (context & FACT_KEPT_WAITING && t && facts_make_room(w, 8)) {
		facts_put_of(w, t->request_thread, ticks);
		facts_put(w,
			  &(struct fact){ .op = TRACE_REQUEST,
					  .object = f->object,
					  .other = shim_stream->thread,
					  .stack = t->request_stack },
			  ticks);
		told->thread[told->count++] = t->request_thread;
	}
}
