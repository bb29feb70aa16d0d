/* SPDX-License-Identifier: MIT */
/*
 * py_pool.c - concurrent.futures.ThreadPoolExecutor: what is submitted is a task of its pool, which one of the pool's threads runs.
 *
 * submit() puts a work item into a SimpleQueue; the worker takes it out and calls its run().
 */
#include "py_pool.h"

enum { POOL = KIND_OF_LIBRARY(POOL, PYTHON) };

static uintptr_t run_code; /* of _WorkItem.run */

static bool is_work(const PyObject *item)
{
	return item && py_text_is(py_type_name(item), "_WorkItem");
}

void py_pool_put(struct arch_caller caller, PyObject *item)
{
	const uint8_t *frame = py_frame_now();
	PyObject *pool = frame ? py_frame_local(frame, 0) : NULL, *function;
	uintptr_t code;
	struct task *t;
	struct call call;

	if (!is_work(item) || !pool) {
		return;
	}
	function = py_get(item, "fn");
	code = py_code_of(function);
	if (!code) { /* of an extension: what its item does all the same */
		code = run_code;
	}
	if (task_enter_any(&call, caller)) {
		t = task_new(&call, item, TRACE_TASK_PY_WORK, task_loop(&call, pool, POOL));
		if (t) {
			task_set_callback(t, 0, py_place_of(code));
			task_arm(&call, t, 0, true);
		}
		shim_leave(&call);
	}
	py_drop(function);
}

/* Whoever takes one out to run it will say so; the others throw it away. */
void py_pool_taken(struct arch_caller caller, PyObject *item)
{
	const uint8_t *frame = py_frame_now();
	struct task *t = is_work(item) ? task_find(item, TRACE_TASK_PY_WORK) : NULL;
	char name[16];
	size_t bytes;
	struct call call;

	if (!t || !frame) {
		return;
	}
	bytes = py_text(*(PyObject **)(py_frame_code(frame) + py.layout->name), name,
			sizeof(name) - 1);
	name[bytes] = 0;
	if (!py_text_is(name, "_worker") && task_enter_any(&call, caller)) {
		task_end(&call, t, TRACE_TASK_FINISHED);
		shim_leave(&call);
	}
}

PY_HOOK(hook_run, run)

static PyObject *run(PyObject *function, PyObject *const *args, size_t count, PyObject *names)
{
	struct arch_caller caller = ARCH_CALLER();
	struct task_run r = { 0 };
	PyObject *result;

	if (PY_COUNT(count) && task_find(args[0], TRACE_TASK_PY_WORK)) {
		task_called(&r, caller, args[0], TRACE_TASK_PY_WORK, 0, TASK_IS_OVER);
	}
	result = hook_run.old(function, args, count, names);
	if (r.s) {
		PyObject *type, *value, *trace;

		py_PyErr_Fetch(&type, &value, &trace);
		task_returned(&r, caller);
		py_PyErr_Restore(type, value, trace);
	}
	return result;
}

bool py_pool_install(PyObject *module)
{
	PyObject *last = py_get(module, "ThreadPoolExecutor"), *item = NULL;

	if (last) {
		item = py_get(module, "_WorkItem");
	}
	if (item) {
		PyObject *function = py_get(item, "run");

		run_code = function ? py_function_code(function) : 0;
		py_drop(function); /* its class keeps it */
		py_patch_function(item, "run", &hook_run);
	}
	py_drop(item);
	py_drop(last);
	return last != NULL;
}
