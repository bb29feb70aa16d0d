/* SPDX-License-Identifier: MIT */
/*
 * py_target.c - what the program does with a value that it just got: the variable or attribute that the next instruction stores it in.
 *
 * Numbers of instructions change with each version: a version that is not in the table has locks without names. Looked at once for each
 * place, by the code's public attributes, which show the instructions as they were compiled.
 */
#include "py_site.h"

struct operations {
	uint8_t minor, name, attribute, global, fast, cell, fast_load, fast_fast, extended,
		load_fast, append, copy;
	/* Of `a, b = Lock(), Lock()`; 0 = there is none. */
	uint8_t load_name, load_global, load_cell, load_attribute, load_method, null, precall, call,
		call_method, swap, rotate_two, rotate_three, build, unpack;
};

static const struct operations known[] = {
	{ 9,   90,  95,	 97,  125, 137, 0,   0,	  144, 124, 145, 4,   101,
	  116, 136, 106, 160, 0,   0,	131, 161, 0,   2,   3,	 102, 92 },
	{ 10,  90,  95,	 97,  125, 137, 0,   0,	  144, 124, 145, 4,   101,
	  116, 136, 106, 160, 0,   0,	131, 161, 0,   2,   3,	 102, 92 },
	{ 11,  90,  95,	 97,  125, 138, 0,   0, 144, 124, 145, 120, 101,
	  116, 137, 106, 160, 2,   166, 171, 0, 99,  0,	  0,   102, 92 },
	{ 12,  90,  95,	 97, 125, 138, 0,   0, 144, 124, 145, 120, 101,
	  116, 137, 106, 0,  2,	  0,   171, 0, 99,  0,	 0,   102, 92 },
	{ 13, 114, 108, 113, 110, 109, 111, 112, 71,  85, 80, 61, 92,
	  91, 84,  82,	0,   34,  0,   53,  0,	 115, 0,  0,  52, 117 },
};

static const struct operations *operations(void)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].minor == (py.version >> 8 & 255)) {
			return &known[i];
		}
	}
	return NULL;
}

struct instruction {
	unsigned op, argument;
};

/* The one after `at`: without those in between that only hold what the interpreter learnt there. */
static bool next_instruction(const uint8_t *bytes, intptr_t count, intptr_t *at,
			     const struct operations *o, struct instruction *ret)
{
	unsigned extended = 0;

	for (*at += 2; *at + 1 < count; *at += 2) {
		unsigned op = bytes[*at];

		if (op == o->extended) {
			extended = (extended | bytes[*at + 1]) << 8;
		} else if (op) {
			*ret = (struct instruction){ op, extended | bytes[*at + 1] };
			return true;
		}
	}
	return false;
}

/* ---- of several values that are made one after the other, and stored then: which is whose ---- */

struct reader {
	const uint8_t *bytes;
	intptr_t count, at;
	const struct operations *o;
	struct instruction i; /* at `at` */
};

static bool step(struct reader *r)
{
	return next_instruction(r->bytes, r->count, &r->at, r->o, &r->i);
}

static bool is_op(const struct reader *r, unsigned op)
{
	return op && r->i.op == op;
}

/* `Lock()` or `threading.Lock()`, nothing more: then it is one value. On success at what follows. */
static bool skip_call(struct reader *r)
{
	const struct operations *o = r->o;
	unsigned loads = 0;

	for (; !is_op(r, o->call) && !is_op(r, o->call_method);) {
		if (is_op(r, o->load_name) || is_op(r, o->load_global) || is_op(r, o->load_cell) ||
		    is_op(r, o->load_fast)) {
			loads++;
		} else if (!is_op(r, o->load_attribute) && !is_op(r, o->load_method) &&
			   !is_op(r, o->null) && !is_op(r, o->precall)) {
			return false;
		}
		if (!step(r)) {
			return false;
		}
	}
	return loads == 1 && !r->i.argument && step(r);
}

