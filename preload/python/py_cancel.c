/* SPDX-License-Identifier: MIT */
/*
 * py_cancel.c - Task.cancel() and what becomes of it: asked, met by the task's coroutine, or handled and forgotten.
 *
 * A cancellation reaches a task only if nobody below takes it: the task that it awaits may swallow it, and up to 3.11 wait_for() returns a
 * result that was there already (python/cpython#86296). Before the step that would throw CancelledError it shows which: what it waited for
 * was cancelled, or was there already when the task was asked, and the task itself keeps that it must be cancelled. A task that waits
 * inside a handler or `finally` of that exception tidies up; one that waits outside of them went on. From 3.11 on whoever may stop a
 * cancellation (asyncio.timeout, TaskGroup) says so by uncancel().
 */
#include "py_chain.h"
#include "py_pure.h"

/* In task.flags, above enum task_flag. */
enum { ASKED = 16, MET = 32, WENT_ON = 64 };

static struct py_patched cancel, requests;

static bool state_is(PyObject *future, const char *word)
{
	PyObject *state = py_get(future, "_state");
	char text[12];
	size_t bytes = state ? py_text(state, text, sizeof(text) - 1) : 0;

	py_drop(state);
	text[bytes] = 0;
	return py_text_is(text, word);
}

/* What it awaits was there already, so the cancellation could not be passed on: the next step throws it. */
static bool must_cancel(PyObject *task)
{
	PyObject *must = py_get(task, "_must_cancel");
	bool yes = must == PY_TRUE;

	py_PyErr_Clear();
	py_drop(must);
	return yes;
}

void py_cancel_asked(struct arch_caller caller, PyObject *task)
{
	struct task *t;
	struct call call;

	if (task_enter_any(&call, caller)) {
		t = task_find(task, TRACE_TASK_PY_TASK);
		if (t && task_is_of_image(t)) {
			t->flags = (uint8_t)((t->flags & ~(MET | WENT_ON)) | ASKED);
			task_step(&call, t, TRACE_TASK_ASKED);
		}
		shim_leave(&call);
	}
}

static PyObject *hook_cancel(void *a, void *b, void *c, void *d, void *e)
{
	struct arch_caller caller = ARCH_CALLER();
	PyObject *result = cancel.call(a, b, c, d, e);

	if (result == PY_TRUE) {
		py_cancel_asked(caller, a);
	}
	return result;
}

static void note(struct arch_caller caller, PyObject *task, const struct py_chain *chain,
		 unsigned flag, enum trace_task_step step)
{
	struct task *t = task_find(task, TRACE_TASK_PY_TASK);
	struct call call;

	if (t && task_enter_any(&call, caller)) {
		t->flags |= (uint8_t)flag;
		call.stack = py_stack_of_places(chain->code, chain->at, chain->count);
		task_step(&call, t, step);
		shim_leave(&call);
	}
}

/* -1 = this version does not count them. */
static long asked_how_often(PyObject *task)
{
	PyObject *n = py_is_pure_task(task) ? py_get(task, "_num_cancels_requested")
		      : requests.call	    ? requests.call(task, NULL, NULL, NULL, NULL)
					    : NULL;
	long count = n ? py_PyLong_AsLong(n) : -1;

	py_drop(n);
	return count;
}

void py_cancel_before_step(struct arch_caller caller, struct task *t, PyObject *task)
{
	PyObject *type, *value, *trace, *coroutine, *future;
	struct py_chain chain;

	if (likely(!(t->flags & ASKED))) {
		return;
	}
	t->flags &= (uint8_t)~ASKED;
	py_PyErr_Fetch(&type, &value, &trace);
	coroutine = py_get(task, "_coro");
	future = py_get(task, "_fut_waiter");
	py_chain_follow(&chain, coroutine);
	if ((!future || future == PY_NONE || state_is(future, "CANCELLED") || must_cancel(task)) &&
	    !(chain.in_wait_for && chain.awaited && !state_is(chain.awaited, "PENDING") &&
	      !state_is(chain.awaited, "CANCELLED"))) {
		note(caller, task, &chain, MET, TRACE_TASK_MET);
	}
	py_chain_drop(&chain);
	py_drop(future);
	py_drop(coroutine);
	py_PyErr_Restore(type, value, trace);
}

void py_cancel_after_step(struct arch_caller caller, struct task *t, PyObject *task)
{
	PyObject *type, *value, *trace, *coroutine;
	struct py_chain chain;

	if (likely((t->flags & (MET | WENT_ON)) != MET)) {
		return;
	}
	py_PyErr_Fetch(&type, &value, &trace);
	coroutine = py_get(task, "_coro");
	if (asked_how_often(task) == 0) {
		t->flags &= (uint8_t)~MET; /* uncancel() */
	} else {
		py_chain_follow(&chain, coroutine);
		if (!chain.tidies_up) {
			note(caller, task, &chain, WENT_ON, TRACE_TASK_WENT_ON);
		}
		py_chain_drop(&chain);
	}
	py_drop(coroutine);
	py_PyErr_Clear();
	py_PyErr_Restore(type, value, trace);
}

bool py_cancel_was_swallowed(const struct task *t, PyObject *task)
{
	return t->flags & MET && asked_how_often(task) != 0;
}

void py_cancel_install(PyObject *task_type)
{
	PyObject *d = py_get(task_type, "cancelling"); /* 3.11 */

	if (d && d->type == py_data_PyMethodDescr_Type) {
		const struct py_method *m = *(struct py_method **)((uintptr_t)d + 40);

		requests = (struct py_patched){ .call = m->flags & PY_NOARGS ? m->call : NULL };
	}
	py_drop(d);
	py_patch_method(task_type, "cancel", hook_cancel, &cancel);
}
