/* SPDX-License-Identifier: MIT */
/*
 * py_async_lock.c - asyncio.Lock: the task that sets _locked has it, whoever clears it gives it back.
 */
#include "../shim_bounded.h"
#include "py_chain.h"
#include "py_name.h"

static PyObject *word_locked, *usual_setattr;
static uintptr_t lock_init; /* the code of Lock.__init__ */

static void note_attribute(PyObject *lock, const PyObject *name, const PyObject *value)
{
	const struct py_site *site = NULL;
	struct bounded *bounded;
	struct call call;
	struct object *o;

	if (name != word_locked) {
		return;
	}
	if (value != PY_TRUE && py_frame_now() && py_frame_code(py_frame_now()) == lock_init) {
		site = py_site_now("asyncio.Lock");
	}
	if (!task_enter_any(&call, PY_CALLER())) {
		return;
	}
	if (site) {
		py_name_stack(&call, site);
	}
	bounded = call.s->bounded;
	o = bounded && bounded->recording ? NULL : object_find(&call, lock, PY_ASYNC_LOCK);
	call.s->bounded = NULL; /* what it follows are the holds of the thread */
	if (o && value == PY_TRUE && call.s->task) {
		o->depth = 1;
		emit_os_seq(call.s, TRACE_ACQUIRE, o->id, call.stack, 0);
	} else if (o && value != PY_TRUE && o->depth) {
		o->depth = 0;
		emit_o(call.s, TRACE_RELEASE, o->id);
	} else if (o && value != PY_TRUE) { /* a new one, perhaps in another's memory */
		object_renew(&call, (uintptr_t)lock, PY_ASYNC_LOCK);
	}
	call.s->bounded = bounded;
	shim_leave(&call);
}

/* Lock.__setattr__(self, name, value) */
static PyObject *set_attribute(PyObject *lock, PyObject *const *args, intptr_t count)
{
	if (count != 2) {
		return py_PyObject_CallFunctionObjArgs(
			usual_setattr, lock, count > 0 ? args[0] : NULL, count > 2 ? args[1] : NULL,
			count > 2 ? args[2] : NULL, NULL);
	}
	if (py_PyObject_GenericSetAttr(lock, args[0], args[1])) {
		return NULL;
	}
	note_attribute(lock, args[0], args[1]);
	py_Py_IncRef(PY_NONE);
	return PY_NONE;
}

static struct py_method set_attribute_definition = {
	.name = "__setattr__", .call = (py_function *)(uintptr_t)set_attribute, .flags = PY_FASTCALL
};

void py_async_lock_install(PyObject *lock)
{
	PyObject *init = py_get(lock, "__init__");

	word_locked = py_PyUnicode_InternFromString("_locked");
	usual_setattr = py_get(lock, "__setattr__");
	lock_init = init ? py_function_code(init) : 0;
	py_drop(init); /* the class keeps it */
	py_patch_add(lock, &set_attribute_definition);
}
