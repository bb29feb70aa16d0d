/* SPDX-License-Identifier: MIT */
/*
 * wrap_gmain.c - GLib's main loop: who drives a context, and functions that are posted to one.
 */
#include "wrap_gloop.h"

/* ---- loops ---- */

void gloop_note(struct arch_caller caller, void *context, unsigned step, bool turn)
{
	struct call call;

	if (!gloop_enter(&call, caller)) {
		return;
	}
	if (!context) {
		shim_leave(&call);
		context = G_REAL(caller, g_main_context_default)();
		shim_reenter(&call);
	}
	task_loop_step(&call, task_loop(&call, context, G_LOOP_KIND), step, turn);
	shim_leave(&call);
}
#define NOTE(context, step, turn) gloop_note(caller, context, TRACE_LOOP_##step, turn)

EXPORT void g_main_loop_run(void *l)
{
	struct arch_caller caller = ARCH_CALLER();
	void *context = gloop_context(l); /* the loop may be gone afterwards */

	NOTE(context, RUN, false);
	G_REAL(caller, g_main_loop_run)(l);
	NOTE(context, LEFT, false);
}

EXPORT int g_main_context_iteration(void *c, int block)
{
	struct arch_caller caller = ARCH_CALLER();
	int rc;

	NOTE(c, RUN, true);
	rc = G_REAL(caller, g_main_context_iteration)(c, block);
	NOTE(c, LEFT, false);
	return rc;
}

EXPORT void g_main_context_dispatch(void *c)
{
	struct arch_caller caller = ARCH_CALLER();

	NOTE(c, RUN, true);
	G_REAL(caller, g_main_context_dispatch)(c);
	NOTE(c, LEFT, false);
}

/* ---- functions for another thread's context ---- */

/*
 * As GLib does it: on the spot where this thread owns the context, or can; else it is posted, which is done here so that it
 * is seen. False: it is GLib's to do.
 */
static bool posted(struct arch_caller caller, void *context, const struct gloop_source *what)
{
	void *of_thread;
	struct call call;
	unsigned id;

	if (!what->function || !gloop_enter(&call, caller)) {
		return false;
	}
	shim_leave(&call);
	context = context ? context : G_REAL(caller, g_main_context_default)();
	if (G_REAL(caller, g_main_context_is_owner)(context)) {
		return false;
	}
	of_thread = G_REAL(caller, g_main_context_get_thread_default)();
	of_thread = of_thread ? of_thread : G_REAL(caller, g_main_context_default)();
	if (of_thread == context && G_REAL(caller, g_main_context_acquire)(context)) {
		G_REAL(caller, g_main_context_release)(context);
		return false;
	}
	return gloop_add(&call, G_REAL(caller, g_idle_source_new)(), what, context, &id);
}

EXPORT void g_main_context_invoke(void *c, void *f, void *p)
{
	struct arch_caller caller = ARCH_CALLER();

	if (!posted(caller, c,
		    &(struct gloop_source){ TRACE_TASK_G_INVOKE, false, 0, f, p, NULL })) {
		G_REAL(caller, g_main_context_invoke)(c, f, p);
	}
}

EXPORT void g_main_context_invoke_full(void *c, int priority, void *f, void *p, void *n)
{
	struct arch_caller caller = ARCH_CALLER();

	if (!posted(caller, c,
		    &(struct gloop_source){ TRACE_TASK_G_INVOKE, false, priority, f, p, n })) {
		G_REAL(caller, g_main_context_invoke_full)(c, priority, f, p, n);
	}
}
