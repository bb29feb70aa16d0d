/* SPDX-License-Identifier: MIT */
/*
 * py_loop.c - asyncio's loops: from run_forever() to close(), what other threads post, what is pending when the main coroutine is over.
 */
#include "py_chain.h"
#include "py_race.h"

PY_HOOK(hook_forever, run_forever)
PY_HOOK(hook_post, post)
PY_HOOK(hook_close, close_loop)
PY_HOOK(hook_cancel_all, cancel_all)

/* ---- loops ---- */

void py_note_loop(struct arch_caller caller, PyObject *loop, enum trace_loop_step step)
{
	struct call call;

	if (task_enter_any(&call, caller)) {
		emit_osar(call.s, TRACE_LOOP, task_loop(&call, loop, PY_LOOP), call.stack, step, 0);
		shim_leave(&call);
	}
}

static PyObject *run_forever(PyObject *function, PyObject *const *args, size_t count,
			     PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *loop = PY_COUNT(count) ? args[0] : NULL, *result;
	struct py_anchor outer;

	if (loop) {
		py_Py_IncRef(loop);
		py_note_loop(caller, loop, TRACE_LOOP_RUN);
	}
	py_stack_anchor(&outer);
	result = hook_forever.old(function, args, count, names);
	py_stack_anchor_gone(&outer);
	if (loop) {
		py_note_loop(caller, loop, TRACE_LOOP_LEFT);
		py_drop(loop);
	}
	return result;
}

static PyObject *close_loop(PyObject *function, PyObject *const *args, size_t count,
			    PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *loop = PY_COUNT(count) ? args[0] : NULL, *result;

	if (loop) {
		py_Py_IncRef(loop);
	}
	result = hook_close.old(function, args, count, names);
	if (loop && result) {
		py_note_loop(caller, loop, TRACE_LOOP_CLOSE);
	}
	py_drop(loop);
	return result;
}

const void *py_post_channel(void)
{
	return &hook_post;
}

void py_note_post(struct arch_caller caller, PyObject *loop, const void *handle, PyObject *callback)
{
	uintptr_t code = py_code_of(callback);
	struct task *t;
	struct call call;

	if (task_enter_any(&call, caller)) {
		uint32_t id = task_loop(&call, loop, PY_LOOP);

		t = task_new(&call, handle, TRACE_TASK_PY_CALL, id);
		if (t) {
			task_set_callback(t, 0, py_place_of(code));
			task_arm(&call, t, id, true);
		}
		shim_leave(&call);
	}
}

/* call_soon_threadsafe(loop, callback, …) gives the handle. */
static PyObject *post(PyObject *function, PyObject *const *args, size_t count, PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *loop = PY_COUNT(count) ? args[0] : NULL,
		 *callback = PY_COUNT(count) > 1 ? args[1] : NULL, *handle;

	if (callback) {
		py_Py_IncRef(loop);
		py_Py_IncRef(callback);
	}
	if (py.features & PY_RACES) { /* the loop may run it before we know its handle */
		py_variable_publish(caller, &hook_post, false);
	}
	handle = hook_post.old(function, args, count, names);
	if (callback) {
		/* The loop's thread may have run it already, and has dropped it: then it was met there. */
		if (handle && handle->references > 1) {
			py_note_post(caller, loop, handle, callback);
		}
		py_drop(loop);
		py_drop(callback);
	}
	return handle;
}

/* _cancel_all_tasks(loop) of asyncio.runners: what is not over when the main coroutine is. */
static void note_pending(struct arch_caller caller, PyObject *task)
{
	PyObject *coroutine = py_get(task, "_coro");
	struct py_chain chain;
	struct call call;
	struct task *t;

	py_chain_follow(&chain, coroutine);
	py_chain_find_loops(&chain);
	if (task_enter_any(&call, caller)) {
		t = task_find(task, TRACE_TASK_PY_TASK);
		if (t) {
			call.stack = py_stack_of_places(chain.code, chain.at, chain.count);
			/* One reference is ours, the other that of what it waits for, or of the loop. */
			task_step(&call, t,
				  !chain.is_endless && task->references <= 2 ? TRACE_TASK_FORGOTTEN
									     : TRACE_TASK_PENDING);
		}
		shim_leave(&call);
	}
	py_chain_drop(&chain);
	py_drop(coroutine);
}

struct of_loop {
	PyObject *loop;
};

static void note_if_pending(struct arch_caller caller, PyObject *task, void *cookie)
{
	const struct of_loop *of = cookie;
	PyObject *loop = py_get(task, "_loop");

	if (loop == of->loop && !py_task_is_done(task)) {
		note_pending(caller, task);
	}
	py_drop(loop);
}

static PyObject *cancel_all(PyObject *function, PyObject *const *args, size_t count,
			    PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	struct of_loop of;

	if (PY_COUNT(count) >= 1 && shim_stream) {
		of.loop = args[0];
		py_look_at_awaits(caller, NULL);
		py_each_task(note_if_pending, caller, &of);
	}
	return hook_cancel_all.old(function, args, count, names);
}

bool py_loops_install(PyObject *loop, PyObject *runners)
{
	bool runs = py_patch_function(loop, "run_forever", &hook_forever);

	py_patch_function(loop, "close", &hook_close);
	py_patch_function(loop, "call_soon_threadsafe", &hook_post);
	if (runners) {
		py_patch_function(runners, "_cancel_all_tasks", &hook_cancel_all);
	}
	return runs;
}
