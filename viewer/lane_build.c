/* SPDX-License-Identifier: MIT */
/*
 * lane_build.c - see lane_build.h.
 */
#include "lane_build.h"

#include "../analyzer/model/model_loops.h"

#include <stdlib.h>

#define MOST_LEVELS 255u

/* ---- lanes of threads ---- */

static bool grow_threads(struct builder *b)
{
	struct lanes *l = b->lanes;
	size_t capacity = l->thread_capacity ? l->thread_capacity * 2 : 16;
	struct lane_thread *threads;
	struct doing *doing;

	if (l->thread_count < l->thread_capacity)
		return true;
	threads = realloc(l->thread, capacity * sizeof(*threads));
	if (threads)
		l->thread = threads;
	doing = realloc(b->doing, capacity * sizeof(*doing));
	if (doing)
		b->doing = doing;
	if (!threads || !doing)
		return false;
	l->thread_capacity = capacity;
	return true;
}

uint32_t lane_build_lane(struct builder *b, const struct scan *scan, uint32_t thread, uint64_t ns)
{
	struct lanes *l = b->lanes;
	struct lane_process *p = &l->process[scan->index];

	if (!thread || thread >= scan->process->thread_count)
		return LANE_NONE_SUCH;
	if (p->lane[thread])
		return p->lane[thread] - 1;
	if (!grow_threads(b))
		return LANE_NONE_SUCH;
	l->thread[l->thread_count] = (struct lane_thread){
		.process = (uint32_t)scan->index, .thread = thread, .begin_ns = ns, .end_ns = ns
	};
	b->doing[l->thread_count] = (struct doing){ 0 };
	b->doing_count = l->thread_count + 1;
	p->lane[thread] = (uint32_t)++l->thread_count;
	return (uint32_t)l->thread_count - 1;
}

/* ---- spans ---- */

bool lane_build_add(struct builder *b, uint32_t lane, enum lane_row_kind kind, unsigned level,
		    const struct lane_span *span)
{
	size_t row = lane_rows_get(b->lanes, lane, kind, level < MOST_LEVELS ? level : MOST_LEVELS);

	return row != SIZE_MAX && lane_rows_add(b->lanes, row, span);
}

void lane_build_arrow(struct lane_span *s, enum lane_arrow arrow, const struct giver *from,
		      uint32_t lane)
{
	if (!from || !from->lane || from->lane - 1 == lane)
		return;
	s->arrow = (uint8_t)arrow;
	s->from_lane = from->lane - 1;
	s->from_ns = from->ns;
}

struct giver *lane_build_giver(struct builder *b, const struct scan *scan, uint32_t object)
{
	return object && object < scan->process->object_count ? &b->giver[object] : NULL;
}

bool lane_build_wait(struct builder *b, const struct scan *scan, uint32_t lane,
		     struct lane_span *span)
{
	const struct giver *from = lane_build_giver(b, scan, span->object);

	if (from && from->ns >= span->start_ns)
		lane_build_arrow(span, LANE_ARROW_WOKEN, from, lane);
	return lane_build_add(b, lane, LANE_ROW_STATE, 0, span);
}

/* ---- locks held ---- */

static struct hold *find_hold(struct doing *d, uint32_t object)
{
	for (uint32_t i = d->count; i-- > 0;)
		if (d->hold[i].object == object)
			return &d->hold[i];
	return NULL;
}

/* The lowest row in which nothing is held now. */
static unsigned free_level(const struct doing *d)
{
	unsigned level = 0;

	for (uint32_t i = 0; i < d->count; i++)
		if (d->hold[i].level == level) {
			level++;
			i = UINT32_MAX; /* from the beginning */
		}
	return level < MOST_LEVELS ? level : MOST_LEVELS;
}

bool lane_build_hold(struct doing *d, uint32_t object)
{
	unsigned level = free_level(d);

	if (d->count == d->capacity) {
		uint32_t capacity = d->capacity ? d->capacity * 2 : 4;
		struct hold *grown = realloc(d->hold, capacity * sizeof(*grown));

		if (!grown)
			return false;
		d->hold = grown;
		d->capacity = capacity;
	}
	d->hold[d->count++] = (struct hold){ .object = object, .level = (uint8_t)level };
	return true;
}

bool lane_build_release(struct builder *b, const struct scan *scan, uint32_t lane,
			const struct model_held *held, uint64_t end_ns, bool is_open)
{
	struct doing *d = &b->doing[lane];
	struct hold *hold = find_hold(d, held->object);
	unsigned level = hold ? hold->level : free_level(d);
	struct lane_span span = { .start_ns = held->time_ns + scan->start_ns,
				  .end_ns = end_ns,
				  .object = held->object,
				  .stack = held->stack,
				  .is_open = is_open };

	span.state = hold && hold->wanted	       ? LANE_HOLDS_WANTED
		     : held->flags & MODEL_HOLD_SHARED ? LANE_HOLDS_SHARED
						       : LANE_HOLDS;
	if (hold)
		*hold = d->hold[--d->count];
	return lane_build_add(b, lane, LANE_ROW_HOLD, level, &span);
}

void lane_build_want(struct builder *b, const struct scan *scan, uint32_t object)
{
	const struct lane_process *p = &b->lanes->process[scan->index];
	const struct model_object *o = model_get_object(scan->model, object);
	size_t iterator = 0;
	uint32_t owner = o ? o->owner : 0;
	const struct model_thread *t;

	for (;;) {
		if (!owner) {
			t = o && o->readers ? model_next_holder(scan->model, object, &iterator)
					    : NULL;
			if (!t)
				return;
		}
		owner = owner ? owner : t->id;
		if (owner < scan->process->thread_count && p->lane[owner]) {
			struct hold *hold = find_hold(&b->doing[p->lane[owner] - 1], object);

			if (hold)
				hold->wanted = true;
		}
		if (o->owner)
			return;
		owner = 0;
	}
}

/* ---- callbacks ---- */

bool lane_build_callback(struct builder *b, const struct scan *scan, uint32_t lane,
			 const struct model_callback *c, unsigned level, uint64_t end_ns,
			 bool is_open)
{
	bool is_task = c->kind == TRACE_TASK_ANNOTATED ||
		       model_job_life(c->kind) == MODEL_LIFE_COROUTINE;
	struct lane_span span = { .start_ns = c->since_ns + scan->start_ns,
				  .end_ns = end_ns,
				  .state = is_task ? LANE_RUNS_TASK : LANE_RUNS_CALLBACK,
				  .object = c->loop,
				  .stack = c->stack,
				  .what = c->task,
				  .is_open = is_open };
	struct giver from = { .ns = c->posted.time_ns + scan->start_ns };

	if (c->posted.stack && c->posted.thread) {
		uint32_t poster = lane_build_lane(b, scan, c->posted.thread, from.ns);

		from.lane = poster == LANE_NONE_SUCH ? 0 : poster + 1;
		lane_build_arrow(&span, LANE_ARROW_POSTED, &from, lane);
	}
	return lane_build_add(b, lane, LANE_ROW_RUN, level, &span);
}
