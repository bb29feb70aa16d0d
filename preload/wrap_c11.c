/* SPDX-License-Identifier: MIT */
/*
 * wrap_c11.c - C11 <threads.h>: glibc's calls internal aliases of the pthread functions, so each
 * name is its own hook. Results are thrd_*.
 */
#include "wrap_cond.h"
#include "wrap_sync.h"
#include "wrap_thread.h"

static inline int c11_errno(int rc)
{
	switch (rc) {
	case thrd_success:
		return 0;
	case thrd_busy:
		return EBUSY;
	case thrd_timedout:
		return ETIMEDOUT;
	case thrd_nomem:
		return ENOMEM;
	default:
		return EINVAL;
	}
}
#define RESULT(rc) c11_errno(rc)

#include "../spec/primitives/c11.def"

EXPORT void mtx_destroy(mtx_t *m)
{
	struct call call;
	uint32_t state;

	if (!shim_enter(&call)) {
		real_mtx_destroy(m);
		return;
	}
	state = destroy_before(&call, m, TRACE_OBJECT_MUTEX);
	real_mtx_destroy(m);
	destroy_after(&call, state, 0);
}

EXPORT void cnd_destroy(cnd_t *c)
{
	struct call call;
	uint32_t state;

	if (!shim_enter(&call)) {
		real_cnd_destroy(c);
		return;
	}
	state = destroy_before(&call, c, TRACE_OBJECT_COND);
	real_cnd_destroy(c);
	destroy_after(&call, state, 0);
}

static void real_once(void *control, void (*routine)(void))
{
	real_call_once(control, routine);
}

EXPORT void call_once(once_flag *o, void (*f)(void))
{
	once_call(o, f, ARCH_CALLER(), real_once);
}

/* ---- threads ---- */

TRAMPOLINE static int trampoline_c11(void *p)
{
	struct thread_start start = thread_started(p, (uintptr_t)__builtin_frame_address(0));
	__pthread_unwind_buf_t unwind_buffer;
	int result;

	if (cancel_push(&unwind_buffer)) {
		thread_over(shim_stream && shim_stream->exiting ? 1 : 2);
		cancel_continue(&unwind_buffer);
	}
	result = start.routine.c11(start.argument);
	cancel_pop(&unwind_buffer);
	thread_over(0);
	return result;
}

EXPORT int thrd_create(thrd_t *t, int (*f)(void *), void *p)
{
	struct thread_start *start;
	struct call call;
	uint32_t flags, id;
	int rc;

	if (!shim_enter(&call) || !(start = create_before(&call, NULL, (uintptr_t)f, &flags))) {
		return real_thrd_create(t, f, p);
	}
	start->routine.c11 = f;
	start->argument = p;
	id = start->id;
	rc = real_thrd_create(t, trampoline_c11, start);
	create_after(&call, start, id, flags, t, RESULT(rc));
	return rc;
}

EXPORT int thrd_join(thrd_t t, int *r)
{
	struct call call;
	uint32_t id;
	int rc;

	if (!shim_enter(&call)) {
		return real_thrd_join(t, r);
	}
	join_before(&call, (uintptr_t)t, 0, &id);
	rc = real_thrd_join(t, r);
	join_after(&call, (uintptr_t)t, 0, id, RESULT(rc));
	return rc;
}

EXPORT int thrd_detach(thrd_t t)
{
	struct call call;
	uint32_t id;
	int rc;

	if (!shim_enter(&call)) {
		return real_thrd_detach(t);
	}
	call.stack = stack_id(&call);
	id = thread_id_of(&call, (uintptr_t)t);
	shim_leave(&call);
	rc = real_thrd_detach(t);
	detach_after(&call, id, RESULT(rc));
	return rc;
}

EXPORT void thrd_exit(int r)
{
	struct call call;

	if (shim_enter(&call)) {
		exit_before(&call);
	}
	real_thrd_exit(r);
	__builtin_unreachable();
}
