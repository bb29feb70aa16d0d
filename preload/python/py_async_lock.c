/* SPDX-License-Identifier: MIT */
/*
 * py_async_lock.c - locks that tasks hold: asyncio.Lock, whose _locked the task that takes it sets and whoever gives it back clears; trio.Lock,
 * whose _owner says it. Trio gives a lock on to a task that waits: that has it when it runs next.
 */
#include "../shim_task_lock.h"
#include "py_chain.h"
#include "py_name.h"

static PyObject *usual_setattr;

static struct kind {
	const char *attribute, *label;
	PyObject *word;
	uintptr_t init; /* the code of __init__ */
} asyncio_lock = { "_locked", "asyncio.Lock", NULL, 0 },
  trio_lock = { "_owner", "trio.Lock", NULL, 0 };

/* In a task of trio's: what it has been given. */
enum { GIVEN_AT = TASK_CALLBACKS - 1 };

static void give(struct object *o, PyObject *task)
{
	struct task *t = task_find(task, TRACE_TASK_TRIO_TASK);

	if (t && task_is_of_image(t)) {
		o->depth = 1;
		t->argument = o;
	}
}

void py_async_lock_given(struct call *c, struct task *t)
{
	struct object *o = t->argument;

	t->argument = NULL;
	if (!o || !o->depth) {
		return;
	}
	task_lock_taken(c, o, t->id, t->callback_stack[GIVEN_AT]);
}

/* Where it waits; whoever gives the lock knows nothing of that. */
static uint32_t stack_of(struct arch_caller caller, PyObject *task)
{
	PyObject *coroutine = py_get(task, "coro");
	struct py_chain chain;
	struct call call;
	uint32_t id = 0;

	py_chain_follow(&chain, coroutine);
	if (task_enter_any(&call, caller)) {
		id = py_stack_of_places(chain.code, chain.at, chain.count);
		shim_leave(&call);
	}
	py_chain_drop(&chain);
	py_drop(coroutine);
	return id;
}

static void note_attribute(struct arch_caller caller, const struct kind *k, PyObject *lock,
			   PyObject *value)
{
	bool taken = value == PY_TRUE || (k == &trio_lock && value != PY_NONE);
	const uint8_t *frame = taken ? NULL : py_frame_real(py_frame_here());
	bool is_new = frame && py_frame_code(frame) == k->init;
	const struct py_site *site = is_new ? py_site_now(k->label) : NULL;
	struct task *to = taken && k == &trio_lock ? task_find(value, TRACE_TASK_TRIO_TASK) : NULL;
	struct call call;
	struct object *o;

	if (to && shim_stream && to->id != shim_stream->task) {
		to->callback_stack[GIVEN_AT] = stack_of(caller, value);
	} else {
		to = NULL;
	}
	if (!shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	call.stack = taken || is_new ? stack_id(&call) : 0; /* who gives it back is not recorded */
	o = object_find(&call, lock, PY_ASYNC_LOCK);
	if (o && to && o->depth) {
		task_lock_given(&call, o);
		give(o, value);
	} else if (o && taken && call.s->task) {
		task_lock_taken(&call, o, call.s->task, call.stack);
	} else if (o && !taken && o->depth) {
		task_lock_given(&call, o);
	} else if (o && !taken) { /* a new one, perhaps in another's memory */
		o = object_renew(&call, (uintptr_t)lock, PY_ASYNC_LOCK);
	}
	if (unlikely(site != NULL) && o) {
		py_name_object(&call, o->id, site);
	}
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
	if (args[0] == asyncio_lock.word) {
		note_attribute(PY_CALLER(), &asyncio_lock, lock, args[1]);
	} else if (args[0] == trio_lock.word) {
		note_attribute(PY_CALLER(), &trio_lock, lock, args[1]);
	}
	py_Py_IncRef(PY_NONE);
	return PY_NONE;
}

static struct py_method set_attribute_definition = {
	.name = "__setattr__", .call = (py_function *)(uintptr_t)set_attribute, .flags = PY_FASTCALL
};

static void install(struct kind *k, PyObject *class)
{
	PyObject *init = py_get(class, "__init__");

	k->word = py_PyUnicode_InternFromString(k->attribute);
	usual_setattr = py_get(class, "__setattr__"); /* object's */
	k->init = init ? py_function_code(init) : 0;
	py_drop(init); /* the class keeps it */
	py_patch_add(class, &set_attribute_definition);
}

void py_async_lock_install(PyObject *lock)
{
	install(&asyncio_lock, lock);
}

void py_trio_lock_install(PyObject *lock)
{
	install(&trio_lock, lock);
}
