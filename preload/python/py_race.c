/* SPDX-License-Identifier: MIT */
/*
 * py_race.c - the hooks of --python-races for attributes. Each hook finds the instruction that runs, and goes on to the function that was there.
 *
 * They are slots of the classes that the program makes, of classes as objects and of modules. object.__setattr__ compares slots and
 * refuses one that it does not know; so that wrapper is ours too, and takes ours for the one in whose place it stands.
 */
#include "py_race.h"

#include "py_task.h"

enum {
	TYPE_GETATTRO = 144,
	TYPE_SETATTRO = 152,
	TYPE_FLAGS = 168,
	TYPE_BASE = 256,
	TYPE_DESCR_SET = 280,
	TYPE_DICT_OFFSET = 288,
	TYPE_FREE = 320,
	TYPE_MRO = 344,
	FLAG_HEAP = 1 << 9,
	FLAG_GC = 1 << 14,
	WRAPPER_BASE = 40,
	BASE_FUNCTION = 16,
	BASE_WRAPPER = 24,
	MODULE_DICT = 16,
	CODE_WARMUP = 52, /* 3.11 */
};

typedef PyObject *wrapper_function(PyObject *self, PyObject *args, void *wrapped);

uint32_t py_race_classes;
static py_set_function *set_of_type;

/* ---- the instruction that runs ---- */

struct here py_race_here(unsigned kind)
{
	struct here h = { .frame = py_frame_now() };

	if (h.frame) {
		h.site = py_race_site(py_frame_code(h.frame), py_frame_at(h.frame));
		if (h.site && h.site->kind != kind) {
			h.site = NULL;
		}
	}
	return h;
}

/* The interpreter replaces an instruction that runs often by one for what it met: that one calls no slot. */
void py_race_keep_general(uintptr_t code, int32_t at)
{
	enum { NEVER = 0xfffc }; /* most significant 12 bits: how often until it tries */

	if (py_minor() == 11) {
		*(uint16_t *)(code + CODE_WARMUP) = 0;
	} else if (py_minor() >= 12 && at >= 0) {
		*(uint16_t *)(code + py.layout->code_bytes + (unsigned)at + 2) = NEVER;
	}
}

/* ---- attributes ---- */

/* The end of an instance: its variables go. */
static void free_gc(void *o)
{
	py_variables_gone(o);
	py_PyObject_GC_Del(o);
}

static void free_plain(void *o)
{
	py_variables_gone(o);
	py_PyObject_Free(o);
}

static bool watch_end(PyObject *type)
{
	void **slot = py_slot(type, TYPE_FREE);
	bool gc = *(unsigned long *)py_slot(type, TYPE_FLAGS) & FLAG_GC;

	if (*slot == (void *)free_gc || *slot == (void *)free_plain) {
		return true;
	}
	if (*slot != (gc ? (void *)py_PyObject_GC_Del : (void *)py_PyObject_Free)) {
		return false;
	}
	py_put(slot, gc ? (void *)free_gc : (void *)free_plain);
	return true;
}

/* A property computes what it is; a slot is a variable. */
static bool is_computed(PyObject *o, PyObject *name)
{
	PyObject *found = py__PyType_Lookup(o->type, name);

	return found && found->type != py_data_PyMemberDescr_Type &&
	       *py_slot(found->type, TYPE_DESCR_SET);
}

static struct variable *attribute_of(PyObject *o, PyObject *name, const struct here *h)
{
	const void *owner = o;
	const char *class = py_type_name(o);
	struct variable *v;
	bool is_module = (void *)o->type == py_data_PyModule_Type;
	bool is_type = !is_module && *py_slot(o->type, TYPE_SETATTRO) == (void *)set_of_type;

	if (is_module) {
		owner = *(void **)((uintptr_t)o + MODULE_DICT);
		class = NULL;
	} else if ((void *)o->type == py_data_PyType_Type || is_type) {
		class = ((const struct py_type *)(const void *)o)->name;
	}
	v = py_variable_find(owner, name, 0);
	if (v || !h->site || is_computed(o, name)) {
		return v;
	}
	if (class != py_type_name(o) || is_module || watch_end((PyObject *)o->type)) {
		v = py_variable_add(owner, name, 0, h->site, class);
	}
	return v;
}

static py_get_function get_attribute;
static py_set_function set_attribute;

static void note_store(struct arch_caller caller, PyObject *o, PyObject *name, PyObject *value)
{
	struct here h = py_race_here(SITE_ATTRIBUTE);
	struct variable *v;

	if (!h.frame || !value) {
		return;
	}
	v = attribute_of(o, name, &h);
	if (v) {
		py_variable_write(caller, v, h.frame, h.site, value);
	}
}

