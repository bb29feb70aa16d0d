/* SPDX-License-Identifier: MIT */
/*
 * wrap_cares.c - c-ares: queries, from the call that asks to the callback.
 *
 * A query has no handle: c-ares keeps the callback and its argument, and nothing gives them back. So the argument that we pass is
 * a number of ours, which is the task's address, and the host's lies in the task.
 */
#include "shim_task.h"
#include "wrap_library.h"

enum { ARES_CHANNEL = KIND_OF_LIBRARY(LOOP, ARES) };

static struct task_library ares_library;
static _Atomic uintptr_t newest;

/* For all types of its callbacks: (argument, status, timeouts) and one or two more. */
CALLS_BACK static void run_query(void *p, int status, int timeouts, void *a, void *b)
{
	struct task_run run;

	if (task_called(&run, ARCH_CALLER(), p, TRACE_TASK_ARES_QUERY, 0, TASK_IS_OVER)) {
		((void (*)(void *, int, int, void *, void *))(uintptr_t)run.callback)(
			run.argument, status, timeouts, a, b);
		task_returned(&run, ARCH_CALLER());
	}
}

/* SLOW: takes the place of callback and argument. */
static void ask(struct call *c, void *channel, void **callback, void **argument)
{
	void *number = (void *)(atomic_fetch_add(&newest, 16) + 16);
	struct task *t =
		task_new(c, number, TRACE_TASK_ARES_QUERY, task_loop(c, channel, ARES_CHANNEL));

	if (!t) {
		return;
	}
	task_set_callback(t, 0, *callback);
	t->argument = *argument;
	*callback = (void *)(uintptr_t)run_query;
	*argument = number;
}

#define PRIM_ARES_ASK(kind, ret, name, params, args, object_, mode_)      \
	EXPORT ret name params                                            \
	{                                                                 \
		struct call call;                                         \
                                                                          \
		shim_resolve_once();                                      \
		if (cb && task_enter(&call, ARCH_CALLER(), &ares_library, \
				     (void *)(uintptr_t)real_##name)) {   \
			ask(&call, c, &cb, &p);                           \
			shim_leave(&call);                                \
		}                                                         \
		real_##name args;                                         \
	}

#include "../spec/primitives/cares.def"

EXPORT void ares_destroy(void *c)
{
	struct call call;

	shim_resolve_once();
	if (c &&
	    task_enter(&call, ARCH_CALLER(), &ares_library, (void *)(uintptr_t)real_ares_destroy)) {
		emit_osar(call.s, TRACE_LOOP, task_loop(&call, c, ARES_CHANNEL), call.stack,
			  TRACE_LOOP_CLOSE, 0);
		shim_leave(&call);
	}
	real_ares_destroy(c);
}
