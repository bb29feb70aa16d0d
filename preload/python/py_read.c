/* SPDX-License-Identifier: MIT */
/*
 * py_read.c - reads what a getter or a member of a built-in type holds, without a look at the type's attributes each time.
 */
#include "py_read.h"
#include "py_task.h"

enum {
	DESCRIPTOR_DEFINITION = 40,
	MEMBER_OBJECT = 6,
	MEMBER_OBJECT_EX = 16,
};

/* PyGetSetDef, PyMemberDef: part of the stable ABI. */
struct getset {
	const char *name;
	PyObject *(*get)(PyObject *o, void *closure);
	void *set;
	const char *doc;
	void *closure;
};
struct member {
	const char *name;
	int type;
	intptr_t offset;
};

void py_reader_find(struct py_reader *ret, PyObject *type, const char *name)
{
	PyObject *d = type ? py_get(type, name) : NULL;
	const void *definition = d && (d->type == py_data_PyGetSetDescr_Type ||
				       d->type == py_data_PyMemberDescr_Type)
					 ? *(void **)((uintptr_t)d + DESCRIPTOR_DEFINITION)
					 : NULL;

	*ret = (struct py_reader){ .name = name };
	if (definition && d->type == py_data_PyGetSetDescr_Type) {
		const struct getset *g = definition;

		ret->get = g->get;
		ret->closure = g->closure;
	} else if (definition) {
		const struct member *m = definition;

		ret->offset = m->type == MEMBER_OBJECT || m->type == MEMBER_OBJECT_EX ? m->offset
										      : 0;
	}
	py_drop(d); /* its type keeps it */
}

PyObject *py_read(const struct py_reader *r, PyObject *o)
{
	PyObject *value = NULL;

	if (likely(r->get != NULL)) {
		value = r->get(o, r->closure);
		if (unlikely(!value)) {
			py_PyErr_Clear();
		}
	} else if (likely(r->offset != 0)) {
		value = *(PyObject **)((uintptr_t)o + (uintptr_t)r->offset);
		if (value) {
			py_Py_IncRef(value);
		}
	} else if (r->name) {
		value = py_get(o, r->name);
	}
	return value;
}
