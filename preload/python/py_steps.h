/* SPDX-License-Identifier: MIT */
/*
 * py_steps.h - what an instruction of byte code does with the stack of values, whatever its number is in this version:
 * spec/python_opcodes.def.
 */
#ifndef THRUM_PY_STEPS_H
#define THRUM_PY_STEPS_H

#include "py.h"

enum step {
	STEP_OTHER,
	EXTEND,
	LOCAL_LOAD,
	CELL_LOAD,
	CONST_LOAD,
	GLOBAL_LOAD,
	LOCAL_STORE,
	CELL_STORE,
	GLOBAL_STORE,
	GLOBAL_DELETE,
	ATTR_LOAD,
	METHOD_LOAD,
	ATTR_STORE,
	ITEM_LOAD,
	ITEM_STORE,
	NAME,
	DUP,
	DUP_TWO,
	COPY,
	ROT_TWO,
	ROT_THREE,
	ROT_FOUR,
	ROT_N,
	SWAP,
	LOAD_LOAD,
	STORE_LOAD,
	STORE_STORE,
	UNPACK,
	JOIN_TWO,
	NOTHING,
	BACK,
	POP,
	POP_TWO,
	POP_FOUR,
	NAME_LOAD,
	NAME_STORE,
	APPEND,
	ADD_PAIR,
	LOOP_END,
	BUILD,
	BUILD_PAIRS,
	BUILD_KEYED,
	CALL_BEGINS,
	CALLS,
	CALLS_METHOD, /* of two below the arguments */
	JUMP,
	RETURNS,
	YIELDS,
	PUSHES,
	LOOP,
};

/* Idempotent, before the other. */
void py_steps_learn(void);
enum step py_step_of(uint8_t op);

#endif
