/* SPDX-License-Identifier: MIT */
/*
 * contention.c - notes about time: locks that threads spent long in waiting for, and long holds
 * that others waited for.
 *
 * Never more than a handful, and only above thresholds that matter: total wait over 100 ms and over
 * a twentieth of the run, in several waits; or one hold over --hold-ms.
 */
#include "../checker.h"

#include <stdlib.h>

#define MIN_WAIT_NS UINT64_C(100000000)
#define MIN_WAITS 10u
#define RUN_SHARE 20u /* total wait > run time / RUN_SHARE */
#define DEFAULT_HOLD_NS UINT64_C(200000000)
#define MAX_NOTES 5u

struct usage {
	uint32_t object;
	uint64_t waits, wait_ns;
	uint64_t longest_wait_ns;
	struct model_site longest_wait;
	uint64_t last_request_ns;
	struct model_site last_request;
	uint64_t long_holds, longest_hold_ns;
	struct model_site longest_hold; /* where acquired */
	struct model_site kept_waiting;
};

struct contention {
	struct usage *usage; /* owned; entry 0 unused */
	uint32_t usage_count, usage_capacity;
	uint32_t *usage_of; /* owned; by object, 0 = never contended */
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
	s->usage_count = 1;
	s->hold_ns = a->options->hold_ns ? a->options->hold_ns : DEFAULT_HOLD_NS;
	return s;
}

static void contention_release(void *state)
{
	struct contention *s = state;

	free(s->usage);
	free(s->usage_of);
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

static void on_request(struct contention *s, const struct trace_event *event)
{
	struct usage *u = lookup_or_add(s, event->object);

	u->last_request_ns = event->time_ns;
	u->last_request = (struct model_site){ event->thread, event->stack, event->time_ns };
}

static void on_answer(struct contention *s, const struct trace_event *event,
		      const struct model_step *step)
{
	struct usage *u = lookup_or_add(s, event->object);
	uint64_t wait_ns =
		event->time_ns > step->request.time_ns ? event->time_ns - step->request.time_ns : 0;

	u->waits++;
	u->wait_ns += wait_ns;
	if (wait_ns <= u->longest_wait_ns)
		return;
	u->longest_wait_ns = wait_ns;
	u->longest_wait =
		(struct model_site){ event->thread, step->request.stack, step->request.time_ns };
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
		on_request(s, event);
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

static void report_wait(struct analysis *a, const struct usage *u)
{
	struct finding *f = analysis_begin(a, RULE_LOCK_CONTENTION, CONFIDENCE_OBSERVED);

	f->count = u->waits;
	analysis_add_stack(a, f, ROLE_WAITS, u->longest_wait.thread, u->object,
			   u->longest_wait.stack, u->longest_wait.time_ns, NULL, 0)
		->note =
		analysis_printf(a, "the longest wait, %.1f ms", (double)u->longest_wait_ns / 1e6);
	f->title = analysis_printf(a, "threads waited %.1f s in total for {lock:%u}",
				   (double)u->wait_ns / 1e9, u->object);
	f->message = analysis_printf(a, "%s, in %llu waits of %.2f ms on average.", f->title,
				     (unsigned long long)u->waits,
				     (double)u->wait_ns / 1e6 / (double)u->waits);
	analysis_commit(a, f);
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
	f->message = analysis_printf(a, "%s; %llu holds of it were that long.", f->title,
				     (unsigned long long)u->long_holds);
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
		if (s->usage[i].long_holds)
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
