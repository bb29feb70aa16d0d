/* SPDX-License-Identifier: MIT */
/*
 * py_target.h - how the code around the making of a lock is read: the expressions on its stack of values, and what has the lock in it.
 * Shared by py_target.c, py_target_load.c and py_target_store.c.
 */
#ifndef THRUM_PY_TARGET_H
#define THRUM_PY_TARGET_H

#include "py_site.h"
#include "py_steps.h"
#include "py_task.h"

enum {
	DEEP = 24,
	WORD = 72,
	BEFORE = 2048, /* bytes of code that are read before the call */
	AFTER = 4096,  /* and after it */
	FRAMES_UP = 4,
	LOOPS = 8,
};

enum what { SOMETHING, EXPRESSION, CONSTANT, METHOD, MADE /* or what has it in it */ };

struct py_entry {
	uint8_t what;
	uint8_t length_kind,
		key_kind; /* enum py_item_kind: were it a list, a key; ANY = not known */
	bool is_self;
	uint8_t of;	/* MADE: a new list or tuple of so many … */
	uint16_t index; /* … its place; else a local variable's number */
	PyObject *name;
	PyObject *method; /* METHOD: of what the text is */
	uint16_t bytes;
	char text[WORD];
};

struct py_target {
	uintptr_t code;
	PyObject *names, *variables, *consts;
	const uint8_t *text;
	intptr_t count;
	int32_t at;
	unsigned op, argument, up;
	struct py_entry stack[DEEP];
	unsigned depth;
	bool is_made; /* the call is behind us */
	struct py_item item[SITE_ITEMS];
	unsigned items;
	enum { GOES_ON, STORED, RETURNED, LOST } state;
	int32_t loop_end
		[LOOPS]; /* up to 3.11: there a sequence is at its end, and its iterator gone */
	unsigned loops;
	struct py_entry target; /* STORED */
};

/* ---- py_target_load.c: the stack, and what is put on it ---- */

void py_target_put(struct py_entry *e, const char *text, size_t bytes);
void py_target_put_object(struct py_entry *e, const PyObject *text);
PyObject *py_target_name_at(PyObject *tuple, intptr_t i);
PyObject *py_target_cell_at(const struct py_target *r, unsigned index);
void py_target_put_class_of(struct py_entry *e, const struct py_target *r, const PyObject *self,
			    bool is_body);
struct py_entry *py_target_push(struct py_target *r, enum what what);
struct py_entry py_target_pop(struct py_target *r);
struct py_entry *py_target_peek(struct py_target *r, unsigned from_top);
bool py_target_drop(struct py_target *r, unsigned count);
void py_target_rotate(struct py_target *r, unsigned n);
void py_target_swap(struct py_target *r, unsigned n);
void py_target_copy(struct py_target *r, unsigned n);
void py_target_load_local(struct py_target *r, unsigned index);
void py_target_load_cell(struct py_target *r, unsigned index);
void py_target_load_name(struct py_target *r, unsigned index, bool is_global);
void py_target_load_global(struct py_target *r);
void py_target_load_attribute(struct py_target *r, bool is_method, const PyObject *self);
void py_target_load_constant(struct py_target *r);

/* ---- py_target_store.c: what takes it off ---- */

void py_target_load_item(struct py_target *r);
void py_target_build(struct py_target *r, unsigned count, unsigned step);
void py_target_build_keyed(struct py_target *r);
void py_target_unpack(struct py_target *r);
void py_target_store_variable(struct py_target *r, PyObject *name, bool is_of_body);
void py_target_store_attribute(struct py_target *r, const PyObject *self);
void py_target_store_item(struct py_target *r);
void py_target_call(struct py_target *r, unsigned below);
void py_target_any_other(struct py_target *r);
void py_target_append(struct py_target *r);
void py_target_add_pair(struct py_target *r);
void py_target_returns(struct py_target *r, bool is_generator);
void py_target_store_local(struct py_target *r, unsigned index);

#endif
