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

struct py_task_going py_task_goes(struct arch_caller caller, PyObject *task)
{
	struct py_task_going g = { .t = known_task(task) };
	PyObject *type, *value, *trace;

	if (!g.t) {
		return g;
	}
	py_PyErr_Fetch(&type, &value, &trace);
	task->references++; /* nobody else may have one: what is asked must not free it again */
	g.is_done = g.t->flags & PY_TASK_FAILED || py_task_is_done(task);
	g.is_over = g.is_done || may_be_pending(task);
	if (!g.is_over) {
		g.stood = py_stands_at(caller, task, "_coro");
		py_context_note(caller, task);
	}
	task->references--;
	py_PyErr_Restore(type, value, trace);
	return g;
}

void py_task_gone(const struct py_task_going *g, struct arch_caller caller, PyObject *task)
{
	struct task *t;
	struct call call;

	if (!g->t || !task_enter_any(&call, caller)) {
		return;
	}
	t = task_find(task, TRACE_TASK_PY_TASK);
	py_task_changes++;
	py_tasks_alive -= !g->is_over;
	if (t && task_is_of_image(t)) {
		call.stack = g->stood;
		task_end(&call, t, g->is_over ? TRACE_TASK_FINISHED : TRACE_TASK_DESTROYED);
	}
	shim_leave(&call);
}

static void note_unseen(struct arch_caller caller, PyObject *task)
{
	PyObject *type, *value, *trace;

	py_PyErr_Fetch(&type, &value, &trace);
	task->references++;
	py_note_unseen(caller, task);
	task->references--;
	py_PyErr_Restore(type, value, trace);
}

/* The real one may call the exception handler. */
static void dealloc_task(PyObject *task)
{
	struct arch_caller caller = PY_CALLER();
	struct py_task_going g = py_task_goes(caller, task);
	PyObject *outer = py_in_dealloc;

	if (g.t && g.is_done) {
		note_unseen(caller, task);
	}
	py_in_dealloc = g.t ? task : outer;
	old_dealloc(task);
	py_in_dealloc = outer;
	py_task_gone(&g, caller, task);
}

/*
 * The collector of cycles calls this before it frees anything. What the coroutine does when it is closed may bring the task back to life for
 * one more step (Queue.get() cancels what it waits for), in which it fails: nothing of that is the program's.
 */
static void finalize_task(PyObject *task)
{
	struct arch_caller caller = PY_CALLER();
	struct py_task_going g = { 0 };

	if (py_in_dealloc != task) {
		g = py_task_goes(caller, task);
	}
	old_finalize(task);
	if (!g.is_over) {
		py_task_gone(&g, caller, task);
	}
}

void py_task_ends_install(PyObject *task_type)
{
	py_patch_dealloc_of_extension(task_type, dealloc_task, &old_dealloc);
	py_patch_finalize_of_extension(task_type, finalize_task, &old_finalize);
}
