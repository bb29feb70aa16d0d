/* SPDX-License-Identifier: MIT */
/*
 * held.h - which locks each thread has, while one goes through a sequence.
 */
#ifndef THRUM_ANALYZER_PREDICT_HELD_H
#define THRUM_ANALYZER_PREDICT_HELD_H

#include "room.h"
#include "sequence.h"

struct held_lock {
	uint32_t lock;
	uint32_t mark; /* whatever the pass wants to know of the acquire */
};

/* Zeroed = none. */
struct held {
	struct held_lock *lock; /* owns; in the order in which they were acquired */
	size_t count, capacity;
};

static inline struct held *held_new(uint32_t threads)
{
	return room_new(threads, sizeof(struct held));
}

static inline void held_free(struct held *held, uint32_t threads)
{
	for (uint32_t t = 0; t < threads; t++)
		free(held[t].lock);
	free(held);
}

static inline void held_add(struct held *held, uint32_t lock, uint32_t mark)
{
	held->lock = room_for(held->lock, held->count, 1, &held->capacity, sizeof(*held->lock));
	held->lock[held->count++] = (struct held_lock){ lock, mark };
}

/* The newest acquire of the lock, which the thread has: that is how sequence.h makes sequences. */
static inline size_t held_find(const struct held *held, uint32_t lock)
{
	size_t at = held->count - 1;

	while (held->lock[at].lock != lock)
		at--;
	return at;
}

static inline void held_drop(struct held *held, size_t at)
{
	if (at == --held->count)
		return;
	memmove(held->lock + at, held->lock + at + 1, (held->count - at) * sizeof(*held->lock));
}

#endif
