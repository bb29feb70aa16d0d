/* SPDX-License-Identifier: MIT */
/*
 * wrap.h - the wrapper bodies: one macro a SHAPE of the tables in spec/primitives/, each a frame
 * around inline functions.
 *
 * A family file sets RESULT(rc) (how a return value becomes an errno value) and includes its .def
 * with PRIM as below. The macro only captures the caller and keeps the real call outside the guard;
 * what is recorded is decided in the functions.
 */
#ifndef THRUM_WRAP_H
#define THRUM_WRAP_H

#include "shim_emit.h"
#include "shim_sanitizer.h"

#include <errno.h>

/* ---- exclusive and shared locks ---- */

/* HOT: would the call block? Only decides whether a REQUEST is written. */
static hot_inline bool lock_is_contended(unsigned kind, const volatile void *address, unsigned mode)
{
	const void *p = (const void *)(uintptr_t)address;

	switch (kind) {
	case TRACE_OBJECT_MUTEX:
		return arch_mutex_is_locked(p);
	case TRACE_OBJECT_RWLOCK:
		return mode & TRACE_MODE_SHARED ? arch_rwlock_is_write_locked(p)
						: arch_rwlock_is_locked(p);
	case TRACE_OBJECT_SPIN:
		return arch_spin_is_locked(p);
	case TRACE_OBJECT_SEM:
		return arch_sem_value(p) == 0;
	default:
		return false;
	}
}

/*
 * HOT: stack, identity, wait slot; opens the guard. False: out of memory, nothing is recorded of
 * this call.
 */
static hot_inline bool lock_before(struct call *c, unsigned kind, const volatile void *address,
				   unsigned mode)
{
	struct object *o;

	c->stack = stack_id(c);
	o = c->object = object_find(c, address, kind);
	if (unlikely(!o)) {
		c->s->segment->lost++;
		shim_leave(c);
		return false;
	}
	c->object_id = o->id;
	if (!(mode & TRACE_MODE_TRY)) {
		uint64_t since = 0;
		uint32_t owner = atomic_load_explicit(&o->owner, memory_order_relaxed);

		if (unlikely(kind & KIND_FOREIGN ? owner != 0
						 : lock_is_contended(kind, address, mode)) &&
		    owner != c->s->thread) {
			emit_request(c->s, o->id, c->stack, mode, owner);
			since = c->s->last_ticks;
		}
		wait_set(c, KIND_OF(kind) == TRACE_OBJECT_SEM ? TRACE_WAIT_SEM : TRACE_WAIT_LOCK,
			 o->id, 0, mode, since);
	}
	shim_leave(c);
	return true;
}

/*
 * HOT: takes note of an exclusive acquire; returns its number when the record must name it, else 0.
 */
static hot_inline uint64_t lock_own(struct stream *s, struct object *o)
{
	bool follows = o->last_stream == s->order_key;

	atomic_store_explicit(&o->owner, s->thread, memory_order_relaxed);
	o->flags &= (uint16_t)~OBJECT_OWNER_UNKNOWN;
	o->last_stream = s->order_key;
	o->seq++;
	return follows ? 0 : o->seq;
}

static inline bool lock_can_recurse(const struct object *o)
{
	return (o->attributes & TF_MUTEX_TYPE_MASK) == PTHREAD_MUTEX_RECURSIVE_NP;
}

static hot_inline void lock_acquired(struct call *c, unsigned kind, unsigned mode, int rc)
{
	struct stream *s = c->s;
	struct object *o = c->object;
	uint64_t seq = 0;
	unsigned op = mode & TRACE_MODE_TRY	? TRACE_ACQUIRE_TRY
		      : mode & TRACE_MODE_TIMED ? TRACE_ACQUIRE_TIMED
						: TRACE_ACQUIRE;

	if (mode & TRACE_MODE_SHARED) {
		op++; /* each exclusive op is followed by its shared twin in events.def */
		seq = o->last_stream == s->order_key ? 0 : o->seq;
		if (s->read_held_count < READ_HELD) {
			s->read_held[s->read_held_count++] = o;
		}
		s->held++;
	} else if (KIND_OF(kind) != TRACE_OBJECT_SEM) {
		if (unlikely(KIND_OF(kind) == TRACE_OBJECT_MUTEX &&
			     atomic_load_explicit(&o->owner, memory_order_relaxed) == s->thread)) {
			if (unlikely(o->flags & OBJECT_SHARED) && !lock_can_recurse(o)) {
				seq = lock_own(s, o); /* another process unlocked it */
				s->held--;
			} else {
				o->depth++; /* recursive */
			}
		} else {
			o->depth = 0;
			seq = lock_own(s, o);
		}
		s->held++;
	}
	if (unlikely(rc == EOWNERDEAD)) {
		emit_osa_seq(s, TRACE_ACQUIRE_OWNERDEAD, c->object_id, c->stack, mode, seq);
	} else if (KIND_OF(kind) == TRACE_OBJECT_SEM) {
		emit_sem_taken(s, op, c->object_id, c->stack);
	} else {
		emit_os_seq(s, op, c->object_id, c->stack, seq);
	}
}

