/* SPDX-License-Identifier: MIT */
/*
 * wrap_glib.c - GLib's mutexes, read-write locks, condition variables and once. A GMutex, GCond and the once
 * functions are futexes of GLib's own, the others hold a pthread object: neither shows below the outer call.
 */
#include "wrap_library.h"

enum {
	TRACE_OBJECT_G_MUTEX = KIND_OF_LIBRARY(MUTEX, GLIB) | KIND_ZERO_BORN,
	TRACE_OBJECT_G_REC_MUTEX = TRACE_OBJECT_G_MUTEX | KIND_TYPE_1,
	TRACE_OBJECT_G_RW_LOCK = KIND_OF_LIBRARY(RWLOCK, GLIB) | KIND_ZERO_BORN,
	TRACE_OBJECT_G_COND = KIND_OF_LIBRARY(COND, GLIB) | KIND_ZERO_BORN,
	TRACE_OBJECT_G_ONCE = KIND_OF_LIBRARY(ONCE, GLIB) | KIND_ZERO_BORN,
};

#include "../spec/primitives/glib.def"

/* ---- once: a finished one is passed inline by GLib's macros and leaves nothing ---- */

/* HOT: false: nothing to record, the guard is open. True: it is held. */
static bool once_before(struct call *c, const void *control)
{
	c->stack = stack_id(c);
	c->object = object_find(c, control, TRACE_OBJECT_G_ONCE);
	if (!c->object) {
		shim_leave(c);
		return false;
	}
	c->object_id = c->object->id;
	wait_set(c, TRACE_WAIT_ONCE, c->object_id, 0, 0, 0);
	shim_mute(c);
	return true;
}

static void once_begun(struct call *c)
{
	shim_reenter(c);
	wait_clear(c);
	c->s->held++;
	emit_os_seq(c->s, TRACE_ONCE_BEGIN, c->object_id, c->stack, 0);
	shim_leave(c);
}

static void once_passed(struct call *c)
{
	shim_reenter(c);
	wait_clear(c);
	emit_osa_seq(c->s, TRACE_ONCE_PASS, c->object_id, c->stack, 1, 0);
	shim_leave(c);
}

struct g_once_call {
	struct call call;
	void *(*routine)(void *);
	void *argument;
	bool began;
};

CALLS_BACK static void *run_once(void *p)
{
	struct g_once_call *o = p;
	void *result;

	o->began = true;
	once_begun(&o->call);
	result = o->routine(o->argument);
	shim_reenter(&o->call);
	o->call.s->held -= o->call.s->held != 0;
	emit_oa(o->call.s, TRACE_ONCE_END, o->call.object_id, 0);
	shim_mute(&o->call);
	return result;
}

EXPORT void *g_once_impl(void *control, void *(*f)(void *), void *p)
{
	struct g_once_call once = { .routine = f, .argument = p };
	void *result;

	if (!shim_enter(&once.call) || !once_before(&once.call, control)) {
		return real_g_once_impl(control, f, p);
	}
	result = real_g_once_impl(control, run_once, &once);
	if (!once.began) {
		once_passed(&once.call);
	}
	shim_unmute(&once.call);
	return result;
}

#define INIT_ENTER(name)                                            \
	EXPORT int name(void *o)                                    \
	{                                                           \
		struct call call;                                   \
		int rc;                                             \
                                                                    \
		if (!shim_enter(&call) || !once_before(&call, o)) { \
			return real_##name(o);                      \
		}                                                   \
		rc = real_##name(o);                                \
		if (rc) {                                           \
			once_begun(&call);                          \
		} else {                                            \
			once_passed(&call);                         \
		}                                                   \
		return rc;                                          \
	}
INIT_ENTER(g_once_init_enter)
INIT_ENTER(g_once_init_enter_pointer)

#define INIT_LEAVE(name, type)                                                 \
	EXPORT void name(void *o, type v)                                      \
	{                                                                      \
		struct call call;                                              \
                                                                               \
		if (!shim_enter(&call)) {                                      \
			real_##name(o, v);                                     \
			return;                                                \
		}                                                              \
		call.object = object_peek((uintptr_t)o);                       \
		if (call.object && call.object->kind == TRACE_OBJECT_G_ONCE) { \
			call.s->held -= call.s->held != 0;                     \
			emit_oa(call.s, TRACE_ONCE_END, call.object->id, 0);   \
		}                                                              \
		shim_mute(&call);                                              \
		real_##name(o, v);                                             \
		shim_unmute(&call);                                            \
	}
INIT_LEAVE(g_once_init_leave, size_t)
INIT_LEAVE(g_once_init_leave_pointer, void *)
