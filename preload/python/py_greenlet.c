/* SPDX-License-Identifier: MIT */
/*
 * py_greenlet.c - greenlets (gevent's) as tasks, by greenlet's own trace function, which it calls after each switch. A thread has one trace
 * function; ours goes on to the one that was there. The main greenlet of a thread, and gevent's hub, are the loop and no tasks.
 */
#include "py_task.h"

static PyObject *function, *settrace;

static bool is_loop(PyObject *greenlet)
{
	PyObject *parent = py_get(greenlet, "parent");
	bool main = !parent || parent == PY_NONE;

	py_drop(parent);
	return main || py_text_has(py_type_name(greenlet), "Hub");
}

static void begin(struct arch_caller caller, PyObject *greenlet)
{
	struct task *t = task_find(greenlet, TRACE_TASK_GREENLET);
	struct call call;

	if (!t || !task_is_of_image(t)) {
		PyObject *name = py_get(greenlet, "name"), *run = py_get(greenlet, "_run");
		struct py_about about;

		py_about(&about, name, run);
		if (task_enter_any(&call, caller)) {
			py_meet(&call, greenlet, TRACE_TASK_GREENLET, &about);
			shim_leave(&call);
		}
		py_drop(run);
		py_drop(name);
		t = task_find(greenlet, TRACE_TASK_GREENLET);
	}
	if (t && shim_enter_with(&call, caller, ROOM_EARLY)) {
		call.stack = 0;
		py_task_steps++;
		task_step(&call, t, TRACE_TASK_RESUMED);
		call.s->task = t->id;
		shim_leave(&call);
	}
}

static void end(struct arch_caller caller, PyObject *greenlet)
{
	PyObject *dead = py_get(greenlet, "dead");
	bool over = dead == PY_TRUE;
	struct task *t = task_find(greenlet, TRACE_TASK_GREENLET);
	struct call call;

	py_drop(dead);
	if (t && task_is_of_image(t) && shim_enter_with(&call, caller, ROOM_EARLY)) {
		call.stack = 0;
		py_task_changes++;
		task_step(&call, t, TRACE_TASK_SUSPENDED);
		call.s->task = 0;
		if (over) {
			task_end(&call, t, TRACE_TASK_FINISHED);
		}
		shim_leave(&call);
	}
}

/* (event, (from, to)) */
static PyObject *switched(PyObject *self, PyObject *args)
{
	PyObject *type, *value, *trace,
		*pair = py_PyTuple_Size(args) == 2 ? py_PyTuple_GetItem(args, 1) : NULL;

	(void)self;
	if (pair && pair->type == py_data_PyTuple_Type && py_PyTuple_Size(pair) == 2) {
		PyObject *from = py_PyTuple_GetItem(pair, 0), *to = py_PyTuple_GetItem(pair, 1);

		py_PyErr_Fetch(&type, &value, &trace);
		if (!is_loop(from)) {
			end(ARCH_CALLER(), from);
		}
		if (!is_loop(to)) {
			begin(ARCH_CALLER(), to);
		}
		py_PyErr_Clear();
		py_PyErr_Restore(type, value, trace);
	}
	py_Py_IncRef(PY_NONE);
	return PY_NONE;
}

static struct py_method switched_method = { .name = "switched",
					    .call = (py_function *)(uintptr_t)switched,
					    .flags = PY_VARARGS };

void py_greenlet_install(void)
{
	PyObject *module = function ? NULL : py_PyImport_ImportModule("greenlet"), *old;

	if (!module) {
		return;
	}
	settrace = py_get(module, "settrace");
	function = settrace ? py_PyCFunction_NewEx(&switched_method, NULL, NULL) : NULL;
	old = function && py_PyObject_CallFunctionObjArgs
		      ? py_PyObject_CallFunctionObjArgs(settrace, function, NULL)
		      : NULL;
	if (old && old != PY_NONE) { /* the program traces already: it goes first */
		py_drop(py_PyObject_CallFunctionObjArgs(settrace, old, NULL));
	}
	py_drop(old);
	py_PyErr_Clear();
	py_drop(module);
}
