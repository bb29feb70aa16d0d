/* SPDX-License-Identifier: MIT */
/*
 * py_patch.c - puts our functions into the tables of built-in types. A method descriptor, or a built-in function, points to its definition
 * record, and the interpreter reads the function pointer from that record at every call, bound methods and specialised
 * instructions included. So an overwritten pointer hooks all objects of the type, with no change of type, identity or pickling. What is
 * written to is checked first; the function that was there goes on being called.
 */
#include "py_patch.h"

enum {
	DESCRIPTOR_METHOD = 40,
	DESCRIPTOR_WRAPPED = 48,
	FUNCTION_METHOD = 16,
	TYPE_DEALLOC = 48,
	TYPE_CALL = 128,
	TYPE_INIT = 296,
	TYPE_NEW = 312,
	TYPE_FINALIZE = 392,
};

static bool in_interpreter(const void *p)
{
	return (uintptr_t)p >= py.module_start && (uintptr_t)p < py.module_end;
}

static bool replace(struct py_method *m, const char *name, py_function *ours,
		    struct py_patched *ret)
{
	if (!m || !m->name || !m->call || !py_text_is(m->name, name) || m->call == ours) {
		return false;
	}
	ret->call = m->call;
	ret->flags = m->flags &
		     (PY_VARARGS | PY_KEYWORDS | PY_NOARGS | PY_O | PY_FASTCALL | PY_METHOD);
	__atomic_store_n(&m->call, ours, __ATOMIC_RELEASE);
	return true;
}

bool py_patch_method(PyObject *type, const char *name, py_function *ours, struct py_patched *ret)
{
	PyObject *d = py_PyObject_GetAttrString(type, name);
	bool done = false;

	if (!d) {
		py_PyErr_Clear();
		return false;
	}
	if (d->type == py_data_PyMethodDescr_Type) {
		done = replace(*(struct py_method **)((uintptr_t)d + DESCRIPTOR_METHOD), name, ours,
			       ret);
	} else if (d->type == py_data_PyCFunction_Type ||
		   py_text_is(py_type_name(d), "cython_function_or_method")) {
		done = replace(*(struct py_method **)((uintptr_t)d + FUNCTION_METHOD), name, ours,
			       ret);
	}
	py_Py_DecRef(d);
	return done;
}

static bool replace_slot(PyObject *type, unsigned offset, void *ours, void **ret_old)
{
	void **slot = (void **)((uintptr_t)type + offset);

	if (*slot == ours || !in_interpreter(*slot)) {
		return false;
	}
	*ret_old = *slot;
	__atomic_store_n(slot, ours, __ATOMIC_RELEASE);
	return true;
}

bool py_patch_dealloc(PyObject *type, void (*ours)(PyObject *), void (**ret_old)(PyObject *))
{
	return replace_slot(type, TYPE_DEALLOC, (void *)ours, (void **)ret_old);
}

bool py_patch_new(PyObject *type, PyObject *(*ours)(PyObject *, PyObject *, PyObject *),
		  PyObject *(**ret_old)(PyObject *, PyObject *, PyObject *))
{
	return replace_slot(type, TYPE_NEW, (void *)ours, (void **)ret_old);
}

/* A subclass that has an __init__ of its own calls this one through a descriptor, which remembers the function. */
bool py_patch_init(PyObject *type, int (*ours)(PyObject *, PyObject *, PyObject *),
		   int (**ret_old)(PyObject *, PyObject *, PyObject *))
{
	/* An extension module's own: it need not lie in the interpreter. */
	int (*old)(PyObject *, PyObject *, PyObject *) =
		*(int (**)(PyObject *, PyObject *, PyObject *))((uintptr_t)type + TYPE_INIT);
	PyObject *d;
	void **wrapped;

	if (!old || old == ours) {
		return false;
	}
	*ret_old = old;
	__atomic_store_n((void **)((uintptr_t)type + TYPE_INIT), (void *)ours, __ATOMIC_RELEASE);
	d = py_PyObject_GetAttrString(type, "__init__");
	wrapped = d && d->type == py_data_PyWrapperDescr_Type
			  ? (void **)((uintptr_t)d + DESCRIPTOR_WRAPPED)
			  : NULL;
	if (wrapped && *wrapped == (void *)*ret_old) {
		*wrapped = (void *)ours;
	}
	if (d) {
		py_Py_DecRef(d);
	}
	py_PyErr_Clear();
	return true;
}

