/* SPDX-License-Identifier: MIT */
/*
 * cells.c - open addressing by word and generation.
 */
#include "cells.h"

#include "../predict/room.h"

#define SEVERAL UINT32_MAX
#define FIRST_WORDS 4096u

void cells_release(struct cells *cells)
{
	free(cells->word);
	*cells = (struct cells){ 0 };
}

static uint64_t key_of(uint64_t address, uint16_t generation)
{
	return (address >> 3 << 16 | generation) + 1;
}

static struct cell_word *slot_of(const struct cells *cells, uint64_t key)
{
	size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 24) & cells->mask;

	while (cells->word[at].key && cells->word[at].key != key)
		at = (at + 1) & cells->mask;
	return &cells->word[at];
}

static void grow(struct cells *cells)
{
	struct cells old = *cells;

	cells->mask = old.word ? old.mask * 2 + 1 : FIRST_WORDS - 1;
	cells->word = room_new(cells->mask + 1, sizeof(*cells->word));
	for (size_t i = 0; old.word && i <= old.mask; i++)
		if (old.word[i].key)
			*slot_of(cells, old.word[i].key) = old.word[i];
	free(old.word);
}

static void note_word(struct cells *cells, uint32_t thread, uint64_t address, uint32_t bytes,
		      uint16_t generation, bool writes)
{
	uint64_t key = key_of(address, generation);
	uint32_t from = address & 7, end = from + bytes;
	struct cell_word *w;

	if (!cells->word || cells->words >= cells->mask / 2)
		grow(cells);
	w = slot_of(cells, key);
	if (!w->key) {
		if (cells->words == CELLS_MOST_WORDS) {
			cells->full = true;
			return;
		}
		cells->words++;
		*w = (struct cell_word){ .key = key, .thread = thread };
	}
	if (w->thread != thread)
		w->thread = SEVERAL;
	w->written |= writes;
	w->cuts |= (uint8_t)(1u << from | (end < 8 ? 1u << end : 0));
}

void cells_note(struct cells *cells, uint32_t thread, uint64_t address, uint64_t bytes,
		uint16_t generation, bool writes)
{
	while (bytes) {
		uint64_t room = 8 - (address & 7), piece = bytes < room ? bytes : room;

		note_word(cells, thread, address, (uint32_t)piece, generation, writes);
		address += piece;
		bytes -= piece;
	}
}

uint32_t cells_find(struct cells *cells, uint64_t address, uint32_t bytes, uint16_t generation,
		    uint32_t *ret_first)
{
	struct cell_word *w = cells->word ? slot_of(cells, key_of(address, generation)) : NULL;
	unsigned from = address & 7, below;

	if (!w || !w->key || w->thread != SEVERAL || !w->written)
		return 0;
	if (!w->first) {
		w->first = cells->count + 1;
		cells->count += (uint32_t)__builtin_popcount(w->cuts);
	}
	below = (unsigned)__builtin_popcount(w->cuts & ((1u << from) - 1));
	*ret_first = w->first - 1 + below;
	return (uint32_t)__builtin_popcount(w->cuts & ((1u << (from + bytes)) - 1)) - below;
}
