/* SPDX-License-Identifier: MIT */
/*
 * recorded_memory.c - takes the items of a memory trace in.
 */
#include "../predict/room.h"
#include "recorded_private.h"

#include <stdlib.h>

/* Memory that is given back is no value that anyone could read: frees are left out. */
static bool is_access(const struct trace_memory_item *i)
{
	return (i->kind == TM_ACCESS && !(i->flags & TM_FREE)) ||
	       (i->kind == TM_SYNC && i->access_flags);
}

static unsigned flags_of(const struct trace_memory_item *i)
{
	return i->kind == TM_SYNC ? i->access_flags : i->flags;
}

static void note_lane(struct recorded *r, struct trace_memory_cursor *cursor)
{
	struct trace_memory_item i;
	uint32_t thread = 0;

	while (trace_memory_next(cursor, &i) == 1) {
		if (i.kind == TM_THREAD)
			thread = i.address < r->process->thread_count ? (uint32_t)i.address : 0;
		if (!thread || !is_access(&i))
			continue;
		if (i.bytes >= TM_RANGE_MOST)
			r->flaw = "an access was too long to be recorded whole";
		cells_note(&r->cells, thread, i.address, i.bytes, i.generation,
			   flags_of(&i) & TM_WRITE);
	}
}

void recorded_note_cells(struct recorded *r, struct trace_memory *memory)
{
	const struct tm_header *header = trace_memory_header(memory);

	for (size_t lane = 0; lane < trace_memory_lane_count(memory); lane++) {
		struct trace_memory_cursor *cursor;

		if (trace_memory_cursor_new(memory, lane, &cursor))
			abort();
		note_lane(r, cursor);
		trace_memory_cursor_free(cursor);
	}
	if (r->cells.full)
		r->flaw = "more memory was accessed than is looked at";
	if (header->mode != TM_FULL && header->thinned)
		r->flaw = "accesses were left out: --races=record-full leaves none out";
	if (header->flags || header->lost)
		r->flaw = "accesses are missing";
}

static void name_cells(struct recorded *r, uint32_t first, uint32_t count, uint64_t address,
		       uint32_t bytes, uint16_t generation)
{
	r->cell = room_zeroed(r->cell, &r->cell_count, first + count - 1, &r->cell_capacity,
			      sizeof(*r->cell));
	for (uint32_t c = first; c < first + count; c++)
		if (!r->cell[c].address)
			r->cell[c] =
				(struct recorded_variable){ address, bytes / count, generation };
}

static void touch(struct recorded *r, uint32_t thread, const struct trace_memory_item *i,
		  uint32_t cell)
{
	/* Without values, of a trace of an earlier version: nothing is certain. */
	bool by_value = i->kind == TM_SYNC && i->values;
	unsigned flags = by_value ? (i->values & TM_SAW ? TM_READ : 0u) |
					    (i->values & TM_LEFT ? TM_WRITE : 0u)
				  : flags_of(i);

	if (by_value && flags & TM_READ)
		known_saw(r->known, thread, cell, i->saw, r->count);
	else if (i->kind == TM_SYNC && !by_value)
		known_not(r->known, thread, r->count);
	else if (flags & TM_READ)
		known_read(r->known, thread, cell, r->count);
	if (flags & TM_READ)
		recorded_add(r, thread, RAW_READ, cell, false);
	if (by_value && flags & TM_WRITE)
		known_left(r->known, cell, i->left);
	else if (flags & TM_WRITE)
		known_write(r->known, thread, cell);
	if (flags & TM_WRITE)
		recorded_add(r, thread, RAW_WRITE, cell, false);
}

static void access(struct recorded *r, const struct memory_moment *at,
		   const struct trace_memory_item *i)
{
	uint64_t address = i->address, bytes = i->bytes;

	recorded_place_access(r, at, i, flags_of(i) & TM_ATOMIC);
	while (bytes) {
		uint64_t room = 8 - (address & 7), piece = bytes < room ? bytes : room;
		uint32_t first, count = cells_find(&r->cells, address, (uint32_t)piece,
						   i->generation, &first);

		if (count)
			name_cells(r, first, count, address, (uint32_t)piece, i->generation);
		for (uint32_t c = 0; c < count; c++)
			touch(r, at->thread, i, first + c);
		address += piece;
		bytes -= piece;
	}
}

static bool is_of_thread(const struct recorded *r, const struct memory_moment *at)
{
	return at->thread && at->thread < r->process->thread_count;
}

void recorded_item(struct recorded *r, const struct memory_moment *at,
		   const struct trace_memory_item *i)
{
	if (!is_of_thread(r, at))
		return;
	/* An atomic operation is where its number is: it comes with its halves. */
	if (i->kind == TM_ACCESS && is_access(i))
		access(r, at, i);
	else if (i->kind == TM_FENCE)
		happens_before_fence(r->hb, at->thread, i->flags & TM_ACQUIRE,
				     i->flags & TM_RELEASE);
}

void recorded_release(struct recorded *r, const struct memory_moment *at,
		      const struct trace_memory_item *i)
{
	if (!is_of_thread(r, at))
		return;
	if (!i->after && is_access(i))
		access(r, at, i);
	recorded_signal(r, at->thread, true, RECORDED_ADDRESS, i->address, 0);
	if (i->flags & TM_RELEASE)
		happens_before_release_at(r->hb, at->thread, i->address);
	else
		happens_before_may_release_at(r->hb, at->thread, i->address);
}

void recorded_acquire(struct recorded *r, const struct memory_moment *at,
		      const struct trace_memory_item *i)
{
	if (!is_of_thread(r, at))
		return;
	recorded_signal(r, at->thread, false, RECORDED_ADDRESS, i->address, 0);
	if (i->flags & TM_ACQUIRE)
		happens_before_acquire_at(r->hb, at->thread, i->address);
	else
		happens_before_may_acquire_at(r->hb, at->thread, i->address);
	if (is_access(i))
		access(r, at, i);
}

void recorded_gap(struct recorded *r)
{
	r->flaw = "accesses are missing";
}
