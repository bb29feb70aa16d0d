/* SPDX-License-Identifier: MIT */
/*
 * loop_stall.c - rules loop-stall and blocking-call-in-loop: a callback kept its loop from turning, and what it did
 * meanwhile.
 *
 * A stretch is what a thread does without a look at its loop: an outermost callback, cut by the turns of a loop that
 * it runs inside. Of a loop that no table knows, it is all between two waits for descriptors, once these have come often enough
 * from one place, or of a loop that is driven, in which none of the callbacks that we know ran; steps of annotated tasks count on the
 * thread of such a loop. Work on a pool's thread holds up nobody's. What is waited for in a stretch is added up by cause
 * (loop_stretch.c); the rest is the processor's, or the scheduler's. loop_stall_meant.c says what is not to blame.
 */
#include "loop_stall.h"
#include "loop_stretch.h"

#include <stdlib.h>
#include <string.h>

/* Of one wait. A call that always waits is told earlier than one that mostly does not. */
#define BLOCKING_NS UINT64_C(25000000)
#define BLOCKING_SELDOM_NS UINT64_C(50000000)
#define MANY_TURNS 16u /* of one place, before an unknown loop is taken for one */

struct loop_stall {
	struct stretch *stretch; /* owned; by thread */
	struct stall *stall;	 /* owned */
	uint32_t count, capacity;
	struct sites *blocking;
	uint64_t stall_ns;
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void *loop_stall_begin(struct analysis *a)
{
	struct loop_stall *s = checked(calloc(1, sizeof(*s)));

	s->stall_ns = stall_threshold_ns(a);
	s->stretch = checked(calloc(a->model->thread_count, sizeof(*s->stretch)));
	s->blocking = sites_new();
	return s;
}

static void loop_stall_release(void *state)
{
	struct loop_stall *s = state;

	sites_free(s->blocking);
	free(s->stretch);
	free(s->stall);
	free(s);
}

/* ---- which threads turn a loop ---- */

static bool turns_a_loop(const struct model_driver *d)
{
	return d->runs || d->same_stack >= MANY_TURNS;
}

/* Would a loop wait for it? Nothing says that a task of the program's own runs on a loop's thread, unless that is seen to be one. */
static bool holds_up(const struct model_driver *d, const struct model_callback *c)
{
	return !c->in_pool && (c->kind != TRACE_TASK_ANNOTATED || turns_a_loop(d));
}

/* The outermost callback; NULL where none is, or no loop waits for it. */
static const struct model_callback *outermost(const struct model_driver *d)
{
	return d && d->count && holds_up(d, &d->callback[0]) ? &d->callback[0] : NULL;
}

/*
 * Its own loop, run inside the callback: everybody else is served. Without one, a wait for descriptors there is a wait like any
 * other, and so is a run of another loop.
 */
static bool runs_a_loop_inside(const struct model_driver *d)
{
	return d->count && d->runs > d->callback[0].runs &&
	       (!d->loop || !d->callback[0].loop || d->loop == d->callback[0].loop);
}

static bool waits_for_descriptors(uint32_t call)
{
	return call == TRACE_CALL_POLL || call == TRACE_CALL_SELECT ||
	       call == TRACE_CALL_EPOLL_WAIT || call == TRACE_CALL_URING_WAIT;
}

/* Between two waits, and in none of the callbacks that we know: its own, or the loop's. */
static bool is_bare_turn(const struct model_driver *d)
{
	return d && !d->count && (d->whole || d->same_stack >= MANY_TURNS);
}

/* ---- what a stretch waits for ---- */

/* Files are in memory, pipes have data and locks are free, mostly; on a busy machine even that takes long now and then. */
static bool always_waits(const struct cause *c)
{
	switch (c->call) {
	case TRACE_CALL_SLEEP:
	case TRACE_CALL_CONNECT:
	case TRACE_CALL_RESOLVE:
	case TRACE_CALL_TRANSFER:
	case TRACE_CALL_WAIT_CHILD:
	case TRACE_CALL_SYSTEM:
	case TRACE_CALL_PAUSE:
	case TRACE_CALL_SIGNAL_WAIT:
	case TRACE_CALL_JOIN:
		return true;
	default: /* a number from a file */
		return false;
	}
}

static void on_cause(struct loop_stall *s, struct analysis *a, uint32_t thread,
		     const struct cause *c)
{
	const struct model_driver *d = model_get_driver(a->model, thread);
	struct stretch *x = &s->stretch[thread];
	bool starts = stall_starts_a_thread(a, c) || stall_starts_a_process(a, x, c);

	x->fork_stack = 0;
	if ((waits_for_descriptors(c->call) && d && runs_a_loop_inside(d)) || starts)
		return;
	/* A library's call, of which a call that it made is told already. */
	if (x->newest_ns * 2 >= c->total_ns && x->newest_since_ns + c->total_ns / 4 >= c->since_ns)
		return;
	x->newest_since_ns = c->since_ns;
	x->newest_ns = c->total_ns;
	stretch_add_cause(x, c);
	if (!analysis_wants(a, RULE_BLOCKING_CALL_IN_LOOP))
		return;
	if (outermost(d) && c->total_ns >= (always_waits(c) ? BLOCKING_NS : BLOCKING_SELDOM_NS) &&
	    !stall_is_initialising(a, thread))
		stall_report_blocking(s->blocking, a, thread, &d->callback[d->count - 1], c);
}

/* ---- stalls ---- */

static struct stall *find_stall(struct loop_stall *s, uint32_t key, uint32_t did)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->stall[i].key == key && s->stall[i].did == did)
			return &s->stall[i];
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? s->capacity * 2 : 16;
		s->stall = checked(realloc(s->stall, s->capacity * sizeof(*s->stall)));
	}
	s->stall[s->count] = (struct stall){ .key = key, .did = did };
	return &s->stall[s->count++];
}