/* Of an extension module's type: what is there need not lie in the interpreter. */
static bool patch_slot(PyObject *type, size_t offset, void *ours, void **ret_old)
{
	void **slot = (void **)((uintptr_t)type + offset);

	if (!*slot || *slot == ours) {
		return false;
	}
	*ret_old = *slot;
	__atomic_store_n(slot, ours, __ATOMIC_RELEASE);
	return true;
}

bool py_patch_new_of_extension(PyObject *type,
			       PyObject *(*ours)(PyObject *, PyObject *, PyObject *),
			       PyObject *(**ret_old)(PyObject *, PyObject *, PyObject *))
{
	return patch_slot(type, TYPE_NEW, (void *)ours, (void **)ret_old);
}

bool py_patch_call_of_extension(PyObject *type,
				PyObject *(*ours)(PyObject *, PyObject *, PyObject *),
				PyObject *(**ret_old)(PyObject *, PyObject *, PyObject *))
{
	return patch_slot(type, TYPE_CALL, (void *)ours, (void **)ret_old);
}

bool py_patch_dealloc_of_extension(PyObject *type, void (*ours)(PyObject *),
				   void (**ret_old)(PyObject *))
{
	return patch_slot(type, TYPE_DEALLOC, (void *)ours, (void **)ret_old);
}

bool py_patch_finalize_of_extension(PyObject *type, void (*ours)(PyObject *),
				    void (**ret_old)(PyObject *))
{
	return patch_slot(type, TYPE_FINALIZE, (void *)ours, (void **)ret_old);
}

/*
 * Not the slot itself: `object.__setattr__(o, …)`, and super() in a class of the program's, refuse to go past a slot that they take for a
 * built-in type's. A method in the class is what a class of the program's would have.
 */
bool py_patch_add(PyObject *type, struct py_method *definition)
{
	PyObject *ours = py_PyDescr_NewMethod ? py_PyDescr_NewMethod(type, definition) : NULL;

	if (!ours || py_PyObject_SetAttrString(type, definition->name, ours)) {
		py_PyErr_Clear();
		return false;
	}
	return true; /* the references are kept: it goes on being called */
}

/* ---- functions written in Python: each object has the pointer by which it is called ---- */

struct function_layout {
	uint8_t minor;
	uint16_t call, version, code;
};

static const struct function_layout *function_layout(void)
{
	static const struct function_layout known[] = {
		{ 9, 112, 0, 16 },    { 10, 120, 0, 48 },   { 11, 120, 128, 48 },
		{ 12, 128, 136, 48 }, { 13, 128, 136, 48 }, { 14, 136, 144, 48 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].minor == (py.version >> 8 & 255) && py.layout) {
			return &known[i];
		}
	}
	return NULL;
}

uintptr_t py_function_code(const PyObject *function)
{
	const struct function_layout *l = function_layout();

	return l && function->type == py_data_PyFunction_Type
		       ? *(const uintptr_t *)((uintptr_t)function + l->code)
		       : 0;
}

/*
 * 3.11 runs the code of what is exactly a function without a look at that pointer. So there a hooked function is made one of a kind of
 * functions, with all that functions have, which it calls by the pointer. It is pickled and copied by name, as functions are.
 */
static PyObject *reduce(PyObject *function, PyObject *protocol)
{
	(void)protocol;
	return py_PyObject_GetAttrString(function, "__qualname__");
}

