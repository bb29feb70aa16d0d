/* SPDX-License-Identifier: MIT */
/*
 * task_fate.c - rules never-awaited, unretrieved-exception, swallowed-cancellation, and leaked-task of coroutines: how the tasks of an
 * interpreter ended, or did not. What is said here the recorder saw; where it waits to be judged is only what became of a cancellation.
 */
#include "../frame_class.h"
#include "../model/model_loops.h"
#include "sites.h"
#include "task_origin.h"

#include <stdlib.h>
#include <string.h>

enum {
	MANY_KEPT = 64
}; /* pending tasks of one place that somebody keeps: a pile, not the few that run all along */

/* A task that was asked to cancel itself. */
struct cancelled {
	uint32_t task;
	struct model_site asked, met, went_on; /* thread 0 = not yet */
	bool told;
	struct cancelled *next;
};

struct pile {
	uint32_t site; /* stack where they were made */
	uint32_t task, kind, callback;
	struct model_site made, waits;
	uint64_t count;
};

struct task_fate {
	struct sites *sites;
	struct cancelled *cancelled; /* owned; of tasks that have not ended */
	struct pile *pile;	     /* owned */
	size_t pile_count, pile_capacity;
};

static void *task_fate_begin(struct analysis *a)
{
	struct task_fate *s = calloc(1, sizeof(*s));

	(void)a;
	if (!s)
		abort();
	s->sites = sites_new();
	return s;
}

static void task_fate_release(void *state)
{
	struct task_fate *s = state;

	while (s->cancelled) {
		struct cancelled *next = s->cancelled->next;

		free(s->cancelled);
		s->cancelled = next;
	}
	sites_free(s->sites);
	free(s->pile);
	free(s);
}

static struct model_site site_of(const struct trace_event *event)
{
	return (struct model_site){ event->thread, event->stack, event->time_ns };
}

static void add_task(struct analysis *a, struct finding *f, const struct model_job *j)
{
	analysis_add_task(a, f, j->id, j->kind, j->callback_stack, j->made.stack);
}

static void add_site(struct analysis *a, struct finding *f, enum stack_role role,
		     const struct model_site *at, const char *note)
{
	if (at->stack)
		analysis_add_stack(a, f, role, at->thread, 0, at->stack, at->time_ns, NULL, 0)
			->note = note;
}

/* ---- never awaited ---- */

static void on_unawaited(struct task_fate *s, struct analysis *a, const struct trace_event *event,
			 const struct model_job *j)
{
	/* Of one that was kept, what runs when its keeper goes says nothing: a loop's next turn, or nothing at all. */
	const struct trace_code_place *place = task_origin_innermost(a, event->stack, false);
	bool says_where = place && place->kind != TF_PLACE_LIBRARY;
	/* Where it was dropped may be anywhere; which function it is tells two such places apart. */
	struct finding *f = sites_begin(s->sites, a, RULE_NEVER_AWAITED, CONFIDENCE_OBSERVED,
					says_where ? event->stack : j->callback_stack,
					j->callback_stack);
	struct model_site dropped = site_of(event),
			  defined = { event->thread, j->callback_stack, 0 };

	if (!f)
		return;
	analysis_add_task(a, f, j->id, j->kind, j->callback_stack, 0);
	if (says_where)
		add_site(a, f, ROLE_DESTROYS, &dropped,
			 "the coroutine was dropped here, before it began");
	add_site(a, f, ROLE_CREATES, &defined,
		 says_where ? "this is its function"
			    : "this is its function; it was dropped when what kept it went away");
	f->title = analysis_printf(a, "{task:%u} was never awaited: nothing of it was done", j->id);
	f->message = analysis_printf(
		a,
		"%s. A call of an 'async def' function only makes a coroutine. Write 'await' before the call, or make a task of it "
		"and await that in the end.",
		f->title);
}

/* ---- exceptions ---- */

