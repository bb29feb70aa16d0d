/* SPDX-License-Identifier: MIT */
/*
 * memory_blocks.c - heap blocks by the 64 KiB that they begin in; stacks and benign ranges in lists, which are short.
 */
#include "memory_blocks.h"

#include <stdlib.h>
#include <string.h>

enum { CHAINS = 1 << 14, BLOCKS_MOST = 1 << 22, BENIGN_MOST = 1 << 12, BLOCK_SHIFT = 16 };

struct known {
	struct memory_block block;
	uint16_t generation; /* of its first bytes */
	uint32_t next;
};

struct range {
	uint64_t start, end;
	uint32_t thread;     /* of a stack */
	uint16_t generation; /* of a benign place */
};

struct ranges {
	struct range *range; /* owned */
	size_t count, capacity;
};

struct memory_blocks {
	uint32_t chain[CHAINS];
	struct known *known; /* owned; 0 is none */
	uint32_t known_count, known_capacity, free;
	uint64_t largest;
	struct ranges stacks, benign;
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct memory_blocks *memory_blocks_new(void)
{
	struct memory_blocks *b = checked(calloc(1, sizeof(*b)));

	b->known_capacity = 256;
	b->known = checked(calloc(b->known_capacity, sizeof(*b->known)));
	b->known_count = 1;
	return b;
}

void memory_blocks_free(struct memory_blocks *b)
{
	if (!b)
		return;
	free(b->known);
	free(b->stacks.range);
	free(b->benign.range);
	free(b);
}

static uint32_t *chain_of(struct memory_blocks *b, uint64_t address)
{
	return &b->chain[(address >> BLOCK_SHIFT) * UINT64_C(0x9e3779b97f4a7c15) >> 50];
}

static bool overlap(const struct memory_block *x, uint64_t address, uint64_t bytes)
{
	return x->address < address + bytes && address < x->address + x->bytes;
}

/* Blocks of one chain that lie in the range. Those that begin further below are found to be old when they are looked up. */
static void drop(struct memory_blocks *b, uint64_t address, uint64_t bytes)
{
	uint32_t *p = chain_of(b, address);

	while (*p) {
		struct known *k = &b->known[*p];
		uint32_t gone = *p;

		if (!overlap(&k->block, address, bytes)) {
			p = &k->next;
			continue;
		}
		*p = k->next;
		k->next = b->free;
		b->free = gone;
	}
}

static void add_block(struct memory_blocks *b, const struct memory_moment *at,
		      const struct trace_memory_item *i)
{
	uint32_t *chain = chain_of(b, i->address), n = b->free;

	if (n) {
		b->free = b->known[n].next;
	} else if (b->known_count >= BLOCKS_MOST) {
		return;
	} else {
		if (b->known_count == b->known_capacity) {
			b->known_capacity *= 2;
			b->known =
				checked(realloc(b->known, b->known_capacity * sizeof(*b->known)));
		}
		n = b->known_count++;
	}
	b->known[n] = (struct known){ .block = { .address = i->address,
						 .bytes = i->bytes,
						 .thread = at->thread,
						 .stack = i->stack,
						 .pc = i->pc },
				      .generation = i->generation,
				      .next = *chain };
	*chain = n;
	if (i->bytes > b->largest)
		b->largest = i->bytes;
}

static void add_range(struct ranges *to, const struct range *range)
{
	if (to->count == to->capacity) {
		to->capacity = to->capacity ? to->capacity * 2 : 16;
		to->range = checked(realloc(to->range, to->capacity * sizeof(*to->range)));
	}
	to->range[to->count++] = *range;
}

void memory_blocks_note(struct memory_blocks *b, const struct memory_moment *at,
			const struct trace_memory_item *i)
{
	switch (i->kind) {
	case TM_ALLOC:
		drop(b, i->address, i->bytes);
		if (i->bytes)
			add_block(b, at, i);
		break;
	case TM_FREED:
		drop(b, i->address, 1);
		break;
	case TM_STACK:
		if (i->address && b->stacks.count < BLOCKS_MOST)
			add_range(&b->stacks, &(struct range){ .start = i->address,
							       .end = i->bytes,
							       .thread = at->thread });
		break;
	case TM_BENIGN:
		if (b->benign.count < BENIGN_MOST)
			add_range(&b->benign, &(struct range){ .start = i->address,
							       .end = i->address + i->bytes,
							       .generation = i->generation });
		break;
	default:
		break;
	}
}

struct memory_block memory_blocks_find(const struct memory_blocks *b, uint64_t address,
				       uint16_t generation)
{
	uint64_t below = (b->largest >> BLOCK_SHIFT) + 1;

	/* The bytes of a block change generation together: another one is of another life, whose allocation was not recorded. */
	for (uint64_t n = 0; n <= below && n < 64 && (address >> BLOCK_SHIFT) >= n; n++) {
		uint32_t k = *chain_of((struct memory_blocks *)(uintptr_t)b,
				       address - (n << BLOCK_SHIFT));

		for (; k; k = b->known[k].next)
			if (overlap(&b->known[k].block, address, 1) &&
			    b->known[k].generation == generation)
				return b->known[k].block;
	}
	return (struct memory_block){ 0 };
}

uint32_t memory_blocks_stack_owner(const struct memory_blocks *b, uint64_t address)
{
	for (size_t i = b->stacks.count; i-- > 0;)
		if (address >= b->stacks.range[i].start && address < b->stacks.range[i].end)
			return b->stacks.range[i].thread;
	return 0;
}

bool memory_blocks_is_benign(const struct memory_blocks *b, uint64_t address, uint16_t generation)
{
	for (size_t i = 0; i < b->benign.count; i++)
		if (address >= b->benign.range[i].start && address < b->benign.range[i].end &&
		    b->benign.range[i].generation == generation)
			return true;
	return false;
}
