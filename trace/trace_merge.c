/* SPDX-License-Identifier: MIT */
/*
 * trace_merge.c - picks the next record among the streams of an image.
 */
#include "trace_merge.h"

#include <stdlib.h>
#include <unistd.h>

#define SLACK_NS 100000000u
#define MOVING_NS 1000000000u
/*
 * Where records expired on purpose, what does not come within this never will. A release is stamped before the
 * lock is free and an acquire after it is taken, so only what counters differ by between processors matters;
 * and a record that waits in vain must not come after what it caused.
 */
#define BOUNDED_SLACK_NS 2000u

/* ---- heap ---- */

static bool comes_before(uint64_t ticks, const struct trace_cursor *c, uint64_t ticks2,
			 const struct trace_cursor *c2)
{
	return ticks != ticks2 ? ticks < ticks2 : c->index < c2->index;
}

static void put(struct merge_heap *h, size_t at, uint64_t ticks, struct trace_cursor *c)
{
	h->entries[at].ticks = ticks;
	h->entries[at].cursor = c;
	c->heap_at = at;
}

static void sift_up(struct merge_heap *h, size_t at, uint64_t ticks, struct trace_cursor *c)
{
	while (at) {
		size_t up = (at - 1) / 2;

		if (!comes_before(ticks, c, h->entries[up].ticks, h->entries[up].cursor)) {
			break;
		}
		put(h, at, h->entries[up].ticks, h->entries[up].cursor);
		at = up;
	}
	put(h, at, ticks, c);
}

static void sift_down(struct merge_heap *h, size_t at, uint64_t ticks, struct trace_cursor *c)
{
	for (;;) {
		size_t down = 2 * at + 1;

		if (down >= h->count) {
			break;
		}
		if (down + 1 < h->count &&
		    comes_before(h->entries[down + 1].ticks, h->entries[down + 1].cursor,
				 h->entries[down].ticks, h->entries[down].cursor)) {
			down++;
		}
		if (!comes_before(h->entries[down].ticks, h->entries[down].cursor, ticks, c)) {
			break;
		}
		put(h, at, h->entries[down].ticks, h->entries[down].cursor);
		at = down;
	}
	put(h, at, ticks, c);
}

static void heap_push(struct merge_heap *h, struct trace_cursor *c)
{
	sift_up(h, h->count++, c->ticks, c);
}

static void heap_remove(struct merge_heap *h, struct trace_cursor *c)
{
	size_t at = c->heap_at;
	uint64_t ticks = h->entries[--h->count].ticks;
	struct trace_cursor *last = h->entries[h->count].cursor;

	if (last == c) {
		return;
	}
	if (at && comes_before(ticks, last, h->entries[(at - 1) / 2].ticks,
			       h->entries[(at - 1) / 2].cursor)) {
		sift_up(h, at, ticks, last);
	} else {
		sift_down(h, at, ticks, last);
	}
}

static struct trace_cursor *heap_pop(struct merge_heap *h)
{
	struct trace_cursor *c = h->entries[0].cursor;

	heap_remove(h, c);
	return c;
}

/* ---- life ---- */

static size_t count_streams(const struct trace_image *image)
{
	size_t n = 0;

	for (size_t i = 0; i < image->chunk_count; i++) {
		n += !i || image->chunks[i - 1].stream != image->chunks[i].stream;
	}
	return n;
}

static int add_cursors(struct trace_merge *m, struct trace_image *image)
{
	size_t i = 0;

	while (i < image->chunk_count) {
		struct trace_cursor *c = &m->cursors[m->cursor_count];
		size_t end = i + 1;

		while (end < image->chunk_count &&
		       image->chunks[end].stream == image->chunks[i].stream) {
			end++;
		}
		trace_cursor_init(c, &image->chunks[i], &image->chunks[end],
				  (uint32_t)m->cursor_count++);
		c->facts = image->chunks[i].stream == m->source.facts;
		if (trace_cursor_next(c, &m->source)) {
			heap_push(&m->ready, c);
		} else {
			trace_order_finish(&m->order, c->finished);
			trace_cursor_release(c);
		}
		i = end;
	}
	return m->source.no_memory ? THRUM_ENOMEM : 0;
}

int trace_merge_init(struct trace_merge *m, const struct trace_defs *defs,
		     struct trace_image *image)
{
	size_t streams = count_streams(image);
	uint64_t moving = trace_clock_ticks(&defs->clock, MOVING_NS);
	int error;

	*m = (struct trace_merge){
		.source = {
			.image = image,
			.layout = &defs->layout,
			.objects = (uint32_t)defs->process.object_count,
			.stacks = (uint32_t)defs->process.stack_count,
			.threads = (uint32_t)defs->process.thread_count,
			.fd = image->events_bytes ? trace_image_open_events(image) : -1,
			.lossy = defs->lossy || defs->born,
			.born = defs->born,
			.thread_born = defs->thread_born,
			.task_born = defs->task_born,
			.tasks = (uint32_t)defs->process.task_count,
			.ring = defs->ring,
			.facts = defs->born && image->header.facts_stream
					 ? image->header.facts_stream
					 : UINT32_MAX,
		},
		.defs = defs,
		.clock = &defs->clock,
		.slack_ticks = trace_clock_ticks(&defs->clock,
						 defs->born ? BOUNDED_SLACK_NS : SLACK_NS),
		.cursors = calloc(streams + 1, sizeof(*m->cursors)),
		.ready.entries = calloc(streams + 1, sizeof(*m->ready.entries)),
		.stale.entries = calloc(streams + 1, sizeof(*m->stale.entries)),
		.parked.entries = calloc(streams + 1, sizeof(*m->parked.entries)),
	};
	m->moving_ticks = defs->end_ticks > moving ? defs->end_ticks - moving : 0;
	if (!image->moving) {
		m->moving_ticks = UINT64_MAX;
	}
	error = trace_order_init(&m->order, &defs->process);
	error = error ? error : trace_births_init(&m->births, defs);
	if (!error &&
	    (!m->cursors || !m->ready.entries || !m->stale.entries || !m->parked.entries)) {
		error = THRUM_ENOMEM;
	}
	if (!error) {
		error = add_cursors(m, image);
	}
	if (error) {
		trace_merge_release(m);
	}
	return error;
}