static PyObject *get_attribute(PyObject *o, PyObject *name)
{
	if (py_race_has_name(name)) {
		struct here h = py_race_here(SITE_ATTRIBUTE);
		struct variable *v = h.site ? attribute_of(o, name, &h) : NULL;

		if (v) {
			py_variable_read(v, h.frame);
		}
	}
	return py_PyObject_GenericGetAttr(o, name);
}

static void watch_reads(PyObject *type)
{
	void **slot = py_slot(type, TYPE_GETATTRO);

	if (*(unsigned long *)py_slot(type, TYPE_FLAGS) & FLAG_HEAP &&
	    *slot == (void *)py_PyObject_GenericGetAttr) {
		py_put(slot, (void *)get_attribute);
		py_PyType_Modified(type);
	}
}

/* What the error says of an instance without dictionary depends on the slot. */
static int set_again(PyObject *o, PyObject *name, PyObject *value)
{
	void **slot = py_slot(o->type, TYPE_SETATTRO);
	int rc;

	if (*py_slot(o->type, TYPE_DICT_OFFSET) || py__PyType_Lookup(o->type, name) ||
	    *slot != (void *)set_attribute) {
		return -1;
	}
	py_PyErr_Clear();
	py_put(slot, (void *)py_PyObject_GenericSetAttr);
	rc = py_PyObject_GenericSetAttr(o, name, value);
	py_put(slot, (void *)set_attribute);
	return rc;
}

static int set_attribute(PyObject *o, PyObject *name, PyObject *value)
{
	int rc;

	if (unlikely(py_race_has_name(name))) {
		watch_reads((PyObject *)o->type);
		note_store(ARCH_CALLER(), o, name, value);
	}
	rc = py_PyObject_GenericSetAttr(o, name, value);
	return likely(rc == 0) ? rc : set_again(o, name, value);
}

static int set_attribute_of_module(PyObject *o, PyObject *name, PyObject *value)
{
	if (unlikely(py_race_has_name(name))) {
		note_store(ARCH_CALLER(), o, name, value);
	}
	return py_PyObject_GenericSetAttr(o, name, value);
}

static int set_attribute_of_type(PyObject *o, PyObject *name, PyObject *value)
{
	if (unlikely(py_race_has_name(name))) {
		note_store(ARCH_CALLER(), o, name, value);
	}
	return set_of_type(o, name, value);
}

/* ---- object.__setattr__(o, name, value) ---- */

static wrapper_function *wrap_set, *wrap_delete;
static py_set_function *slot_of_python; /* of classes that define __setattr__ */

/* The function that a slot had. */
static py_set_function *real_set(const void *type)
{
	py_set_function *f = *(py_set_function **)py_slot(type, TYPE_SETATTRO);

	return f == set_attribute || f == set_attribute_of_module ? py_PyObject_GenericSetAttr
	       : f == set_attribute_of_type			  ? set_of_type
								  : f;
}

/* As hackcheck() of typeobject.c: nobody may go past a type of C that has a way of its own. */
static bool may_set(PyObject *o, py_set_function *f)
{
	PyObject *mro = *py_slot(o->type, TYPE_MRO);
	const void *defining = o->type, *base;

	for (intptr_t i = mro ? py_PyTuple_Size(mro) - 1 : -1; i >= 0; i--) {
		base = py_PyTuple_GetItem(mro, i);
		if (real_set(base) != slot_of_python && real_set(base) == real_set(o->type)) {
			defining = base;
			break;
		}
	}
	for (base = defining; base; base = *py_slot(base, TYPE_BASE)) {
		if (real_set(base) == f) {
			return true;
		}
		if (real_set(base) != slot_of_python) {
			return false;
		}
	}
	return true;
}

static PyObject *wrapped_set(PyObject *o, PyObject *args, void *wrapped, PyObject *value)
{
	PyObject *name = py_PyTuple_GetItem(args, 0);

	if (((py_set_function *)wrapped)(o, name, value) < 0 &&
	    (wrapped != (void *)py_PyObject_GenericSetAttr || set_again(o, name, value) < 0)) {
		return NULL;
	}
	py_Py_IncRef(PY_NONE);
	return PY_NONE;
}

