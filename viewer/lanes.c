/* SPDX-License-Identifier: MIT */
/*
 * lanes.c - what an event means for the lanes; see lanes.h.
 */
#include "lanes.h"

#include "../analyzer/model/model_loops.h"
#include "lane_build.h"

#include <stdlib.h>

/* ---- events ---- */

/* Where an event is: its lane, and when in run time. */
struct at {
	struct builder *b;
	const struct scan *scan;
	uint32_t lane;
	uint64_t now;
};

static void give(const struct at *at, uint32_t object)
{
	struct giver *giver = lane_build_giver(at->b, at->scan, object);

	if (giver)
		*giver = (struct giver){ at->lane + 1, at->now };
}

static bool add_since(const struct at *at, uint64_t *since, enum lane_state state)
{
	struct doing *d = &at->b->doing[at->lane];
	struct lane_span span = { .start_ns = *since - 1,
				  .end_ns = at->now,
				  .state = (uint8_t)state,
				  .object = d->object,
				  .stack = d->stack,
				  .what = d->what };

	if (!*since)
		return true;
	*since = 0;
	return lane_build_wait(at->b, at->scan, at->lane, &span);
}

static void begin_since(const struct at *at, uint64_t *since, const struct trace_event *e,
			uint32_t what)
{
	struct doing *d = &at->b->doing[at->lane];

	*since = at->now + 1;
	d->object = e->object;
	d->stack = e->stack;
	d->what = what;
}

/* An event that tells at its end how long something took. */
static bool add_back(const struct at *at, const struct trace_event *e, enum lane_state state,
		     uint64_t micros, uint32_t what)
{
	uint64_t length = micros < UINT64_MAX / 1000 ? micros * 1000 : UINT64_MAX;
	struct lane_span span = { .start_ns = length < at->now ? at->now - length : 0,
				  .end_ns = at->now,
				  .state = (uint8_t)state,
				  .object = e->object,
				  .stack = e->stack,
				  .what = what };

	return lane_build_add(at->b, at->lane, LANE_ROW_STATE, 0, &span);
}

static bool join(const struct at *at, const struct trace_event *e, const struct model_step *step)
{
	struct lane_span span = { .start_ns = at->now,
				  .end_ns = at->now,
				  .state = LANE_JOINS,
				  .stack = e->stack,
				  .what = (uint32_t)e->arg };
	struct giver from = { 0 };

	if (e->result || !step->peer)
		return true;
	if (step->peer->end.thread) {
		uint32_t lane =
			lane_build_lane(at->b, at->scan, step->peer->id, step->peer->end.time_ns);

		from.lane = lane == LANE_NONE_SUCH ? 0 : lane + 1;
		from.ns = step->peer->end.time_ns + at->scan->start_ns;
		lane_build_arrow(&span, LANE_ARROW_JOINED, &from, at->lane);
	}
	return lane_build_add(at->b, at->lane, LANE_ROW_STATE, 0, &span);
}

static void created(const struct at *at, const struct trace_event *e)
{
	uint32_t lane = e->arg <= UINT32_MAX
				? lane_build_lane(at->b, at->scan, (uint32_t)e->arg, at->now)
				: LANE_NONE_SUCH;

	if (lane == LANE_NONE_SUCH || at->b->lanes->thread[lane].begun)
		return;
	at->b->lanes->thread[lane].from_lane = at->lane + 1;
	at->b->lanes->thread[lane].from_ns = at->now;
}

static bool waited_for_signal(const struct at *at, const struct trace_event *e,
			      const struct model_step *step)
{
	const struct model_waiting *w = &step->waited;
	struct lane_span span = { .start_ns = w->site.time_ns + at->scan->start_ns,
				  .end_ns = at->now,
				  .state = LANE_WAITS_SIGNAL,
				  .object = e->object,
				  .stack = w->site.stack };

	return lane_build_wait(at->b, at->scan, at->lane, &span);
}

static enum lane_state wait_state(const struct trace_process *p, uint32_t object)
{
	unsigned kind = object < p->object_count ? p->objects[object].kind : 0;

	return kind == TRACE_OBJECT_NONE || trace_object_kind_is_lock(kind) ? LANE_WAITS_LOCK
									    : LANE_WAITS_SIGNAL;
}

static bool answered(const struct at *at, const struct model_request *r)
{
	struct lane_span span = { .start_ns = r->time_ns + at->scan->start_ns,
				  .end_ns = at->now,
				  .state = (uint8_t)wait_state(at->scan->process, r->object),
				  .object = r->object,
				  .stack = r->stack };

	return lane_build_wait(at->b, at->scan, at->lane, &span);
}