/* A callback that is there for a descriptor: what woke the loop may have been it. */
static bool is_for_a_descriptor(const struct model_callback *c)
{
	return c->kind == TRACE_TASK_UV_POLL || c->kind == TRACE_TASK_G_UNIX ||
	       c->kind == TRACE_TASK_EV_IO;
}

/* What ended the wait before a stretch that ends at `now_ns`. */
static struct model_wake wake_of(const struct stretch *x, const struct model_driver *d,
				 const struct model_callback *callback, uint64_t now_ns)
{
	const struct model_wake *w = NULL;

	if (!callback)
		w = model_get_wake(d, now_ns);
	else if (is_for_a_descriptor(callback))
		w = model_get_wake(d, x->since_ns + MODEL_WAKE_SLACK_NS);
	return w && w->time_ns > x->lost_ns ? *w : (struct model_wake){ 0 };
}

/* What tells one stall from another: the callback, or where a task without one was made. */
static uint32_t key_of(const struct model_callback *callback, const struct model_driver *d)
{
	if (!callback)
		return d->turn_stack;
	return callback->stack ? callback->stack : callback->posted.stack;
}

/* The stretch of `thread` ended at `now_ns`: too late? Then a new one begins. */
static void judge(struct loop_stall *s, uint32_t thread, const struct model_driver *d,
		  const struct model_callback *callback, uint64_t now_ns, bool unfinished)
{
	struct stretch *x = &s->stretch[thread];
	uint64_t ns = now_ns > x->since_ns && x->since_ns ? now_ns - x->since_ns : 0;
	const struct cause *worst;
	struct stall *stall;
	uint64_t processor_ns = stretch_processor_ns(x, ns), counted_ns = ns;

	if (processor_ns != UINT64_MAX && processor_ns + stretch_waited_ns(x) < ns)
		counted_ns = processor_ns + stretch_waited_ns(x);
	if (counted_ns < s->stall_ns)
		return;
	if (callback && stretch_is_most(x->inner_ns, ns))
		callback = &x->inner;
	worst = stretch_worst_cause(x);
	stall = find_stall(s, key_of(callback, d),
			   stall_is_main(worst, counted_ns) ? worst->stack : 0);
	stall->count++;
	stall->total_ns += ns;
	if (ns <= stall->worst_ns)
		return;
	stall->worst_ns = ns;
	stall->since_ns = x->since_ns;
	stall->thread = thread;
	stall->turn_stack = d ? d->turn_stack : 0;
	stall->unfinished = unfinished;
	stall->callback = callback ? *callback : (struct model_callback){ 0 };
	stall->wake = wake_of(x, d, callback, now_ns);
	stall->cause = worst ? *worst : (struct cause){ 0 };
	stall->waited_ns = stretch_waited_ns(x);
	stall->counted_ns = counted_ns;
	stall->processor_ns = processor_ns;
	stretch_note_gap(x, now_ns, 0);
	stall->gap_ns = x->gap_ns;
	stall->gap_stack = x->gap_stack;
}