static void on_failed(struct task_fate *s, struct analysis *a, const struct trace_event *event,
		      const struct model_job *j)
{
	struct model_site raised = site_of(event), given = j->armed;
	uint32_t where = j->armed.stack ? j->armed.stack : j->made.stack;
	struct finding *f;

	if (task_origin_is_library(a, event->stack, j) ||
	    (task_origin_is_loop(a, j) && !task_origin_innermost(a, event->stack, true)))
		return;
	f = sites_begin(s->sites, a, RULE_UNRETRIEVED_EXCEPTION, CONFIDENCE_OBSERVED,
			event->stack ? event->stack : where, j->id);
	if (!f)
		return;
	if (j->kind == TRACE_TASK_PY_FUTURE)
		raised.thread = given.thread = 0; /* it is met where it is thrown away */
	add_task(a, f, j);
	add_site(a, f, ROLE_ACCESSES, &raised, "the exception was raised here");
	if (j->kind == TRACE_TASK_PY_FUTURE)
		add_site(a, f, ROLE_SIGNALS, &given, "the future was given it here");
	if (j->kind == TRACE_TASK_PY_FUTURE) /* met at its end */
		add_site(a, f, ROLE_DESTROYS, &j->made, "nobody had it any more, as of here");
	else
		add_site(a, f, ROLE_CREATES, &j->made, "the task was made here");
	f->title =
		analysis_printf(a, "{task:%u} failed, and nobody looked at its exception", j->id);
	f->message = analysis_printf(
		a,
		"%s. What it was to do was not done, and the program does not know. Await the task, run it in a TaskGroup, or "
		"look at its exception in a done callback.",
		f->title);
}

/* ---- cancellation ---- */

static struct cancelled **find_cancelled(struct task_fate *s, uint64_t task)
{
	struct cancelled **at = &s->cancelled;

	while (*at && (*at)->task != task)
		at = &(*at)->next;
	return at;
}

static bool is_by_package(struct analysis *a, uint32_t stack)
{
	const struct trace_stack *st = model_get_stack(a->model, stack);
	const struct trace_code_place *place = task_origin_innermost(a, stack, true);

	return place && place->kind == TF_PLACE_PACKAGE && TF_IS_PLACE(st->ip[0]);
}

/*
 * A group stops the task that waits for it when one of its own fails, and takes that back; but up to 3.12 not where the task waits for
 * the end of the group already: then the count of cancellations stays above 0.
 */
static bool is_by_own_group(struct analysis *a, const struct cancelled *c)
{
	return task_origin_is_in(a, c->asked.stack, "TaskGroup._on_task_done") &&
	       task_origin_is_in(a, c->met.stack, "TaskGroup.__aexit__");
}

static void report_swallowed(struct task_fate *s, struct analysis *a, const struct cancelled *c,
			     const struct model_job *j, const struct model_site *ended)
{
	bool went_on = c->went_on.thread != 0;
	struct finding *f;

	/* A package that limits the time of something stops what it cancelled by an exception of its own. */
	if (!c->met.thread || is_by_package(a, c->asked.stack) || is_by_own_group(a, c))
		return;
	f = sites_begin(s->sites, a, RULE_SWALLOWED_CANCELLATION,
			went_on ? CONFIDENCE_OBSERVED : CONFIDENCE_HINT,
			c->met.stack ? c->met.stack : j->made.stack, j->id);
	if (!f)
		return;
	add_task(a, f, j);
	add_site(a, f, ROLE_SIGNALS, &c->asked, "it was cancelled here");
	add_site(a, f, ROLE_AWAITS, &c->met,
		 "it waited here, and the cancellation came out of this await");
	add_site(a, f, ROLE_WAITS, &c->went_on, "it went on, and waited here");
	add_site(a, f, ROLE_CREATES, &j->made, "it was made here");
	f->title = analysis_printf(a, "{task:%u} was cancelled and %s", j->id,
				   went_on ? "went on" : "ended as if nothing had happened");
	f->message = analysis_printf(
		a, "%s%s. %s", f->title, went_on && ended ? ", to its end" : "",
		went_on ? "Whoever cancelled it waits until it has done all it meant to do. Let CancelledError out: catch "
			  "Exception, not BaseException, and end a handler with 'raise'."
			: "Who awaits it is not told that it was cancelled. Unless that is meant, end the handler of CancelledError "
			  "with 'raise'.");
}

