/* SPDX-License-Identifier: MIT */
/*
 * wrap_sync.c - barriers, once, and the guards of C++ function-local statics.
 *
 * A finished once that is called with nothing held cannot take part in any deadlock, and OpenSSL
 * calls such a one all the time: it goes unrecorded. An initialiser that leaves by an exception
 * never comes back here; its call is closed (aborted) by the next once of the thread, which finds
 * itself above it on the stack.
 */
#include "wrap_sync.h"

#define RESULT(rc) (rc)

#include "../spec/primitives/sync.def"

/* ---- barriers ---- */

EXPORT int pthread_barrier_wait(pthread_barrier_t *b)
{
	struct call call;
	int rc;

	if (!shim_enter(&call)) {
		return real_pthread_barrier_wait(b);
	}
	call.stack = stack_id(&call);
	call.object = object_find(&call, b, TRACE_OBJECT_BARRIER);
	if (!call.object) {
		shim_leave(&call);
		return real_pthread_barrier_wait(b);
	}
	call.object_id = call.object->id;
	atomic_fetch_add_explicit(&call.object->waiters, 1, memory_order_relaxed);
	emit_os_seq(call.s, TRACE_BARRIER_ARRIVE, call.object_id, call.stack, 0);
	wait_set(&call, TRACE_WAIT_BARRIER, call.object_id, 0, 0, call.s->last_ticks);
	shim_leave(&call);
	rc = real_pthread_barrier_wait(b);
	shim_reenter(&call);
	wait_clear(&call);
	if (call.object->id == call.object_id) { /* its last user may have destroyed it already */
		atomic_fetch_sub_explicit(&call.object->waiters, 1, memory_order_relaxed);
	}
	emit_or(call.s, TRACE_BARRIER_LEAVE, call.object_id, rc);
	shim_leave(&call);
	return rc;
}

EXPORT int pthread_barrier_init(pthread_barrier_t *restrict b,
				const pthread_barrierattr_t *restrict a, unsigned n)
{
	struct call call;
	int rc;

	if (!shim_enter(&call)) {
		return real_pthread_barrier_init(b, a, n);
	}
	shim_leave(&call);
	rc = real_pthread_barrier_init(b, a, n);
	init_after(&call, b, TRACE_OBJECT_BARRIER,
		   n % TF_COUNT_SHARED | (arch_barrierattr_is_shared(a) ? TF_COUNT_SHARED : 0), rc);
	return rc;
}

/* ---- once ---- */

/* Closes the innermost call. */
static void once_end(struct stream *s, unsigned aborted)
{
	struct once_call *o = &s->once[--s->once_count];

	if (o->began) {
		s->held -= s->held != 0;
		emit_oa(s, TRACE_ONCE_END, o->object_id, aborted);
	}
}

/* Calls that an exception or a longjmp left: their frames are not above the caller's any more. */
static void once_close_stale(struct call *c)
{
	struct stream *s = c->s;

	while (s->once_count && s->once[s->once_count - 1].sp <= c->caller.sp &&
	       c->caller.sp < s->stack_high) {
		once_end(s, 1);
	}
}

CALLS_BACK static void runner(void)
{
	__pthread_unwind_buf_t unwind_buffer;
	struct call call = { .s = shim_stream, .caller = ARCH_CALLER() };
	struct once_call *o = &call.s->once[call.s->once_count - 1];

	shim_reenter(&call);
	wait_clear(&call);
	o->began = true;
	call.s->held++;
	emit_os_seq(call.s, TRACE_ONCE_BEGIN, o->object_id, o->stack, 0);
	shim_leave(&call);
	if (cancel_push(&unwind_buffer)) {
		shim_reenter(&call);
		once_end(call.s, 1);
		shim_leave(&call);
		cancel_continue(&unwind_buffer);
	}
	o->routine();
	cancel_pop(&unwind_buffer);
}

/* False: nothing to record. */
static bool once_before(struct call *c, const void *control, unsigned kind, bool done)
{
	once_close_stale(c);
	if ((done && !c->s->held) || c->s->once_count == ONCE_DEPTH) {
		shim_leave(c);
		return false;
	}
	c->stack = stack_id(c);
	c->object = object_find(c, control, kind);
	if (!c->object) {
		shim_leave(c);
		return false;
	}
	c->object_id = c->object->id;
	wait_set(c, TRACE_WAIT_ONCE, c->object_id, 0, 0, 0);
	return true;
}

