/* SPDX-License-Identifier: MIT */
/*
 * room.h - arrays that grow, for the parts of predict/; knows nothing of what is in them.
 */
#ifndef THRUM_ANALYZER_PREDICT_ROOM_H
#define THRUM_ANALYZER_PREDICT_ROOM_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_LARGE ((size_t)1 << 26)

/* `count` zeroed elements, at least one. Never NULL: a failed allocation ends the program, as everywhere in the analyzer. */
static inline void *room_new(size_t count, size_t element_bytes)
{
	void *memory = calloc(count + 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* Room for `more` elements beyond `count`; returns the array, which may have moved. */
static inline void *room_for(void *array, size_t count, size_t more, size_t *capacity,
			     size_t element_bytes)
{
	size_t wanted = *capacity ? *capacity : 64;

	if (array && *capacity - count >= more)
		return array;
	/* Doubling ends where one array could be more than there is memory. */
	while (wanted - count < more)
		wanted += wanted < ROOM_LARGE ? wanted : wanted / 8;
	array = reallocarray(array, wanted, element_bytes);
	if (!array)
		abort();
	*capacity = wanted;
	return array;
}

/* Room for an element `index`, zeroed up to there. */
static inline void *room_zeroed(void *array, size_t *count, size_t index, size_t *capacity,
				size_t element_bytes)
{
	size_t more = index + 1 - *count;

	if (index < *count)
		return array;
	array = room_for(array, *count, more, capacity, element_bytes);
	memset((char *)array + *count * element_bytes, 0, more * element_bytes);
	*count += more;
	return array;
}

#endif
