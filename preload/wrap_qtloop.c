/* SPDX-License-Identifier: MIT */
/*
 * wrap_qtloop.c - Qt's event loops: who drives one, until when, and who ends it. A thread has one queue of events, whatever QEventLoop
 * drives it: so loops are told apart by their QThread.
 */
#include "shim_task.h"
#include "wrap_library.h"

enum { QT_LOOP_KIND = KIND_OF_LIBRARY(LOOP, QT) };

/* SLOW: LOOP with this step of the thread that `loop` belongs to, NULL = this one. Outside of the guard. */
static void note(struct arch_caller caller, void *loop, unsigned step, bool turn)
{
	struct call call;
	void *thread;

	if (unlikely(!real__ZN7QThread13currentThreadEv)) {
		shim_resolve_all();
	}
	if (!real__ZN7QThread13currentThreadEv || !real__ZNK7QObject6threadEv ||
	    !shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	call.stack = stack_id(&call);
	shim_mute(&call);
	thread = loop ? LIBRARY_REAL(_ZNK7QObject6threadEv)(loop)
		      : LIBRARY_REAL(_ZN7QThread13currentThreadEv)();
	shim_reenter(&call);
	task_loop_step(&call, task_loop(&call, thread, QT_LOOP_KIND), step, turn);
	shim_leave(&call);
}

/* SLOW: the real function in the copy that the caller means. Outside of the guard. */
static void *qt_real(struct arch_caller caller, const char *name, void *usual)
{
	struct call call;
	void *real;

	if (!shim_enter_with(&call, caller, ROOM)) {
		return usual;
	}
	real = shim_resolve_for(caller.ip, name, usual);
	shim_leave(&call);
	return real;
}
#define QT_REAL(name)                                                                \
	((__typeof__(real_##name))(unlikely(shim && shim->many_copies)               \
					   ? qt_real(caller, #name,                  \
						     (void *)(uintptr_t)real_##name) \
					   : (void *)(uintptr_t)real_##name))

#define PRIM_QT_DRIVE(kind, ret, name, params, args, loop_, turn_) \
	EXPORT ret name params                                     \
	{                                                          \
		struct arch_caller caller = ARCH_CALLER();         \
		ret rc;                                            \
                                                                   \
		note(caller, loop_, TRACE_LOOP_RUN, turn_);        \
		rc = QT_REAL(name) args;                           \
		note(caller, loop_, TRACE_LOOP_LEFT, false);       \
		return rc;                                         \
	}
#define PRIM_QT_TURN(kind, ret, name, params, args, loop_, turn_) \
	EXPORT ret name params                                    \
	{                                                         \
		struct arch_caller caller = ARCH_CALLER();        \
                                                                  \
		note(caller, loop_, TRACE_LOOP_RUN, turn_);       \
		QT_REAL(name) args;                               \
		note(caller, loop_, TRACE_LOOP_LEFT, false);      \
	}
#define PRIM_QT_END(kind, ret, name, params, args, loop_, mode_) \
	EXPORT ret name params                                   \
	{                                                        \
		struct arch_caller caller = ARCH_CALLER();       \
                                                                 \
		note(caller, loop_, TRACE_LOOP_STOP, false);     \
		QT_REAL(name) args;                              \
	}

#include "../spec/primitives/qtloop.def"
