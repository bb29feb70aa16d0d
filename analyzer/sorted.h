/* SPDX-License-Identifier: MIT */
/*
 * sorted.h - a search in an array whose elements are in the order of one of their members.
 */
#ifndef THRUM_ANALYZER_SORTED_H
#define THRUM_ANALYZER_SORTED_H

#include <stddef.h>
#include <stdint.h>

/*
 * How many of `count` elements of `bytes` bytes have a uint64_t of at most `most` at `offset`: the index behind the last of them. `first` may be
 * NULL where there are none.
 */
static inline size_t sorted_up_to(const void *first, size_t count, size_t bytes, size_t offset,
				  uint64_t most)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (*(const uint64_t *)((const char *)first + middle * bytes + offset) <= most)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

#endif
