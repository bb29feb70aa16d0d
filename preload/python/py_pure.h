/* SPDX-License-Identifier: MIT */
/*
 * py_pure.h - tasks of asyncio's class that is written in Python (asyncio.tasks._PyTask), and of classes that build on it. See py_pure.c.
 * The GIL is held.
 */
#ifndef THRUM_PY_PURE_H
#define THRUM_PY_PURE_H

#include "py_task.h"

/* In task.callback_stack, at a place that tasks of asyncio do not use: its object may be gone. */
enum { PY_PURE = TASK_CALLBACKS - 1 };

static inline bool py_task_may_be_gone(const struct task *t)
{
	return t->kind == TRACE_TASK_PY_TASK && t->callback_stack[PY_PURE];
}

/* It is one, and its attributes can be read without code of the program's. */
bool py_is_pure_task(PyObject *o);
/* Of one. */
bool py_pure_is_done(PyObject *task);
bool py_pure_was_cancelled(PyObject *task);
/* Is the bound method that a loop calls a step of its object, a task? Borrowed; NULL = it is not. */
PyObject *py_pure_step_task(PyObject *method);
/* Those that are alive, of asyncio's own register. */
void py_each_pure_task(void (*visit)(struct arch_caller caller, PyObject *task, void *cookie),
		       struct arch_caller caller, void *cookie);

/* Of any task of asyncio: around its making, when it runs its first step meanwhile; false: nothing is recorded, and no end follows. */
bool py_eager_begin(struct py_step *step, struct arch_caller caller, PyObject *task,
		    const struct py_about *about);
void py_eager_end(struct py_step *step, struct arch_caller caller, bool is_made);

/* Task.cancel() was called, and the task will hear of it. py_cancel.c. */
void py_cancel_asked(struct arch_caller caller, PyObject *task);
/* ---- py_task.c ---- */

/* The task has another name now. */
void py_task_named(struct arch_caller caller, PyObject *task);
/* The guard is held: TASK_NEW of it. */
void py_task_made(struct call *c, PyObject *task, const struct py_about *a);

/* SLOW, once. */
void py_pure_install(PyObject *task_type);

#endif
