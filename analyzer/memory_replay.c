/* SPDX-License-Identifier: MIT */
/*
 * memory_replay.c - lanes that run up to the next event of their thread, or up to a number that is not due.
 */
#include "memory_replay.h"

#include <stdlib.h>
#include <string.h>

enum {
	STREAMS = 65536,
	AHEAD = 16,		/* records */
	WAITING_MOST = 1 << 16, /* events; then the number that all wait for counts as missing */
};

enum half { HALF_ACCESS, HALF_BEFORE, HALF_AFTER };

struct lane {
	struct trace_memory_cursor *cursor; /* owned; NULL = at its end */
	struct trace_memory_item item;
	bool has_item;
	uint8_t half;	 /* enum half: the next one of a SYNC */
	uint32_t thread; /* 0 = none yet */
	uint32_t stream;
	uint64_t position; /* records of the stream that come before what follows */
	uint64_t wants;	   /* number that it waits for, 0 = none */
	uint32_t bucket;
	struct lane *next; /* that waits for a number of the same bucket */
};

struct stream {
	uint64_t events;   /* applied */
	struct lane *lane; /* borrowed; NULL = none seen */
	uint32_t thread;
	uint32_t waiting; /* events of it that wait */
	uint32_t set;
	uint64_t time_ns;
};

struct waiting {
	struct trace_event event;
	uint32_t set;
	bool is_done;
};

struct memory_replay {
	const struct trace_process *process; /* borrowed */
	struct memory_sink sink;
	struct lane *lane; /* owned */
	size_t lane_count;
	struct stream *stream; /* owned; by number */
	uint32_t *stream_of;   /* owned; by thread: its stream, 0 = unknown */
	size_t thread_count;
	uint64_t due[TM_BUCKETS];	/* the next number of each bucket */
	struct lane *waits[TM_BUCKETS]; /* for a later one */
	struct lane **ready;		/* owned; a stack */
	size_t ready_count;
	struct waiting *waiting; /* owned */
	size_t waiting_count, waiting_capacity, done_count;
	uint32_t *marks; /* owned; by object, thread: of an event that waits, in this scan */
	uint32_t scan;
	size_t object_count;
	bool moved; /* a lane went on since the events that wait were looked at */
	struct memory_replay_stats stats;
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* ---- lanes ---- */

static struct memory_moment moment_of(const struct memory_replay *r, const struct lane *l)
{
	const struct stream *s = &r->stream[l->stream];

