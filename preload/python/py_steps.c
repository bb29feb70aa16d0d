/* SPDX-License-Identifier: MIT */
/*
 * py_steps.c - the numbers of instructions, which change with each version, from the table in spec/python_opcodes.def.
 */
#include "py_steps.h"

static uint8_t steps[256]; /* enum step of each instruction of this version */

void py_steps_learn(void)
{
	static const struct {
		uint8_t step, number[5];
	} known[] = {
#define PY_OPCODE(name, step, a, b, c, d, e) { step, { a, b, c, d, e } },
#include "../../spec/python_opcodes.def"
#undef PY_OPCODE
	};

	for (size_t i = 0;
	     py_minor() >= 9 && py_minor() <= 13 && i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].number[py_minor() - 9]) {
			steps[known[i].number[py_minor() - 9]] = known[i].step;
		}
	}
}

enum step py_step_of(uint8_t op)
{
	return (enum step)steps[op];
}
