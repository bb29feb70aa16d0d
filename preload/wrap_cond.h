/* SPDX-License-Identifier: MIT */
/*
 * wrap_cond.h - condition variables, for pthread_cond_* and cnd_*: the wait gives the mutex back
 * and takes it again, on a signal, a timeout and on cancellation alike (glibc re-locks through an
 * internal name, so nothing else would see it).
 */
#ifndef THRUM_WRAP_COND_H
#define THRUM_WRAP_COND_H

#include "wrap.h"

struct cond_call {
	struct object *mutex;
	uint32_t mutex_id;
	uint32_t depth;
	bool owned; /* the caller held the mutex */
};

/* HOT: records the wait, releases the mutex in our books, opens the guard. False: not recorded. */
static inline bool cond_before(struct call *c, struct cond_call *w, const volatile void *cond,
			       const volatile void *mutex, unsigned mode)
{
	struct stream *s = c->s;

	c->stack = stack_id(c);
	c->object = object_find(c, cond, TRACE_OBJECT_COND);
	w->mutex = object_find(c, mutex, TRACE_OBJECT_MUTEX);
	if (!c->object || !w->mutex) {
		s->segment->lost++;
		shim_leave(c);
		return false;
	}
	c->object_id = c->object->id;
	w->mutex_id = w->mutex->id;
	w->owned = atomic_load_explicit(&w->mutex->owner, memory_order_relaxed) == s->thread;
	w->depth = w->owned ? w->mutex->depth : 0;
	if (!w->owned && !(w->mutex->flags & OBJECT_OWNER_UNKNOWN)) {
		mode |= TRACE_MODE_UNLOCKED;
	}
	if (w->owned) {
		w->mutex->depth = 0;
		atomic_store_explicit(&w->mutex->owner, 0, memory_order_relaxed);
		s->held -= s->held != 0;
	}
	atomic_fetch_add_explicit(&c->object->waiters, 1, memory_order_relaxed);
	emit_cond_wait(s, c->object_id, w->mutex_id, c->stack, mode);
	wait_set(c, TRACE_WAIT_COND, c->object_id, w->mutex_id, mode, s->last_ticks);
	shim_leave(c);
	return true;
}

/* HOT: the mutex is ours again, unless the call was refused (EPERM, EINVAL). */
static inline void cond_after(struct call *c, struct cond_call *w, bool cancelled, int rc)
{
	struct stream *s = c->s;
	uint64_t seq = 0;

	shim_reenter(c);
	wait_clear(c);
	atomic_fetch_sub_explicit(&c->object->waiters, 1, memory_order_relaxed);
	if (rc == 0 || rc == ETIMEDOUT || rc == EOWNERDEAD || cancelled) {
		seq = lock_own(s, w->mutex);
		w->mutex->depth = w->depth;
		s->held++;
	} else if (w->owned) {
		atomic_store_explicit(&w->mutex->owner, s->thread, memory_order_relaxed);
		w->mutex->depth = w->depth;
		s->held++;
	}
	emit_cond_wake(s, c->object_id, w->mutex_id, c->stack, cancelled, rc, seq);
	shim_leave(c);
}

#define PRIM_COND_WAIT(kind, ret, name, params, args, object_, mode_)                \
	EXPORT ret name params                                                       \
	{                                                                            \
		__pthread_unwind_buf_t unwind_buffer;                                \
		struct cond_call wait;                                               \
		struct call call;                                                    \
		ret rc;                                                              \
                                                                                     \
		if (!shim_enter(&call) || !cond_before(&call, &wait, c, m, mode_)) { \
			return real_##name args;                                     \
		}                                                                    \
		if (cancel_push(&unwind_buffer)) {                                   \
			cond_after(&call, &wait, true, 0);                           \
			cancel_continue(&unwind_buffer);                             \
		}                                                                    \
		rc = real_##name args;                                               \
		cancel_pop(&unwind_buffer);                                          \
		cond_after(&call, &wait, false, RESULT(rc));                         \
		return rc;                                                           \
	}

#define PRIM_COND_WAKE(kind, ret, name, params, args, object_, op)                       \
	EXPORT ret name params                                                           \
	{                                                                                \
		struct call call;                                                        \
                                                                                         \
		if (shim_enter(&call)) {                                                 \
			call.stack = stack_id(&call);                                    \
			call.object = object_find(&call, object_, TRACE_OBJECT_COND);    \
			if (call.object) {                                               \
				emit_osa_seq(call.s, op, call.object->id, call.stack,    \
					     atomic_load_explicit(&call.object->waiters, \
								  memory_order_relaxed), \
					     0);                                         \
			}                                                                \
			shim_leave(&call);                                               \
		}                                                                        \
		return real_##name args;                                                 \
	}

#endif