	return (struct memory_moment){ l->thread, s->set, s->time_ns };
}

/* Lanes that wait for the number that is due now may go on. */
static void wake(struct memory_replay *r, uint32_t bucket)
{
	struct lane **p = &r->waits[bucket];

	while (*p) {
		struct lane *l = *p;

		if (l->wants > r->due[bucket]) {
			p = &l->next;
			continue;
		}
		*p = l->next;
		l->wants = 0;
		r->ready[r->ready_count++] = l;
	}
}

/* True when `number` is due, and counts it; else the lane waits. A number of the past is damage: it counts as due. */
static bool take_number(struct memory_replay *r, struct lane *l, uint64_t number)
{
	uint32_t bucket = tm_bucket(l->item.address);

	if (number > r->due[bucket]) {
		l->wants = number;
		l->bucket = bucket;
		l->next = r->waits[bucket];
		r->waits[bucket] = l;
		return false;
	}
	if (number == r->due[bucket]) {
		r->due[bucket]++;
		wake(r, bucket);
	}
	return true;
}

/* False: the rest of it waits. */
static bool run_sync(struct memory_replay *r, struct lane *l)
{
	const struct trace_memory_item *i = &l->item;
	struct memory_moment at = moment_of(r, l);

	if (l->half == HALF_ACCESS) {
		r->stats.atomics++;
		if (i->access_flags)
			r->sink.item(r->sink.cookie, &at, i);
		l->half = HALF_BEFORE;
	}
	if (l->half == HALF_BEFORE) {
		if (i->before && !take_number(r, l, i->before))
			return false;
		if (i->before && i->flags & (TM_RELEASE | TM_MAY_RELEASE))
			r->sink.release(r->sink.cookie, &at, i);
		l->half = HALF_AFTER;
	}
	if (i->after && !take_number(r, l, i->after))
		return false;
	if (i->after && i->flags & (TM_ACQUIRE | TM_MAY_ACQUIRE))
		r->sink.acquire(r->sink.cookie, &at, i);
	l->half = HALF_ACCESS;
	return true;
}

static void begin_thread(struct memory_replay *r, struct lane *l)
{
	const struct trace_memory_item *i = &l->item;

	l->thread = i->address < r->process->thread_count ? (uint32_t)i->address : 0;
	if (i->bytes && i->bytes < STREAMS) {
		l->stream = (uint32_t)i->bytes;
		r->stream[l->stream].lane = l;
	}
}

/* False: the item waits. */
static bool run_item(struct memory_replay *r, struct lane *l)
{
	struct memory_moment at;

	switch (l->item.kind) {
	case TM_THREAD:
		begin_thread(r, l);
		return true;
	case TM_POSITION:
		l->position = l->item.address;
		return true;
	default:
		break;
	}
	if (r->stream[l->stream].events < l->position)
		return false;
	if (!l->thread)
		return true;
	if (l->item.kind == TM_SYNC)
		return run_sync(r, l);
	at = moment_of(r, l);
	r->stats.accesses += l->item.kind == TM_ACCESS;
	r->sink.item(r->sink.cookie, &at, &l->item);
	return true;
}

static void run_lane(struct memory_replay *r, struct lane *l)
{
	uint16_t generation;
	uint64_t address;

	while (l->cursor && !l->wants) {
		if (!l->has_item) {
			l->has_item = trace_memory_next(l->cursor, &l->item) == 1;
			if (!l->has_item) {
				trace_memory_cursor_free(l->cursor);
				l->cursor = NULL;
				return;
			}
		}
		if (r->sink.soon && trace_memory_peek(l->cursor, AHEAD, &address, &generation))
			r->sink.soon(r->sink.cookie, address, generation);
		if (!run_item(r, l))
			return;
		l->has_item = false;
		r->moved = true;
	}
}

static void run_ready(struct memory_replay *r)
{
	while (r->ready_count)
		run_lane(r, r->ready[--r->ready_count]);
}

/* ---- events ---- */

static bool is_of_task(unsigned op)
{
	return op == TRACE_TASK || op == TRACE_TASK_NEW || op == TRACE_TASK_ARM;
}

/* What an event is about, besides its thread: what comes later about the same must not overtake it. */
static uint32_t *mark_of_object(struct memory_replay *r, uint32_t object)
{
	return object && object < r->object_count ? &r->marks[object] : NULL;
}
static uint32_t *mark_of_thread(struct memory_replay *r, uint64_t thread)
{
	return thread && thread < r->thread_count ? &r->marks[r->object_count + thread] : NULL;
}

/* All tasks are one: they are few in what this is for. */
static uint32_t *mark_of_arg(struct memory_replay *r, const struct trace_event *e)
{
	if (is_of_task(e->op))
		return &r->marks[0];
	if (e->op == TRACE_CREATE || e->op == TRACE_THREAD_BEGIN || e->op == TRACE_JOIN)
		return mark_of_thread(r, e->arg);
	return NULL;
}

static bool lane_is_late(const struct memory_replay *r, uint32_t stream)
{
	const struct lane *l = stream < STREAMS ? r->stream[stream].lane : NULL;

	return l && l->wants;
}

static bool is_marked(const struct memory_replay *r, const uint32_t *mark)
{
	return mark && *mark == r->scan;
}

static bool must_wait(struct memory_replay *r, const struct trace_event *e)
{
	uint32_t other = e->op == TRACE_REQUEST ? 0 : e->other;

	if (e->stream == TRACE_NO_STREAM)
		return false;
	if (lane_is_late(r, e->stream) ||
	    (e->stream < STREAMS && r->stream[e->stream].waiting == r->scan))
		return true;
	if (is_marked(r, mark_of_object(r, e->object)) || is_marked(r, mark_of_object(r, other)) ||
	    is_marked(r, mark_of_arg(r, e)))
		return true;
	if (e->op == TRACE_JOIN && e->arg < r->thread_count) {
		uint32_t joined = r->stream_of[e->arg];

		return joined && (lane_is_late(r, joined) || r->stream[joined].waiting == r->scan);
	}
	return false;
}

static void mark(struct memory_replay *r, const struct trace_event *e)
{
	uint32_t *marks[] = { mark_of_object(r, e->object),
			      mark_of_object(r, e->op == TRACE_REQUEST ? 0 : e->other),
			      mark_of_arg(r, e) };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (marks[i])
			*marks[i] = r->scan;
	if (e->stream < STREAMS)
		r->stream[e->stream].waiting = r->scan;
}

static void apply(struct memory_replay *r, const struct trace_event *e, uint32_t set)
{
	struct stream *s = e->stream < STREAMS ? &r->stream[e->stream] : NULL;

	r->sink.event(r->sink.cookie, e);
	if (!s)
		return;
	if (e->op == TRACE_THREAD_BEGIN && e->arg < r->thread_count)
		r->stream_of[e->arg] = e->stream;
	/* Where records are missing the reader says how many. */
	s->events += e->synthetic ? (e->op == TRACE_LOST ? e->arg : 0) : 1;
	s->set = set;
	s->time_ns = e->time_ns;
	if (s->lane && !s->lane->wants)
		run_lane(r, s->lane);
	run_ready(r);
}

/* Events that wait, in their order: those that may, go. */
static void scan_waiting(struct memory_replay *r)
{
	while (r->moved && r->done_count < r->waiting_count) {
		r->moved = false;
		r->scan++;
		for (size_t i = 0; i < r->waiting_count; i++) {
			struct waiting *w = &r->waiting[i];

			if (w->is_done)
				continue;
			if (must_wait(r, &w->event)) {
				mark(r, &w->event);
				continue;
			}
			w->is_done = true;
			r->done_count++;
			apply(r, &w->event, w->set);
		}
	}
	if (r->done_count == r->waiting_count) {
		r->done_count = r->waiting_count = 0;
		r->scan++; /* nothing is marked any more */
	}
}

/* A number that all wait for is not there: its record was lost. The lowest that is wanted takes its place. */
static bool skip_gap(struct memory_replay *r)
{
	struct lane *best = NULL;

	for (size_t i = 0; i < r->lane_count; i++) {
		struct lane *l = &r->lane[i];

		if (l->wants &&
		    (!best || l->wants - r->due[l->bucket] < best->wants - r->due[best->bucket]))
			best = l;
	}
	if (!best)
		return false;
	r->stats.gaps++;
	r->due[best->bucket] = best->wants;
	for (struct lane *l = r->waits[best->bucket]; l; l = l->next)
		if (l->wants < r->due[best->bucket])
			r->due[best->bucket] = l->wants;
	r->sink.gap(r->sink.cookie);
	wake(r, best->bucket);
	run_ready(r);
	scan_waiting(r);
	return true;
}

void memory_replay_event(struct memory_replay *r, const struct trace_event *e, uint32_t set)
{
	if (r->waiting_count && r->moved)
		scan_waiting(r);
	if (!must_wait(r, e)) {
		apply(r, e, set);
		return;
	}
	mark(r, e);
	if (r->waiting_count == r->waiting_capacity) {
		r->waiting_capacity = r->waiting_capacity ? r->waiting_capacity * 2 : 256;
		r->waiting =
			checked(realloc(r->waiting, r->waiting_capacity * sizeof(*r->waiting)));
	}
	r->waiting[r->waiting_count++] = (struct waiting){ .event = *e, .set = set };
	r->stats.late_events++;
	if (r->waiting_count - r->done_count > WAITING_MOST)
		skip_gap(r);
}

void memory_replay_finish(struct memory_replay *r)
{
	scan_waiting(r);
	while (skip_gap(r))
		;
}

/* ---- life ---- */

struct memory_replay *memory_replay_new(const struct trace_process *process,
					struct trace_memory *memory, const struct memory_sink *sink)
{
	struct memory_replay *r = checked(calloc(1, sizeof(*r)));

