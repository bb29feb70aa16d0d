/* SPDX-License-Identifier: MIT */
/*
 * blocking_call.c - rule lock-held-across-blocking-call: a thread was long in a call that may block, and held
 * a lock that others waited for meanwhile. One finding for each place of such a call: its worst time.
 *
 * A call lasts from BLOCK to UNBLOCK; a wait for a condition variable, a semaphore that is no lock, a barrier or a
 * futex is a call too, and from the mutex that a condition wait gives up nobody is kept. Who waits at its end for a lock that the thread held at its
 * beginning has waited for it; those who gave up before are added as they do. A call that has not
 * come back lasts to the end of the run; where a deadlock explains it, nothing more is said.
 */
#include "../checker.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_HOLD_NS UINT64_C(200000000)
#define MIN_WAIT_NS UINT64_C(1000000) /* in the call, of all waiters together */
#define MAX_PLACES 64u

/* The waits for one lock during one call, or for the worst one during all calls of a place. */
struct waiting {
	uint32_t object;
	uint32_t waits;
	uint64_t total_ns, longest_ns;
	struct model_site longest;
};

/* The call a thread is in. */
struct in_call {
	bool inside;
	uint32_t nested;	/* calls of handlers that interrupted it */
	uint32_t call;		/* enum trace_call; 0 = a wait for `object` */
	uint32_t object, mutex; /* `mutex` is given up meanwhile */
	uint32_t stack;
	uint64_t since_ns;
	struct waiting gave_up; /* for the lock that was given up for first */
};

/* A place in the code with such calls. */
struct place {
	uint32_t call, stack, thread;
	uint32_t object; /* of the worst call, where call = 0 */
	uint64_t count;	 /* calls */
	uint64_t waits, total_ns;
	uint64_t call_ns, since_ns; /* of the worst call */
	bool unfinished;
	struct waiting worst;
	struct model_site hold; /* where its lock was taken */
};

