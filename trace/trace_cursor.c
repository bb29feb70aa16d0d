/* SPDX-License-Identifier: MIT */
/*
 * trace_cursor.c - reads one stream chunk by chunk.
 */
#include "trace_cursor.h"

#include <stdlib.h>

/* More lost records than this between two chunks is a damaged count. */
#define LOST_LIMIT (1ull << 40)

void trace_cursor_init(struct trace_cursor *c, const struct trace_chunk *first,
		       const struct trace_chunk *end, uint32_t index)
{
	*c = (struct trace_cursor){
		.stream = first->stream,
		.index = index,
		.chunk = first,
		.chunk_end = end,
	};
}

void trace_cursor_release(struct trace_cursor *c)
{
	free(c->buffer);
	c->buffer = NULL;
	c->buffer_bytes = 0;
}

static void switch_owner(struct trace_cursor *c, uint32_t thread)
{
	if (c->thread != thread) {
		c->finished = c->thread;
		c->thread = thread;
	}
}

static uint64_t inside(uint64_t id, uint32_t count)
{
	return id < count ? id : 0;
}

/* Ids that the tables do not have become 0, so that nobody behind this must check. */
static void clean_record(struct trace_record *r, const struct trace_source *source)
{
	uint64_t *field = r->field;

	field[TRACE_FIELD_O] = inside(field[TRACE_FIELD_O], source->objects);
	field[TRACE_FIELD_S] = inside(field[TRACE_FIELD_S], source->stacks);
	field[TRACE_FIELD_P] = inside(field[TRACE_FIELD_P],
				      r->op == TRACE_REQUEST ? source->threads : source->objects);
	switch (trace_op_arg(r->op)) {
	case TRACE_ARG_PLAIN:
		break;
	case TRACE_ARG_THREAD:
		field[TRACE_FIELD_A] = inside(field[TRACE_FIELD_A], source->threads);
		break;
	case TRACE_ARG_OWNER:
		if (field[TRACE_FIELD_A] >= source->threads) {
			field[TRACE_FIELD_A] = UINT64_MAX;
		}
		break;
	}
}

static bool reserve(struct trace_cursor *c, uint32_t bytes)
{
	if (bytes > c->buffer_bytes) {
		free(c->buffer);
		c->buffer = malloc(bytes);
		c->buffer_bytes = c->buffer ? bytes : 0;
	}
	return bytes <= c->buffer_bytes;
}

static uint64_t count_records(struct trace_decoder d)
{
	struct trace_record r;
	uint64_t n = 0;

	while (trace_decode_next(&d, &r) == TRACE_DECODE_RECORD) {
		n++;
	}
	return n;
}

/*
 * Queues the LOST records of the gap in front of the chunk just opened, or of the end of the stream
 * (`next` NULL).
 */
static void tell_gap(struct trace_cursor *c, struct trace_source *source,
		     const struct trace_chunk *next)
{
	uint64_t count = 0;
	uint32_t thread;

	if (next && next->events) {
		count = next->events - count_records(c->decoder) - c->position;
		if (count > LOST_LIMIT) {
			count = 0;
		}
	}
	source->lost += count;
	source->lossy = true;
	c->position += count;
	c->gap = false;
	thread = next ? (uint32_t)inside(next->thread, source->threads) : 0;
	if (c->thread || !thread) {
		c->lost[c->lost_count++] =
			(struct trace_lost){ c->thread, TRACE_LOST, c->ticks, count };
		count = 0;
	}
	if (thread && thread != c->thread) {
		c->lost[c->lost_count++] =
			(struct trace_lost){ thread, TRACE_LOST, next->base_ticks, count };
	}
}

/* What came before this slot of a ring was nothing new. */
static void tell_expired(struct trace_cursor *c, const struct trace_source *source,
			 const struct trace_chunk *next)
{
	c->gap = false;
	if (c->thread) {
		c->lost[c->lost_count++] = (struct trace_lost){ .thread = c->thread,
								.op = TRACE_KEYFRAME,
								.ticks = c->ticks };
	}
	c->next_owner = (uint32_t)inside(next->thread, source->threads);
	c->owner_changes = true;
}

/* False at the end of the stream. */
static bool open_chunk(struct trace_cursor *c, struct trace_source *source)
{
	const struct trace_chunk *next = c->chunk;
	const uint8_t *bytes;
	bool expired;
	size_t count = 0;

	if (next == c->chunk_end) {
		/*
		 * Without the newest segment of the stream, which the map should have, nobody knows
		 * how it went on.
		 */
		if ((c->gap || (source->image->map_cut && !c->chunk[-1].memory)) && !c->tail_told) {
			c->tail_told = true;
			tell_gap(c, source, NULL);
			return true;
		}
		return false;
	}
	c->chunk++;
	expired = next->ring && next->chunk != c->expected && !c->gap;
	if (next->chunk != c->expected) {
		c->gap = true;
	}
	c->expected = next->chunk + 1;
	if (!next->memory && !reserve(c, next->available)) {
		source->no_memory = true;
		return false;
	}
	bytes = trace_chunk_read(next, source->fd, c->buffer, &count);
	trace_decoder_init(&c->decoder, source->layout, bytes, count, next->base_ticks);
	if (expired) {
		tell_expired(c, source, next);
	} else if (c->gap) {
		tell_gap(c, source, next);
	} else if (!c->thread && !c->facts) {
		switch_owner(c, (uint32_t)inside(next->thread, source->threads));
	}
	c->gap = count < next->committed;
	return true;
}