/* The values are turned round, so that the first is stored first: how many; 0 = they are not. On success at the first store. */
static unsigned skip_turn(struct reader *r)
{
	const struct operations *o = r->o;
	unsigned several = r->i.argument;

	if (is_op(r, o->swap)) {
		return several <= 3 && step(r) ? several : 0;
	}
	if (is_op(r, o->rotate_two)) {
		return step(r) ? 2 : 0;
	}
	if (is_op(r, o->rotate_three)) {
		return step(r) && is_op(r, o->rotate_two) && step(r) ? 3 : 0;
	}
	if (is_op(r, o->build)) {
		return step(r) && is_op(r, o->unpack) && r->i.argument == several && step(r)
			       ? several
			       : 0;
	}
	return 0;
}

/* Past one store. */
static bool skip_store(struct reader *r)
{
	const struct operations *o = r->o;

	if (is_op(r, o->fast_fast)) { /* the other half is next */
		r->i = (struct instruction){ o->fast, r->i.argument & 15 };
		return true;
	}
	if (is_op(r, o->load_fast) || is_op(r, o->load_name)) {
		return step(r) && is_op(r, o->attribute) && step(r);
	}
	return (is_op(r, o->name) || is_op(r, o->global) || is_op(r, o->fast) ||
		is_op(r, o->cell)) &&
	       step(r);
}

/* From the instruction after the call that made it to the one that stores it; it stays where it is when it is none of several. */
static void find_store(struct reader *r)
{
	struct reader here = *r, next = here;
	unsigned after = 0, several;

	for (; skip_call(&next); here = next) {
		after++;
	}
	next = here;
	several = skip_turn(&next);
	if (several > after) {
		after = several - 1 - after;
	} else if (several || !after) {
		return;
	} else {
		next = here; /* the last is stored first */
	}
	for (; after; after--) {
		if (!skip_store(&next)) {
			return;
		}
	}
	*r = next;
}

void py_site_add(struct py_site *s, const char *text, size_t bytes)
{
	size_t room = sizeof(s->text) - 1 - s->bytes;

	bytes = bytes < room ? bytes : room;
	__builtin_memcpy(s->text + s->bytes, text, bytes);
	s->bytes += (uint16_t)bytes;
	s->text[s->bytes] = 0;
}

void py_site_add_word(struct py_site *s, const char *text)
{
	size_t bytes = 0;

	while (text[bytes]) {
		bytes++;
	}
	py_site_add(s, text, bytes);
}

static void add_object(struct py_site *s, PyObject *text)
{
	char part[SITE_TEXT];

	py_site_add(s, part, py_text(text, part, sizeof(part) - 1));
}

/* Name number `index` of the code's tuple. */
static void add_from(struct py_site *s, uintptr_t code, const char *tuple, unsigned index)
{
	PyObject *names = py_PyObject_GetAttrString((PyObject *)code, tuple);

	if (names && names->type == py_data_PyTuple_Type &&
	    (intptr_t)index < py_PyTuple_Size(names)) {
		add_object(s, py_PyTuple_GetItem(names, (intptr_t)index));
	}
	if (names) {
		py_Py_DecRef(names);
	}
}

/* A variable that inner functions use: their own numbers up to 3.10, after all others from 3.11. */
static void add_cell(struct py_site *s, uintptr_t code, unsigned index)
{
	PyObject *variables = py_PyObject_GetAttrString((PyObject *)code, "co_varnames");
	PyObject *cells = py_PyObject_GetAttrString((PyObject *)code, "co_cellvars");
	bool joint = (py.version >> 8 & 255) >= 11;
	intptr_t own = joint && variables ? py_PyTuple_Size(variables) : 0, i = (intptr_t)index;

	if (!variables || !cells) {
		py_PyErr_Clear();
	} else if (i < own) {
		add_object(s, py_PyTuple_GetItem(variables, i));
	} else {
		i -= own;
		for (intptr_t k = 0; k < py_PyTuple_Size(cells); k++) {
			PyObject *cell = py_PyTuple_GetItem(cells, k);
			bool is_argument = false;

			for (intptr_t v = 0; v < own; v++) {
				is_argument |= py_PyTuple_GetItem(variables, v) == cell;
			}
			if (!is_argument && i-- == 0) {
				add_object(s, cell);
			}
		}
		if (i >= 0) {
			add_from(s, code, "co_freevars", (unsigned)i);
		}
	}
	if (variables) {
		py_Py_DecRef(variables);
	}
	if (cells) {
		py_Py_DecRef(cells);
	}
}