/* HOT: after the real call. `rc` is an errno value, 0 = acquired. */
static hot_inline void lock_after(struct call *c, unsigned kind, unsigned mode, int rc)
{
	shim_reenter(c);
	if (!(mode & TRACE_MODE_TRY)) {
		wait_clear(c);
	}
	if (likely(rc == 0) || (rc == EOWNERDEAD && kind == TRACE_OBJECT_MUTEX)) {
		lock_acquired(c, kind, mode, rc);
	} else {
		emit_osar(c->s, TRACE_ACQUIRE_FAIL, c->object_id, c->stack, mode, rc);
	}
	shim_leave(c);
}

static hot_inline bool read_held_remove(struct stream *s, const struct object *o)
{
	for (uint32_t i = s->read_held_count; i-- > 0;) {
		if (s->read_held[i] == o) {
			s->read_held[i] = s->read_held[--s->read_held_count];
			return true;
		}
	}
	return s->read_held_count == READ_HELD; /* more than we remember: believe it */
}

/*
 * HOT: the owner's unlock, recorded before the real one: afterwards the lock may be another's, or
 * freed.
 */
static hot_inline bool unlock_owned(struct call *c, struct object *o, unsigned kind)
{
	struct stream *s = c->s;

	if (likely(atomic_load_explicit(&o->owner, memory_order_relaxed) == s->thread)) {
		if (unlikely(o->depth)) {
			o->depth--;
		} else {
			atomic_store_explicit(&o->owner, 0, memory_order_relaxed);
		}
	} else if (KIND_OF(kind) != TRACE_OBJECT_RWLOCK || !read_held_remove(s, o)) {
		return false;
	}
	s->held -= s->held != 0;
	emit_o(s, TRACE_RELEASE, o->id);
	return true;
}

/* SLOW: who holds it, as far as we know, for RELEASE_ODD. */
static inline uint32_t odd_owner(const struct object *o)
{
	uint32_t owner = atomic_load_explicit(&o->owner, memory_order_relaxed);
	uintptr_t address = atomic_load_explicit(&o->address, memory_order_relaxed);

	if (o->flags & OBJECT_OWNER_UNKNOWN) {
		return UINT32_MAX;
	}
	if (o->flags & OBJECT_SHARED && !owner && address &&
	    lock_is_contended(o->kind, (const void *)address, 0)) {
		return UINT32_MAX; /* another process locked it */
	}
	return owner;
}

