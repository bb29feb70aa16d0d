/* SPDX-License-Identifier: MIT */
/*
 * py_pure.c - asyncio's tasks as they are without the C module: a program makes them by a task factory, or puts the class in the place of
 * asyncio.Task.
 *
 * All that is known of such a task lies in plain attributes of the instance; a class that builds on this one and has code of its own for
 * attributes is left alone. Where the task goes, its __del__ says; one that has a __del__ of its own may not. So such an entry
 * in the table of tasks is never taken for an object: who looks at all tasks takes these from asyncio's own register of weak references.
 */
#include "py_pure.h"

#include "py_context.h"

PY_HOOK(hook_init, init)
PY_HOOK(hook_del, del)
PY_HOOK(hook_set_name, set_name)
PY_HOOK(hook_cancel, cancel)
static PyObject *pure_type, *step_function, *wakeup_function;

bool py_is_pure_task(PyObject *o)
{
	enum { TYPE_GETATTR = 144 };

	return o && pure_type &&
	       ((void *)o->type == (void *)pure_type || py_PyType_IsSubtype(o->type, pure_type)) &&
	       *(void **)((uintptr_t)o->type + TYPE_GETATTR) == (void *)py_PyObject_GenericGetAttr;
}

static bool attribute_is(PyObject *task, const char *attribute, const char *word)
{
	PyObject *value = py_get(task, attribute);
	char text[12];
	size_t bytes = py_text(value, text, sizeof(text) - 1);

	py_drop(value);
	text[bytes] = 0;
	return py_text_is(text, word);
}

bool py_pure_is_done(PyObject *task)
{
	return !attribute_is(task, "_state", "PENDING");
}

bool py_pure_was_cancelled(PyObject *task)
{
	return attribute_is(task, "_state", "CANCELLED");
}

PyObject *py_pure_step_task(PyObject *method)
{
	enum { METHOD_FUNCTION = 16, METHOD_SELF = 24 };
	PyObject *function = *(PyObject **)((uintptr_t)method + METHOD_FUNCTION),
		 *self = *(PyObject **)((uintptr_t)method + METHOD_SELF);

	return pure_type && (function == step_function || function == wakeup_function) &&
			       py_is_pure_task(self)
		       ? self
		       : NULL;
}

/* ---- tasks that run while they are made ---- */

bool py_eager_begin(struct py_step *step, struct arch_caller caller, PyObject *task,
		    const struct py_about *about)
{
	struct call call;

	if (!task_enter_any(&call, caller)) {
		return false;
	}
	py_task_made(&call, task, about);
	shim_leave(&call);
	py_step_begin_of(step, caller, task);
	return true;
}

void py_eager_end(struct py_step *step, struct arch_caller caller, bool is_made)
{
	PyObject *type, *value, *trace;
	struct task *t;
	struct call call;

	if (is_made) {
		py_step_end(step, caller);
		return;
	}
	py_PyErr_Fetch(&type, &value, &trace);
	task_returned(&step->run, caller);
	if (task_enter_any(&call, caller)) {
		t = task_find(step->task, TRACE_TASK_PY_TASK);
		if (t) {
			task_end(&call, t, TRACE_TASK_FINISHED);
		}
		shim_leave(&call);
	}
	py_drop(step->task);
	py_PyErr_Restore(type, value, trace);
}

/* ---- life ---- */

static PyObject *self_of(PyObject *const *args, size_t count)
{
	return PY_COUNT(count) && shim_stream && py_is_pure_task(args[0]) ? args[0] : NULL;
}

/* Borrowed; NULL = it is not given. */
static PyObject *keyword(PyObject *const *args, size_t count, PyObject *names, const char *name)
{
	for (intptr_t i = 0; names && i < py_PyTuple_Size(names); i++) {
		char text[16];
		size_t bytes = py_text(py_PyTuple_GetItem(names, i), text, sizeof(text) - 1);

		text[bytes] = 0;
		if (py_text_is(text, name)) {
			return args[PY_COUNT(count) + (size_t)i];
		}
	}
	return NULL;
}

