/* SPDX-License-Identifier: MIT */
/*
 * py_race.h - --python-races: which instructions of the program read, change and write back a variable, and the variables that they
 * do it to. Nothing here runs unless the option is on.
 *
 * py_race_code.c reads byte code, once, when the interpreter announces that it will be executed; its answers (sites) stay for good, in
 * memory that a forked child keeps, with a reference to the code. py_race_variable.c has the variables, which belong to an image, and
 * writes the records. py_race.c puts the hooks into place. The GIL is held everywhere; it is what protects the tables.
 */
#ifndef THRUM_PY_RACE_H
#define THRUM_PY_RACE_H

#include "py_patch.h"

#include <sys/mman.h>

enum site_kind { SITE_ATTRIBUTE = 1, SITE_GLOBAL, SITE_ITEM };
enum site_flag {
	SITE_STORE = 1,
	SITE_DERIVED = 2, /* a store: what is stored was made of what the same code read before */
	SITE_CHECK =
		4, /* a store: the same coroutine read it before, and may have been suspended since */
	SITE_PLAIN = 8, /* neither; of globals only, whose instructions all have a site */
};

/* An instruction. */
struct site {
	struct site *next;
	uintptr_t code;
	PyObject *name;	 /* of the attribute or global; of an item: of its container, NULL = none */
	int32_t at;	 /* byte offset */
	int32_t read_at; /* DERIVED: where it was read; -1 = on the same line */
	uint8_t kind, flags;
};

/* SLOW: code that is about to run, with all code in it. */
void py_race_learn(PyObject *code);
/* HOT: NULL = none. */
const struct site *py_race_site(uintptr_t code, int32_t at);
/* HOT: has any site an attribute of this (interned) name? */
bool py_race_has_name(const PyObject *name);
/* SLOW: does a class with this body store an attribute of such a name? */
bool py_race_body_stores(PyObject *code);
/* Memory that a forked child keeps; NULL = none. */
void *py_race_alloc(size_t bytes);

/* py_race.c: `name` of that code goes through our hash function from now on. */
void py_race_watch_global(PyObject *code, unsigned index, PyObject *name);
/* An instruction that must not become a specialised one. */
void py_race_keep_general(uintptr_t code, int32_t at);

/* ---- variables ---- */

struct variable;
/* NULL = none; `hash`: of the key of an item, else 0. */
struct variable *py_variable_find(const void *owner, const PyObject *name, int64_t hash);
struct variable *py_variable_add(const void *owner, const PyObject *name, int64_t hash,
				 const struct site *site, const char *class);
/* All of an owner whose memory goes; false = it had none. */
bool py_variables_gone(const void *owner);
/* Before the real access. */
void py_variable_read(struct variable *v, const uint8_t *frame);
void py_variable_write(struct arch_caller caller, struct variable *v, const uint8_t *frame,
		       const struct site *site, PyObject *value);
/* What this thread did before is seen by who obtains from the same. */
void py_variable_publish(struct arch_caller caller, const void *owner, bool obtain);

/* ---- between the parts (py_race*.c) ---- */

typedef int py_set_function(PyObject *o, PyObject *name, PyObject *value);
typedef PyObject *py_get_function(PyObject *o, PyObject *name);

static inline void **py_slot(const void *type, unsigned offset)
{
	return (void **)((uintptr_t)type + offset);
}

static inline void py_put(void **slot, void *ours)
{
	__atomic_store_n(slot, ours, __ATOMIC_RELEASE);
}

struct here {
	const uint8_t *frame;
	const struct site *site; /* NULL = none of ours */
};
/* HOT: the instruction that runs. */
struct here py_race_here(unsigned kind);

/* Into place, once there is code that changes an item. */
void py_race_patch_items(void);

bool py_races_install(void);
void py_races_look(void); /* something may have been imported meanwhile */
/* py_boot.c: the counts below changed. */
void py_races_counted(void);
extern uint32_t py_race_classes, py_race_codes; /* that are watched */

#endif
