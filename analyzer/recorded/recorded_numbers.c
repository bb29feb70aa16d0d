/* SPDX-License-Identifier: MIT */
/*
 * recorded_numbers.c - what threads, locks and places are called in the sequence, and back.
 */
#include "recorded_private.h"

#include "../predict/room.h"

#include <string.h>

/* Words of the sequence: packed, so that equal things are equal bytes. */
struct __attribute__((packed)) lock_key {
	uint8_t kind;
	uint64_t id;
	uint32_t thread;
};
struct __attribute__((packed)) place_key {
	uint8_t is_access, is_atomic;
	uint32_t stack;
	uint64_t pc;
};

#define NAME_OF(names, key) \
	names_lookup_or_add(names, (const char *)&(key), sizeof(key), sizeof(key))

uint32_t recorded_thread_of(struct recorded *r, uint32_t thread)
{
	if (!r->number[thread])
		r->number[thread] = NAME_OF(&r->sequence.threads, thread) + 1;
	return r->number[thread] - 1;
}

uint32_t recorded_lock_of(struct recorded *r, enum recorded_lock_kind kind, uint64_t id,
			  uint32_t thread)
{
	struct lock_key key = { (uint8_t)kind, id, thread };

	return NAME_OF(&r->sequence.locks, key);
}

static uint32_t place_of(struct recorded *r, const struct place_key *key, uint64_t time_ns)
{
	uint32_t place = NAME_OF(&r->sequence.places, *key);

	if (place < r->time_count)
		return place;
	r->time = room_zeroed(r->time, &r->time_count, place, &r->time_capacity, sizeof(*r->time));
	r->time[place] = time_ns;
	return place;
}

void recorded_place_access(struct recorded *r, const struct memory_moment *at,
			   const struct trace_memory_item *i, bool is_atomic)
{
	struct place_key key = { 1, is_atomic, i->stack, i->pc };

	r->place_now[at->thread] = place_of(r, &key, at->time_ns);
}

uint32_t recorded_thread(const struct recorded *r, uint32_t thread)
{
	uint32_t id;
	size_t bytes;

	memcpy(&id, names_get(&r->sequence.threads, thread, &bytes), sizeof(id));
	return id;
}

struct recorded_lock recorded_lock(const struct recorded *r, uint32_t lock)
{
	struct lock_key key;
	size_t bytes;

	memcpy(&key, names_get(&r->sequence.locks, lock, &bytes), sizeof(key));
	return (struct recorded_lock){ (enum recorded_lock_kind)key.kind, key.id, key.thread };
}

struct recorded_place recorded_place(const struct recorded *r, uint32_t place)
{
	struct place_key key;
	size_t bytes;

	memcpy(&key, names_get(&r->sequence.places, place, &bytes), sizeof(key));
	return (struct recorded_place){ .stack = key.is_access ? 0 : key.stack,
					.node = key.is_access ? key.stack : 0,
					.pc = key.pc,
					.is_atomic = key.is_atomic,
					.time_ns = r->time[place] };
}

struct recorded_variable recorded_variable(const struct recorded *r, uint32_t variable)
{
	return variable < r->cell_count ? r->cell[variable] : (struct recorded_variable){ 0 };
}

void recorded_place_event(struct recorded *r, uint32_t thread, uint32_t stack, uint64_t time_ns)
{
	struct place_key key = { .stack = stack };

	r->place_now[thread] = place_of(r, &key, time_ns);
}
