/* SPDX-License-Identifier: MIT */
/*
 * trace_made_stacks.c - stacks that an analysis adds to the table of a process: of files beside the events, whose stacks are their own.
 */
#include "trace_defs.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

uint32_t trace_process_add_stack(const struct trace_process *process, const uint64_t *ip,
				 uint32_t frames)
{
	struct trace_process *p = (struct trace_process *)(uintptr_t)process; /* of a trace_defs */
	struct trace_defs *defs = (void *)p;
	uint64_t *copy = malloc(frames * sizeof(*copy));
	struct trace_stack *stacks = realloc(p->stacks, (p->stack_count + 1) * sizeof(*stacks));
	uint64_t **made = realloc(defs->made, (defs->made_count + 1) * sizeof(*made));

	_Static_assert(offsetof(struct trace_defs, process) == 0, "the process is its first part");
	p->stacks = stacks ? stacks : p->stacks;
	defs->made = made ? made : defs->made;
	if (!copy || !stacks || !made || p->stack_count >= UINT32_MAX) {
		free(copy);
		return 0;
	}
	memcpy(copy, ip, frames * sizeof(*copy));
	defs->made[defs->made_count++] = copy;
	p->stacks[p->stack_count] = (struct trace_stack){ .frames = frames, .ip = copy };
	return (uint32_t)p->stack_count++;
}