static void on_cancel_step(struct task_fate *s, struct analysis *a, const struct trace_event *event,
			   const struct model_job *j)
{
	struct cancelled **at = find_cancelled(s, event->arg), *c = *at;
	struct model_site here = site_of(event);

	if (!c) {
		if (event->result != TRACE_TASK_ASKED)
			return;
		c = calloc(1, sizeof(*c));
		if (!c)
			abort();
		c->task = j->id;
		c->next = s->cancelled;
		s->cancelled = c;
	}
	switch (event->result) {
	case TRACE_TASK_ASKED:
		/* Once more: the first one was swallowed for good. */
		if (c->went_on.thread)
			report_swallowed(s, a, c, j, NULL);
		c->asked = here;
		c->met = c->went_on = (struct model_site){ 0 };
		c->told = false;
		break;
	case TRACE_TASK_MET:
		c->met = here;
		break;
	case TRACE_TASK_WENT_ON:
		/* A group that waits for its own to end is on its way out. */
		if (!task_origin_is_in(a, event->stack, "TaskGroup.__aexit__"))
			c->went_on = here;
		break;
	case TRACE_TASK_SWALLOWED:
		report_swallowed(s, a, c, j, &here);
		c->told = true;
		break;
	default:
		break;
	}
}

static void forget_cancelled(struct task_fate *s, uint64_t task)
{
	struct cancelled **at = find_cancelled(s, task), *c = *at;

	if (c) {
		*at = c->next;
		free(c);
	}
}

/* ---- tasks that were not over ---- */

static void report_cut_off(struct task_fate *s, struct analysis *a, const struct trace_event *event,
			   const struct model_job *j)
{
	struct finding *f = sites_begin(s->sites, a, RULE_LEAKED_TASK, CONFIDENCE_OBSERVED,
					j->made.stack, j->id);
	struct model_site waits = site_of(event);

	if (!f)
		return;
	add_task(a, f, j);
	add_site(a, f, ROLE_AWAITS, &waits, "it was cut off here");
	add_site(a, f, ROLE_CREATES, &j->made, "it was made here, and nobody kept it");
	f->title = analysis_printf(a, "{task:%u} was cut off %s when its event loop ended", j->id,
				   j->calls ? "in its work" : "before it began");
	f->message = analysis_printf(
		a,
		"%s. Nobody awaits it, nor has it: what it had still to do is lost. Keep the task, and await it before the main "
		"coroutine ends, or run it in a TaskGroup.",
		f->title);
}

static void report_destroyed(struct task_fate *s, struct analysis *a,
			     const struct trace_event *event, const struct model_job *j)
{
	struct finding *f = sites_begin(s->sites, a, RULE_LEAKED_TASK, CONFIDENCE_OBSERVED,
					j->made.stack, j->id);
	struct model_site waited = site_of(event);

	if (!f)
		return;
	add_task(a, f, j);
	add_site(a, f, ROLE_CREATES, &j->made, "it was made here");
	add_site(a, f, ROLE_AWAITS, &waited, "it waited here, and will not go on");
	/* The collector of cycles may close the coroutine first: then it is not known. */
	if (f->stack_count > 1)
		f->stacks[1].beside = true;
	f->title = analysis_printf(a, "{task:%u} was destroyed while it was pending", j->id);
	f->message = analysis_printf(
		a,
		"%s. A loop has weak references to its tasks only: once the last variable with this one was gone, it was freed in the middle "
		"of its work. Keep it for as long as it has to live (a set of the object that it serves), and cancel and await it in the end.",
		f->title);
}

static void keep_in_pile(struct task_fate *s, const struct trace_event *event,
			 const struct model_job *j)
{
	struct pile *p;
	size_t i = 0;

	while (i < s->pile_count && s->pile[i].site != j->made.stack)
		i++;
	if (i == s->pile_count) {
		if (i == s->pile_capacity) {
			s->pile_capacity = i ? 2 * i : 16;
			s->pile = realloc(s->pile, s->pile_capacity * sizeof(*s->pile));
			if (!s->pile)
				abort();
		}
		s->pile[s->pile_count++] = (struct pile){ .site = j->made.stack };
	}
	p = &s->pile[i];
	p->task = j->id;
	p->kind = j->kind;
	p->callback = j->callback_stack;
	p->made = j->made;
	p->waits = site_of(event);
	p->count++;
}