void trace_merge_release(struct trace_merge *m)
{
	for (size_t i = 0; i < m->cursor_count; i++) {
		trace_cursor_release(&m->cursors[i]);
	}
	free(m->cursors);
	free(m->ready.entries);
	free(m->stale.entries);
	free(m->parked.entries);
	trace_order_release(&m->order);
	trace_births_release(&m->births);
	if (m->source.fd >= 0) {
		close(m->source.fd);
	}
	*m = (struct trace_merge){ .source.fd = -1 };
}

/* ---- the steps ---- */

static void take_woken(struct trace_merge *m)
{
	while (m->order.woken) {
		struct trace_cursor *c = m->order.woken;

		m->order.woken = c->woken;
		heap_remove(c->stale ? &m->stale : &m->parked, c);
		heap_push(&m->ready, c);
	}
}

static void emit(struct trace_merge *m, const struct trace_cursor *c, struct trace_event *e)
{
	const uint64_t *field = c->record.field;

	*e = (struct trace_event){
		.op = c->record.op,
		.has_seq = c->record.has_seq,
		.synthetic = c->synthetic,
		.stream = c->facts ? TRACE_NO_STREAM : c->stream,
		.thread = c->thread,
		.object = (uint32_t)field[TRACE_FIELD_O],
		.other = (uint32_t)field[TRACE_FIELD_P],
		.stack = (uint32_t)field[TRACE_FIELD_S],
		.result = (int32_t)trace_decode_zigzag(field[TRACE_FIELD_R]),
		.arg = field[TRACE_FIELD_A],
		.seq = c->record.seq,
		.time_ns = trace_clock_ns(m->clock, c->ticks),
	};
}

/* The record of `c`, which is in no heap, comes out; true when the stream goes on. */
static bool step(struct trace_merge *m, struct trace_cursor *c, struct trace_event *ret_event)
{
	bool more;

	emit(m, c, ret_event);
	trace_order_apply(&m->order, c);
	more = trace_cursor_next(c, &m->source);
	if (__builtin_expect(more, 1)) {
		/*
		 * With many locks and streams its line is there by the time this record's turn
		 * comes: 27 to 47 M events/s.
		 */
		__builtin_prefetch(&m->order.objects[c->record.field[TRACE_FIELD_O]], 1);
	}
	if (__builtin_expect(c->finished, 0)) {
		trace_order_finish(&m->order, c->finished);
	}
	if (__builtin_expect(m->order.early_joins, 0)) {
		trace_order_passed(&m->order, c);
	}
	if (__builtin_expect(m->order.woken != NULL, 0)) {
		take_woken(m);
	}
	if (!more) {
		trace_cursor_release(c);
	}
	return more;
}

/* The oldest record of `parked` goes although it may not. */
static void force(struct trace_merge *m, struct merge_heap *parked, struct trace_event *ret_event)
{
	struct trace_cursor *c = heap_pop(parked);

	trace_order_unpark(c);
	trace_order_force(&m->order, c);
	take_woken(m);
	m->forced++;
	if (step(m, c, ret_event)) {
		heap_push(&m->ready, c);
	}
}

/*
 * The heap of parked records whose oldest one has to go now, or NULL. `c` is the next one
 * otherwise.
 */
static struct merge_heap *choose_forced(struct trace_merge *m, const struct trace_cursor *c)
{
	struct merge_heap *heaps[] = { &m->stale, &m->parked };

	for (size_t i = 0; i < 2; i++) {
		uint64_t since = heaps[i]->count ? heaps[i]->entries[0].ticks : UINT64_MAX;

		if (heaps[i]->count && (c || since < m->moving_ticks) &&
		    (!c ||
		     (m->source.lossy && c->ticks > since && c->ticks - since > m->slack_ticks))) {
			return heaps[i];
		}
	}
	return NULL;
}

int trace_merge_next(struct trace_merge *m, struct trace_event *ret_event)
{
	for (;;) {
		struct trace_cursor *c = m->current;

		if (m->ready.count) {
			struct trace_cursor *top = m->ready.entries[0].cursor;

			if (!c) {
				c = heap_pop(&m->ready);
			} else if (__builtin_expect(comes_before(m->ready.entries[0].ticks, top,
								 c->ticks, c),
						    0)) {
				sift_down(&m->ready, 0, c->ticks, c);
				c = top;
			}
		}
		if (__builtin_expect(m->births.count != 0, 0) &&
		    trace_births_are_due(&m->births, c ? c->ticks : UINT64_MAX)) {
			m->current = c;
			trace_births_take(&m->births, m->defs, ret_event);
			return 1;
		}
		if (__builtin_expect(m->parked.count + m->stale.count != 0, 0)) {
			struct merge_heap *parked = choose_forced(m, c);

			if (parked) {
				m->current = c;
				force(m, parked, ret_event);
				return 1;
			}
		}
		if (!c) {
			return 0;
		}
		if (__builtin_expect(trace_order_may_go(&m->order, c), 1)) {
			m->current = c;
			if (!step(m, c, ret_event)) {
				m->current = NULL;
			}
			return 1;
		}
		trace_order_park(c);
		heap_push(c->stale ? &m->stale : &m->parked, c);
		m->current = NULL;
	}
}
