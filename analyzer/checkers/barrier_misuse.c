/* SPDX-License-Identifier: MIT */
/*
 * barrier_misuse.c - barriers that are destroyed, or initialised again, while threads wait at them;
 * impossible counts.
 *
 * Threads of a complete generation that have not come out yet do not count: the standard lets the
 * barrier die then.
 */
#include "sites.h"

#include <errno.h>
#include <stdlib.h>

/*
 * A second initialisation comes as GONE of the old id, without a stack, then INIT of the new one.
 */
struct barrier_misuse {
	struct sites *sites;
	struct trace_event gone; /* waits for its INIT; thread 0 = none */
};

static void *barrier_misuse_begin(struct analysis *a)
{
	struct barrier_misuse *s = calloc(1, sizeof(*s));

	(void)a;
	if (!s)
		abort();
	s->sites = sites_new();
	return s;
}

static void barrier_misuse_release(void *state)
{
	struct barrier_misuse *s = state;

	sites_free(s->sites);
	free(s);
}

/* Who does something else does not wait any more: a longjmp took it out of the barrier. */
static uint32_t count_others(const struct model_barrier *b, uint32_t thread)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < b->arrival_count; i++)
		count += b->arrival[i].site.thread != thread;
	return count;
}

static void report_waiting(struct sites *sites, struct analysis *a, const struct trace_event *event,
			   const struct model_object *o, const char *verb)
{
	const struct model_barrier *b = &o->detail->barrier;
	uint32_t others = count_others(b, event->thread);
	struct finding *f = others ? sites_begin(sites, a, RULE_BARRIER_MISUSE, CONFIDENCE_OBSERVED,
						 event->stack, event->object)
				   : NULL;

	if (!f)
		return;
	analysis_add_stack(a, f, ROLE_DESTROYS, event->thread, event->object, event->stack,
			   event->time_ns, NULL, 0);
	for (uint32_t i = 0; i < b->arrival_count && i < 8; i++) {
		if (b->arrival[i].site.thread == event->thread)
			continue;
		analysis_add_stack(a, f, ROLE_WAITS, b->arrival[i].site.thread, event->object,
				   b->arrival[i].site.stack, b->arrival[i].site.time_ns, NULL, 0);
	}
	f->title = analysis_printf(a, "{thread:%u} %s {lock:%u} while %u thread%s wait%s at it",
				   event->thread, verb, event->object, others,
				   others == 1 ? "" : "s", others == 1 ? "s" : "");
	f->message = analysis_printf(
		a, "%s. They may never come out: nobody counts for them any more.", f->title);
}

static void report_invalid(struct sites *sites, struct analysis *a, const struct trace_event *event)
{
	struct finding *f = sites_begin(sites, a, RULE_BARRIER_MISUSE, CONFIDENCE_OBSERVED,
					event->stack, event->object);

	if (!f)
		return;
	analysis_add_stack(a, f, ROLE_ACCESSES, event->thread, event->object, event->stack,
			   event->time_ns, NULL, 0);
	f->title = analysis_printf(a, "{thread:%u} initialises {lock:%u} with an impossible count",
				   event->thread, event->object);
	f->message = analysis_printf(
		a, "%s. The call was refused (EINVAL), so the barrier cannot be used.", f->title);
}

static void report_reinit(struct barrier_misuse *s, struct analysis *a, uint32_t stack)
{
	const struct model_object *o = model_get_object(a->model, s->gone.object);

	s->gone.stack = stack;
	if (o->detail)
		report_waiting(s->sites, a, &s->gone, o, "initialises");
	s->gone.thread = 0;
}

static void on_init(struct barrier_misuse *s, struct analysis *a, const struct trace_event *event,
		    const struct model_object *o)
{
	if (event->result == EINVAL)
		report_invalid(s->sites, a, event);
	else if (o->detail->barrier.arrival_count > 0)
		report_waiting(s->sites, a, event, o, "initialises");
	else if (s->gone.thread == event->thread)
		report_reinit(s, a, event->stack);
}

static void on_gone(struct barrier_misuse *s, struct analysis *a, const struct trace_event *event,
		    const struct model_object *o)
{
	if (o->detail->barrier.arrival_count == 0)
		return;
	if (event->arg == TRACE_GONE_FREED && !a->model->exit_kind)
		report_waiting(s->sites, a, event, o, "frees the memory of");
	if (event->arg != TRACE_GONE_REINIT)
		return;
	if (s->gone.thread)
		report_reinit(s, a, 0);
	s->gone = *event;
}

static void barrier_misuse_on_event(void *state, struct analysis *a,
				    const struct trace_event *event, const struct model_step *step)
{
	const struct model_object *o = step->object;
	struct barrier_misuse *s = state;

	if (!o || o->kind != TRACE_OBJECT_BARRIER || !o->detail)
		return;
	switch (event->op) {
	case TRACE_DESTROY:
		if (o->detail->barrier.arrival_count > 0 || event->result == EBUSY)
			report_waiting(s->sites, a, event, o, "destroys");
		break;
	case TRACE_INIT:
		on_init(s, a, event, o);
		break;
	case TRACE_GONE:
		on_gone(s, a, event, o);
		break;
	default: /* not subscribed */
		break;
	}
}

static void barrier_misuse_finish(void *state, struct analysis *a)
{
	struct barrier_misuse *s = state;

	if (s->gone.thread)
		report_reinit(s, a, 0);
	sites_commit(s->sites, a);
}

const struct checker checker_barrier_misuse = {
	.name = "barrier_misuse",
	.consumes = CHECKER_OP(TRACE_DESTROY) | CHECKER_OP(TRACE_INIT) | CHECKER_OP(TRACE_GONE),
	.begin = barrier_misuse_begin,
	.on_event = barrier_misuse_on_event,
	.finish = barrier_misuse_finish,
	.release = barrier_misuse_release,
};