/* Task(coro, *, loop, name, context, eager_start) */
static PyObject *init(PyObject *function, PyObject *const *args, size_t count, PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *task = self_of(args, count), *result, *loop;
	struct py_about about;
	struct py_step step;
	struct call call;

	if (task && keyword(args, count, names, "eager_start") == PY_TRUE) {
		loop = keyword(args, count, names, "loop");
		py_about(&about, keyword(args, count, names, "name"),
			 PY_COUNT(count) > 1 ? args[1] : keyword(args, count, names, "coro"));
		about.loop = loop && loop != PY_NONE ? loop : NULL;
		if (py_eager_begin(&step, caller, task, &about)) {
			result = hook_init.old(function, args, count, names);
			py_eager_end(&step, caller, result != NULL);
			return result;
		}
	}
	result = hook_init.old(function, args, count, names);
	if (result && task) {
		py_task_about(&about, task);
		if (task_enter_any(&call, caller)) {
			py_task_made(&call, task, &about);
			shim_leave(&call);
		}
	}
	return result;
}

/* The real one calls the exception handler, which may do anything. */
static PyObject *del(PyObject *function, PyObject *const *args, size_t count, PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *task = self_of(args, count), *type, *value, *trace, *result;
	struct py_task_going g = { 0 };

	if (task) {
		g = py_task_goes(caller, task);
	}
	result = hook_del.old(function, args, count, names);
	py_PyErr_Fetch(&type, &value, &trace);
	py_task_gone(&g, caller, task);
	py_PyErr_Restore(type, value, trace);
	return result;
}

static PyObject *set_name(PyObject *function, PyObject *const *args, size_t count, PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *task = self_of(args, count),
		 *result = hook_set_name.old(function, args, count, names);

	if (result && task) {
		py_task_named(caller, task);
	}
	return result;
}

static PyObject *cancel(PyObject *function, PyObject *const *args, size_t count, PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *task = self_of(args, count),
		 *result = hook_cancel.old(function, args, count, names);

	if (result == PY_TRUE && task) {
		py_cancel_asked(caller, task);
	}
	return result;
}

/* ---- all of them ---- */

static void visit_set(PyObject *set,
		      void (*visit)(struct arch_caller caller, PyObject *task, void *cookie),
		      struct arch_caller caller, void *cookie)
{
	PyObject *list = set && py_text_is(py_type_name(set), "set") ? py_PySequence_List(set)
								     : NULL;

	for (intptr_t i = 0; list && i < py_PyList_Size(list); i++) {
		PyObject *reference = py_PyList_GetItem(list, i), *task;

		/* "weakref" up to 3.10, "weakref.ReferenceType" from then on */
		task = py_text_has(py_type_name(reference), "weakref")
			       ? py_PyWeakref_GetObject(reference)
			       : NULL;
		if (task && py_is_pure_task(task)) {
			py_Py_IncRef(task);
			if (!py_pure_is_done(task)) {
				visit(caller, task, cookie);
			}
			py_Py_DecRef(task);
		}
	}
	py_PyErr_Clear();
	py_drop(list);
}

void py_each_pure_task(void (*visit)(struct arch_caller caller, PyObject *task, void *cookie),
		       struct arch_caller caller, void *cookie)
{
	static const char *const registers[] = { "_all_tasks", "_scheduled_tasks" }; /* 3.12 */
	PyObject *type, *value, *trace;

	if (!pure_type || !py_PyWeakref_GetObject) {
		return;
	}
	py_PyErr_Fetch(&type, &value, &trace);
	for (size_t i = 0; i < 2; i++) {
		PyObject *all = py_get(py_module("asyncio.tasks"), registers[i]);
		PyObject *set = all && py_text_is(py_type_name(all), "WeakSet")
					? py_get(all, "data")
					: NULL;

		visit_set(set, visit, caller, cookie);
		py_drop(set);
		py_drop(all);
	}
	py_PyErr_Clear();
	py_PyErr_Restore(type, value, trace);
}

/* ---- into place ---- */

/* Without its __del__ nothing is done: then entries would stay for ever. */
void py_pure_install(PyObject *task_type)
{
	PyObject *class = py_get(py_module("asyncio.tasks"), "_PyTask");

	if (!class || class == task_type || class->type != py_data_PyType_Type ||
	    !py_PyObject_GenericGetAttr) {
		py_drop(class);
		return;
	}
	step_function = py_get(class, "_Task__step");
	wakeup_function = py_get(class, "_Task__wakeup");
	if (step_function && wakeup_function && py_patch_function(class, "__del__", &hook_del) &&
	    py_patch_function(class, "__init__", &hook_init)) {
		pure_type = class; /* the references are kept */
		py_patch_function(class, "set_name", &hook_set_name);
		py_patch_function(class, "cancel", &hook_cancel);
	}
}