static void report_piles(struct task_fate *s, struct analysis *a)
{
	for (size_t i = 0; i < s->pile_count; i++) {
		const struct pile *p = &s->pile[i];
		struct finding *f;

		if (p->count < MANY_KEPT)
			continue;
		f = sites_begin(s->sites, a, RULE_LEAKED_TASK, CONFIDENCE_POTENTIAL, p->site,
				p->task);
		if (!f)
			continue;
		f->count = p->count;
		analysis_add_task(a, f, p->task, p->kind, p->callback, p->made.stack);
		add_site(a, f, ROLE_AWAITS, &p->waits, "what the newest of them waits for");
		add_site(a, f, ROLE_CREATES, &p->made, "made here");
		f->title = analysis_printf(
			a, "%llu tasks made at one place had not ended when their event loop did",
			(unsigned long long)p->count);
		f->message = analysis_printf(
			a,
			"%s. What keeps them grows with each. Let each of them end: await it, cancel it, or give it a limit of time.",
			f->title);
	}
}

/* ---- events ---- */

/*
 * A limit of time is in the same task as what it limits (from 3.12 on, wait_for() too), and takes its cancellation back however late the
 * other comes to its end.
 */
static void look_at_limit(struct task_fate *s, struct analysis *a, const struct model_job *j)
{
	const struct cancelled *c = *find_cancelled(s, j->id);

	if (c && c->went_on.thread && !c->told &&
	    task_origin_is_in(a, c->asked.stack, "Timeout._on_timeout"))
		report_swallowed(s, a, c, j, NULL);
}

static void on_end(struct task_fate *s, struct analysis *a, const struct trace_event *event,
		   const struct model_job *j)
{
	if (event->result == TRACE_TASK_FINISHED)
		look_at_limit(s, a, j);
	if (event->result == TRACE_TASK_DESTROYED &&
	    model_job_life(j->kind) == MODEL_LIFE_COROUTINE)
		report_destroyed(s, a, event, j);
	forget_cancelled(s, j->id);
}

static void task_fate_on_event(void *state, struct analysis *a, const struct trace_event *event,
			       const struct model_step *step)
{
	struct task_fate *s = state;
	const struct model_job *j =
		step->flags & MODEL_STEP_ENDED ? step->ended : model_get_job(a->model, event->arg);

	if (!j || event->op != TRACE_TASK)
		return;
	if (event->result != TRACE_TASK_FAILED && task_origin_is_loop(a, j))
		return; /* the program has no hand in when it ends */
	switch (event->result) {
	case TRACE_TASK_UNAWAITED:
		on_unawaited(s, a, event, j);
		break;
	case TRACE_TASK_FAILED:
		on_failed(s, a, event, j);
		break;
	case TRACE_TASK_ASKED:
	case TRACE_TASK_MET:
	case TRACE_TASK_WENT_ON:
	case TRACE_TASK_SWALLOWED:
		on_cancel_step(s, a, event, j);
		break;
	case TRACE_TASK_FORGOTTEN:
		report_cut_off(s, a, event, j);
		break;
	case TRACE_TASK_PENDING:
		keep_in_pile(s, event, j);
		break;
	default:
		break;
	}
	if (step->flags & MODEL_STEP_ENDED)
		on_end(s, a, event, j);
}

static void task_fate_finish(void *state, struct analysis *a)
{
	struct task_fate *s = state;

	for (const struct cancelled *c = s->cancelled; c; c = c->next) {
		const struct model_job *j = model_get_job(a->model, c->task);

		if (c->went_on.thread && j)
			report_swallowed(s, a, c, j, NULL);
	}
	report_piles(s, a);
	sites_commit(s->sites, a);
}

const struct checker checker_task_fate = {
	.name = "task_fate",
	.consumes = CHECKER_OP(TRACE_TASK),
	.begin = task_fate_begin,
	.on_event = task_fate_on_event,
	.finish = task_fate_finish,
	.release = task_fate_release,
};
