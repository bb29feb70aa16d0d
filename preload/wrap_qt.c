/* SPDX-License-Identifier: MIT */
/*
 * wrap_qt.c - Qt's mutexes, read-write locks, semaphores and condition variables, by their C++ names, which are C
 * names too once they are mangled. A QDeadlineTimer travels in two registers, the first is INT64_MAX for ever.
 */
#include "wrap_library.h"

#include <limits.h>

enum {
	TRACE_OBJECT_Q_MUTEX = KIND_OF_LIBRARY(MUTEX, QT) | KIND_TYPE_UNKNOWN | KIND_ZERO_BORN,
	TRACE_OBJECT_Q_RW_LOCK = KIND_OF_LIBRARY(RWLOCK, QT) | KIND_TYPE_UNKNOWN | KIND_ZERO_BORN,
	TRACE_OBJECT_Q_SEM = KIND_OF_LIBRARY(SEM, QT) | KIND_TYPE_UNKNOWN,
	TRACE_OBJECT_Q_COND = KIND_OF_LIBRARY(COND, QT),
	MANY_UNITS = 1024, /* of a semaphore in one call: beyond, units go uncounted */
};

#include "../spec/primitives/qt.def"

/* ---- semaphores: n units are n acquires or posts ---- */

static void sem_emit(struct call *c, unsigned op, int units)
{
	for (int i = 0; i < units && i < MANY_UNITS; i++) {
		if (unlikely((size_t)(c->s->limit - c->s->cursor) < ROOM)) {
			shim_seal(c->s);
		}
		emit_os_seq(c->s, op, c->object_id, c->stack, 0);
	}
}

/* HOT: all n at once or none: the wait slot says so, before the thread can sleep. */
static hot_inline void wants_units(struct call *c, int units)
{
	if (likely(c->s->segment != NULL)) { /* no handler forked just now */
		c->s->segment->wait.other = units > 1 ? (uint32_t)units : 0;
	}
}

/* The first unit is lock_after's. */
static void sem_after(struct call *c, unsigned mode, int units, bool taken)
{
	lock_after(c, TRACE_OBJECT_Q_SEM, mode, LIBRARY_RESULT(taken, mode));
	if (taken && units > 1) {
		shim_reenter(c);
		sem_emit(c, mode & TRACE_MODE_TRY ? TRACE_ACQUIRE_TRY : TRACE_ACQUIRE, units - 1);
		shim_leave(c);
	}
}

EXPORT void _ZN10QSemaphore7acquireEi(void *s, int n)
{
	struct call call;

	if (n < 1 || !shim_enter(&call) || !lock_before(&call, TRACE_OBJECT_Q_SEM, s, 0)) {
		real__ZN10QSemaphore7acquireEi(s, n);
		return;
	}
	wants_units(&call, n);
	shim_mute(&call);
	LIBRARY_REAL(_ZN10QSemaphore7acquireEi)(s, n);
	sem_after(&call, 0, n, true);
}

#define TRY_ACQUIRE(name, params, args, mode)                           \
	EXPORT bool name params                                         \
	{                                                               \
		struct call call;                                       \
		bool rc;                                                \
                                                                        \
		if (n < 1 || !shim_enter(&call) ||                      \
		    !lock_before(&call, TRACE_OBJECT_Q_SEM, s, mode)) { \
			return real_##name args;                        \
		}                                                       \
		if (!((mode)&TRACE_MODE_TRY)) {                         \
			wants_units(&call, n);                          \
		}                                                       \
		shim_mute(&call);                                       \
		rc = LIBRARY_REAL(name) args;                           \
		sem_after(&call, mode, n, rc);                          \
		return rc;                                              \
	}
TRY_ACQUIRE(_ZN10QSemaphore10tryAcquireEi, (void *s, int n), (s, n), TRACE_MODE_TRY)
TRY_ACQUIRE(_ZN10QSemaphore10tryAcquireEii, (void *s, int n, int t), (s, n, t), qt_mode(t))

EXPORT void _ZN10QSemaphore7releaseEi(void *s, int n)
{
	struct call call;

	if (n < 1 || !shim_enter(&call)) {
		real__ZN10QSemaphore7releaseEi(s, n);
		return;
	}
	call.stack = stack_id(&call);
	call.object = object_find(&call, s, TRACE_OBJECT_Q_SEM);
	if (call.object) {
		call.object_id = call.object->id;
		sem_emit(&call, TRACE_POST, n);
	}
	shim_mute(&call);
	LIBRARY_REAL(_ZN10QSemaphore7releaseEi)(s, n);
	shim_unmute(&call);
}