struct blocking_call {
	struct in_call *in_call; /* owned; by thread; NULL until a BLOCK is seen */
	struct place place[MAX_PLACES];
	uint32_t place_count;
	uint64_t hold_ns;
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void *blocking_call_begin(struct analysis *a)
{
	struct blocking_call *s = checked(calloc(1, sizeof(*s)));

	s->hold_ns = a->options->hold_ns ? a->options->hold_ns : DEFAULT_HOLD_NS;
	return s;
}

static void blocking_call_release(void *state)
{
	struct blocking_call *s = state;

	free(s->in_call);
	free(s);
}

/*
 * File locks are made for being held across input and output; the loader runs what libraries do at
 * their start.
 */
static bool is_lock(const struct model_object *o)
{
	return o && o->kind != TRACE_OBJECT_FILE_LOCK && o->kind != TRACE_OBJECT_LOADER &&
	       model_object_is_lock(o);
}

static void add_wait(struct waiting *w, const struct model_request *request, uint32_t thread,
		     uint64_t since_ns, uint64_t now_ns)
{
	uint64_t from_ns = request->time_ns > since_ns ? request->time_ns : since_ns;
	uint64_t wait_ns = now_ns > from_ns ? now_ns - from_ns : 0;

	w->waits++;
	w->total_ns += wait_ns;
	if (w->waits > 1 && wait_ns <= w->longest_ns)
		return;
	w->longest_ns = wait_ns;
	w->longest = (struct model_site){ thread, request->stack, request->time_ns };
}

/* Everyone who waits now for `object`, but `holder`. */
static void add_waiters(const struct model *m, struct waiting *w, uint32_t holder,
			uint64_t since_ns, uint64_t now_ns)
{
	for (size_t i = 1; i < m->thread_count; i++) {
		const struct model_thread *t = m->threads[i];

		if (t && t->id != holder && t->request.object == w->object)
			add_wait(w, &t->request, t->id, since_ns, now_ns);
	}
}

static struct place *find_place(struct blocking_call *s, const struct in_call *c)
{
	for (uint32_t i = 0; i < s->place_count; i++)
		if (s->place[i].stack == c->stack && s->place[i].call == c->call)
			return &s->place[i];
	if (s->place_count == MAX_PLACES)
		return NULL;
	s->place[s->place_count] = (struct place){ .call = c->call, .stack = c->stack };
	return &s->place[s->place_count++];
}

/* The call of `t` is over, or the run is: what did it cost those who wanted this hold's lock? */
static bool judge_hold(struct blocking_call *s, const struct analysis *a,
		       const struct model_thread *t, const struct in_call *c,
		       const struct model_held *hold, uint64_t now_ns)
{
	struct waiting w = { .object = hold->object };
	struct place *p;

	if (hold->time_ns > c->since_ns || hold->object == c->mutex ||
	    !is_lock(model_get_object(a->model, hold->object)))
		return false;
	if (c->gave_up.object == hold->object)
		w = c->gave_up;
	add_waiters(a->model, &w, t->id, c->since_ns, now_ns);
	if (!w.waits || w.total_ns < MIN_WAIT_NS || !(p = find_place(s, c)))
		return false;
	p->waits += w.waits;
	p->total_ns += w.total_ns;
	if (p->worst.object && w.total_ns <= p->worst.total_ns)
		return true;
	p->worst = w;
	p->object = c->object;
	p->thread = t->id;
	p->call_ns = now_ns - c->since_ns;
	p->since_ns = c->since_ns;
	p->hold = (struct model_site){ t->id, hold->stack, hold->time_ns };
	return true;
}

static void judge_call(struct blocking_call *s, const struct analysis *a,
		       const struct model_thread *t, const struct in_call *c, uint64_t now_ns,
		       bool unfinished)
{
	bool any = false;
	struct place *p;

	if (now_ns < c->since_ns + s->hold_ns)
		return;
	for (uint32_t i = 0; i < t->held_count; i++)
		any |= judge_hold(s, a, t, c, &t->held[i], now_ns);
	if (!any || !(p = find_place(s, c)))
		return;
	p->count++;
	p->unfinished |= unfinished;
}

/* ---- events ---- */

static void on_block(struct blocking_call *s, const struct analysis *a,
		     const struct trace_event *event, struct in_call entered)
{
	const struct trace_stack *stack = model_get_stack(a->model, event->stack);
	struct in_call *c;

	if (!s->in_call)
		s->in_call = checked(calloc(a->model->thread_count, sizeof(*s->in_call)));
	c = &s->in_call[event->thread];
	if (c->inside && stack && stack->handler_frames) {
		c->nested++;
		return;
	}
	/* One that never came back was left by longjmp or cancellation. */
	*c = entered;
	c->inside = true;
	c->stack = event->stack;
	c->since_ns = event->time_ns;
}

/* Begins a wait that only another thread's word ends? Waits for locks are told by other rules. */
static bool is_wait(const struct trace_event *event, const struct model_step *step)
{
	switch (event->op) {
	case TRACE_REQUEST:
		return step->object && step->object->kind == TRACE_OBJECT_SEM &&
		       !model_object_is_lock(step->object);
	case TRACE_FUTEX_WAIT:
		return step->object && step->object->kind == TRACE_OBJECT_FUTEX;
	case TRACE_COND_WAIT:
	case TRACE_BARRIER_ARRIVE:
		return step->object;
	default:
		return false;
	}
}

/* Ends the wait that its thread is in, as far as we followed it? */
static bool is_wait_over(const struct blocking_call *s, const struct trace_event *event,
			 const struct model_step *step)
{
	const struct in_call *c = &s->in_call[event->thread];

	if (!c->inside || c->call || c->object != event->object)
		return false;
	return event->op == TRACE_COND_WAKE || event->op == TRACE_BARRIER_LEAVE ||
	       event->op == TRACE_FUTEX_WOKEN || step->flags & MODEL_STEP_REQUESTED;
}

static void on_unblock(struct blocking_call *s, const struct analysis *a,
		       const struct trace_event *event, const struct model_step *step)
{
	struct in_call *c = s->in_call ? &s->in_call[event->thread] : NULL;

	if (!c || !c->inside)
		return;
	if (c->nested) {
		c->nested--;
		return;
	}
	judge_call(s, a, step->thread, c, event->time_ns, false);
	c->inside = false;
}

/* Released inside the call, and not by a handler: it was left by a longjmp, or cancelled. */
static void on_release(struct blocking_call *s, const struct analysis *a,
		       const struct trace_event *event, const struct model_step *step)
{
	struct in_call *c = &s->in_call[step->loser->id];

	if (!c->inside || step->released.time_ns > c->since_ns)
		return;
	if (event->time_ns >= c->since_ns + s->hold_ns) {
		struct place *p;

		if (judge_hold(s, a, step->loser, c, &step->released, event->time_ns) &&
		    (p = find_place(s, c)))
			p->count++;
	}
	c->inside = false;
}

/* Somebody had enough of waiting. */
static void on_given_up(struct blocking_call *s, const struct trace_event *event,
			const struct model_step *step)
{
	struct in_call *c = step->object->owner ? &s->in_call[step->object->owner] : NULL;

	if (!c || !c->inside || (c->gave_up.object && c->gave_up.object != event->object))
		return;
	c->gave_up.object = event->object;
	add_wait(&c->gave_up, &step->request, event->thread, c->since_ns, event->time_ns);
}

static void blocking_call_on_event(void *state, struct analysis *a, const struct trace_event *event,
				   const struct model_step *step)
{
	struct blocking_call *s = state;

	if (event->op == TRACE_BLOCK) {
		on_block(s, a, event, (struct in_call){ .call = (uint32_t)event->arg });
	} else if (is_wait(event, step)) {
		if (step->thread && step->thread->held_count)
			on_block(s, a, event,
				 (struct in_call){ .object = event->object,
						   .mutex = event->op == TRACE_COND_WAIT
								    ? event->other
								    : 0 });
	} else if (event->op == TRACE_UNBLOCK)
		on_unblock(s, a, event, step);
	else if (!s->in_call)
		return;
	else if (is_wait_over(s, event, step))
		on_unblock(s, a, event, step);
	else if (step->flags & MODEL_STEP_RELEASED && step->loser)
		on_release(s, a, event, step);
	else if (event->op == TRACE_ACQUIRE_FAIL && step->flags & MODEL_STEP_REQUESTED)
		on_given_up(s, event, step);
}

/* ---- the end ---- */

/* A process that hangs writes no records: the launcher knows how long it did. */
static uint64_t end_of_run(const struct analysis *a)
{
	const struct trace_process *p = a->process;
	const struct analyze_options *o = a->options;
	uint64_t ran_ns = o->end_real_ns > p->start_real_ns ? o->end_real_ns - p->start_real_ns : 0;

	if (p->exit_kind || (!o->timed_out && o->end_pid != p->pid) || ran_ns < p->end_ns)
		return p->end_ns;
	return ran_ns;
}

/* A deadlock or a hopeless wait has said why it does not come back. */
static bool is_explained(const struct analysis *a, uint32_t thread)
{
	for (size_t i = 0; i < finding_list_count(a->findings); i++) {
		const struct finding *f = finding_list_get(a->findings, i);

		if ((f->rule == RULE_DEADLOCK || f->rule == RULE_SELF_DEADLOCK ||
		     f->rule == RULE_STUCK_WAIT) &&
		    f->process == a->process_index && finding_find_thread(f, thread))
			return true;
	}
	return false;
}

static void report(struct analysis *a, const struct place *p)
{
	struct finding *f =
		analysis_begin(a, RULE_LOCK_HELD_ACROSS_BLOCKING_CALL, CONFIDENCE_OBSERVED);
	const char *call = p->call ? analysis_printf(a, "was in %s", trace_call_name(p->call))
				   : analysis_printf(a, "waited for {lock:%u}", p->object);
	double ms = (double)p->call_ns / 1e6;

	f->count = p->count;
	analysis_add_stack(a, f, ROLE_HOLDS, p->thread, p->worst.object, p->hold.stack,
			   p->hold.time_ns, NULL, 0);
	analysis_add_stack(a, f, ROLE_BLOCKS, p->thread, p->call ? 0 : p->object, p->stack,
			   p->since_ns, NULL, 0)
		->note =
		p->call ? analysis_printf(a, "in %s for %.1f ms", trace_call_name(p->call), ms)
			: analysis_printf(a, "for %.1f ms", ms);
	analysis_add_stack(a, f, ROLE_WAITS, p->worst.longest.thread, p->worst.object,
			   p->worst.longest.stack, p->worst.longest.time_ns, NULL, 0)
		->note =
		analysis_printf(a, "for %.1f ms of that", (double)p->worst.longest_ns / 1e6);
	f->title = analysis_printf(
		a, "{thread:%u} %s for %.1f ms with {lock:%u} held, for which {thread:%u} waited",
		p->thread, call, ms, p->worst.object, p->worst.longest.thread);
	f->message = analysis_printf(
		a,
		"%s.%s %llu call%s here %s that long; others waited %llu time%s, %.1f ms in total.",
		f->title, p->unfinished ? " It had not come back when the run ended." : "",
		(unsigned long long)p->count, p->count == 1 ? "" : "s",
		p->count == 1 ? "was" : "were", (unsigned long long)p->waits,
		p->waits == 1 ? "" : "s", (double)p->total_ns / 1e6);
	analysis_commit(a, f);
}

static void blocking_call_finish(void *state, struct analysis *a)
{
	struct blocking_call *s = state;

	for (size_t i = 1; s->in_call && i < a->model->thread_count; i++)
		if (s->in_call[i].inside && a->model->threads[i] &&
		    a->model->threads[i]->state <= MODEL_THREAD_RUNNING &&
		    !is_explained(a, (uint32_t)i))
			judge_call(s, a, a->model->threads[i], &s->in_call[i], end_of_run(a), true);
	for (uint32_t i = 0; i < s->place_count; i++)
		if (s->place[i].count)
			report(a, &s->place[i]);
}

const struct checker checker_blocking_call = {
	.name = "blocking_call",
	.consumes = CHECKER_OP(TRACE_BLOCK) | CHECKER_OP(TRACE_UNBLOCK) |
		    CHECKER_OP(TRACE_ACQUIRE_FAIL) | CHECKER_OP(TRACE_REQUEST) |
		    CHECKER_OP(TRACE_COND_WAIT) | CHECKER_OP(TRACE_COND_WAKE) |
		    CHECKER_OP(TRACE_BARRIER_ARRIVE) | CHECKER_OP(TRACE_BARRIER_LEAVE) |
		    CHECKER_OP(TRACE_FUTEX_WAIT) | CHECKER_OP(TRACE_FUTEX_WOKEN),
	.on_flags = MODEL_STEP_RELEASED | MODEL_STEP_REQUESTED,
	.begin = blocking_call_begin,
	.on_event = blocking_call_on_event,
	.finish = blocking_call_finish,
	.release = blocking_call_release,
};
