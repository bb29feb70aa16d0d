/* SPDX-License-Identifier: MIT */
/*
 * py_greenlet.c - greenlets (gevent's) as tasks, by greenlet's own trace function, which it calls after each switch. A thread has one trace
 * function; ours goes on to the one that was there. The main greenlet of a thread, and gevent's hub, are the loop and no tasks. Where one was made
 * shows in the type's own function that makes them; what it runs is known from its first switch on.
 */
#include "py_task.h"

enum { IS_NAMED = 128 }; /* in task.flags: by what it runs */

static PyObject *function, *settrace;
static PyObject *(*old_new)(PyObject *, PyObject *, PyObject *);
static void (*old_dealloc)(PyObject *);

static struct task *find(const void *greenlet)
{
	struct task *t = task_find(greenlet, TRACE_TASK_GREENLET);

	return t && task_is_of_image(t) ? t : NULL;
}

static PyObject *new_greenlet(PyObject *type, PyObject *args, PyObject *kwargs)
{
	struct arch_caller caller = ARCH_CALLER();
	PyObject *greenlet = old_new(type, args, kwargs);
	struct task *t;
	struct call call;

	if (greenlet && !py_text_has(((struct py_type *)type)->name, "Hub") &&
	    task_enter_any(&call, caller)) {
		t = find(greenlet);
		if (t) { /* its end was not seen */
			task_end(&call, t, TRACE_TASK_FINISHED);
		}
		task_new(&call, greenlet, TRACE_TASK_GREENLET, 0);
		shim_leave(&call);
	}
	return greenlet;
}

/* One that never ran, for the most part. */
static void dealloc_greenlet(PyObject *greenlet)
{
	struct arch_caller caller = ARCH_CALLER();
	struct task *t = py.over ? NULL : find(greenlet);
	uint32_t id = t ? t->id : 0;
	struct call call;

	old_dealloc(greenlet);
	if (id && task_enter_any(&call, caller)) {
		t = find(greenlet);
		if (t && t->id == id) {
			task_end(&call, t, TRACE_TASK_FINISHED);
		}
		shim_leave(&call);
	}
}

static bool is_loop(PyObject *greenlet)
{
	PyObject *parent = py_get(greenlet, "parent");
	bool main = !parent || parent == PY_NONE;

	py_drop(parent);
	return main || py_text_has(py_type_name(greenlet), "Hub");
}

static void begin(struct arch_caller caller, PyObject *greenlet)
{
	struct task *t = find(greenlet);
	struct call call;

	if (!t || !(t->flags & IS_NAMED)) {
		PyObject *name = py_get(greenlet, "name"), *run = py_get(greenlet, "_run");
		struct py_about about;

		if (!run) {
			run = py_get(greenlet, "run"); /* before its first switch */
		}
		py_about(&about, name, run);
		if (task_enter_any(&call, caller)) {
			call.stack = 0; /* that of the switch */
			if (t) {
				task_set_callback(t, 0, py_place_of(about.code));
				py_define_name(&call, t, about.text, about.bytes);
			} else {
				py_meet(&call, greenlet, TRACE_TASK_GREENLET, &about);
			}
			shim_leave(&call);
		}
		py_drop(run);
		py_drop(name);
		t = find(greenlet);
		if (t) {
			t->flags |= IS_NAMED;
		}
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

static bool is_throw(const PyObject *event)
{
	char text[8];
	size_t bytes = py_text(event, text, sizeof(text) - 1);

	text[bytes] = 0;
	return py_text_is(text, "throw");
}

/* (event, (from, to)) */
static PyObject *switched(PyObject *self, PyObject *args)
{
	PyObject *type, *value, *trace,
		*pair = py_PyTuple_Size(args) == 2 ? py_PyTuple_GetItem(args, 1) : NULL;

	(void)self;
	if (!py_is_finalizing() && pair && pair->type == py_data_PyTuple_Type &&
	    py_PyTuple_Size(pair) == 2) {
		PyObject *from = py_PyTuple_GetItem(pair, 0), *to = py_PyTuple_GetItem(pair, 1);

		py_PyErr_Fetch(&type, &value, &trace);
		if (is_throw(py_PyTuple_GetItem(args, 0)) &&
		    py_text_has(py_type_name(from), "Hub")) {
			py_look_loop_exit(ARCH_CALLER());
		}
		if (!is_loop(from)) {
			end(ARCH_CALLER(), from);
		}
		if (!is_loop(to)) {
			py_gevent_switched();
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
	PyObject *module = function ? NULL : py_PyImport_ImportModule("greenlet"), *old, *type;

	if (!module || function) { /* importing it may have come here */
		py_drop(module);
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
	type = function ? py_get(module, "greenlet") : NULL; /* the reference is kept */
	if (type && py_patch_new_of_extension(type, new_greenlet, &old_new)) {
		py_patch_dealloc_of_extension(type, dealloc_greenlet, &old_dealloc);
	}
	py_PyErr_Clear();
	py_drop(module);
}
