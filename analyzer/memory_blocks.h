/* SPDX-License-Identifier: MIT */
/*
 * memory_blocks.h - what an address of a memory trace is: a heap block with its allocation, a thread's stack, a place where races are
 * meant so.
 *
 * Blocks are known as far as their allocations were recorded; one that lies over an older one takes its place.
 */
#ifndef THRUM_ANALYZER_MEMORY_BLOCKS_H
#define THRUM_ANALYZER_MEMORY_BLOCKS_H

#include "memory_replay.h"

struct memory_blocks;

struct memory_block {
	uint64_t address, bytes; /* 0 bytes = none */
	uint32_t thread, stack;	 /* that allocated it; node */
	uint64_t pc;
};

struct memory_blocks *memory_blocks_new(void);
void memory_blocks_free(struct memory_blocks *blocks); /* takes NULL */

/* ALLOC, FREED, STACK, BENIGN; others are nothing here. */
void memory_blocks_note(struct memory_blocks *blocks, const struct memory_moment *at,
			const struct trace_memory_item *item);

struct memory_block memory_blocks_find(const struct memory_blocks *blocks, uint64_t address,
				       uint16_t generation);
/* The thread on whose newest stack it lies; 0 = none. */
uint32_t memory_blocks_stack_owner(const struct memory_blocks *blocks, uint64_t address);
bool memory_blocks_is_benign(const struct memory_blocks *blocks, uint64_t address,
			     uint16_t generation);

#endif