static bool apply_op(const struct at *at, const struct trace_event *e,
		     const struct model_step *step)
{
	struct doing *d = &at->b->doing[at->lane];
	struct lane_thread *t = &at->b->lanes->thread[at->lane];

	switch ((enum trace_op)e->op) {
	case TRACE_THREAD_BEGIN:
		t->begun = true;
		t->begin_ns = at->now;
		break;
	case TRACE_THREAD_END:
		t->ended = true;
		break;
	case TRACE_REQUEST:
		lane_build_want(at->b, at->scan, e->object);
		break;
	case TRACE_COND_WAKE:
		return waited_for_signal(at, e, step);
	case TRACE_POST:
	case TRACE_COND_SIGNAL:
	case TRACE_COND_BROADCAST:
	case TRACE_FUTEX_WAKE:
	case TRACE_ONCE_END:
		give(at, e->object);
		break;
	case TRACE_BARRIER_ARRIVE:
		begin_since(at, &d->barrier_ns, e, 0);
		give(at, e->object);
		break;
	case TRACE_BARRIER_LEAVE:
		return add_since(at, &d->barrier_ns, LANE_WAITS_SIGNAL);
	case TRACE_FUTEX_WAIT:
		begin_since(at, &d->futex_ns, e, 0);
		break;
	case TRACE_FUTEX_WOKEN:
		return add_since(at, &d->futex_ns, LANE_WAITS_SIGNAL);
	case TRACE_BLOCK:
		begin_since(at, &d->call_ns, e, (uint32_t)e->arg);
		break;
	case TRACE_UNBLOCK:
		return add_since(at, &d->call_ns, LANE_CALLS);
	case TRACE_BLOCKED:
		return add_back(at, e, LANE_CALLS, (uint64_t)(e->result > 0 ? e->result : 0),
				(uint32_t)e->arg);
	case TRACE_TURN:
		return add_back(at, e, LANE_IDLE, e->arg >> 1, 0);
	case TRACE_CREATE:
		created(at, e);
		break;
	case TRACE_JOIN:
		return join(at, e, step);
	case TRACE_LOST:
	case TRACE_KEYFRAME:
		d->count = 0;
		d->futex_ns = d->call_ns = d->barrier_ns = 0;
		break;
	default:
		break;
	}
	return true;
}

static bool apply_event(void *state, const struct scan *scan, const struct trace_event *e,
			const struct model_step *step)
{
	struct builder *b = state;
	struct at at = { .b = b, .scan = scan, .now = e->time_ns + scan->start_ns };
	bool ok;

	at.lane = lane_build_lane(b, scan, step->thread->id, at.now);
	if (at.lane == LANE_NONE_SUCH)
		return true;
	b->lanes->thread[at.lane].end_ns = at.now;
	b->lanes->thread[at.lane].events++;
	ok = apply_op(&at, e, step);
	if (ok && step->flags & MODEL_STEP_REQUESTED)
		ok = answered(&at, &step->request);
	if (ok && step->flags & (MODEL_STEP_RELEASED | MODEL_STEP_TAKEN_OVER) && step->loser &&
	    step->released.object) {
		uint32_t lane = lane_build_lane(b, scan, step->loser->id, at.now);

		ok = lane == LANE_NONE_SUCH ||
		     lane_build_release(b, scan, lane, &step->released, at.now, false);
		give(&at, step->released.object);
	}
	if (ok && step->flags & MODEL_STEP_HOLD && step->thread->held_count)
		ok = lane_build_hold(&b->doing[at.lane],
				     step->thread->held[step->thread->held_count - 1].object);
	if (ok && step->flags & MODEL_STEP_RETURNED)
		ok = lane_build_callback(b, scan, at.lane, &step->callback, step->callback_depth,
					 at.now, false);
	return ok;
}

/* ---- an image ---- */

static bool begin_image(void *state, const struct scan *scan)
{
	struct builder *b = state;
	struct lane_process *p = &b->lanes->process[scan->index];

	*p = (struct lane_process){ .process = scan->process,
				    .start_ns = scan->start_ns,
				    .end_ns = scan->start_ns + scan->process->end_ns };
	free(b->giver);
	b->giver = calloc(scan->process->object_count + 1, sizeof(*b->giver));
	p->lane = calloc(scan->process->thread_count + 1, sizeof(*p->lane));
	return b->giver && p->lane;
}

/* Did the process last until the run was over? Then so do the waits that nothing ended. */
static uint64_t image_end(const struct builder *b, const struct scan *scan)
{
	const struct lane_process *p = &b->lanes->process[scan->index];

	return scan->process->exit_kind ? p->end_ns : b->lanes->end_ns;
}