void once_call(void *control, void (*routine)(void), struct arch_caller caller,
	       void (*real)(void *, void (*)(void)))
{
	bool done = arch_once_is_done(control);
	struct once_call *o;
	struct call call;
	uint32_t depth;

	if (!shim_enter_with(&call, caller, ROOM_EARLY) ||
	    !once_before(&call, control, TRACE_OBJECT_ONCE, done)) {
		real(control, routine);
		return;
	}
	depth = call.s->once_count++;
	o = &call.s->once[depth];
	*o = (struct once_call){ .routine = routine,
				 .object_id = call.object_id,
				 .stack = call.stack,
				 .sp = caller.sp };
	shim_leave(&call);
	real(control, runner);
	shim_reenter(&call);
	wait_clear(&call);
	if (!o->began) {
		emit_osa_seq(call.s, TRACE_ONCE_PASS, o->object_id, o->stack, !done, 0);
	}
	while (call.s->once_count > depth) {
		once_end(call.s, 0);
	}
	shim_leave(&call);
}

static void real_once(void *control, void (*routine)(void))
{
	real_pthread_once(control, routine);
}

EXPORT int pthread_once(pthread_once_t *o, void (*f)(void))
{
	once_call(o, f, ARCH_CALLER(), real_once);
	return 0; /* glibc's never fails */
}

/*
 * ---- guards: the compiler's code has looked at the first byte already, so a call means "not done
 * when I looked" ----
 */

/*
 * A guard call ends in another function than it began in, so it cannot live on the wrapper's stack.
 */
enum { GUARDS = 64 };
struct guard_slot {
	_Atomic uintptr_t guard;
	uint32_t object_id;
};
static struct guard_slot guards[GUARDS];

static struct guard_slot *guard_slot(uintptr_t guard, uintptr_t want)
{
	for (unsigned i = 0; i < GUARDS; i++) {
		struct guard_slot *g = &guards[(guard / 8 + i) % GUARDS];

		if (atomic_load(&g->guard) == want) {
			return g;
		}
	}
	return NULL;
}

EXPORT int __cxa_guard_acquire(int64_t *g)
{
	struct call call;
	int rc;

	if (!shim_enter(&call) ||
	    !once_before(&call, g, TRACE_OBJECT_GUARD, arch_guard_is_done(g))) {
		return real___cxa_guard_acquire(g);
	}
	shim_leave(&call);
	rc = real___cxa_guard_acquire(g);
	shim_reenter(&call);
	wait_clear(&call);
	if (rc) {
		struct guard_slot *slot = guard_slot((uintptr_t)g, 0);

		if (slot) {
			slot->object_id = call.object_id;
			atomic_store(&slot->guard, (uintptr_t)g);
			call.s->held++;
			emit_os_seq(call.s, TRACE_ONCE_BEGIN, call.object_id, call.stack, 0);
		}
	} else {
		emit_osa_seq(call.s, TRACE_ONCE_PASS, call.object_id, call.stack, 1, 0);
	}
	shim_leave(&call);
	return rc;
}

static void guard_end(struct call *c, int64_t *g, unsigned aborted)
{
	struct guard_slot *slot = guard_slot((uintptr_t)g, (uintptr_t)g);

	if (slot) {
		c->s->held -= c->s->held != 0;
		emit_oa(c->s, TRACE_ONCE_END, slot->object_id, aborted);
		atomic_store(&slot->guard, 0);
	}
	shim_leave(c);
}

EXPORT void __cxa_guard_release(int64_t *g)
{
	struct call call;

	if (shim_enter(&call)) {
		guard_end(&call, g, 0);
	}
	real___cxa_guard_release(g);
}

EXPORT void __cxa_guard_abort(int64_t *g)
{
	struct call call;

	if (shim_enter(&call)) {
		guard_end(&call, g, 1);
	}
	real___cxa_guard_abort(g);
}
