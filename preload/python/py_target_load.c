/* SPDX-License-Identifier: MIT */
/*
 * py_target_load.c - reading code for the name of a lock: the expressions that are put on the stack of values.
 */
#include "py_target.h"

/* ---- text ---- */

void py_site_add(struct py_site *s, const char *text, size_t bytes)
{
	size_t room = sizeof(s->text) - 1 - s->bytes;

	bytes = bytes < room ? bytes : room;
	__builtin_memcpy(s->text + s->bytes, text, bytes);
	s->bytes += (uint16_t)bytes;
	s->text[s->bytes] = 0;
}

static size_t length(const char *text)
{
	size_t bytes = 0;

	while (text[bytes]) {
		bytes++;
	}
	return bytes;
}

void py_site_add_word(struct py_site *s, const char *text)
{
	py_site_add(s, text, length(text));
}

void py_target_put(struct py_entry *e, const char *text, size_t bytes)
{
	size_t room = sizeof(e->text) - e->bytes;

	bytes = bytes < room ? bytes : room;
	__builtin_memcpy(e->text + e->bytes, text, bytes);
	e->bytes += (uint16_t)bytes;
}

void py_target_put_object(struct py_entry *e, const PyObject *text)
{
	char part[SITE_TEXT];

	py_target_put(e, part, py_text(text, part, sizeof(part)));
}

PyObject *py_target_name_at(PyObject *tuple, intptr_t i)
{
	return tuple && tuple->type == py_data_PyTuple_Type && i < py_PyTuple_Size(tuple)
		       ? py_PyTuple_GetItem(tuple, i)
		       : NULL;
}

/* A variable that inner functions use: their own numbers up to 3.10, after all others from 3.11. */
PyObject *py_target_cell_at(const struct py_target *r, unsigned index)
{
	PyObject *cells = py_get((PyObject *)r->code, "co_cellvars"),
		 *free = py_get((PyObject *)r->code, "co_freevars"), *found = NULL;
	intptr_t own = py_minor() >= 11 ? py_PyTuple_Size(r->variables) : 0, i = (intptr_t)index;

	if (i < own) {
		found = py_target_name_at(r->variables, i);
	} else if (cells && free) {
		i -= own;
		for (intptr_t k = 0; k < py_PyTuple_Size(cells) && !found; k++) {
			PyObject *cell = py_PyTuple_GetItem(cells, k);
			bool is_argument = false;

			for (intptr_t v = 0; v < own; v++) {
				is_argument |= py_PyTuple_GetItem(r->variables, v) == cell;
			}
			if (!is_argument && i-- == 0) {
				found = cell;
			}
		}
		found = found ? found : py_target_name_at(free, i);
	}
	py_drop(free); /* the code keeps the names */
	py_drop(cells);
	return found;
}

/* "Account.__init__": "Account."; "main.<locals>.Account.__init__": the same. */
static void put_class(struct py_entry *e, const char *qualified, bool is_body)
{
	size_t from = 0, to = 0, end = 0;

	for (; qualified[end]; end++) {
		if (qualified[end] == '.' && qualified[end + 1] != '<') {
			from = !is_body ? to : end + 1;
			to = end + 1;
		}
	}
	if (is_body) {
		py_target_put(e, qualified + from, end - from);
		py_target_put(e, ".", 1);
		return;
	}
	for (size_t i = from; i < to; i++) {
		if (qualified[i] == '>') {
			return; /* a local function: no class */
		}
	}
	py_target_put(e, qualified + from, to - from);
}

void py_target_put_class_of(struct py_entry *e, const struct py_target *r, const PyObject *self,
			    bool is_body)
{
	char text[SITE_TEXT];
	size_t bytes;

	if (py.layout->qualname) {
		bytes = py_text(*(PyObject **)(r->code + py.layout->qualname), text,
				sizeof(text) - 1);
		text[bytes] = 0;
		put_class(e, text, is_body);
	} else if (is_body) {
		py_target_put_object(e, *(PyObject **)(r->code + py.layout->name));
		py_target_put(e, ".", 1);
	} else if (self) {
		py_target_put(e, py_type_name(self), length(py_type_name(self)));
		py_target_put(e, ".", 1);
	}
}

bool py_code_is_called(uintptr_t code, const char *name)
{
	char text[32];
	size_t bytes = py_text(*(PyObject **)(code + py.layout->name), text, sizeof(text) - 1);

	text[bytes] = 0;
	return py_text_is(text, name);
}

/* ---- the stack ---- */

struct py_entry *py_target_push(struct py_target *r, enum what what)
{
	struct py_entry *e;

	if (r->depth == DEEP) {
		__builtin_memmove(r->stack, r->stack + 1, (DEEP - 1) * sizeof(*e));
		r->depth--;
	}
	e = &r->stack[r->depth++];
	*e = (struct py_entry){ .what = (uint8_t)what };
	return e;
}

struct py_entry py_target_pop(struct py_target *r)
{
	return r->depth ? r->stack[--r->depth] : (struct py_entry){ .what = SOMETHING };
}

