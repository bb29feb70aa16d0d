/* SPDX-License-Identifier: MIT */
/*
 * py_name.h - what the program calls its locks, queues and events. See py_name.c. The GIL is held.
 */
#ifndef THRUM_PY_NAME_H
#define THRUM_PY_NAME_H

#include "py.h"

struct py_site; /* a place that makes them: "queue.Queue jobs". Never freed. */

bool py_code_is_library(uintptr_t code); /* the standard library's? HOT mostly */
/* SLOW, the guard is not held, as little memory of the interpreter's is used as can be: of what is being made now; NULL = not known. */
const struct py_site *py_site_now(const char *word);
/* SLOW, the guard held: an object that is made at c->stack now is called so; NULL = it has no name. */
void py_name_object(const struct call *c, uint32_t object, const struct py_site *s);
/* SLOW, the guard held: a Condition whose lock was made at `s`; `part`: the attribute of the owner that it is, or NULL. */
void py_name_condition(uint32_t object, const struct py_site *s, const char *part);

/* Which lock was made where, as long as it lives. */
void py_lock_made(const void *lock, const struct py_site *s);
void py_lock_gone(const void *lock);
/* HOT mostly, the guard held: one that this image's parent made gets its name here too. */
void py_lock_met(const void *lock, uint32_t object);
const struct py_site *py_lock_site(const void *lock);

void py_names_new_image(void);
extern uint32_t py_names_inherited
	__attribute__((visibility("hidden"))); /* this image was forked */

/* A lock, semaphore or queue was made (attributes as INIT's, without the library), or goes. The guard is not held. */
void py_object_made(struct arch_caller caller, PyObject *object, unsigned kind, uint32_t attributes,
		    const char *word);
void py_object_gone(struct arch_caller caller, PyObject *object);

#endif
