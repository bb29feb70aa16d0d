/* SPDX-License-Identifier: MIT */
/*
 * py_read.h - attributes of built-in types, and of classes with slots, read as the interpreter does once it has found them. The GIL is held.
 */
#ifndef THRUM_PY_READ_H
#define THRUM_PY_READ_H

#include "py.h"

struct py_reader {
	const char *name;
	PyObject *(*get)(PyObject *o, void *closure); /* NULL = a member at `offset` … */
	void *closure;
	intptr_t offset; /* … and 0 = to be looked up by its name */
};

/* SLOW, once: how `type` keeps that attribute. What is not kept as expected is looked up by its name. */
void py_reader_find(struct py_reader *ret, PyObject *type, const char *name);
/* Of an object of that type or one that builds on it. A new reference; NULL without an exception. */
PyObject *py_read(const struct py_reader *r, PyObject *o);

#endif
