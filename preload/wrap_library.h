/* SPDX-License-Identifier: MIT */
/*
 * wrap_library.h - locks that a library makes itself (GLib, Qt, OpenMP): the shapes of their rows.
 *
 * Each is hooked at the outer entry and leaves one event. The real function runs muted: a pthread
 * function or a futex that it calls in turn is part of it. Their memory is never read: what we know of
 * such a lock is what passed through here, and calls bound inside the library did not. So an unlock of
 * what we saw nobody lock, and a wait with a mutex that we did not see locked, are taken as right.
 */
#ifndef THRUM_WRAP_LIBRARY_H
#define THRUM_WRAP_LIBRARY_H

#include "wrap.h"

#define KIND_OF_LIBRARY(kind, library) \
	(TRACE_OBJECT_##kind | TF_LIBRARY_##library << KIND_LIBRARY_SHIFT)

/* Qt's tryLock's milliseconds: negative = for ever. */
static hot_inline unsigned qt_mode(int timeout)
{
	return timeout < 0 ? 0 : timeout ? TRACE_MODE_TIMED : TRACE_MODE_TRY;
}

/* A function that gives truth for success. */
#define LIBRARY_RESULT(rc, mode) ((rc) ? 0 : (mode)&TRACE_MODE_TRY ? EBUSY : ETIMEDOUT)

/*
 * The real function. After a look at the caller's stack: that finds new modules, and so new copies of a library.
 */
#define LIBRARY_REAL(name)                                                                    \
	((__typeof__(real_##name))(unlikely(shim->many_copies)                                \
					   ? shim_resolve_for(call.caller.ip, #name,          \
							      (void *)(uintptr_t)real_##name) \
					   : (void *)(uintptr_t)real_##name))

#define PRIM_LIBRARY_LOCK(kind, ret, name, params, args, object_, mode_)                  \
	EXPORT ret name params                                                            \
	{                                                                                 \
		struct call call;                                                         \
                                                                                          \
		if (unlikely(!shim_enter(&call)) ||                                       \
		    unlikely(!lock_before(&call, TRACE_OBJECT_##kind, object_, mode_))) { \
			real_##name args;                                                 \
			return;                                                           \
		}                                                                         \
		shim_mute(&call);                                                         \
		LIBRARY_REAL(name) args;                                                  \
		lock_after(&call, TRACE_OBJECT_##kind, mode_, 0);                         \
	}

#define PRIM_LIBRARY_TRY(kind, ret, name, params, args, object_, mode_)                  \
	EXPORT ret name params                                                           \
	{                                                                                \
		unsigned mode = (mode_);                                                 \
		struct call call;                                                        \
		ret rc;                                                                  \
                                                                                         \
		if (unlikely(!shim_enter(&call)) ||                                      \
		    unlikely(!lock_before(&call, TRACE_OBJECT_##kind, object_, mode))) { \
			return real_##name args;                                         \
		}                                                                        \
		shim_mute(&call);                                                        \
		rc = LIBRARY_REAL(name) args;                                            \
		lock_after(&call, TRACE_OBJECT_##kind, mode, LIBRARY_RESULT(rc, mode));  \
		return rc;                                                               \
	}

/*
 * HOT: records the release; the guard is held before and open after. An owner that we do not know locked
 * it out of our sight.
 */
static hot_inline void library_unlock(struct call *c, const volatile void *address, unsigned kind)
{
	struct object *o = unlock_find(c, address, kind);

	if (unlikely(o && (o->flags & OBJECT_DESTROYED || !unlock_owned(c, o, kind)))) {
		uint32_t owner = odd_owner(o);

		c->stack = stack_id(c);
		emit_osar(c->s, TRACE_RELEASE_ODD, o->id, c->stack, owner ? owner : UINT32_MAX, 0);
		atomic_store_explicit(&o->owner, 0, memory_order_relaxed);
		o->depth = 0;
		o->flags |= OBJECT_OWNER_UNKNOWN;
	}
	shim_leave(c);
}

#define PRIM_LIBRARY_UNLOCK(kind, ret, name, params, args, object_, mode_) \
	EXPORT ret name params                                             \
	{                                                                  \
		struct call call;                                          \
                                                                           \
		if (unlikely(!shim_enter(&call))) {                        \
			real_##name args;                                  \
			return;                                            \
		}                                                          \
		library_unlock(&call, object_, TRACE_OBJECT_##kind);       \
		shim_mute(&call);                                          \
		LIBRARY_REAL(name) args;                                   \
		shim_unmute(&call);                                        \
	}

/* `mode_` = attributes beyond what the kind says. */
#define PRIM_LIBRARY_INIT(kind, ret, name, params, args, object_, mode_)                       \
	EXPORT ret name params                                                                 \
	{                                                                                      \
		struct call call;                                                              \
                                                                                               \
		if (unlikely(!shim_enter(&call))) {                                            \
			real_##name args;                                                      \
			return;                                                                \
		}                                                                              \
		call.stack = stack_id(&call);                                                  \
		shim_mute(&call);                                                              \
		LIBRARY_REAL(name) args;                                                       \
		init_after(&call, object_, TRACE_OBJECT_##kind, LIBRARY_INIT(kind, mode_), 0); \
	}
#define LIBRARY_INIT(kind, attributes)                                                    \
	((TRACE_OBJECT_##kind & KIND_FOREIGN) >> KIND_LIBRARY_SHIFT << TF_LIBRARY_SHIFT | \
	 (TRACE_OBJECT_##kind & KIND_TYPE_1 ? 1u : 0) | (uint32_t)(attributes))

#define PRIM_LIBRARY_DESTROY(kind, ret, name, params, args, object_, mode_)  \
	EXPORT ret name params                                               \
	{                                                                    \
		struct call call;                                            \
		uint32_t state;                                              \
                                                                             \
		if (unlikely(!shim_enter(&call))) {                          \
			real_##name args;                                    \
			return;                                              \
		}                                                            \
		state = destroy_before(&call, object_, TRACE_OBJECT_##kind); \
		shim_mute(&call);                                            \
		LIBRARY_REAL(name) args;                                     \
		shim_unmute(&call);                                          \
		destroy_after(&call, state, 0);                              \
	}

/* ---- condition variables ---- */

struct library_wait {
	struct object *mutex; /* NULL = not seen locked: it is left out of the records */
	uint32_t mutex_id;
	uint32_t depth;
	bool shared; /* held for reading: its release and acquire are records of their own */
};

/*
 * HOT: records the wait and, where it is known, the release of the mutex; opens the guard, muted. False:
 * out of memory, nothing is recorded of this call.
 */
static inline bool library_wait_before(struct call *c, struct library_wait *w,
				       const volatile void *cond, unsigned kind,
				       const volatile void *mutex, unsigned mode)
{
	struct stream *s = c->s;
	struct object *o = object_peek((uintptr_t)mutex);

	*w = (struct library_wait){ 0 };
	c->stack = stack_id(c);
	c->object = object_find(c, cond, kind);
	if (!c->object) {
		s->segment->lost++;
		shim_leave(c);
		return false;
	}
	c->object_id = c->object->id;
	if (o && atomic_load_explicit(&o->owner, memory_order_relaxed) == s->thread) {
		w->mutex = o;
		w->mutex_id = o->id;
		w->depth = o->depth;
		o->depth = 0;
		atomic_store_explicit(&o->owner, 0, memory_order_relaxed);
		s->held -= s->held != 0;
	} else if (o && KIND_OF(o->kind) == TRACE_OBJECT_RWLOCK && s->read_held_count < READ_HELD &&
		   read_held_remove(s, o)) {
		w->mutex = o;
		w->mutex_id = o->id;
		w->shared = true;
		s->held -= s->held != 0;
		emit_o(s, TRACE_RELEASE, o->id);
	}
	atomic_fetch_add_explicit(&c->object->waiters, 1, memory_order_relaxed);
	emit_cond_wait(s, c->object_id, w->shared ? 0 : w->mutex_id, c->stack, mode);
	wait_set(c, TRACE_WAIT_COND, c->object_id, w->shared ? 0 : w->mutex_id, mode,
		 s->last_ticks);
	shim_mute(c);
	return true;
}

static inline void library_wait_after(struct call *c, struct library_wait *w, int rc)
{
	struct stream *s = c->s;
	uint64_t seq = 0;

	shim_reenter(c);
	wait_clear(c);
	if (c->object->id == c->object_id) {
		atomic_fetch_sub_explicit(&c->object->waiters, 1, memory_order_relaxed);
	}
	if (w->mutex && !w->shared) {
		seq = lock_own(s, w->mutex);
		w->mutex->depth = w->depth;
		s->held++;
	}
	emit_cond_wake(s, c->object_id, w->shared ? 0 : w->mutex_id, c->stack, 0, rc, seq);
	if (w->shared) {
		c->object = w->mutex;
		c->object_id = w->mutex_id;
		lock_acquired(c, TRACE_OBJECT_RWLOCK, TRACE_MODE_SHARED, 0);
	}
	shim_leave(c);
}

/* Both take c as the condition variable and m as the lock, like PRIM_COND_WAIT. */
#define PRIM_LIBRARY_WAIT(kind, ret, name, params, args, object_, mode_)                          \
	EXPORT ret name params                                                                    \
	{                                                                                         \
		struct library_wait wait;                                                         \
		struct call call;                                                                 \
                                                                                                  \
		if (unlikely(!shim_enter(&call)) ||                                               \
		    !library_wait_before(&call, &wait, object_, TRACE_OBJECT_##kind, m, mode_)) { \
			real_##name args;                                                         \
			return;                                                                   \
		}                                                                                 \
		LIBRARY_REAL(name) args;                                                          \
		library_wait_after(&call, &wait, 0);                                              \
	}

#define PRIM_LIBRARY_TIMED_WAIT(kind, ret, name, params, args, object_, mode_)                    \
	EXPORT ret name params                                                                    \
	{                                                                                         \
		struct library_wait wait;                                                         \
		struct call call;                                                                 \
		ret rc;                                                                           \
                                                                                                  \
		if (unlikely(!shim_enter(&call)) ||                                               \
		    !library_wait_before(&call, &wait, object_, TRACE_OBJECT_##kind, m, mode_)) { \
			return real_##name args;                                                  \
		}                                                                                 \
		rc = LIBRARY_REAL(name) args;                                                     \
		library_wait_after(&call, &wait, rc ? 0 : ETIMEDOUT);                             \
		return rc;                                                                        \
	}

#define PRIM_LIBRARY_WAKE(kind, ret, name, params, args, object_, op)                              \
	EXPORT ret name params                                                                     \
	{                                                                                          \
		struct call call;                                                                  \
                                                                                                   \
		if (unlikely(!shim_enter(&call))) {                                                \
			real_##name args;                                                          \
			return;                                                                    \
		}                                                                                  \
		call.stack = stack_id(&call);                                                      \
		call.object = object_find(&call, object_, TRACE_OBJECT_##kind);                    \
		if (call.object) {                                                                 \
			emit_osa_seq(                                                              \
				call.s, op, call.object->id, call.stack,                           \
				atomic_load_explicit(&call.object->waiters, memory_order_relaxed), \
				0);                                                                \
		}                                                                                  \
		shim_mute(&call);                                                                  \
		LIBRARY_REAL(name) args;                                                           \
		shim_unmute(&call);                                                                \
	}

#endif