/* ---- events ---- */

static void on_task(struct loop_stall *s, struct analysis *a, const struct trace_event *event,
		    const struct model_step *step)
{
	const struct model_driver *d = model_get_driver(a->model, event->thread);

	if (!d)
		return;
	if (step->flags & MODEL_STEP_CALLED && d->count == 1) {
		stretch_begin(&s->stretch[event->thread], event->time_ns);
		s->stretch[event->thread].outer = d->callback[0];
	} else if (step->flags & MODEL_STEP_RETURNED && step->callback_depth == 0) {
		s->stretch[event->thread].outer.task = 0;
		if (holds_up(d, &step->callback))
			judge(s, event->thread, d, &step->callback, event->time_ns, false);
		stretch_begin(&s->stretch[event->thread], event->time_ns);
	} else if (step->flags & MODEL_STEP_RETURNED) {
		stretch_note_inner(&s->stretch[event->thread], &step->callback, event->time_ns);
	}
}

/* What was before a loop was driven is not the loop's. */
static void on_loop(struct loop_stall *s, struct analysis *a, const struct trace_event *event)
{
	const struct model_driver *d = model_get_driver(a->model, event->thread);

	if (event->arg == TRACE_LOOP_RUN && d && d->whole && !d->count)
		stretch_begin(&s->stretch[event->thread], event->time_ns);
}

static void on_turn(struct loop_stall *s, struct analysis *a, const struct trace_event *event,
		    const struct model_step *step)
{
	const struct model_driver *d = model_get_driver(a->model, event->thread);
	uint64_t waited_ns = (event->arg >> 1) * 1000;
	uint64_t began_ns = event->time_ns > waited_ns ? event->time_ns - waited_ns : 0;

	(void)step;
	if (!d || (d->count && !runs_a_loop_inside(d)))
		return;
	if (outermost(d))
		judge(s, event->thread, d, outermost(d), began_ns, false);
	else if (is_bare_turn(d))
		judge(s, event->thread, d, NULL, began_ns, false);
	stretch_begin(&s->stretch[event->thread], event->time_ns);
}

/* Looked up now: when the wait is over, the hold is too. The recorder's word goes before the model's. */
static void on_request(struct stretch *x, const struct analysis *a, const struct trace_event *event,
		       const struct model_step *step)
{
	uint32_t owner = event->other ? event->other : step->object->owner;
	const struct model_thread *t = model_get_thread(a->model, owner);
	const struct model_held *hold;
	size_t iterator = 0;

	if (!t && step->object->readers)
		t = model_next_holder(a->model, event->object, &iterator);
	hold = t && t != step->thread ? model_find_held(t, event->object) : NULL;
	x->held_by = t && t != step->thread ? t->id : 0;
	x->held_stack = hold ? hold->stack : 0;
	x->held_ns = hold ? hold->time_ns : 0;
}

static void on_wait_over(struct loop_stall *s, struct analysis *a, const struct trace_event *event,
			 const struct model_step *step)
{
	struct cause c = { .object = event->object };

	if (event->op == TRACE_COND_WAKE) {
		c.stack = step->waited.site.stack;
		c.since_ns = step->waited.site.time_ns;
	} else {
		c.stack = step->request.stack;
		c.since_ns = step->request.time_ns;
		c.holder = step->request.holder ? step->request.holder
						: s->stretch[event->thread].held_by;
		if (c.holder == s->stretch[event->thread].held_by) {
			c.held_stack = s->stretch[event->thread].held_stack;
			c.held_ns = s->stretch[event->thread].held_ns;
		}
	}
	if (c.since_ns && event->time_ns > c.since_ns) {
		c.total_ns = event->time_ns - c.since_ns;
		on_cause(s, a, event->thread, &c);
	}
}

