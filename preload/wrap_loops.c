/* SPDX-License-Identifier: MIT */
/*
 * wrap_loops.c - a call of libevent or libev: whose function of that name is meant, and who calls it.
 */
#include "wrap_loops.h"

bool loop_enter(struct loop_call *e, struct arch_caller caller, void **slot, const char *name,
		unsigned family, enum loop_caller whose)
{
	const struct module *m, *from;

	e->is_inner = false;
	e->real = __atomic_load_n(slot, __ATOMIC_RELAXED);
	if (!shim_enter_with(&e->call, caller, ROOM_EARLY)) {
		return false;
	}
	m = module_find((uintptr_t)e->real);
	if (unlikely(m && m->is_thrum)) { /* a stub: the library came late */
		shim_resolve_all();
		e->real = __atomic_load_n(slot, __ATOMIC_RELAXED);
		m = module_find((uintptr_t)e->real);
	}
	from = module_find(caller.ip);
	if (unlikely(shim->many_copies) && !(m && m->from_start)) {
		/* What jumped here belongs to the newest call that we let through. */
		void *real = from && from->is_thrum
				     ? shim_resolve_beside(e->call.s->loop_code, name)
				     : shim_resolve_for(caller.ip, name, e->real);

		e->real = real ? real : e->real;
		m = module_find((uintptr_t)e->real);
	}
	e->is_inner = task_is_inner(caller.ip, from && from->loops == family);
	if (m && m->loops == family) {
		e->call.s->loop_code = (uintptr_t)e->real;
	}
	if (!m || m->loops != family || (e->is_inner && whose == CALL_OF_HOST)) {
		shim_leave(&e->call);
		return false;
	}
	e->call.stack = stack_id(&e->call);
	return true;
}

bool loop_enter_again(struct loop_call *e)
{
	uint32_t stack = e->call.stack;
	bool entered = shim_enter_with(&e->call, e->call.caller, ROOM_EARLY);

	e->call.stack = stack;
	return entered;
}

struct task *loop_task_new(struct call *c, unsigned kind, uint32_t loop, void *callback,
			   void *argument)
{
	static _Atomic uintptr_t serial; /* odd: no address of a task */
	uintptr_t number = atomic_fetch_add(&serial, 1) * 2 + 1;
	struct task *t = task_new(c, (const void *)number, kind, loop);

	if (t) {
		task_set_callback(t, 0, callback);
		t->argument = argument;
		task_arm(c, t, 0, kind != TRACE_TASK_EVENT_HTTP_CALLBACK);
	}
	return t;
}

bool loop_ends_with(const struct task *t, const void *loop)
{
	return t->loop == *(const uint32_t *)loop && t->flags & TASK_ENDS_WITH_LOOP;
}
