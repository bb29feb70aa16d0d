/* SPDX-License-Identifier: MIT */
/*
 * py_layout.c - offsets within CPython's structs, by minor version. Fixed within a minor version (its ABI); read from the
 * headers of 3.9.18, 3.10.13, 3.11.7, 3.12.1, 3.13.0 and 3.14.0b4, and tried with all but the last. A version that is not here has no
 * Python frames, nor have builds without a GIL (longer object headers) and builds whose objects have other sizes.
 */
#include "py.h"

const struct py_layout py_layouts[] = {
	{ .minor = 9,
	  .thread_frame = 24,
	  .frame_of_holder = -1,
	  .previous = 24,
	  .code = 32,
	  .instruction = 104,
	  .locals = 360,
	  .index_bytes = 1,
	  .first_line = 40,
	  .filename = 104,
	  .name = 112,
	  .ascii_bytes = 48,
	  .compact_bytes = 72,
	  .code_size = 176,
	  .function_size = 120 },
	{ .minor = 10,
	  .thread_frame = 24,
	  .frame_of_holder = -1,
	  .previous = 24,
	  .code = 32,
	  .instruction = 96,
	  .locals = 352,
	  .index_bytes = 2,
	  .first_line = 40,
	  .filename = 104,
	  .name = 112,
	  .ascii_bytes = 48,
	  .compact_bytes = 72,
	  .code_size = 176,
	  .function_size = 128 },
	{ .minor = 11,
	  .thread_frame = 56,
	  .frame_of_holder = 8,
	  .previous = 48,
	  .code = 32,
	  .instruction = 56,
	  .owner = 69,
	  .locals = 72,
	  .c_stack_owner = 3,
	  .code_bytes = 184,
	  .first_line = 72,
	  .filename = 112,
	  .name = 120,
	  .qualname = 128,
	  .ascii_bytes = 48,
	  .compact_bytes = 72,
	  .code_size = 184,
	  .function_size = 136 },
	{ .minor = 12,
	  .thread_frame = 56,
	  .frame_of_holder = 0,
	  .previous = 8,
	  .code = 0,
	  .instruction = 56,
	  .owner = 70,
	  .locals = 72,
	  .c_stack_owner = 3,
	  .code_bytes = 192,
	  .first_line = 68,
	  .filename = 112,
	  .name = 120,
	  .qualname = 128,
	  .ascii_bytes = 40,
	  .compact_bytes = 56,
	  .code_size = 192,
	  .function_size = 144 },
	{ .minor = 13,
	  .thread_frame = 72,
	  .frame_of_holder = -1,
	  .previous = 8,
	  .code = 0,
	  .instruction = 56,
	  .owner = 70,
	  .locals = 72,
	  .c_stack_owner = 3,
	  .code_bytes = 200,
	  .first_line = 68,
	  .filename = 112,
	  .name = 120,
	  .qualname = 128,
	  .ascii_bytes = 40,
	  .compact_bytes = 56,
	  .code_size = 200,
	  .function_size = 144 },
	{ .minor = 14,
	  .thread_frame = 72,
	  .frame_of_holder = -1,
	  .previous = 8,
	  .code = 0,
	  .instruction = 56,
	  .owner = 74,
	  .locals = 80,
	  .c_stack_owner = 3,
	  .tagged = true,
	  .code_bytes = 208,
	  .first_line = 68,
	  .filename = 112,
	  .name = 120,
	  .qualname = 128,
	  .ascii_bytes = 40,
	  .compact_bytes = 56,
	  .code_size = 208,
	  .function_size = 152 },
};

const size_t py_layout_count = sizeof(py_layouts) / sizeof(py_layouts[0]);

static bool size_is(const void *type, uintptr_t bytes)
{
	enum { BASIC_SIZE = 32 };

	return type && *(const uintptr_t *)((uintptr_t)type + BASIC_SIZE) == bytes;
}

/* From 3.13 on the runtime begins with offsets of its own, for debuggers: struct after struct, each a row of words. */
static bool table_has(const uintptr_t *table, const uintptr_t *row, size_t words)
{
	enum { FAR = 64 };

	for (size_t at = 3; at < FAR; at++) {
		size_t i = 0;

		while (i < words && table[at + i] == row[i]) {
			i++;
		}
		if (i == words) {
			return true;
		}
	}
	return false;
}

static bool table_agrees(const struct py_layout *l)
{
	const uintptr_t thread[] = { 0, 8, 16, l->thread_frame };
	const uintptr_t frame[] = { l->previous, l->code, l->instruction, l->locals, l->owner };
	const uintptr_t code[] = { l->filename, l->name, l->qualname };
	const uintptr_t *table = py_data__PyRuntime;

	return table && __builtin_memcmp(table, "xdebugpy", 8) == 0 && table[2] == 0 &&
	       table_has(table, thread, 4) && table_has(table, frame, 5) &&
	       table_has(table, code, 3);
}

bool py_layout_fits(const struct py_layout *l)
{
	return size_is(py_data_PyCode_Type, l->code_size) &&
	       size_is(py_data_PyFunction_Type, l->function_size) &&
	       size_is(py_data_PyUnicode_Type, l->compact_bytes + 8u) &&
	       (l->minor < 13 || table_agrees(l));
}
