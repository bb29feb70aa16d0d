/* SPDX-License-Identifier: MIT */
/*
 * py_audit.c - registers the audit hook before the interpreter chooses how it takes memory, and lets it give up what it kept of the hook.
 *
 * The interpreter remembers a hook in raw memory. With -X dev or PYTHONMALLOC=debug it has another allocator by the time it frees that,
 * which takes a block of the first one for a corrupted block of its own and ends the process (seen in 3.9 to 3.13). So the block is
 * noted when it is made, and where the allocator changed, that one free is done by the allocator that made it.
 */
#include "py.h"

enum { RAW = 0 };

static struct py_allocator first, last;
static void *entry; /* of our hook; NULL = nothing to see to */

static void *note_malloc(void *unused, size_t bytes)
{
	(void)unused;
	entry = first.malloc(first.context, bytes);
	return entry;
}

static void *pass_malloc(void *unused, size_t bytes)
{
	(void)unused;
	return last.malloc(last.context, bytes);
}

static void *pass_calloc(void *unused, size_t count, size_t bytes)
{
	(void)unused;
	return last.calloc(last.context, count, bytes);
}

static void *pass_realloc(void *unused, void *block, size_t bytes)
{
	(void)unused;
	return last.realloc(last.context, block, bytes);
}

static void free_entry(void *unused, void *block)
{
	(void)unused;
	if (block != entry || !block) {
		last.free(last.context, block);
		return;
	}
	entry = NULL;
	first.free(first.context, block);
	py_PyMem_SetAllocator(RAW, &last);
}

bool py_audit_register(py_audit_hook *hook)
{
	bool can_note = py_PyMem_GetAllocator && py_PyMem_SetAllocator;
	struct py_allocator noting;
	bool done;

	if (can_note) {
		py_PyMem_GetAllocator(RAW, &first);
		noting = first;
		noting.malloc = note_malloc;
		py_PyMem_SetAllocator(RAW, &noting);
	}
	done = py_PySys_AddAuditHook(hook, NULL) == 0;
	if (can_note) {
		py_PyMem_SetAllocator(RAW, &first);
	}
	return done;
}

void py_audit_ends(void)
{
	struct py_allocator passing = { NULL, pass_malloc, pass_calloc, pass_realloc, free_entry };

	if (!entry) {
		return;
	}
	py_PyMem_GetAllocator(RAW, &last);
	if (last.free != first.free || last.context != first.context) {
		py_PyMem_SetAllocator(RAW, &passing);
	}
}