static void on_call(struct loop_stall *s, struct analysis *a, const struct trace_event *event)
{
	struct stretch *x = &s->stretch[event->thread];
	struct cause c = { .call = (uint32_t)event->arg,
			   .object = event->object,
			   .stack = event->stack };

	switch (event->op) {
	case TRACE_BLOCK:
		c.since_ns = event->time_ns;
		if (x->block_count < MAX_BLOCKS)
			x->block[x->block_count++] = c;
		return;
	case TRACE_UNBLOCK:
		/* One that was left by a jump out of a handler has no end of its own. */
		while (x->block_count && x->block[x->block_count - 1].call != c.call)
			x->block_count--;
		if (!x->block_count)
			return;
		c = x->block[--x->block_count];
		c.total_ns = event->time_ns - c.since_ns;
		break;
	default: /* BLOCKED */
		c.total_ns = event->result > 0 ? (uint64_t)event->result * 1000 : 0;
		c.since_ns = event->time_ns > c.total_ns ? event->time_ns - c.total_ns : 0;
		break;
	}
	if (waits_for_descriptors(c.call) && c.total_ns >= BLOCKING_NS &&
	    stall_waits_for_child(a, event->thread))
		c.call = TRACE_CALL_WAIT_CHILD;
	on_cause(s, a, event->thread, &c);
}

/* Which thread was waited for is known when it is over. */
static void on_join(struct stretch *x, const struct trace_event *event)
{
	for (uint32_t i = 0; i < x->cause_count; i++)
		if (x->cause[i].call == TRACE_CALL_JOIN && x->cause[i].stack == event->stack)
			x->cause[i].holder = (uint32_t)event->arg;
}

/* Time goes by between records. What a record ends that was waited for is no such time. */
static void on_any(struct stretch *x, const struct trace_event *event,
		   const struct model_step *step)
{
	bool waited = event->op == TRACE_COND_WAKE || event->op == TRACE_UNBLOCK ||
		      event->op == TRACE_BLOCKED || event->op == TRACE_TURN ||
		      event->op == TRACE_FUTEX_WOKEN || event->op == TRACE_BARRIER_LEAVE ||
		      event->op == TRACE_JOIN || event->op == TRACE_REAP ||
		      step->flags & MODEL_STEP_REQUESTED;

	if (!waited && event->op != TRACE_BUSY && event->op != TRACE_WOKEN)
		stretch_note_gap(x, event->time_ns, event->stack);
	x->last_ns = event->time_ns;
	if (event->stack && event->op != TRACE_WOKEN) /* that one is another thread's */
		x->last_stack = event->stack;
}

/* When the callback came back is lost; one wait in it that was too long by itself is not. */
static void judge_before_gap(struct loop_stall *s, uint32_t thread, const struct model_driver *d)
{
	struct stretch *x = &s->stretch[thread];
	const struct cause *w = stretch_worst_cause(x);

	if (!d || !x->outer.task || !holds_up(d, &x->outer) || !w || w->total_ns < s->stall_ns)
		return;
	x->since_ns = w->since_ns;
	judge(s, thread, d, &x->outer, w->since_ns + w->total_ns, false);
	x->outer.task = 0;
}

static void loop_stall_on_event(void *state, struct analysis *a, const struct trace_event *event,
				const struct model_step *step)
{
	struct loop_stall *s = state;

	/* After exit() no loop turns any more. */
	if (!a->model->loops || event->thread >= a->model->thread_count || a->model->exit_kind)
		return;
	if (event->op == TRACE_LOST || event->op == TRACE_KEYFRAME) {
		judge_before_gap(s, event->thread, model_get_driver(a->model, event->thread));
		stretch_begin(&s->stretch[event->thread], event->time_ns);
		s->stretch[event->thread].lost_ns = event->time_ns;
		s->stretch[event->thread].outer.task = 0;
	}
	if (s->stretch[event->thread].since_ns)
		on_any(&s->stretch[event->thread], event, step);
	if (event->op == TRACE_TASK)
		on_task(s, a, event, step);
	else if (event->op == TRACE_LOOP)
		on_loop(s, a, event);
	else if (event->op == TRACE_FORK)
		s->stretch[event->thread].fork_stack = event->stack;
	else if (event->op == TRACE_BUSY)
		stretch_note_busy(&s->stretch[event->thread], event);
	else if (event->op == TRACE_REQUEST && step->object)
		on_request(&s->stretch[event->thread], a, event, step);
	else if (event->op == TRACE_JOIN)
		on_join(&s->stretch[event->thread], event);
	else if (event->op == TRACE_TURN)
		on_turn(s, a, event, step);
	else if (event->op == TRACE_COND_WAKE || step->flags & MODEL_STEP_REQUESTED)
		on_wait_over(s, a, event, step);
	else if (event->op == TRACE_BLOCK || event->op == TRACE_UNBLOCK ||
		 event->op == TRACE_BLOCKED)
		on_call(s, a, event);
}

