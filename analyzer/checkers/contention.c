/* SPDX-License-Identifier: MIT */
/*
 * contention.c - notes about time: locks that threads spent long in waiting for, and long holds
 * that others waited for.
 *
 * What `perf lock contention` tells: how often, how long in total, at most and on average; and by whom: each wait
 * counts for the place that waited, and for the place where the lock had been taken that was held
 * when it began. Never more than a handful of notes, and only above thresholds that matter.
 */
#include "../checker.h"

#include <stdlib.h>
#include <string.h>

#define MIN_WAIT_NS UINT64_C(20000000)
#define MIN_WAITS 10u
#define RUN_SHARE 100u /* total wait > run time / RUN_SHARE */
#define DEFAULT_HOLD_NS UINT64_C(200000000)
#define MAX_NOTES 5u
#define PLACES 8u /* that are told apart, for each lock and side */

/* Waits by place. */
struct place {
	uint32_t stack, thread;
	uint64_t waits, wait_ns, longest_ns;
	uint64_t time_ns; /* the first time */
};

struct usage {
	uint32_t object;
	uint64_t waits, failed, wait_ns;
	uint64_t longest_wait_ns;
	struct place waiter[PLACES], holder[PLACES];
	uint64_t last_request_ns;
	struct model_site last_request;
	uint64_t long_holds, longest_hold_ns;
	struct model_site longest_hold; /* where acquired */
	struct model_site kept_waiting;
};

/* Who held what a thread asked for, when it did. */
struct asked {
	uint32_t stack, thread;
	uint64_t time_ns;
};

