/* SPDX-License-Identifier: MIT */
/*
 * py_about.c - what a task, coroutine or function says of itself: name, code, place.
 */
#include "../shim_task_slot.h"
#include "py_read.h"
#include "py_task.h"

/* The str of a name that is written in our code: looking an attribute up by its text makes one each time. */
static PyObject *word_of(const char *name)
{
	static struct {
		const char *name;
		PyObject *word;
	} words[128];
	size_t i = (uintptr_t)name * 0x9e3779b97f4a7c15u >> 57;

	if (unlikely(words[i].name != name)) {
		PyObject *word = words[i].word ? NULL : py_PyUnicode_InternFromString(name);

		if (!word) {
			return NULL;
		}
		words[i].word = word; /* the reference is kept */
		words[i].name = name;
	}
	return words[i].word;
}

/* Where it has none, an exception that says so would be made first, and thrown away: one function does without, by two names. */
static PyObject *value_of(PyObject *o, PyObject *word)
{
	PyObject *value = NULL;

	if (likely(py__PyObject_LookupAttr != NULL)) {
		py__PyObject_LookupAttr(o, word, &value);
	} else if (py_PyObject_GetOptionalAttr) {
		py_PyObject_GetOptionalAttr(o, word, &value);
	} else {
		value = py_PyObject_GetAttr(o, word);
	}
	return value;
}

PyObject *py_get(PyObject *o, const char *name)
{
	PyObject *word = o && !py.over ? word_of(name) : NULL;
	PyObject *value = word ? value_of(o, word) : o ? py_PyObject_GetAttrString(o, name) : NULL;

	if (!value) {
		py_PyErr_Clear();
	}
	return value;
}

void py_drop(PyObject *o)
{
	if (o) {
		py_Py_DecRef(o);
	}
}

/* ---- what is called: a place ---- */

static uintptr_t own_code_of(PyObject *o)
{
	static const char *const words[] = { "cr_code", "gi_code", "ag_code", "__code__" };
	enum { METHOD_FUNCTION = 16 };
	uintptr_t code;

	if (o->type == py_data_PyCFunction_Type) {
		return 0;
	}
	if (o->type == py_data_PyMethod_Type) {
		o = *(PyObject **)((uintptr_t)o + METHOD_FUNCTION);
	}
	code = py_function_code(o);
	for (size_t i = 0; i < 4 && !code; i++) {
		PyObject *found = py_get(o, words[i]);

		code = found && found->type == py_data_PyCode_Type ? (uintptr_t)found : 0;
		py_drop(found);
	}
	return code;
}

/* What a partial calls; of asyncio.to_thread(), Context.run with a function, that function. Borrowed from the partial; NULL = it is none. */
static PyObject *called_by(PyObject *o)
{
	PyObject *function, *args, *first = NULL;

	if (!py_text_is(py_type_name(o), "functools.partial")) {
		return NULL;
	}
	function = py_get(o, "func");
	args = py_get(o, "args");
	if (function && function->type == py_data_PyCFunction_Type && args &&
	    args->type == py_data_PyTuple_Type && py_PyTuple_Size(args)) {
		first = py_PyTuple_GetItem(args, 0);
	}
	py_drop(args); /* the partial keeps both */
	py_drop(function);
	return first ? first : function;
}

/* The code of a coroutine, generator, function, bound method or partial; 0 = none that we know. Lives as long as `o` does. */
uintptr_t py_code_of(PyObject *o)
{
	enum { DEEP = 4 };
	uintptr_t code = o ? own_code_of(o) : 0;

	for (unsigned i = 0; i < DEEP && o && !code; i++) {
		o = called_by(o);
		code = o ? own_code_of(o) : 0;
	}
	return code;
}

/* The guard is held. Takes the place of a pointer to what is called: one less than the place, since it is read as such a pointer. */
void *py_place_of(uintptr_t code)
{
	uintptr_t place = code && py.features & PY_STACKS ? py_place(code, -1) : 0;

	return place ? (void *)(place - 1) : NULL;
}

/* ---- tasks ---- */

static void add_text(struct py_about *a, PyObject *text, const char *before, const char *after)
{
	char part[100];
	size_t bytes = py_text(text, part, sizeof(part));

	if (bytes) {
		for (; *before; before++) {
			a->text[a->bytes++] = *before;
		}
		__builtin_memcpy(a->text + a->bytes, part, bytes);
		a->bytes += (uint32_t)bytes;
		for (; *after; after++) {
			a->text[a->bytes++] = *after;
		}
	}
}

void py_about(struct py_about *a, PyObject *name, PyObject *coroutine)
{
	static struct py_reader qualname, code;
	bool is_usual = coroutine && coroutine->type == py_data_PyCoro_Type;
	PyObject *function, *of = NULL;

	if (unlikely(is_usual && !code.name)) {
		py_reader_find(&qualname, (PyObject *)coroutine->type, "__qualname__");
		py_reader_find(&code, (PyObject *)coroutine->type, "cr_code");
	}
	function = is_usual ? py_read(&qualname, coroutine) : py_get(coroutine, "__qualname__");
	a->loop = NULL;
	if (likely(is_usual)) {
		of = py_read(&code, coroutine);
		a->code = of && of->type == py_data_PyCode_Type ? (uintptr_t)of : 0;
		py_drop(of);
	} else {
		a->code = py_code_of(coroutine);
	}
	a->bytes = 0;
	add_text(a, name, "", "");
	add_text(a, function, a->bytes ? " (" : "(", ")");
	py_PyErr_Clear();
	py_drop(function);
}

void py_define_name(const struct call *c, const struct task *t, const char *text, uint32_t bytes)
{
	struct tf_def_task def = { .def.type = TF_DEF_TASK,
				   .task = t->id,
				   .parent = c->s->task,
				   .thread = c->s->thread,
				   .stack = c->stack,
				   .ticks = c->s->last_ticks,
				   .bytes = bytes };

	if (bytes && !task_slot_named(t->id, text, bytes)) {
		region_define(&def.def, sizeof(def), text, bytes, "", 1);
	}
}

/* The coroutines of most tasks are of few functions. */
static void set_code(struct task *t, uintptr_t code)
{
	static struct {
		uintptr_t code;
		uint32_t epoch, image, stack;
		void *place;
	} seen[64];
	size_t i = (code >> 4) * 0x9e3779b97f4a7c15u >> 58;

	if (unlikely(seen[i].code != code || seen[i].epoch != py_code_epoch() ||
		     seen[i].image != t->image)) {
		py_code_note(code);
		seen[i].code = code;
		seen[i].epoch = py_code_epoch();
		seen[i].image = t->image;
		seen[i].stack = 0;
		seen[i].place = py_place_of(code);
	}
	if (seen[i].place) {
		task_set_callback_known(t, 0, seen[i].place, &seen[i].stack);
	}
}

void py_meet(struct call *c, PyObject *task, unsigned kind, const struct py_about *a)
{
	struct task *t = task_new(c, task, kind, a->loop ? task_loop(c, a->loop, PY_LOOP) : 0);

	py_task_changes++;
	if (t) {
		set_code(t, a->code);
		py_define_name(c, t, a->text, a->bytes);
	}
}
