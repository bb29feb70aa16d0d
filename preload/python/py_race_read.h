/* SPDX-License-Identifier: MIT */
/*
 * py_race_read.h - what a piece of byte code reads and stores, and which reads went into what it stores.
 */
#ifndef THRUM_PY_RACE_READ_H
#define THRUM_PY_RACE_READ_H

#include "py_race.h"
#include "py_steps.h"

enum {
	DEPTH = 64,
	LOCALS = 256,
	READS = 64,
	STORES = 128,
};

struct value {
	uint64_t reads;	 /* bits: entries of code.read that went into it */
	uint64_t same;	 /* equal for equal expressions */
	PyObject *label; /* its name in the program, NULL = none */
};

struct access {
	uint64_t variable; /* equal for the same */
	PyObject *name;
	int32_t at; /* -1 = by a method, which is not seen when it runs */
	uint8_t kind;
	uint64_t reads; /* of a store */
	unsigned index; /* of a global in co_names */
};

struct code {
	PyObject *object;
	const uint8_t *text;
	intptr_t bytes;
	PyObject *names, *locals_names;
	bool suspends;
	bool loops;
	uint64_t fresh;
	unsigned depth, read_count, store_count;
	struct value stack[DEPTH], local[LOCALS];
	struct access read[READS], store[STORES];
};

/* False: it cannot be read. Else ret_bytes and c->locals_names are references to give up. */
bool py_code_begin(struct code *c, PyObject *code, PyObject **ret_bytes);
void py_code_read(struct code *c);
/* Borrowed; NULL = none. */
PyObject *py_name_at(PyObject *tuple, unsigned i);

#endif
