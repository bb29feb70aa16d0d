/* SPDX-License-Identifier: MIT */
/*
 * py_patch.h - functions of built-in types that are replaced in their tables. See py_patch.c. The GIL is held.
 */
#ifndef THRUM_PY_PATCH_H
#define THRUM_PY_PATCH_H

#include "py.h"

/* The function that was there. */
struct py_patched {
	py_function *call;
	int flags; /* PY_VARARGS, … */
};

/* `type` may be a module as well. False: nothing was changed. */
bool py_patch_method(PyObject *type, const char *name, py_function *ours, struct py_patched *ret);
bool py_patch_dealloc(PyObject *type, void (*ours)(PyObject *), void (**ret_old)(PyObject *));
bool py_patch_new(PyObject *type, PyObject *(*ours)(PyObject *, PyObject *, PyObject *),
		  PyObject *(**ret_old)(PyObject *, PyObject *, PyObject *));

/* Of types of extension modules too. */
bool py_patch_init(PyObject *type, int (*ours)(PyObject *, PyObject *, PyObject *),
		   int (**ret_old)(PyObject *, PyObject *, PyObject *));
bool py_patch_new_of_extension(PyObject *type,
			       PyObject *(*ours)(PyObject *, PyObject *, PyObject *),
			       PyObject *(**ret_old)(PyObject *, PyObject *, PyObject *));
bool py_patch_dealloc_of_extension(PyObject *type, void (*ours)(PyObject *),
				   void (**ret_old)(PyObject *));
bool py_patch_finalize_of_extension(PyObject *type, void (*ours)(PyObject *),
				    void (**ret_old)(PyObject *));
bool py_patch_call_of_extension(PyObject *type,
				PyObject *(*ours)(PyObject *, PyObject *, PyObject *),
				PyObject *(**ret_old)(PyObject *, PyObject *, PyObject *));
/* A method of ours in a class of Python's that has none by that name. */
bool py_patch_add(PyObject *type, struct py_method *definition);

/*
 * A function written in Python, of a class or a module. The object stays what it is, but it is called by `ours`, which goes on to `old`.
 */
typedef PyObject *py_call(PyObject *function, PyObject *const *args, size_t count, PyObject *names);
#define PY_COUNT(count) ((count) & ~((size_t)1 << 63))

struct py_hook {
	py_call *ours, *old;
};

#define PY_HOOK(hook, function)  \
	static py_call function; \
	static struct py_hook hook = { .ours = function };

bool py_patch_function(PyObject *owner, const char *name, struct py_hook *hook);
uintptr_t py_function_code(const PyObject *function); /* 0 = it is none */

/* HOT: as far as can be told at a glance. */
static inline bool py_has_no_arguments(const struct py_patched *p, const void *b, const void *c,
				       const void *d)
{
	enum { TUPLE_SIZE = 16 };

	if (p->flags & PY_FASTCALL) {
		return !c && (!(p->flags & PY_KEYWORDS) || !d);
	}
	return !(p->flags & PY_VARARGS) || (*(const intptr_t *)((uintptr_t)b + TUPLE_SIZE) == 0 &&
					    (!(p->flags & PY_KEYWORDS) || !c));
}

/* An argument of a call that came in as (self, b, c, d): borrowed; NULL = not given. */
PyObject *py_argument(const struct py_patched *p, void *b, void *c, void *d, unsigned index,
		      const char *name);

#endif