/* "Account.__init__": "Account."; "main.<locals>.Account.__init__": the same. */
static void add_class(struct py_site *s, const char *qualified, bool is_body)
{
	size_t from = 0, to = 0, end = 0;

	for (; qualified[end]; end++) {
		if (qualified[end] == '.' && qualified[end + 1] != '<') {
			from = !is_body ? to : end + 1;
			to = end + 1;
		}
	}
	if (is_body) {
		py_site_add(s, qualified + from, end - from);
		py_site_add(s, ".", 1);
	} else {
		for (size_t i = from; i < to; i++) {
			if (qualified[i] == '>') {
				return; /* a local function: no class */
			}
		}
		py_site_add(s, qualified + from, to - from);
	}
}

static void add_class_of(struct py_site *s, uintptr_t code, PyObject *self, bool is_body)
{
	char text[SITE_TEXT];
	size_t bytes;

	if (py.layout->qualname) {
		bytes = py_text(*(PyObject **)(code + py.layout->qualname), text, sizeof(text) - 1);
		text[bytes] = 0;
		add_class(s, text, is_body);
	} else if (is_body) {
		bytes = py_text(*(PyObject **)(code + py.layout->name), text, sizeof(text) - 1);
		py_site_add(s, text, bytes);
		py_site_add(s, ".", 1);
	} else if (self) {
		py_site_add_word(s, py_type_name(self));
		py_site_add(s, ".", 1);
	}
}

bool py_code_is_called(uintptr_t code, const char *name)
{
	char text[32];
	size_t bytes = py_text(*(PyObject **)(code + py.layout->name), text, sizeof(text) - 1);

	text[bytes] = 0;
	return py_text_is(text, name);
}

/* Where the program puts what was made at `at` of `code`. False: to be looked for in the caller, since it goes into a list there. */
bool py_site_add_target(struct py_site *s, uintptr_t code, int32_t from, PyObject *self)
{
	const struct operations *o = operations();
	PyObject *code_bytes = o ? py_PyObject_GetAttrString((PyObject *)code, "co_code") : NULL;
	char *bytes = NULL;
	intptr_t count = 0, at = from;
	struct instruction i, after;
	bool found = true;

	if (code_bytes && py_PyBytes_AsStringAndSize(code_bytes, &bytes, &count) == 0 &&
	    next_instruction((const uint8_t *)bytes, count, &at, o, &i)) {
		const uint8_t *b = (const uint8_t *)bytes;

		struct reader r = { b, count, at, o, i };

		find_store(&r);
		at = r.at;
		i = r.i;
		if (i.op == o->copy) {
			next_instruction(b, count, &at, o, &i);
		}
		if (i.op == o->name) {
			if (!py_code_is_called(code, "<module>")) {
				add_class_of(s, code, NULL, true);
			}
			add_from(s, code, "co_names", i.argument);
		} else if (i.op == o->global) {
			add_from(s, code, "co_names", i.argument);
		} else if (i.op == o->fast) {
			add_from(s, code, "co_varnames", i.argument);
		} else if (i.op && (i.op == o->fast_load || i.op == o->fast_fast)) {
			add_from(s, code, "co_varnames", i.argument >> 4);
		} else if (i.op == o->cell) {
			add_cell(s, code, i.argument);
		} else if (i.op == o->append && py_code_is_called(code, "<listcomp>")) {
			found = false;
		} else if (next_instruction(b, count, &at, o, &after) && after.op == o->attribute) {
			if (i.op == o->load_fast && i.argument == 0) {
				add_class_of(s, code, self, false);
			}
			add_from(s, code, "co_names", after.argument);
		}
	}
	if (code_bytes) {
		py_Py_DecRef(code_bytes);
	}
	py_PyErr_Clear();
	return found;
}
