/* SPDX-License-Identifier: MIT */
/*
 * wrap_loops.h - a call of libevent or libev: whose function of that name is meant, and who calls it.
 *
 * Both export event_add and its like, with other structs, and both may be in one process, some only in the scope of a plugin. So each
 * call is told by the module that its function lies in, before anything is read of what it was given.
 */
#ifndef THRUM_WRAP_LOOPS_H
#define THRUM_WRAP_LOOPS_H

#include "shim_task.h"
#include "wrap_library.h"

/* Whose calls a wrapper wants to see. */
enum loop_caller { CALL_OF_HOST, CALL_OF_ANY };

struct loop_call {
	struct call call;
	void *real;    /* of the library that the caller means */
	bool is_inner; /* the library, or another part of it, calls */
};

/*
 * SLOW: finds the real function, always, and takes the guard. False, and the guard is open: nothing is to be recorded: no stream, a
 * function of this name that is not of `family` (enum module_loops), or a call of the library's own where those are not wanted.
 */
bool loop_enter(struct loop_call *e, struct arch_caller caller, void **slot, const char *name,
		unsigned family, enum loop_caller whose);
/* SLOW: the guard again, and room, after other code of the host ran. False: not now. */
bool loop_enter_again(struct loop_call *e);

#define LOOP_ENTER(e, name, family, whose) \
	loop_enter(&(e), ARCH_CALLER(), (void **)(uintptr_t)&real_##name, #name, family, whose)
#define LOOP_REAL(e, name) ((__typeof__(real_##name))(uintptr_t)(e).real)

/* SLOW: a task of no address of its own, armed: its callback is found by what is passed as its argument. NULL = out of memory. */
struct task *loop_task_new(struct call *c, unsigned kind, uint32_t loop, void *callback,
			   void *argument);
/* What to pass, in place of the host's. */
static inline void *loop_argument(const struct task *t)
{
	return (void *)atomic_load_explicit(&t->address, memory_order_relaxed);
}

/* SLOW: matches for task_end_all: tasks of the loop (an object's id) that go with it. */
bool loop_ends_with(const struct task *t, const void *loop);

#endif
