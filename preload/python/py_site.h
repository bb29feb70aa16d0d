/* SPDX-License-Identifier: MIT */
/*
 * py_site.h - a place that makes locks, and how its name is put together. Shared by py_name.c, py_target.c and py_item.c. The GIL is held.
 */
#ifndef THRUM_PY_SITE_H
#define THRUM_PY_SITE_H

#include "py_name.h"

enum {
	SITE_TEXT = 160,
	SITE_ITEMS = 2,
	ITEM_TEXT = 44,
};

/* Where in a container an object is: what is between the brackets. */
enum py_item_kind {
	ITEM_ANY,	    /* not known: nothing */
	ITEM_WORD,	    /* always the same */
	ITEM_LOCAL,	    /* what local variable `index` of the frame has */
	ITEM_GLOBAL,	    /* what the variable of the module has */
	ITEM_STACK_LENGTH,  /* it is appended to a list: on the frame's stack of values … */
	ITEM_LOCAL_LENGTH,  /* … in a local variable … */
	ITEM_GLOBAL_LENGTH, /* … in a variable of the module … */
	ITEM_SELF_LENGTH,   /* … or in an attribute of local variable 0 */
};

struct py_item {
	uint8_t kind;
	uint8_t up; /* of the frame: so many callers above the one that makes the object */
	uint16_t index;
	int32_t at;	/* STACK_LENGTH: of the instruction that appends */
	PyObject *name; /* of a site: a reference */
	char text[ITEM_TEXT];
};

struct py_site {
	struct py_site *next;
	uintptr_t inner, code, name, file;
	int32_t inner_at, at;
	uint32_t first_line;
	uint16_t bytes;
	uint16_t base_bytes; /* of text, without the items */
	bool has_owner;	     /* not a Lock or RLock by itself */
	uint8_t item_count;
	uint16_t told;			 /* objects of this place with names of their own */
	const struct py_site *base;	 /* this one is for such an object; NULL = it is a place */
	struct py_item item[SITE_ITEMS]; /* the outermost first */
	char text[SITE_TEXT];
};

/* What does not fit is cut. */
void py_site_add(struct py_site *s, const char *text, size_t bytes);
void py_site_add_word(struct py_site *s, const char *text);
/* py_target.c: where the program puts what this frame makes now: its name, and the items. */
void py_site_add_target(struct py_site *s, const uint8_t *frame);

/* ---- py_item.c ---- */

/* Of an object that is being made now by that frame at `s`: the items as they are; "" = those of the place say as much. */
size_t py_site_label(const struct py_site *s, const uint8_t *frame, char *to, size_t room);
/* "[1]", "[]"; with `room` for ITEM_TEXT + 4. */
size_t py_item_text(const struct py_item *item, char *to);
/* A constant or key: '"abc"', "5"; 0 = of another type. `room` at least 8. */
size_t py_key_text(const PyObject *key, char *to, size_t room);
/* From 3.12 on: which value on the frame's stack the list is that the comprehension around `at` makes; -1 = none is. */
int py_comprehension_list(uintptr_t code, int32_t at);

bool py_code_is_called(uintptr_t code, const char *name);

#endif
