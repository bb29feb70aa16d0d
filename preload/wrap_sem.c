/* SPDX-License-Identifier: MIT */
/*
 * wrap_sem.c - POSIX semaphores. Failures are -1 and errno, which is only read here.
 */
#include "python/py.h"
#include "wrap.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>

#define RESULT(rc) ((rc) == 0 ? 0 : errno)

/* What only tries here may be the first half of a caller's wait, of which the second is left out when it succeeds. */
static unsigned sem_mode(unsigned mode, bool done)
{
	if (likely(!(mode & TRACE_MODE_TRY)) || !shim_stream ||
	    __atomic_load_n(&python_semaphore_waits, __ATOMIC_RELAXED) != shim_stream) {
		return mode;
	}
	__atomic_store_n(&python_semaphore_waits, NULL, __ATOMIC_RELAXED);
	return done ? 0 : mode;
}

#undef PRIM_SEM_WAIT
#define PRIM_SEM_WAIT(kind, ret, name, params, args, object_, mode_)                          \
	EXPORT ret name params                                                                \
	{                                                                                     \
		struct call call;                                                             \
		ret rc;                                                                       \
                                                                                              \
		if (unlikely(!shim_enter(&call)) ||                                           \
		    unlikely(!lock_before(&call, TRACE_OBJECT_##kind, object_, mode_))) {     \
			return real_##name args;                                              \
		}                                                                             \
		rc = real_##name args;                                                        \
		lock_after(&call, TRACE_OBJECT_##kind, sem_mode(mode_, rc == 0), RESULT(rc)); \
		return rc;                                                                    \
	}

#define PRIM_SEM_POST(kind, ret, name, params, args, object_, mode_)                             \
	EXPORT ret name params                                                                   \
	{                                                                                        \
		struct call call;                                                                \
                                                                                                 \
		if (likely(shim_enter(&call))) {                                                 \
			call.stack = stack_id(&call);                                            \
			call.object = object_find(&call, object_, TRACE_OBJECT_SEM);             \
			if (call.object) {                                                       \
				emit_os_seq(call.s, TRACE_POST, call.object->id, call.stack, 0); \
			}                                                                        \
			shim_leave(&call);                                                       \
		}                                                                                \
		return real_##name args;                                                         \
	}

#include "../spec/primitives/sem.def"

EXPORT int sem_init(sem_t *s, int pshared, unsigned value)
{
	struct call call;
	int rc;

	if (!shim_enter(&call)) {
		return real_sem_init(s, pshared, value);
	}
	shim_leave(&call);
	rc = real_sem_init(s, pshared, value);
	init_after(&call, s, TRACE_OBJECT_SEM,
		   sem_attribute(value & SEM_VALUE_MAX) | (pshared ? TF_COUNT_SHARED : 0),
		   RESULT(rc));
	return rc;
}

EXPORT int sem_destroy(sem_t *s)
{
	struct call call;
	uint32_t state;
	int rc;

	if (!shim_enter(&call)) {
		return real_sem_destroy(s);
	}
	state = destroy_before(&call, s, TRACE_OBJECT_SEM);
	rc = real_sem_destroy(s);
	destroy_after(&call, state, RESULT(rc));
	return rc;
}

/*
 * One name gives one address until it is closed as often as it was opened: only the first open
 * makes an object.
 */
static void note_open(struct call *c, sem_t *s)
{
	const struct py_site *site;
	struct object *o;
	int value = 0, saved = errno;

	if (s == SEM_FAILED) {
		return;
	}
	if (real_sem_getvalue) {
		real_sem_getvalue(s, &value);
	}
	errno = saved;
	site = python_semaphore_site();
	shim_reenter(c);
	c->stack = stack_id(c);
	o = object_peek((uintptr_t)s);
	if (o && o->kind == TRACE_OBJECT_SEM) {
		shim_leave(c);
		return;
	}
	shim_leave(c);
	init_after(c, s, TRACE_OBJECT_SEM, sem_attribute((uint32_t)value) | TF_COUNT_SHARED, 0);
	if (site) {
		shim_reenter(c);
		o = object_peek((uintptr_t)s);
		if (o) {
			python_semaphore_named(o->id, site);
		}
		shim_leave(c);
	}
}

EXPORT sem_t *sem_open(const char *name, int flags, ...)
{
	typedef sem_t *open4(const char *, int, mode_t, unsigned);
	mode_t mode = 0;
	unsigned value = 0;
	struct call call;
	bool recorded;
	va_list list;
	sem_t *s;

	if (flags & O_CREAT) {
		va_start(list, flags);
		mode = va_arg(list, mode_t);
		value = va_arg(list, unsigned);
		va_end(list);
	}
	recorded = shim_enter(&call);
	if (recorded) {
		shim_leave(&call);
	}
	shim_resolve_once();
	s = ((open4 *)real_sem_open)(name, flags, mode, value);
	if (recorded) {
		note_open(&call, s);
	}
	return s;
}

EXPORT int sem_close(sem_t *s)
{
	return real_sem_close(s);
}
