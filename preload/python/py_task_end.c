/* SPDX-License-Identifier: MIT */
/*
 * py_task_end.c - how a task of asyncio goes: freed when its last reference is dropped, or by the collector of cycles.
 */
#include "py_chain.h"
#include "py_context.h"
#include "py_patch.h"

static void (*old_dealloc)(PyObject *), (*old_finalize)(PyObject *);

/* run_until_complete() says so of a task that it left by an exception: then nobody is warned of it. */
static bool may_be_pending(PyObject *task)
{
	PyObject *warns = py_get(task, "_log_destroy_pending");
	bool may = warns == PY_FALSE;

	py_drop(warns);
	return may;
}

/* The table's entry of a task that is about to go; NULL = nothing is to be told of it. */
static struct task *known_task(PyObject *task)
{
	struct task *t = py.over ? NULL : task_find(task, TRACE_TASK_PY_TASK);

	return t && task_is_of_image(t) ? t : NULL;
}

/* Asked before the real one empties it and calls the exception handler. It may be without a reference: what is asked must not free it again. */
static bool is_over(struct arch_caller caller, const struct task *t, PyObject *task, bool last)
{
	PyObject *type, *value, *trace;
	bool over;

	py_PyErr_Fetch(&type, &value, &trace);
	task->references++;
	over = t->flags & PY_TASK_FAILED || py_task_is_done(task);
	if (over && last) {
		py_note_unseen(caller, task);
	}
	over = over || may_be_pending(task);
	if (!over) {
		py_context_note(caller, task);
	}
	task->references--;
	py_PyErr_Restore(type, value, trace);
	return over;
}

static void task_gone(struct arch_caller caller, PyObject *task, enum trace_task_step how)
{
	struct task *t;
	struct call call;

	if (task_enter_any(&call, caller)) {
		t = task_find(task, TRACE_TASK_PY_TASK);
		py_task_changes++;
		if (t) {
			task_end(&call, t, how);
		}
		shim_leave(&call);
	}
}

static void dealloc_task(PyObject *task)
{
	struct arch_caller caller = PY_CALLER();
	struct task *t = known_task(task);
	PyObject *outer = py_in_dealloc;
	bool over = t && is_over(caller, t, task, true);

	if (!t) {
		old_dealloc(task);
		return;
	}
	py_in_dealloc = task;
	old_dealloc(task);
	py_in_dealloc = outer;
	task_gone(caller, task, over ? TRACE_TASK_FINISHED : TRACE_TASK_DESTROYED);
}

/*
 * The collector of cycles calls this before it frees anything. What the coroutine does when it is closed may bring the task back to life for
 * one more step (Queue.get() cancels what it waits for), in which it fails: nothing of that is the program's.
 */
static void finalize_task(PyObject *task)
{
	struct arch_caller caller = PY_CALLER();
	struct task *t = py_in_dealloc == task ? NULL : known_task(task);
	bool over = !t || is_over(caller, t, task, false);

	old_finalize(task);
	if (!over) {
		task_gone(caller, task, TRACE_TASK_DESTROYED);
	}
}

void py_task_ends_install(PyObject *task_type)
{
	py_patch_dealloc_of_extension(task_type, dealloc_task, &old_dealloc);
	py_patch_finalize_of_extension(task_type, finalize_task, &old_finalize);
}