struct contention {
	struct usage *usage; /* owned; entry 0 unused */
	uint32_t usage_count, usage_capacity;
	uint32_t *usage_of;  /* owned; by object, 0 = never contended */
	struct asked *asked; /* owned; by thread */
	uint64_t hold_ns;
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void *contention_begin(struct analysis *a)
{
	struct contention *s = checked(calloc(1, sizeof(*s)));

	s->usage_of = checked(calloc(a->model->object_count, sizeof(*s->usage_of)));
	s->asked = checked(calloc(a->model->thread_count, sizeof(*s->asked)));
	s->usage_count = 1;
	s->hold_ns = a->options->hold_ns ? a->options->hold_ns : DEFAULT_HOLD_NS;
	return s;
}

static void contention_release(void *state)
{
	struct contention *s = state;

	free(s->usage);
	free(s->usage_of);
	free(s->asked);
	free(s);
}

static struct usage *lookup_or_add(struct contention *s, uint32_t object)
{
	if (s->usage_of[object])
		return &s->usage[s->usage_of[object]];
	if (s->usage_count >= s->usage_capacity) {
		s->usage_capacity = s->usage_capacity ? s->usage_capacity * 2 : 64;
		s->usage = checked(realloc(s->usage, s->usage_capacity * sizeof(*s->usage)));
	}
	s->usage[s->usage_count] = (struct usage){ .object = object };
	s->usage_of[object] = s->usage_count;
	return &s->usage[s->usage_count++];
}

/* The recorder's word goes before the model's: it looked when the thread asked. */
static const struct model_held *find_hold(const struct model *m, const struct trace_event *event,
					  const struct model_step *step, uint32_t *ret_thread)
{
	uint32_t owner = event->other ? event->other : step->object->owner;
	const struct model_thread *t = model_get_thread(m, owner);
	size_t iterator = 0;

	if (!t && step->object->readers)
		t = model_next_holder(m, event->object, &iterator);
	if (!t || t == step->thread)
		return NULL;
	*ret_thread = t->id;
	return model_find_held(t, event->object);
}

static void on_request(struct contention *s, const struct analysis *a,
		       const struct trace_event *event, const struct model_step *step)
{
	struct usage *u = lookup_or_add(s, event->object);
	uint32_t holder = 0;
	const struct model_held *hold = find_hold(a->model, event, step, &holder);

	u->last_request_ns = event->time_ns;
	u->last_request = (struct model_site){ event->thread, event->stack, event->time_ns };
	s->asked[event->thread] = hold ? (struct asked){ hold->stack, holder, hold->time_ns }
				       : (struct asked){ 0 };
}

/* When all are taken, the least one gives way to the newcomer, which inherits its sums as an estimate. */
static void add_to_place(struct place *place, uint32_t stack, uint32_t thread, uint64_t time_ns,
			 uint64_t wait_ns)
{
	struct place *p = &place[0];

	for (unsigned i = 0; i < PLACES; i++) {
		if (place[i].stack == stack || !place[i].waits) {
			p = &place[i];
			break;
		}
		if (place[i].wait_ns < p->wait_ns)
			p = &place[i];
	}
	if (p->stack != stack || !p->waits) {
		p->stack = stack;
		p->thread = thread;
		p->time_ns = time_ns;
	}
	p->waits++;
	p->wait_ns += wait_ns;
	p->longest_ns = wait_ns > p->longest_ns ? wait_ns : p->longest_ns;
}

static void on_answer(struct contention *s, const struct trace_event *event,
		      const struct model_step *step)
{
	struct usage *u = lookup_or_add(s, event->object);
	const struct asked *asked = &s->asked[event->thread];
	uint64_t wait_ns =
		event->time_ns > step->request.time_ns ? event->time_ns - step->request.time_ns : 0;

	u->waits++;
	u->failed += event->op == TRACE_ACQUIRE_FAIL;
	u->wait_ns += wait_ns;
	u->longest_wait_ns = wait_ns > u->longest_wait_ns ? wait_ns : u->longest_wait_ns;
	add_to_place(u->waiter, step->request.stack, event->thread, step->request.time_ns, wait_ns);
	if (asked->thread)
		add_to_place(u->holder, asked->stack, asked->thread, asked->time_ns, wait_ns);
}

static void on_hold_over(struct contention *s, const struct trace_event *event,
			 const struct model_step *step)
{
	uint64_t hold_ns = event->time_ns - step->released.time_ns;
	struct usage *u = s->usage_of[step->released.object]
				  ? &s->usage[s->usage_of[step->released.object]]
				  : NULL;

	if (!u || u->last_request_ns < step->released.time_ns ||
	    u->last_request.thread == step->loser->id)
		return;
	u->long_holds++;
	if (hold_ns <= u->longest_hold_ns)
		return;
	u->longest_hold_ns = hold_ns;
	u->longest_hold = (struct model_site){ step->loser->id, step->released.stack,
					       step->released.time_ns };
	u->kept_waiting = u->last_request;
}

static bool is_lock(const struct model_object *o)
{
	return o && (o->kind == TRACE_OBJECT_MUTEX || o->kind == TRACE_OBJECT_RWLOCK ||
		     o->kind == TRACE_OBJECT_SPIN);
}

static void contention_on_event(void *state, struct analysis *a, const struct trace_event *event,
				const struct model_step *step)
{
	struct contention *s = state;

	/* First the test that nearly every release ends with. */
	if ((step->flags & MODEL_STEP_RELEASED) && step->loser &&
	    event->time_ns > step->released.time_ns + s->hold_ns &&
	    is_lock(model_get_object(a->model, step->released.object))) {
		on_hold_over(s, event, step);
		return;
	}
	if (event->op == TRACE_REQUEST && is_lock(step->object))
		on_request(s, a, event, step);
	else if ((step->flags & MODEL_STEP_REQUESTED) && is_lock(step->object))
		on_answer(s, event, step);
}

/* ---- the worst few ---- */

static int compare_waits(const void *x, const void *y)
{
	const struct usage *a = x, *b = y;

	if (a->wait_ns != b->wait_ns)
		return a->wait_ns > b->wait_ns ? -1 : 1;
	return a->object < b->object ? -1 : 1;
}

static int compare_holds(const void *x, const void *y)
{
	const struct usage *a = x, *b = y;

	if (a->longest_hold_ns != b->longest_hold_ns)
		return a->longest_hold_ns > b->longest_hold_ns ? -1 : 1;
	return a->object < b->object ? -1 : 1;
}

static const struct place *worst_of(const struct place *place)
{
	const struct place *worst = &place[0];

	for (unsigned i = 1; i < PLACES; i++)
		if (place[i].wait_ns > worst->wait_ns)
			worst = &place[i];
	return worst->waits ? worst : NULL;
}

static unsigned percent(uint64_t part, uint64_t whole)
{
	double share = whole ? 100.0 * (double)part / (double)whole : 0;

	return share > 100 ? 100 : (unsigned)(share + 0.5);
}

static void add_place(struct analysis *a, struct finding *f, const struct usage *u,
		      enum stack_role role, const struct place *p)
{
	const char *format =
		role == ROLE_HOLDS
			? "%u %% of the waiting was for this hold: %llu waits, %.2f ms on average, %.1f ms at most"
			: "%u %% of the waiting was here: %llu waits, %.2f ms on average, %.1f ms at most";

