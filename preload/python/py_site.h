/* SPDX-License-Identifier: MIT */
/*
 * py_site.h - a place that makes locks, and how its name is put together. Shared by py_name.c and py_target.c. The GIL is held.
 */
#ifndef THRUM_PY_SITE_H
#define THRUM_PY_SITE_H

#include "py_name.h"

enum { SITE_TEXT = 160 };

struct py_site {
	struct py_site *next;
	uintptr_t inner, code, name, file;
	int32_t inner_at, at;
	uint32_t first_line;
	uint16_t bytes;
	bool has_owner; /* not a Lock or RLock by itself */
	char text[SITE_TEXT];
};

/* What does not fit is cut. */
void py_site_add(struct py_site *s, const char *text, size_t bytes);
void py_site_add_word(struct py_site *s, const char *text);
/* Where the program puts what is made at `from` of `code`. False: to be looked for in the caller, since it goes into a list there. */
bool py_site_add_target(struct py_site *s, uintptr_t code, int32_t from, PyObject *self);

bool py_code_is_called(uintptr_t code, const char *name);

#endif
