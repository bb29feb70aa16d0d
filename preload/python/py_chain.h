/* SPDX-License-Identifier: MIT */
/*
 * py_chain.h - the chain of coroutines from a task to what it awaits. The GIL is held, shim's guard is not; the task does not run.
 */
#ifndef THRUM_PY_CHAIN_H
#define THRUM_PY_CHAIN_H

#include "py_task.h"

struct py_chain {
	uintptr_t code[TF_MAX_FRAMES]; /* outermost first; they live as long as the task waits */
	int at[TF_MAX_FRAMES];
	uint32_t count;
	uint32_t kind;	   /* enum tf_await_kind, of asyncio's own waits; UNKNOWN = another */
	uint32_t flags;	   /* TIMED, ANY */
	uintptr_t subject; /* the lock, queue, event …; 0 = none */
	PyObject
		*awaited; /* a task, or several, that it waits for by another future; a reference */
	bool in_wait_for; /* up to 3.11, with a limit: `awaited` is what that waits for */
	bool tidies_up;	  /* some function of it handles a CancelledError */
	bool is_own;	  /* a task of the library's own */
	bool is_endless; /* some function of the program's is inside a loop that no sequence ends */
};

void py_chain_follow(struct py_chain *c, PyObject *coroutine);
void py_chain_drop(struct py_chain *c);
/* Modules were imported whose functions are known. */
void py_chain_learn(void);
/* Looks into the code of the program's functions: `is_endless`. */
void py_chain_find_loops(struct py_chain *c);

/* Where the coroutine in that attribute of a task stands: a stack of the trace; 0 = it has begun nothing, or is over. */
uint32_t py_stands_at(struct arch_caller caller, PyObject *task, const char *attribute);

/* Around each step of the task, one that ends it has no after. */
void py_cancel_before_step(struct arch_caller caller, struct task *t, PyObject *task);
void py_cancel_after_step(struct arch_caller caller, struct task *t, PyObject *task);
/* It ended, and was neither cancelled nor failed: did a cancellation reach it that nobody took back? */
bool py_cancel_was_swallowed(const struct task *t, PyObject *task);
void py_cancel_install(PyObject *task_type);

/* ---- py_fail.c ---- */

/* A task that is about to go: FAILED where nobody looked at its exception. */
void py_note_unseen(struct arch_caller caller, PyObject *task);
/* What its real deallocator says to the loop's exception handler is recorded already: that may be deaf by now. NULL = none is at it. */
extern PyObject *py_in_dealloc __attribute__((visibility("hidden")));
/* call_exception_handler(context) of a loop. */
void py_note_exception(struct arch_caller caller, PyObject *context);
void py_fail_install(PyObject *loop, PyObject *future, PyObject *warnings);

/* ---- py_async_lock.c ---- */

void py_async_lock_install(PyObject *lock);
void py_trio_lock_install(PyObject *lock);
/* The guard is held: a task of trio's runs again, and has what was given to it meanwhile. */
void py_async_lock_given(struct call *c, struct task *t);

#endif