static PyObject *our_wrap_set(PyObject *o, PyObject *args, void *wrapped)
{
	if (py_PyTuple_Size(args) == 2 && may_set(o, (py_set_function *)wrapped)) {
		PyObject *name = py_PyTuple_GetItem(args, 0), *value = py_PyTuple_GetItem(args, 1);

		if (name->type == py_data_PyUnicode_Type && py_race_has_name(name)) {
			note_store(ARCH_CALLER(), o, name, value);
		}
		return wrapped_set(o, args, wrapped, value);
	}
	return wrap_set(o, args, wrapped);
}

static PyObject *our_wrap_delete(PyObject *o, PyObject *args, void *wrapped)
{
	return py_PyTuple_Size(args) == 1 && may_set(o, (py_set_function *)wrapped)
		       ? wrapped_set(o, args, wrapped, NULL)
		       : wrap_delete(o, args, wrapped);
}

static bool patch_wrapper(const char *name, wrapper_function *ours, wrapper_function **ret_old)
{
	PyObject *d = py_get(py_data_PyBaseObject_Type, name);
	void **base = d && d->type == py_data_PyWrapperDescr_Type ? *py_slot(d, WRAPPER_BASE)
								  : NULL;
	bool fits = base && py_text_is((const char *)base[0], name) &&
		    (uintptr_t)base[1] == TYPE_SETATTRO;

	if (fits) {
		slot_of_python = (py_set_function *)base[BASE_FUNCTION / 8];
		*ret_old = (wrapper_function *)base[BASE_WRAPPER / 8];
		py_put(&base[BASE_WRAPPER / 8], (void *)ours);
	}
	py_drop(d);
	return fits;
}

/* ---- classes ---- */

static struct py_patched build_class;

static PyObject *our_build_class(void *a, void *b, void *c, void *d, void *e)
{
	PyObject *function = (intptr_t)c > 0 ? *(PyObject **)b : NULL, *type;
	uintptr_t code = function ? py_function_code(function) : 0;

	type = build_class.call(a, b, c, d, e);
	if (type && code && py_PyType_IsSubtype(type->type, py_data_PyType_Type) &&
	    py_code_kind(code) == TF_PLACE_PROGRAM) {
		void **slot = py_slot(type, TYPE_SETATTRO);

		py_race_classes++;
		py_races_counted();
		if (*slot == (void *)py_PyObject_GenericSetAttr) {
			py_put(slot, (void *)set_attribute);
			py_PyType_Modified(type);
			if (py_race_body_stores((PyObject *)code)) {
				watch_reads(type);
			}
		}
	}
	return type;
}

/* ---- into place ---- */

/* types.SimpleNamespace: the one type of the library that is there for the program's own attributes. */
static void watch_namespaces(void)
{
	PyObject *sys = py_module("sys"), *one = sys ? py_get(sys, "implementation") : NULL;

	if (one && *py_slot(one->type, TYPE_SETATTRO) == (void *)py_PyObject_GenericSetAttr &&
	    *py_slot(one->type, TYPE_GETATTRO) == (void *)py_PyObject_GenericGetAttr &&
	    py_text_has(py_type_name(one), "SimpleNamespace")) {
		py_put(py_slot(one->type, TYPE_SETATTRO), (void *)set_attribute_of_module);
		py_put(py_slot(one->type, TYPE_GETATTRO), (void *)get_attribute);
		py_PyType_Modified(one->type);
	}
	py_drop(one);
}

bool py_races_install(void)
{
	PyObject *builtins = py_module("builtins");

	if (!py.layout || py_minor() > 13 || !builtins || !py_PyCompile_OpcodeStackEffectWithJump ||
	    !py__PyType_Lookup || !py_PyType_Modified || !py_data_PyMemberDescr_Type) {
		return false;
	}
	if (!patch_wrapper("__setattr__", our_wrap_set, &wrap_set) ||
	    !patch_wrapper("__delattr__", our_wrap_delete, &wrap_delete) ||
	    !py_patch_method(builtins, "__build_class__", our_build_class, &build_class)) {
		return false;
	}
	set_of_type = *(py_set_function **)py_slot(py_data_PyType_Type, TYPE_SETATTRO);
	py_put(py_slot(py_data_PyType_Type, TYPE_SETATTRO), (void *)set_attribute_of_type);
	if (*py_slot(py_data_PyModule_Type, TYPE_SETATTRO) == (void *)py_PyObject_GenericSetAttr) {
		py_put(py_slot(py_data_PyModule_Type, TYPE_SETATTRO),
		       (void *)set_attribute_of_module);
	}
	watch_namespaces();
	py_races_look();
	return true;
}
