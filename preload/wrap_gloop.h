/* SPDX-License-Identifier: MIT */
/*
 * wrap_gloop.h - GLib's sources: how their callbacks are seen without a trampoline, and the shapes of their rows.
 *
 * GLib keeps a source's callback as an object that it asks, through three functions that whoever sets it may
 * supply (g_source_set_callback_indirect): ref and get just before a dispatch, unref just after it, unref for
 * the last time when the source is over. We supply those. So the host's function and data reach the source's dispatch
 * unchanged, whatever their types; searches by data or function find what the host set; and a source's end is seen
 * wherever it comes from. A source of the host's own making that has no callback gets an empty one, which its
 * dispatch cannot tell from none.
 *
 * g_idle_add and its like are documented as four steps: make the source, set its callback, attach it, drop it. We take these
 * steps ourselves, since between the last two another thread may run it already.
 */
#ifndef THRUM_WRAP_GLOOP_H
#define THRUM_WRAP_GLOOP_H

#include "shim_task.h"
#include "wrap_library.h"

enum {
	G_LOOP_KIND = KIND_OF_LIBRARY(LOOP, GLIB),
	G_POOL_KIND = KIND_OF_LIBRARY(POOL, GLIB),
	G_OWN_PRIORITY = INT32_MIN, /* what the source was made with */
};

/*
 * SLOW: the real function in the copy of GLib that the caller means. Outside of the guard.
 */
#define G_REAL(caller, name)                                                            \
	((__typeof__(real_##name))(unlikely(shim && shim->many_copies)                  \
					   ? gloop_real(caller, #name,                  \
							(void *)(uintptr_t)real_##name) \
					   : (void *)(uintptr_t)real_##name))
void *gloop_real(struct arch_caller caller, const char *name, void *usual);

/*
 * SLOW: as task_enter, for a call of GLib or GIO, which never call themselves by name; finds what spec/needed.def names first.
 */
bool gloop_enter(struct call *c, struct arch_caller caller);

/* SLOW: LOOP with this step, for one turn only. Outside of the guard. `context` may be NULL: the default one. */
void gloop_note(struct arch_caller caller, void *context, unsigned step, bool turn);

/* SLOW: the context of a GMainLoop; the real function is not found before the first call of GLib. */
void *gloop_context(void *loop);

/*
 * SLOW: gives `source` the callback and attaches it to `context`. The guard is open, call.stack known. False: out of
 * memory, and the source is dropped. Takes over the reference to it.
 */
struct gloop_source {
	unsigned kind; /* enum trace_task_kind */
	bool once;     /* the callback gives no answer: it is called once */
	int priority;
	void *function, *data, *notify;
};
bool gloop_add(struct call *c, void *source, const struct gloop_source *what, void *context,
	       unsigned *ret_id);

/* HOT: what kind a source is shows by its functions: those of sources that were made by a row. */
void gloop_learn(const void *source, unsigned kind);

/*
 * A row of GLib's that makes, fills and attaches. `source_` makes it, or gives NULL: the real function is to answer. f is the
 * callback, p its data; n the host's destroy function.
 */
#define G_ADD(kind, ret, name, params, args, source_, once_, priority_, n_)                        \
	EXPORT ret name params                                                                     \
	{                                                                                          \
		struct arch_caller caller = ARCH_CALLER();                                         \
		struct call call;                                                                  \
		void *source;                                                                      \
		unsigned id;                                                                       \
                                                                                                   \
		if (f && gloop_enter(&call, caller)) {                                             \
			shim_leave(&call);                                                         \
			source = source_;                                                          \
			if (source &&                                                              \
			    gloop_add(&call, source,                                               \
				      &(struct gloop_source){ TRACE_TASK_##kind, once_, priority_, \
							      (void *)f, p, n_ },                  \
				      NULL, &id)) {                                                \
				return id;                                                         \
			}                                                                          \
		}                                                                                  \
		return G_REAL(caller, name) args;                                                  \
	}
#define PRIM_G_ADD(kind, ret, name, params, args, source_, once_) \
	G_ADD(kind, ret, name, params, args, source_, once_, G_OWN_PRIORITY, NULL)
#define PRIM_G_ADD_FULL(kind, ret, name, params, args, source_, once_) \
	G_ADD(kind, ret, name, params, args, source_, once_, priority, n)

/* Recorded when it gets its callback, or is attached. */
#define PRIM_G_SOURCE(kind, ret, name, params, args, object_, mode_) \
	EXPORT ret name params                                       \
	{                                                            \
		void *source = G_REAL(ARCH_CALLER(), name) args;     \
                                                                     \
		gloop_learn(source, TRACE_TASK_##kind);              \
		return source;                                       \
	}

/* `step_` happens to the loop of `context_`. */
#define PRIM_G_STEP(kind, ret, name, params, args, context_, step_)      \
	EXPORT ret name params                                           \
	{                                                                \
		struct arch_caller caller = ARCH_CALLER();               \
                                                                         \
		gloop_note(caller, context_, TRACE_LOOP_##step_, false); \
		G_REAL(caller, name) args;                               \
	}

#endif
