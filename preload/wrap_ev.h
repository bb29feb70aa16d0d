/* SPDX-License-Identifier: MIT */
/*
 * wrap_ev.h - the shapes of libev's rows.
 *
 * A watcher is the host's own memory, and nothing of it is written. It is a task while it is active: stopped, it needs no closing. libev
 * stops one by itself when it was for once, before its callback: then that is its last.
 *
 * libev calls all that is pending by its exported ev_invoke_pending, which is found by name and so is ours. There each watcher is called
 * alone, by libev's own ev_clear_pending and ev_invoke, in libev's order: which one is next, libev's table of pending watchers says. Its
 * layout is proven before it is believed, at the first turns; where it is another one, libev calls all of them, unseen.
 */
#ifndef THRUM_WRAP_EV_H
#define THRUM_WRAP_EV_H

#include "wrap_loops.h"

enum { EV_LOOP_KIND = KIND_OF_LIBRARY(LOOP, EV) };

#define EV_ENTER(e, name) LOOP_ENTER(e, name, MODULE_EV, CALL_OF_ANY)

/* What all watchers begin with, however libev was built. */
struct ev_watcher_head {
	int active, pending;
};

/* SLOW, guard held. */
static void ev_started(struct loop_call *e, void *loop, void *watcher, unsigned kind);
static void ev_stopped(struct loop_call *e, const void *watcher);

#define PRIM_EV_START(kind, ret, name, params, args, object_, mode_)     \
	EXPORT ret name params                                           \
	{                                                                \
		struct loop_call e;                                      \
                                                                         \
		if (EV_ENTER(e, name)) {                                 \
			if (!e.is_inner) {                               \
				ev_started(&e, l, w, TRACE_TASK_##kind); \
			}                                                \
			shim_leave(&e.call);                             \
		}                                                        \
		LOOP_REAL(e, name) args;                                 \
	}

#define PRIM_EV_STOP(kind, ret, name, params, args, object_, mode_) \
	EXPORT ret name params                                      \
	{                                                           \
		struct loop_call e;                                 \
                                                                    \
		if (EV_ENTER(e, name)) {                            \
			ev_stopped(&e, w);                          \
			shim_leave(&e.call);                        \
		}                                                   \
		LOOP_REAL(e, name) args;                            \
	}

/* SLOW: after the call, the guard not held. */
static void ev_again(struct loop_call *e, void *loop, void *watcher, unsigned kind);

/* Whether that starts or stops it, is seen afterwards. */
#define PRIM_EV_AGAIN(kind, ret, name, params, args, object_, mode_) \
	EXPORT ret name params                                       \
	{                                                            \
		struct loop_call e;                                  \
		bool seen = EV_ENTER(e, name);                       \
                                                                     \
		if (seen) {                                          \
			shim_leave(&e.call);                         \
		}                                                    \
		LOOP_REAL(e, name) args;                             \
		if (seen && !e.is_inner) {                           \
			ev_again(&e, l, w, TRACE_TASK_##kind);       \
		}                                                    \
	}

/* SLOW, guard held. */
static void ev_sent(struct loop_call *e, const void *watcher);

#define PRIM_EV_SEND(kind, ret, name, params, args, object_, mode_) \
	EXPORT ret name params                                      \
	{                                                           \
		struct loop_call e;                                 \
                                                                    \
		if (EV_ENTER(e, name)) {                            \
			ev_sent(&e, w);                             \
			shim_leave(&e.call);                        \
		}                                                   \
		LOOP_REAL(e, name) args;                            \
	}

#endif