	r->process = process;
	r->sink = *sink;
	r->lane_count = trace_memory_lane_count(memory);
	r->lane = checked(calloc(r->lane_count + 1, sizeof(*r->lane)));
	r->ready = checked(calloc(r->lane_count + 1, sizeof(struct lane *)));
	r->stream = checked(calloc(STREAMS, sizeof(*r->stream)));
	r->object_count = process->object_count + 1;
	r->thread_count = process->thread_count + 1;
	r->stream_of = checked(calloc(r->thread_count, sizeof(*r->stream_of)));
	r->marks = checked(calloc(r->object_count + r->thread_count, sizeof(*r->marks)));
	r->scan = 1;
	for (size_t i = 0; i < TM_BUCKETS; i++)
		r->due[i] = 1;
	for (size_t i = 0; i < r->lane_count; i++) {
		if (trace_memory_cursor_new(memory, i, &r->lane[i].cursor))
			abort();
		run_lane(r, &r->lane[i]);
	}
	run_ready(r);
	return r;
}

void memory_replay_free(struct memory_replay *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->lane_count; i++)
		trace_memory_cursor_free(r->lane[i].cursor);
	free(r->lane);
	free(r->ready);
	free(r->stream);
	free(r->stream_of);
	free(r->marks);
	free(r->waiting);
	free(r);
}

struct memory_replay_stats memory_replay_stats(const struct memory_replay *r)
{
	return r->stats;
}