static struct py_method kind_methods[] = {
	{ "__reduce_ex__", (py_function *)(uintptr_t)reduce, PY_O, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyObject *make_kind(void)
{
	enum {
		BYTES = 408,
		FLAGS = 168, /* READY, READYING, VALID_VERSION_TAG go */
		FLAGS_OF_LIFE = 1 << 12 | 1 << 13 | 1 << 19,
		METHODS = 232,
		MEMBERS = 240,
		GETSETS = 248,
		BASE = 256,
		DICT = 264,
		BASES = 336,
		MRO = 344,
		CACHE = 352,
		SUBCLASSES = 360,
		WEAKLIST = 368,
		VERSION_TAG = 384,
	};
	static const uint16_t empty[] = { MEMBERS, GETSETS,    DICT,	 BASES,	     MRO,
					  CACHE,   SUBCLASSES, WEAKLIST, VERSION_TAG };
	static _Alignas(16) uint8_t type[BYTES];
	uint8_t *base = py_data_PyFunction_Type;
	void *subclasses = *(void **)(base + SUBCLASSES);

	/* A debug build asserts that functions are exactly that. */
	if (!py_PyType_Ready || py_data__Py_RefTotal) {
		return NULL;
	}
	__builtin_memcpy(type, base, BYTES);
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		*(void **)(type + empty[i]) = NULL;
	}
	*(intptr_t *)type = 1;
	*(uintptr_t *)(type + FLAGS) &= ~(uintptr_t)FLAGS_OF_LIFE;
	*(void **)(type + BASE) = base;
	*(void **)(type + METHODS) = kind_methods;
	if (py_PyType_Ready(type)) {
		py_PyErr_Clear();
		return NULL;
	}
	*(void **)(base + SUBCLASSES) = subclasses; /* types.FunctionType has none */
	py_PyDict_DelItemString(*(PyObject **)(type + DICT),
				"__doc__"); /* it hides the function's own */
	py_PyErr_Clear();
	return (PyObject *)type;
}

static bool put_in_kind(PyObject *function, py_call **slot, py_call *ours)
{
	static PyObject *kind;
	static bool tried;

	if (!tried) {
		tried = true;
		kind = make_kind();
	}
	if (!kind) {
		return false;
	}
	*slot = ours;
	function->type = (struct py_type *)kind;
	return true;
}

bool py_patch_function(PyObject *owner, const char *name, struct py_hook *hook)
{
	const struct function_layout *l = function_layout();
	PyObject *f = l ? py_PyObject_GetAttrString(owner, name) : NULL;
	py_call **slot = f && f->type == py_data_PyFunction_Type
				 ? (py_call **)((uintptr_t)f + l->call)
				 : NULL;
	bool done = false;

	if (slot && *slot != hook->ours && in_interpreter((void *)*slot)) {
		hook->old = *slot;
		if ((py.version >> 8 & 255) == 11) {
			done = put_in_kind(f, slot, hook->ours);
		} else if (py_PyFunction_SetVectorcall) {
			py_PyFunction_SetVectorcall(f, (void *)hook->ours);
			done = true;
		} else if (!l->version) {
			*slot = hook->ours;
			done = true;
		}
	}
	if (f) {
		py_Py_DecRef(f); /* its owner keeps it */
	}
	py_PyErr_Clear();
	return done;
}

/* ---- arguments, whatever the calling convention ---- */

static bool key_is(PyObject *names, intptr_t i, const char *name)
{
	PyObject *key = py_PyTuple_GetItem(names, i);
	const char *text = key ? py_PyUnicode_AsUTF8AndSize(key, NULL) : NULL;

	return text && py_text_is(text, name);
}

PyObject *py_argument(const struct py_patched *p, void *b, void *c, void *d, unsigned index,
		      const char *name)
{
	if (p->flags & PY_FASTCALL) {
		PyObject *const *vector = b;
		intptr_t count = (intptr_t)c;
		PyObject *names = p->flags & PY_KEYWORDS ? d : NULL;

		if ((intptr_t)index < count) {
			return vector[index];
		}
		for (intptr_t i = 0; names && i < py_PyTuple_Size(names); i++) {
			if (key_is(names, i, name)) {
				return vector[count + i];
			}
		}
		return NULL;
	}
	if (!(p->flags & PY_VARARGS)) {
		return NULL;
	}
	if ((intptr_t)index < py_PyTuple_Size(b)) {
		return py_PyTuple_GetItem(b, (intptr_t)index);
	}
	return p->flags & PY_KEYWORDS && c ? py_PyDict_GetItemString(c, name) : NULL;
}