static bool add_last_wait(struct builder *b, const struct scan *scan,
			  const struct trace_wait_state *w, uint64_t end_ns)
{
	static const uint8_t states[] = {
		[TRACE_WAIT_LOCK] = LANE_WAITS_LOCK,  [TRACE_WAIT_COND] = LANE_WAITS_SIGNAL,
		[TRACE_WAIT_SEM] = LANE_WAITS_SIGNAL, [TRACE_WAIT_BARRIER] = LANE_WAITS_SIGNAL,
		[TRACE_WAIT_ONCE] = LANE_WAITS_LOCK,  [TRACE_WAIT_JOIN] = LANE_JOINS,
		[TRACE_WAIT_CHILD] = LANE_CALLS,      [TRACE_WAIT_FUTEX] = LANE_WAITS_SIGNAL,
		[TRACE_WAIT_CALL] = LANE_CALLS,
	};
	struct lane_span span = { .start_ns = w->since_ns + scan->start_ns,
				  .end_ns = end_ns,
				  .object = w->wait.object,
				  .stack = w->wait.stack,
				  .is_open = true };
	uint32_t lane;

	if (!w->thread || w->wait.kind == TRACE_WAIT_NONE || w->wait.kind >= sizeof(states))
		return true;
	lane = lane_build_lane(b, scan, w->thread, span.start_ns);
	if (lane == LANE_NONE_SUCH)
		return true;
	span.state = states[w->wait.kind];
	if (w->wait.kind == TRACE_WAIT_JOIN || w->wait.kind == TRACE_WAIT_CALL)
		span.what = w->wait.other;
	if (w->wait.kind == TRACE_WAIT_CHILD)
		span.what = TRACE_CALL_WAIT_CHILD;
	b->lanes->thread[lane].end_ns = end_ns;
	return lane_build_add(b, lane, LANE_ROW_STATE, 0, &span);
}

static bool end_thread(struct builder *b, const struct scan *scan, uint32_t lane, uint64_t end_ns)
{
	struct lane_thread *t = &b->lanes->thread[lane];
	const struct model_thread *m = model_get_thread(scan->model, t->thread);
	const struct model_driver *driver = model_get_driver(scan->model, t->thread);
	bool ok = true;

	if (!m)
		return true;
	if (!t->ended && m->state == MODEL_THREAD_RUNNING)
		t->end_ns = end_ns;
	for (uint32_t i = 0; ok && i < m->held_count; i++)
		ok = lane_build_release(b, scan, lane, &m->held[i], t->end_ns, true);
	for (uint32_t i = 0; ok && driver && i < driver->count; i++)
		ok = lane_build_callback(b, scan, lane, &driver->callback[i], i, t->end_ns, true);
	return ok;
}

static bool end_image(void *state, const struct scan *scan)
{
	struct builder *b = state;
	uint64_t end_ns = image_end(b, scan);
	bool ok = true;

	for (size_t i = 0; ok && i < scan->process->wait_count; i++) {
		const struct trace_wait_state *w = &scan->process->waits[i];

		if (w->wait.kind == TRACE_WAIT_LOCK)
			lane_build_want(b, scan, w->wait.object);
		ok = add_last_wait(b, scan, w, end_ns);
	}
	for (uint32_t i = 0; ok && i < b->lanes->thread_count; i++)
		if (b->lanes->thread[i].process == scan->index)
			ok = end_thread(b, scan, i, end_ns);
	for (size_t i = 0; i < b->doing_count; i++) {
		free(b->doing[i].hold);
		b->doing[i] = (struct doing){ 0 };
	}
	return ok;
}

static void release_builder(void *state)
{
	struct builder *b = state;

	for (size_t i = 0; i < b->doing_count; i++)
		free(b->doing[i].hold);
	lane_rows_finish(b->lanes);
	free(b->doing);
	free(b->giver);
	free(b);
}

/* ---- all of it ---- */

int lanes_begin(struct trace_reader *reader, const struct scan_options *options,
		struct scan_part *ret_part, struct lanes **ret_lanes, struct diag *diag)
{
	struct lanes *lanes = calloc(1, sizeof(*lanes));
	struct builder *b = calloc(1, sizeof(*b));

	if (lanes) {
		lanes->process_count = trace_reader_process_count(reader);
		lanes->process = calloc(lanes->process_count + 1, sizeof(*lanes->process));
	}
	if (!b || !lanes || !lanes->process) {
		free(b);
		lanes_free(lanes);
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	}
	lanes->end_ns = scan_end_ns(reader, options);
	for (lanes->shift = 6; lanes->end_ns >> lanes->shift >= LANE_FAR_BUCKETS;)
		lanes->shift++;
	b->lanes = *ret_lanes = lanes;
	*ret_part = (struct scan_part){ .state = b,
					.begin = begin_image,
					.event = apply_event,
					.end = end_image,
					.release = release_builder };
	return 0;
}

int lanes_new(struct trace_reader *reader, const struct scan_options *options,
	      struct lanes **ret_lanes, struct diag *diag)
{
	struct scan_part part;
	struct lanes *lanes;
	int error = lanes_begin(reader, options, &part, &lanes, diag);

	if (error)
		return error;
	error = scan_run(reader, options, &part, 1, diag);
	if (error)
		lanes_free(lanes);
	else
		*ret_lanes = lanes;
	return error;
}

void lanes_free(struct lanes *lanes)
{
	if (!lanes)
		return;
	for (size_t i = 0; i < lanes->process_count; i++)
		free(lanes->process[i].lane);
	lane_rows_release(lanes);
	free(lanes->process);
	free(lanes->thread);
	free(lanes);
}
