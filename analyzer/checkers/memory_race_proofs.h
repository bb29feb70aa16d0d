/* SPDX-License-Identifier: MIT */
/*
 * memory_race_proofs.h - races of a memory trace that the locks of this run put in order, and that another order of it has.
 */
#ifndef THRUM_ANALYZER_CHECKERS_MEMORY_RACE_PROOFS_H
#define THRUM_ANALYZER_CHECKERS_MEMORY_RACE_PROOFS_H

#include "../checker.h"
#include "../memory_blocks.h"
#include "../recorded/recorded.h"

/* What was found without them. */
struct memory_known {
	void *cookie;
	bool (*has)(void *cookie, uint64_t pc, uint64_t other_pc); /* a pair that was observed */
	const struct memory_blocks *blocks;
	uint32_t meetings; /* how many */
};

/* After the last event of the image. */
void memory_race_proofs_tell(struct analysis *a, struct trace_memory *memory,
			     struct recorded *recorded, const struct memory_known *known);

#endif