static void take_lost(struct trace_cursor *c)
{
	struct trace_lost lost = c->lost[0];

	c->lost[0] = c->lost[1];
	c->lost_count--;
	switch_owner(c, lost.thread);
	if (lost.ticks > c->ticks) {
		c->ticks = lost.ticks;
	}
	c->synthetic = true;
	c->record = (struct trace_record){ .op = lost.op, .ticks = c->ticks };
	c->record.field[TRACE_FIELD_A] = lost.count;
}

static void note_damage(struct trace_cursor *c, struct trace_source *source)
{
	if (!c->gap) {
		trace_image_damage(source->image,
				   "a record in chunk %llu of stream %u makes no sense",
				   (unsigned long long)c->expected - 1, c->stream);
	}
	c->gap = true;
	c->decoder.at = c->decoder.end;
}

/* Of a task whose number is another's now. */
static bool is_of_former_task(struct trace_record *r, const struct trace_source *source)
{
	uint64_t *arg = &r->field[TRACE_FIELD_A];
	uint64_t task = r->op == TRACE_WOKEN ? *arg >> 32 : *arg;
	bool names_task = r->op == TRACE_TASK || r->op == TRACE_TASK_NEW ||
			  r->op == TRACE_TASK_ARM || r->op == TRACE_WOKEN;

	if (!names_task || task >= source->tasks || r->ticks >= source->task_born[task]) {
		return false;
	}
	*arg &= UINT32_MAX; /* who wrote is as it was */
	return r->op != TRACE_WOKEN;
}

/* Bounded mode: false where the record says what is said elsewhere. */
static bool accept_bounded(struct trace_cursor *c, const struct trace_source *source)
{
	uint64_t *field = c->record.field;

	if (c->owner_changes) {
		c->owner_changes = false;
		switch_owner(c, c->next_owner);
	}
	if (c->record.op == TRACE_OF) {
		c->thread = (uint32_t)field[TRACE_FIELD_A];
		return false;
	}
	if (c->record.op == TRACE_THREAD_BEGIN) { /* the thread before it has no say in this */
		switch_owner(c, (uint32_t)field[TRACE_FIELD_A]);
	}
	if (c->facts && c->record.ticks >= source->ring[c->thread]) {
		return false;
	}
	if (c->record.ticks < source->thread_born[c->thread]) {
		return false; /* of a former thread of that number */
	}
	if (is_of_former_task(&c->record, source)) {
		return false;
	}
	if (trace_op_arg(c->record.op) == TRACE_ARG_THREAD &&
	    c->record.ticks < source->thread_born[field[TRACE_FIELD_A]]) {
		field[TRACE_FIELD_A] = 0;
	}
	if (c->record.ticks < source->born[field[TRACE_FIELD_O]]) {
		field[TRACE_FIELD_O] = 0;
	}
	if (c->record.op != TRACE_REQUEST && c->record.ticks < source->born[field[TRACE_FIELD_P]]) {
		field[TRACE_FIELD_P] = 0;
	}
	return true;
}

bool trace_cursor_next(struct trace_cursor *c, struct trace_source *source)
{
	enum trace_decode got;

	c->finished = 0;
	c->synthetic = false;
	for (;;) {
		if (__builtin_expect(c->lost_count, 0)) {
			take_lost(c);
			return true;
		}
		got = trace_decode_next(&c->decoder, &c->record);
		if (__builtin_expect(got == TRACE_DECODE_RECORD, 1)) {
			c->position++;
			source->records++;
			if (!c->decoder.layout->op[c->record.op].known) {
				continue;
			}
			if (c->record.ticks > c->ticks) {
				c->ticks = c->record.ticks;
			}
			clean_record(&c->record, source);
			if (__builtin_expect(source->born != NULL, 0) &&
			    !accept_bounded(c, source)) {
				continue;
			}
			if (c->record.op == TRACE_THREAD_BEGIN) {
				switch_owner(c, (uint32_t)c->record.field[TRACE_FIELD_A]);
			}
			return true;
		}
		if (got != TRACE_DECODE_END) {
			note_damage(c, source);
		}
		if (!open_chunk(c, source)) {
			c->finished = c->thread;
			return false;
		}
	}
}
