/* SPDX-License-Identifier: MIT */
/*
 * hookable_python.c - tells CPython's versions by functions that came with each.
 */
#include "hookable_python.h"

#include <string.h>

#define ENTERED                                                                               \
	"Python's threads, locks and tasks are recorded with Python stacks, by a probe that " \
	"enters when the program begins"
#define NATIVE "the native layer is recorded, without Python stacks, locks and tasks"

enum { UNKNOWN_MARK = 8, NO_GIL_MARK = 9 };

static const struct mark {
	const char *symbol;
	enum hookable_note_kind kind;
	const char *text;
} marks[] = {
	{ "Py_GetVersion", HOOKABLE_NOTE_MISSED,
	  "is CPython older than 3.8, which cannot be entered: " NATIVE },
	{ "PySys_AddAuditHook", HOOKABLE_NOTE_MISSED,
	  "is CPython 3.8, which is not entered: " NATIVE },
	{ "PyThreadState_GetFrame", HOOKABLE_NOTE_INFO, "is CPython 3.9: " ENTERED },
	{ "PyModule_AddObjectRef", HOOKABLE_NOTE_INFO, "is CPython 3.10: " ENTERED },
	{ "PyFrame_GetLasti", HOOKABLE_NOTE_INFO, "is CPython 3.11: " ENTERED },
	{ "PyType_FromMetaclass", HOOKABLE_NOTE_INFO, "is CPython 3.12: " ENTERED },
	{ "Py_IsFinalizing", HOOKABLE_NOTE_INFO, "is CPython 3.13: " ENTERED },
	{ "PyUnicodeWriter_Create", HOOKABLE_NOTE_INFO,
	  "is CPython 3.14, which the probe knows from its headers only: " ENTERED
	  ", if it finds the structs as they were" },
	[UNKNOWN_MARK] = { "PyBytesWriter_Create", HOOKABLE_NOTE_MISSED,
			   "is CPython newer than 3.14, which is not entered: " NATIVE },
	[NO_GIL_MARK] = { "_Py_MergeZeroLocalRefcount", HOOKABLE_NOTE_MISSED,
			  "is CPython built without a GIL (free-threaded), which is not entered: " NATIVE },
};
enum { MARKS = sizeof(marks) / sizeof(marks[0]) };

const char *hookable_python_remark(const struct hookable_elf *elf,
				   enum hookable_note_kind *ret_kind)
{
	bool found[MARKS] = { false };
	size_t newest = 0;

	for (size_t i = 1; i < elf->symbol_count; i++) {
		bool defined = false;
		const char *name = hookable_elf_get_symbol(elf, i, &defined);

		if (!name || !defined)
			continue;
		for (size_t k = 0; k < MARKS; k++)
			found[k] |= !strcmp(name, marks[k].symbol);
	}
	if (!found[0])
		return NULL;
	for (size_t k = 0; k < MARKS; k++)
		if (found[k])
			newest = k;
	*ret_kind = marks[newest].kind;
	return marks[newest].text;
}
