/* SPDX-License-Identifier: MIT */
/*
 * py_race_item.c - --python-races: items of dicts and lists, by the slots of these types, and their deallocation, which ends the variables in
 * them. Types that inherit from dict in C have the same slots.
 */
#include "py_race.h"

enum {
	TYPE_DEALLOC = 48,
	TYPE_AS_MAPPING = 112,
	MAPPING_SUBSCRIPT = 8,
	MAPPING_STORE = 16,
};

static py_set_function *dict_store, *list_store;
static py_get_function *dict_get, *list_get;
static void (*dict_dealloc)(PyObject *), (*list_dealloc)(PyObject *);

/* Not 0; 0 = a key of a type that may have a hash of the program's. */
static int64_t hash_of_key(PyObject *key)
{
	if (key->type == py_data_PyUnicode_Type || key->type == py_data_PyLong_Type) {
		return (py_PyObject_Hash(key) << 1 | (key->type == py_data_PyLong_Type)) + 3;
	}
	return 0;
}

static const char *text_of_key(PyObject *key, char *text, size_t room)
{
	size_t bytes, n = 0;

	if (key->type == py_data_PyUnicode_Type) {
		text[n++] = '\'';
		bytes = py_text(key, text + 1, room - 3);
		text[++bytes] = '\'';
		text[bytes + 1] = 0;
	} else {
		long number = py_PyLong_AsLong(key);
		unsigned long rest = number < 0 ? 0 - (unsigned long)number : (unsigned long)number;
		char digit[24];

		py_PyErr_Clear();
		do {
			digit[n++] = (char)('0' + rest % 10);
		} while (rest /= 10);
		bytes = 0;
		if (number < 0) {
			text[bytes++] = '-';
		}
		while (n) {
			text[bytes++] = digit[--n];
		}
		text[bytes] = 0;
	}
	return text;
}

static void patch_deallocs(void);

static struct variable *item_of(PyObject *container, PyObject *key, const struct here *h)
{
	int64_t hash = hash_of_key(key);
	struct variable *v;
	char text[48];

	if (!hash) {
		return NULL;
	}
	v = py_variable_find(container, NULL, hash);
	if (!v && h->site) {
		patch_deallocs();
		v = py_variable_add(container, NULL, hash, h->site,
				    text_of_key(key, text, sizeof(text)));
	}
	return v;
}

static int store_item(struct arch_caller caller, py_set_function *real, PyObject *o, PyObject *key,
		      PyObject *value)
{
	struct here h = py_race_here(SITE_ITEM);
	struct variable *v = h.frame && value ? item_of(o, key, &h) : NULL;

	if (h.site) {
		py_race_keep_general(h.site->code, h.site->at);
	}
	if (v) {
		py_variable_write(caller, v, h.frame, h.site, value);
	}
	return real(o, key, value);
}

static PyObject *get_item(py_get_function *real, PyObject *o, PyObject *key)
{
	struct here h = py_race_here(SITE_ITEM);
	struct variable *v;

	if (h.site) {
		py_race_keep_general(h.site->code, h.site->at);
		v = item_of(o, key, &h);
		if (v) {
			py_variable_read(v, h.frame);
		}
	}
	return real(o, key);
}

static int our_dict_store(PyObject *o, PyObject *key, PyObject *value)
{
	return store_item(ARCH_CALLER(), dict_store, o, key, value);
}

static int our_list_store(PyObject *o, PyObject *key, PyObject *value)
{
	return store_item(ARCH_CALLER(), list_store, o, key, value);
}

static PyObject *our_dict_get(PyObject *o, PyObject *key)
{
	return get_item(dict_get, o, key);
}

static PyObject *our_list_get(PyObject *o, PyObject *key)
{
	return get_item(list_get, o, key);
}

/*
 * The real one keeps deep structures from using up the stack, but puts an object off only where the type's slot is its own: so that is
 * done here. 3.13 counts in the thread state what is left of the stack; the real one does the rest.
 */
static void end_in_parts(PyObject *o, void (*real)(PyObject *), void *thread)
{
	enum { LEFT = 52, ENOUGH = 50 };

	if (*(const int *)((uintptr_t)thread + LEFT) <= ENOUGH) {
		py__PyTrash_thread_deposit_object(thread, o);
	} else {
		real(o);
	}
}

static void end_container(PyObject *o, void (*ours)(PyObject *), void (*real)(PyObject *))
{
	void *thread;

	py_variables_gone(o);
	if (*py_slot(o->type, TYPE_DEALLOC) != (void *)ours) {
		real(o);
		return;
	}
	py_PyObject_GC_UnTrack(o);
	thread = py_PyGILState_GetThisThreadState();
	if (!py__PyTrash_begin) {
		end_in_parts(o, real, thread);
	} else if (!py__PyTrash_begin(thread, o)) {
		real(o);
		py__PyTrash_end(thread);
	}
}

static void our_dict_dealloc(PyObject *o)
{
	end_container(o, our_dict_dealloc, dict_dealloc);
}

static void our_list_dealloc(PyObject *o)
{
	end_container(o, our_list_dealloc, list_dealloc);
}

/* Once there is a variable in a container. */
static void patch_deallocs(void)
{
	if (!dict_dealloc) {
		py_patch_dealloc(py_data_PyDict_Type, our_dict_dealloc, &dict_dealloc);
		py_patch_dealloc(py_data_PyList_Type, our_list_dealloc, &list_dealloc);
	}
}

static bool patch_mapping(const void *type, py_set_function *store, py_set_function **ret_store,
			  py_get_function *get, py_get_function **ret_get)
{
	void **mapping = *py_slot(type, TYPE_AS_MAPPING);

	if (!mapping || !mapping[MAPPING_STORE / 8] || !mapping[MAPPING_SUBSCRIPT / 8]) {
		return false;
	}
	*ret_store = (py_set_function *)mapping[MAPPING_STORE / 8];
	*ret_get = (py_get_function *)mapping[MAPPING_SUBSCRIPT / 8];
	py_put(&mapping[MAPPING_STORE / 8], (void *)store);
	py_put(&mapping[MAPPING_SUBSCRIPT / 8], (void *)get);
	return true;
}

void py_race_patch_items(void)
{
	if (dict_store ||
	    !(py__PyTrash_begin || (py_minor() == 13 && py__PyTrash_thread_deposit_object))) {
		return;
	}
	patch_mapping(py_data_PyDict_Type, our_dict_store, &dict_store, our_dict_get, &dict_get);
	patch_mapping(py_data_PyList_Type, our_list_store, &list_store, our_list_get, &list_get);
}
