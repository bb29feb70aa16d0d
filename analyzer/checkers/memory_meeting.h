/* SPDX-License-Identifier: MIT */
/*
 * memory_meeting.h - two accesses of one location of a memory trace as a finding: who touches what, where, under which locks.
 */
#ifndef THRUM_ANALYZER_CHECKERS_MEMORY_MEETING_H
#define THRUM_ANALYZER_CHECKERS_MEMORY_MEETING_H

#include "../checker.h"
#include "../memory_blocks.h"

enum { MEMORY_HELD = 32 };

struct memory_side {
	uint32_t thread, node; /* node: its shadow stack */
	uint64_t pc;
	unsigned flags; /* enum tm_access */
	uint32_t bytes;
	bool writes;
	uint64_t time_ns;
	uint32_t held[MEMORY_HELD]; /* objects */
	size_t held_count;
};

struct memory_meeting {
	struct memory_side side[2];
	uint64_t address;
	struct memory_block block; /* bytes 0 = none known */
	uint32_t stack_owner;	   /* thread on whose stack it lies, 0 = none */
	uint32_t index;		   /* of the image's meetings: makes the location's id */
	uint64_t count;
};

/* Not committed: title and message are those of an observed one. */
struct finding *memory_meeting_tell(struct analysis *a, struct trace_memory *memory,
				    const struct memory_meeting *meeting,
				    enum confidence confidence);

/* The access itself, then the calls that lead there: a stack of the process. */
uint32_t memory_stack_of(const struct analysis *a, const struct trace_memory *memory, uint32_t node,
			 uint64_t pc);

#endif