struct py_entry *py_target_peek(struct py_target *r, unsigned from_top)
{
	return from_top && from_top <= r->depth ? &r->stack[r->depth - from_top] : NULL;
}

/* False: it does not have what was made. */
bool py_target_drop(struct py_target *r, unsigned count)
{
	bool has = false;

	for (; count; count--) {
		has |= py_target_pop(r).what == MADE;
	}
	r->state = has ? LOST : r->state;
	return !has;
}

void py_target_rotate(struct py_target *r, unsigned n)
{
	struct py_entry top;

	if (n >= 2 && n <= r->depth) {
		top = r->stack[r->depth - 1];
		__builtin_memmove(&r->stack[r->depth - n + 1], &r->stack[r->depth - n],
				  (n - 1) * sizeof(top));
		r->stack[r->depth - n] = top;
	}
}

void py_target_swap(struct py_target *r, unsigned n)
{
	struct py_entry *a = py_target_peek(r, 1), *b = py_target_peek(r, n), e;

	if (a && b) {
		e = *a;
		*a = *b;
		*b = e;
	}
}

void py_target_copy(struct py_target *r, unsigned n)
{
	struct py_entry *from = py_target_peek(r, n),
			e = from ? *from : (struct py_entry){ .what = SOMETHING };

	*py_target_push(r, SOMETHING) = e;
}

/* ---- loads ---- */

static void load(struct py_target *r, PyObject *name, enum py_item_kind key,
		 enum py_item_kind length_kind, unsigned index)
{
	struct py_entry *e = py_target_push(r, name ? EXPRESSION : SOMETHING);

	e->key_kind = (uint8_t)key;
	e->length_kind = (uint8_t)length_kind;
	e->index = (uint16_t)index;
	e->name = name;
	py_target_put_object(e, name);
}

void py_target_load_local(struct py_target *r, unsigned index)
{
	load(r, py_target_name_at(r->variables, index), ITEM_LOCAL, ITEM_LOCAL_LENGTH, index);
	py_target_peek(r, 1)->is_self = index == 0;
}

void py_target_load_cell(struct py_target *r, unsigned index)
{
	load(r, py_target_cell_at(r, index), ITEM_ANY, ITEM_ANY, 0);
	py_target_peek(r, 1)->is_self = py_minor() >= 11 && index == 0;
}

void py_target_load_name(struct py_target *r, unsigned index, bool is_global)
{
	is_global = is_global || py_code_is_called(r->code, "<module>");
	load(r, py_target_name_at(r->names, index), is_global ? ITEM_GLOBAL : ITEM_ANY,
	     is_global ? ITEM_GLOBAL_LENGTH : ITEM_ANY, 0);
}

void py_target_load_global(struct py_target *r)
{
	bool has_null = py_minor() >= 11 && r->argument & 1;

	if (has_null && py_minor() < 13) {
		py_target_push(r, SOMETHING);
	}
	py_target_load_name(r, py_minor() >= 11 ? r->argument >> 1 : r->argument, true);
	if (has_null && py_minor() >= 13) {
		py_target_push(r, SOMETHING);
	}
}

void py_target_load_attribute(struct py_target *r, bool is_method, const PyObject *self)
{
	PyObject *name =
		py_target_name_at(r->names, py_minor() >= 12 ? r->argument >> 1 : r->argument);
	struct py_entry of = py_target_pop(r), *e;

	is_method |= py_minor() >= 12 && r->argument & 1;
	if (of.what == MADE) {
		r->state = LOST;
	}
	e = py_target_push(r, of.what == EXPRESSION && name ? EXPRESSION : SOMETHING);
	*e = of;
	e->key_kind = ITEM_ANY;
	if (of.is_self) {
		e->bytes = 0;
		py_target_put_class_of(e, r, self, false);
		if (!e->bytes) {
			py_target_put(e, of.text, of.bytes);
			py_target_put(e, ".", 1);
		}
	} else {
		py_target_put(e, ".", 1);
	}
	py_target_put_object(e, name);
	e->is_self = false;
	if (is_method) { /* what has it says more than it does itself */
		of.what = of.what == EXPRESSION ? METHOD : SOMETHING;
		of.key_kind = ITEM_ANY;
		of.is_self = false;
		of.method = name;
		*e = of;
		py_target_push(r, SOMETHING);
	} else {
		e->length_kind = of.is_self && of.length_kind == ITEM_LOCAL_LENGTH
					 ? ITEM_SELF_LENGTH
					 : ITEM_ANY;
		e->name = name;
	}
}

void py_target_load_constant(struct py_target *r)
{
	PyObject *o = py_target_name_at(r->consts, r->argument);
	struct py_entry *e = py_target_push(r, CONSTANT);
	char text[ITEM_TEXT];

	e->key_kind = ITEM_WORD;
	e->name = o;
	py_target_put(e, text, o ? py_key_text(o, text, sizeof(text)) : 0);
}
