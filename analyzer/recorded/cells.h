/* SPDX-License-Identifier: MIT */
/*
 * cells.h - the variables of a memory trace: bytes that are always accessed together, by several threads, one of which writes them.
 *
 * A location is eight bytes in one generation. Where its accesses begin and end it is cut, so that two accesses have bytes in common
 * where they have a cell in common, and only there. What one thread alone accesses, and what nobody writes, is no cell: no order of
 * threads changes what is read there.
 *
 * All accesses are noted first, in any order; cells_close numbers nothing yet: a cell gets its number when it is first found.
 */
#ifndef THRUM_ANALYZER_RECORDED_CELLS_H
#define THRUM_ANALYZER_RECORDED_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cell_word {
	uint64_t key;	 /* 0 = free */
	uint32_t thread; /* of all its accesses; UINT32_MAX = of several */
	uint32_t first;	 /* number of its first cell + 1; 0 = none has one */
	uint8_t cuts;	 /* bit n: a cell begins at byte n */
	bool written;
};

/* Zeroed = empty. */
struct cells {
	struct cell_word *word; /* owns */
	size_t mask, words;
	uint32_t count; /* cells that have numbers */
	bool full;	/* of words: some were left out */
};

enum { CELLS_MOST_WORDS = 1 << 24 };

void cells_release(struct cells *cells);

/* `thread` is not 0. */
void cells_note(struct cells *cells, uint32_t thread, uint64_t address, uint64_t bytes,
		uint16_t generation, bool writes);

/*
 * The cells of an access that was noted, piece by piece: those of the word of `address`, of which `bytes` bytes count; `ret_first` is
 * the number of the first one, they are numbered in row. Returns how many, 0 = none there.
 */
uint32_t cells_find(struct cells *cells, uint64_t address, uint32_t bytes, uint16_t generation,
		    uint32_t *ret_first);

#endif