#define PRIM_LOCK(kind, ret, name, params, args, object_, mode_)                          \
	EXPORT ret name params                                                            \
	{                                                                                 \
		struct call call;                                                         \
		ret rc;                                                                   \
                                                                                          \
		if (unlikely(!shim_enter(&call)) ||                                       \
		    unlikely(!lock_before(&call, TRACE_OBJECT_##kind, object_, mode_))) { \
			return real_##name args;                                          \
		}                                                                         \
		rc = real_##name args;                                                    \
		lock_after(&call, TRACE_OBJECT_##kind, mode_, RESULT(rc));                \
		return rc;                                                                \
	}
#define PRIM_SEM_WAIT PRIM_LOCK

/*
 * The same, of locks that ThreadSanitizer knows and calls that it may not know: what it does not see it is told, else it would
 * report a race of what the lock keeps apart, and an unlock of a lock that nobody has.
 */
#define PRIM_LOCK_CLOCKED(kind, ret, name, params, args, object_, mode_)                         \
	EXPORT ret name params                                                                   \
	{                                                                                        \
		struct call call;                                                                \
		bool recorded = likely(shim_enter(&call)) &&                                     \
				likely(lock_before(&call, TRACE_OBJECT_##kind, object_, mode_)); \
		bool tell = unlikely(tsan.misses.name);                                          \
		ret rc;                                                                          \
                                                                                                 \
		if (tell) {                                                                      \
			sanitizer_locks(object_, mode_);                                         \
		}                                                                                \
		rc = real_##name args;                                                           \
		if (tell) {                                                                      \
			sanitizer_locked(object_, mode_, rc == 0 || rc == EOWNERDEAD);           \
		}                                                                                \
		if (likely(recorded)) {                                                          \
			lock_after(&call, TRACE_OBJECT_##kind, mode_, RESULT(rc));               \
		}                                                                                \
		return rc;                                                                       \
	}

#define PRIM_SEM_WAIT_CLOCKED(kind, ret, name, params, args, object_, mode_)                     \
	EXPORT ret name params                                                                   \
	{                                                                                        \
		struct call call;                                                                \
		bool recorded = likely(shim_enter(&call)) &&                                     \
				likely(lock_before(&call, TRACE_OBJECT_##kind, object_, mode_)); \
		ret rc = real_##name args;                                                       \
                                                                                                 \
		if (unlikely(tsan.misses.name) && rc == 0) {                                     \
			tsan.__tsan_acquire(object_);                                            \
		}                                                                                \
		if (likely(recorded)) {                                                          \
			lock_after(&call, TRACE_OBJECT_##kind, mode_, RESULT(rc));               \
		}                                                                                \
		return rc;                                                                       \
	}

#define PRIM_UNLOCK(kind, ret, name, params, args, object_, mode_)                         \
	EXPORT ret name params                                                             \
	{                                                                                  \
		struct call call;                                                          \
		struct object *o;                                                          \
		uint32_t owner;                                                            \
		ret rc;                                                                    \
                                                                                           \
		if (unlikely(!shim_enter(&call))) {                                        \
			return real_##name args;                                           \
		}                                                                          \
		o = unlock_find(&call, object_, TRACE_OBJECT_##kind);                      \
		if (unlikely(!o) || likely(!(o->flags & OBJECT_DESTROYED) &&               \
					   unlock_owned(&call, o, TRACE_OBJECT_##kind))) { \
			shim_leave(&call);                                                 \
			return real_##name args;                                           \
		}                                                                          \
		call.object = o;                                                           \
		owner = unlock_odd_before(&call);                                          \
		rc = real_##name args;                                                     \
		unlock_odd_after(&call, owner, RESULT(rc));                                \
		return rc;                                                                 \
	}

/* HOT for a known lock: no stack is needed unless something is odd. */
static hot_inline struct object *unlock_find(struct call *c, const volatile void *address,
					     unsigned kind)
{
	uintptr_t a = (uintptr_t)address;
	struct object *o = *object_slot(c->s, a);

	if (likely(o && atomic_load_explicit(&o->address, memory_order_relaxed) == a &&
		   o->kind == kind && !(o->flags & OBJECT_DESTROYED))) {
		return o;
	}
	c->stack = stack_id(c);
	return object_find(c, address, kind);
}

static inline uint32_t unlock_odd_before(struct call *c)
{
	uint32_t owner = odd_owner(c->object);

	c->stack = stack_id(c);
	c->object_id = c->object->id;
	shim_leave(c);
	return owner;
}

static inline void unlock_odd_after(struct call *c, uint32_t owner, int rc)
{
	shim_reenter(c);
	if (rc == 0 && atomic_load_explicit(&c->object->owner, memory_order_relaxed) == owner) {
		atomic_store_explicit(&c->object->owner, 0, memory_order_relaxed);
		c->object->depth = 0;
		c->object->flags &= (uint16_t)~OBJECT_OWNER_UNKNOWN;
	}
	emit_osar(c->s, TRACE_RELEASE_ODD, c->object_id, c->stack, owner, rc);
	shim_leave(c);
}

/* ---- life ---- */

/* SLOW: after a successful initialisation. */
static inline void init_after(struct call *c, const volatile void *address, unsigned kind,
			      uint32_t attributes, int rc)
{
	struct object *o;

	shim_reenter(c);
	c->stack = stack_id(c);
	o = rc == 0 ? object_renew(c, (uintptr_t)address, kind) : NULL;
	if (o) {
		if (!(attributes & TF_ATTRIBUTES_UNKNOWN)) {
			o->attributes = attributes;
		}
		o->flags &= (uint16_t)~OBJECT_OWNER_UNKNOWN;
		emit_osar(c->s, TRACE_INIT, o->id, c->stack, o->attributes, 0);
	}
	shim_leave(c);
}

#define PRIM_INIT(kind, ret, name, params, args, object_, mode_)                       \
	EXPORT ret name params                                                         \
	{                                                                              \
		struct call call;                                                      \
		ret rc;                                                                \
                                                                                       \
		if (unlikely(!shim_enter(&call))) {                                    \
			return real_##name args;                                       \
		}                                                                      \
		shim_leave(&call);                                                     \
		rc = real_##name args;                                                 \
		init_after(&call, object_, TRACE_OBJECT_##kind, TF_ATTRIBUTES_UNKNOWN, \
			   RESULT(rc));                                                \
		return rc;                                                             \
	}

/*
 * glibc's destroy of a condition variable or barrier waits until nobody is inside: recorded before,
 * lest it never is.
 */
static inline bool destroy_may_block(unsigned kind, uint32_t state)
{
	return (kind == TRACE_OBJECT_COND || kind == TRACE_OBJECT_BARRIER) &&
	       state & TRACE_DESTROY_WAITED;
}

/* SLOW: what is known just before a destroy; opens the guard. */
static inline uint32_t destroy_before(struct call *c, const volatile void *address, unsigned kind)
{
	uint32_t state = 0;

	c->stack = stack_id(c);
	c->object = object_find(c, address, kind);
	if (c->object) {
		c->object_id = c->object->id;
		state |= atomic_load(&c->object->owner) || (KIND_OF(kind) != TRACE_OBJECT_SEM &&
							    lock_is_contended(kind, address, 0))
				 ? TRACE_DESTROY_LOCKED
				 : 0;
		state |= atomic_load(&c->object->waiters) || object_has_waiter(c->object_id)
				 ? TRACE_DESTROY_WAITED
				 : 0;
		if (destroy_may_block(kind, state)) {
			emit_osar(c->s, TRACE_DESTROY, c->object_id, c->stack, state, 0);
		}
	}
	shim_leave(c);
	return state;
}

static inline void destroy_after(struct call *c, uint32_t state, int rc)
{
	if (!c->object) {
		return;
	}
	shim_reenter(c);
	if (!destroy_may_block(c->object->kind, state)) {
		emit_osar(c->s, TRACE_DESTROY, c->object_id, c->stack, state, rc);
	}
	if (rc == 0 && c->object->id == c->object_id) {
		uintptr_t address = atomic_load(&c->object->address);

		c->object->flags |= OBJECT_DESTROYED;
		atomic_store(&c->object->owner, 0);
		if (c->object->kind == TRACE_OBJECT_RWLOCK && address) {
			arch_rwlock_mark_destroyed((void *)address);
		}
	}
	shim_leave(c);
}

#define PRIM_DESTROY(kind, ret, name, params, args, object_, mode_)          \
	EXPORT ret name params                                               \
	{                                                                    \
		struct call call;                                            \
		uint32_t state;                                              \
		ret rc;                                                      \
                                                                             \
		if (unlikely(!shim_enter(&call))) {                          \
			return real_##name args;                             \
		}                                                            \
		state = destroy_before(&call, object_, TRACE_OBJECT_##kind); \
		rc = real_##name args;                                       \
		destroy_after(&call, state, RESULT(rc));                     \
		return rc;                                                   \
	}

/* ---- cancellation without unwinder tables: what pthread_cleanup_push does in C ---- */

/* glibc's, with the short buffer: without a saved mask only its first 64 bytes are used. */
extern int sigsetjmp_short(void *env, int savemask) __asm__("__sigsetjmp")
	__attribute__((returns_twice, nothrow));

/* True: this is the cancelled thread on its way out; run the clean-up, then cancel_continue. */
#define cancel_push(buffer)                                        \
	(real___pthread_register_cancel &&                         \
	 (unlikely(sigsetjmp_short((buffer)->__cancel_jmp_buf, 0)) \
		  ? true                                           \
		  : (real___pthread_register_cancel(buffer), false)))
static inline void cancel_pop(__pthread_unwind_buf_t *buffer)
{
	if (real___pthread_unregister_cancel) {
		real___pthread_unregister_cancel(buffer);
	}
}
static inline void cancel_continue(__pthread_unwind_buf_t *buffer)
{
	real___pthread_unwind_next(buffer);
	__builtin_unreachable();
}

/* ---- rows without a generic body are written by hand in the family's file ---- */
#define PRIM_CUSTOM(kind, ret, name, params, args, object_, mode_)

#define PRIM(shape, kind, ret, name, params, args, object_, mode_, doc) \
	PRIM_##shape(kind, ret, name, params, args, object_, mode_)

#endif