	if (!p)
		return;
	analysis_add_stack(a, f, role, p->thread, u->object, p->stack, p->time_ns, NULL, 0)->note =
		analysis_printf(
			a, format, percent(p->wait_ns, u->wait_ns), (unsigned long long)p->waits,
			(double)p->wait_ns / 1e6 / (double)p->waits, (double)p->longest_ns / 1e6);
}

static void report_wait(struct analysis *a, const struct usage *u)
{
	struct finding *f = analysis_begin(a, RULE_LOCK_CONTENTION, CONFIDENCE_OBSERVED);
	double run_s = (double)a->model->now_ns / 1e9;

	f->count = u->waits;
	add_place(a, f, u, ROLE_HOLDS, worst_of(u->holder));
	add_place(a, f, u, ROLE_WAITS, worst_of(u->waiter));
	f->title = analysis_printf(a, "threads waited %.2f s in total for {lock:%u}",
				   (double)u->wait_ns / 1e9, u->object);
	f->message = analysis_printf(
		a,
		"%s, in %llu waits: %.2f ms on average, %.1f ms at most; %llu gave up. The run took %.2f s, so on average %.2f threads waited for it.",
		f->title, (unsigned long long)u->waits, (double)u->wait_ns / 1e6 / (double)u->waits,
		(double)u->longest_wait_ns / 1e6, (unsigned long long)u->failed, run_s,
		run_s > 0 ? (double)u->wait_ns / 1e9 / run_s : 0.0);
	analysis_commit(a, f);
}

/* lock-held-across-blocking-call says more about the same time. */
static bool is_told(const struct analysis *a, uint32_t object)
{
	for (size_t i = 0; i < finding_list_count(a->findings); i++) {
		const struct finding *f = finding_list_get(a->findings, i);

		if (f->rule == RULE_LOCK_HELD_ACROSS_BLOCKING_CALL &&
		    f->process == a->process_index && finding_find_lock(f, object))
			return true;
	}
	return false;
}

static void report_hold(struct analysis *a, const struct usage *u)
{
	struct finding *f = analysis_begin(a, RULE_HOLD_TIME, CONFIDENCE_OBSERVED);

	f->count = u->long_holds;
	analysis_add_stack(a, f, ROLE_HOLDS, u->longest_hold.thread, u->object,
			   u->longest_hold.stack, u->longest_hold.time_ns, NULL, 0)
		->note = analysis_printf(a, "held for %.1f ms", (double)u->longest_hold_ns / 1e6);
	analysis_add_stack(a, f, ROLE_WAITS, u->kept_waiting.thread, u->object,
			   u->kept_waiting.stack, u->kept_waiting.time_ns, NULL, 0)
		->note = "kept waiting";
	f->title = analysis_printf(
		a, "{thread:%u} held {lock:%u} for %.1f ms while {thread:%u} waited",
		u->longest_hold.thread, u->object, (double)u->longest_hold_ns / 1e6,
		u->kept_waiting.thread);
	f->message = analysis_printf(a, "%s; %llu hold%s of it %s that long.", f->title,
				     (unsigned long long)u->long_holds,
				     u->long_holds == 1 ? "" : "s",
				     u->long_holds == 1 ? "was" : "were");
	analysis_commit(a, f);
}

static void contention_finish(void *state, struct analysis *a)
{
	struct contention *s = state;
	uint32_t count = s->usage_count - 1;

	if (count == 0)
		return;
	qsort(s->usage + 1, count, sizeof(*s->usage), compare_waits);
	for (uint32_t i = 1; i <= count && i <= MAX_NOTES; i++)
		if (s->usage[i].wait_ns > MIN_WAIT_NS && s->usage[i].waits >= MIN_WAITS &&
		    s->usage[i].wait_ns > a->model->now_ns / RUN_SHARE)
			report_wait(a, &s->usage[i]);
	qsort(s->usage + 1, count, sizeof(*s->usage), compare_holds);
	for (uint32_t i = 1; i <= count && i <= MAX_NOTES; i++)
		if (s->usage[i].long_holds && !is_told(a, s->usage[i].object))
			report_hold(a, &s->usage[i]);
}

const struct checker checker_contention = {
	.name = "contention",
	.consumes = CHECKER_OP(TRACE_REQUEST) | CHECKER_OP(TRACE_RELEASE) |
		    CHECKER_OP(TRACE_COND_WAIT),
	.on_flags = MODEL_STEP_REQUESTED,
	.begin = contention_begin,
	.on_event = contention_on_event,
	.finish = contention_finish,
	.release = contention_release,
};
