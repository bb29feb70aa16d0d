/* SPDX-License-Identifier: MIT */
/*
 * wrap_event.h - the shapes of libevent's rows, and what its two files share.
 *
 * An event's callback is left where it is: struct event may be the host's own memory, which it reads. libevent says before each callback
 * which event is next, in a debug message that goes through its exported event_debugx_; the messages are switched on here
 * and go no further, unless the host wants them. What libevent keeps to itself (a listener's callback, a bufferevent's, HTTP, DNS, once) has
 * our trampoline in place of it.
 *
 * An event that event_new made is a handle until event_free. One in memory of the host is a task from event_add until it is deleted or was
 * called for the last time.
 */
#ifndef THRUM_WRAP_EVENT_H
#define THRUM_WRAP_EVENT_H

#include "wrap_loops.h"

enum { EVENT_LOOP_KIND = KIND_OF_LIBRARY(LOOP, EVENT) };

/* Flags of its tasks, beyond enum task_flag. */
enum {
	EVENT_HOSTS = 16, /* in memory of the host */
	EVENT_ONLY_ONCE = 32,
};

#define EVENT_ENTER(e, name, whose) LOOP_ENTER(e, name, MODULE_EVENT, whose)

extern const void *event_current; /* of event_init; NULL = none */

/* SLOW: the loop of a base. */
static inline uint32_t event_loop_of(struct call *c, const void *base)
{
	return task_loop(c, base, EVENT_LOOP_KIND);
}

/* ---- the shapes ---- */

#define PRIM_EVENT_MADE(kind, ret, name, params, args, base, mode_)                             \
	EXPORT ret name params                                                                  \
	{                                                                                       \
		struct loop_call e;                                                             \
		bool seen = EVENT_ENTER(e, name, CALL_OF_HOST);                                 \
		ret rc;                                                                         \
                                                                                                \
		if (seen) {                                                                     \
			shim_leave(&e.call);                                                    \
		}                                                                               \
		rc = LOOP_REAL(e, name) args;                                                   \
		if (seen && rc && loop_enter_again(&e)) {                                       \
			task_new(&e.call, rc, TRACE_TASK_##kind, event_loop_of(&e.call, base)); \
			shim_leave(&e.call);                                                    \
		}                                                                               \
		return rc;                                                                      \
	}

/* SLOW, guard held: the task is over, if there is one. */
void event_ends(struct call *c, const void *address);

/* Also when libevent does it for the host. */
#define PRIM_EVENT_ENDS(kind, ret, name, params, args, object_, mode_) \
	EXPORT ret name params                                         \
	{                                                              \
		struct loop_call e;                                    \
                                                                       \
		if (EVENT_ENTER(e, name, CALL_OF_ANY)) {               \
			event_ends(&e.call, object_);                  \
			shim_leave(&e.call);                           \
		}                                                      \
		return LOOP_REAL(e, name) args;                        \
	}

void event_assigned(struct call *c, const void *event);

#define PRIM_EVENT_ASSIGN(kind, ret, name, params, args, object_, mode_) \
	EXPORT ret name params                                           \
	{                                                                \
		struct loop_call e;                                      \
                                                                         \
		if (EVENT_ENTER(e, name, CALL_OF_HOST)) {                \
			event_assigned(&e.call, object_);                \
			shim_leave(&e.call);                             \
		}                                                        \
		return LOOP_REAL(e, name) args;                          \
	}

void event_disarmed(struct call *c, const void *event);

#define PRIM_EVENT_DEL(kind, ret, name, params, args, object_, mode_) \
	EXPORT ret name params                                        \
	{                                                             \
		struct loop_call e;                                   \
                                                                      \
		if (EVENT_ENTER(e, name, CALL_OF_HOST)) {             \
			event_disarmed(&e.call, object_);             \
			shim_leave(&e.call);                          \
		}                                                     \
		return LOOP_REAL(e, name) args;                       \
	}

#define PRIM_EVENT_STOP(kind, ret, name, params, args, base, mode_)                   \
	EXPORT ret name params                                                        \
	{                                                                             \
		struct loop_call e;                                                   \
                                                                                      \
		if (EVENT_ENTER(e, name, CALL_OF_HOST)) {                             \
			emit_osar(e.call.s, TRACE_LOOP, event_loop_of(&e.call, base), \
				  e.call.stack, TRACE_LOOP_STOP, 0);                  \
			shim_leave(&e.call);                                          \
		}                                                                     \
		return LOOP_REAL(e, name) args;                                       \
	}

void event_base_ends(struct call *c, const void *base);

#define PRIM_EVENT_BASE_FREE(kind, ret, name, params, args, base, mode_) \
	EXPORT ret name params                                           \
	{                                                                \
		struct loop_call e;                                      \
                                                                         \
		if (EVENT_ENTER(e, name, CALL_OF_HOST)) {                \
			event_base_ends(&e.call, base);                  \
			shim_leave(&e.call);                             \
		}                                                        \
		return LOOP_REAL(e, name) args;                          \
	}

/* ---- callbacks that have no address of their own: ours is passed as their argument ---- */

/* SLOW: the call failed: its callback is not called. */
void event_not_asked(struct loop_call *e, void *argument);

#define EVENT_RUN(name, address, slot, after, params, type, args)                           \
	CALLS_BACK static void name params                                                  \
	{                                                                                   \
		struct task_run run;                                                        \
                                                                                            \
		if (task_called(&run, ARCH_CALLER(), address, TRACE_TASK_EVENT_EVENT, slot, \
				after)) {                                                   \
			((void(*) type)(uintptr_t)run.callback) args;                       \
			task_returned(&run, ARCH_CALLER());                                 \
		}                                                                           \
	}

#endif