/* ---- the end ---- */

/* What the thread is in since then, as a cause. Returns the end of its stretch: a loop inside may be at rest. */
static uint64_t add_last_wait(struct loop_stall *s, struct analysis *a,
			      const struct model_driver *d, uint32_t thread, uint64_t end_ns)
{
	const struct trace_wait_state *w = model_get_wait(a->model, thread);
	struct cause c = { 0 };

	if (!w || !w->since_ns || end_ns <= w->since_ns)
		return end_ns;
	if (w->wait.kind == TRACE_WAIT_CALL && waits_for_descriptors(w->wait.other) &&
	    runs_a_loop_inside(d))
		return w->since_ns;
	c.object = w->wait.object;
	c.stack = w->wait.stack;
	c.since_ns = w->since_ns;
	c.total_ns = end_ns - w->since_ns;
	if (w->wait.kind == TRACE_WAIT_CALL)
		c.call = w->wait.other;
	else if (w->wait.kind == TRACE_WAIT_CHILD)
		c.call = TRACE_CALL_WAIT_CHILD;
	else if (w->wait.kind == TRACE_WAIT_JOIN)
		c.call = TRACE_CALL_JOIN;
	else if (w->wait.kind == TRACE_WAIT_LOCK && c.object < a->model->object_count)
		c.holder = a->model->objects[c.object].owner;
	on_cause(s, a, thread, &c);
	return end_ns;
}

/* Callbacks that the run ended in. */
static void judge_unfinished(struct loop_stall *s, struct analysis *a)
{
	const struct model *m = a->model;
	uint64_t end_ns, run_end_ns = m->exit_kind ? m->exit_ns : m->process->end_ns;

	for (uint32_t id = 1; id < m->thread_count; id++) {
		const struct model_driver *d = model_get_driver(m, id);

		if (!outermost(d) || !model_get_thread(m, id) ||
		    model_get_thread(m, id)->state != MODEL_THREAD_RUNNING ||
		    stall_is_told(a, id) || stall_left_before_exit(m, d, id))
			continue;
		end_ns = add_last_wait(s, a, d, id, run_end_ns);
		for (uint32_t i = d->count - 1; i > 0; i--)
			stretch_note_inner(&s->stretch[id], &d->callback[i], end_ns);
		judge(s, id, d, outermost(d), end_ns, true);
	}
}

static void loop_stall_finish(void *state, struct analysis *a)
{
	struct loop_stall *s = state;

	if (a->model->loops)
		judge_unfinished(s, a);
	/* Of a loop that no table knows only what held it up: its thread may wait elsewhere for other reasons. */
	for (uint32_t i = 0; i < s->count && analysis_wants(a, RULE_BLOCKING_CALL_IN_LOOP); i++)
		if (!s->stall[i].callback.stack && s->stall[i].cause.total_ns >= s->stall_ns &&
		    !waits_for_descriptors(s->stall[i].cause.call))
			stall_report_blocking(s->blocking, a, s->stall[i].thread, NULL,
					      &s->stall[i].cause);
	sites_commit(s->blocking, a);
	if (!analysis_wants(a, RULE_LOOP_STALL))
		return;
	for (uint32_t i = 0; i < s->count; i++)
		stall_report(a, &s->stall[i]);
}

const struct checker checker_loop_stall = {
	.name = "loop_stall",
	.consumes = CHECKER_ALL,
	.begin = loop_stall_begin,
	.on_event = loop_stall_on_event,
	.finish = loop_stall_finish,
	.release = loop_stall_release,
};
