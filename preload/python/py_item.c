/* SPDX-License-Identifier: MIT */
/*
 * py_item.c - which item of a container an object becomes: `locks[1]`, `self.locks["anna"]`, as it is when the object is made.
 *
 * Only what lies in the frame, in the module's variables and in plain attributes is looked at, and only objects of exactly the known types:
 * nothing of the program's is called. A place is known by its code's address; another code may lie there later, so what was worked out is
 * checked against the code that runs, before memory is read by it.
 */
#include "py_context.h"
#include "py_site.h"
#include "py_task.h"

enum {
	LIST_LENGTH = 16,
	TYPE_GETATTR = 144,
};

size_t py_key_text(const PyObject *key, char *to, size_t room)
{
	size_t bytes;

	if (key->type != py_data_PyUnicode_Type) {
		return key->type == py_data_PyLong_Type ? py_context_value(key, to, room) : 0;
	}
	bytes = py_context_value(key, to + 1, room - 2);
	to[0] = to[bytes + 1] = '"';
	return bytes + 2;
}

size_t py_item_text(const struct py_item *item, char *to)
{
	size_t bytes = 1;

	to[0] = '[';
	for (const char *p = item->kind == ITEM_WORD ? item->text : ""; *p; p++) {
		to[bytes++] = *p;
	}
	to[bytes++] = ']';
	return bytes;
}

/* ---- the frame ---- */

/* Its variables, before the stack; of 3.9 and 3.10 those without cells. */
static unsigned local_count(const uint8_t *frame)
{
	enum { LOCALS = 28, AFTER_LINE = 4 };
	uintptr_t code = py_frame_code(frame);

	return *(const uint32_t *)(code +
				   (py_minor() < 11 ? LOCALS : py.layout->first_line + AFTER_LINE));
}

/* The list that the comprehension makes: borrowed. */
static PyObject *list_value(const uint8_t *frame, const struct py_item *item)
{
	enum { VALUE_STACK = 64 };
	uintptr_t code = py_frame_code(frame);
	PyObject *const *base =
		py_minor() < 11 ? *(PyObject *const *const *)(const void *)(frame + VALUE_STACK)
				: (PyObject *const *)(const void *)(frame + py.layout->locals) +
					  local_count(frame);
	bool is_there = py_minor() < 12 ? item->index == 0 && py_code_is_called(code, "<listcomp>")
					: py_comprehension_list(code, item->at) == item->index;

	return is_there ? base[item->index] : NULL;
}

static PyObject *global_value(const uint8_t *frame, PyObject *name)
{
	static const uint8_t globals_at[] = { [9] = 48, [10] = 48, [11] = 8, [12] = 24, [13] = 24 };
	PyObject *globals;

	if (py_minor() < 9 || py_minor() > 13) {
		return NULL;
	}
	globals = *(PyObject *const *)(const void *)(frame + globals_at[py_minor()]);
	return globals && globals->type == py_data_PyDict_Type ? py_PyDict_GetItem(globals, name)
							       : NULL;
}

/* Of an object whose class has no code for that; borrowed from it. */
static PyObject *attribute_value(PyObject *o, PyObject *name)
{
	PyObject *value = NULL;

	if (o && py__PyType_Lookup && py_PyObject_GenericGetAttr &&
	    *(void **)((uintptr_t)o->type + TYPE_GETATTR) == (void *)py_PyObject_GenericGetAttr &&
	    !py__PyType_Lookup(o->type, name)) {
		value = py_PyObject_GenericGetAttr(o, name);
		py_PyErr_Clear();
		py_drop(value);
	}
	return value;
}

static const PyObject *value_of(const struct py_item *item, const uint8_t *frame)
{
	for (unsigned i = 0; i < item->up && frame; i++) {
		frame = py_frame_back(frame);
	}
	if (!frame) {
		return NULL;
	}
	switch ((enum py_item_kind)item->kind) {
	case ITEM_ANY:
	case ITEM_WORD:
		break;
	case ITEM_LOCAL:
	case ITEM_LOCAL_LENGTH:
		return item->index < local_count(frame) ? py_frame_local(frame, item->index) : NULL;
	case ITEM_GLOBAL:
	case ITEM_GLOBAL_LENGTH:
		return global_value(frame, item->name);
	case ITEM_STACK_LENGTH:
		return list_value(frame, item);
	case ITEM_SELF_LENGTH:
		return local_count(frame) ? attribute_value(py_frame_local(frame, 0), item->name)
					  : NULL;
	}
	return NULL;
}

static size_t put_number(char *to, uint64_t n)
{
	char digits[20];
	size_t count = 0, bytes = 0;

	do {
		digits[count++] = (char)('0' + n % 10);
	} while (n /= 10);
	while (count) {
		to[bytes++] = digits[--count];
	}
	return bytes;
}

size_t py_site_label(const struct py_site *s, const uint8_t *frame, char *to, size_t room)
{
	size_t used = 0;
	bool is_own = false;

	for (unsigned i = 0; i < s->item_count; i++) {
		struct py_item item = s->item[i];
		const PyObject *value = value_of(&item, frame);
		bool is_key = item.kind == ITEM_LOCAL || item.kind == ITEM_GLOBAL;
		size_t bytes = 0;

		if (value && is_key && !shim_options.redact_args) {
			bytes = py_key_text(value, item.text, sizeof(item.text) - 1);
		} else if (value && !is_key && value->type == py_data_PyList_Type) {
			bytes = put_number(item.text,
					   *(const uint64_t *)((uintptr_t)value + LIST_LENGTH));
		}
		if (bytes) {
			item.text[bytes] = 0;
			item.kind = ITEM_WORD;
			is_own = true;
		}
		if (room - used < ITEM_TEXT + 4) {
			return 0;
		}
		used += py_item_text(&item, to + used);
	}
	return is_own ? used : 0;
}

/* ---- comprehensions that are no functions: 3.12 and newer ---- */

static bool next_number(const uint8_t *table, size_t bytes, size_t *at, uint32_t *ret)
{
	enum { MORE = 64, VALUE = 63 };
	uint8_t b;

	*ret = 0;
	do {
		if (*at == bytes) {
			return false;
		}
		b = table[(*at)++];
		*ret = *ret << 6 | (b & VALUE);
	} while (b & MORE);
	return true;
}

/*
 * The table of exceptions says how deep the stack is kept below a comprehension: the variables that it hides, and the list over them, where
 * the iterator was when the table's range begins. An entry: start, bytes, handler in units of two bytes, and depth; six bits a byte.
 */
int py_comprehension_list(uintptr_t code, int32_t at)
{
	enum { BYTES_LENGTH = 16, BYTES_TEXT = 32 };
	PyObject *table = py_get((PyObject *)code, "co_exceptiontable");
	uint32_t start, bytes, handler, depth;
	size_t i = 0;
	int slot = -1;

	while (table && table->type == py_data_PyBytes_Type && slot < 0) {
		const uint8_t *text = (const uint8_t *)table + BYTES_TEXT;
		size_t count = *(const size_t *)((uintptr_t)table + BYTES_LENGTH);

		if (!next_number(text, count, &i, &start) ||
		    !next_number(text, count, &i, &bytes) ||
		    !next_number(text, count, &i, &handler) ||
		    !next_number(text, count, &i, &depth)) {
			break;
		}
		if ((uint32_t)at / 2 >= start && (uint32_t)at / 2 < start + bytes) {
			slot = depth & 1 ? -1 : (int)(depth >> 1) - 1;
			break;
		}
	}
	py_drop(table);
	return slot;
}
