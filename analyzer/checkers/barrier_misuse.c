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

static void *barrier_misuse_begin(struct analysis *a)
{
	(void)a;
	return sites_new();
}

static void barrier_misuse_release(void *state)
{
	sites_free(state);
}

static void barrier_misuse_finish(void *state, struct analysis *a)
{
	sites_commit(state, a);
}

static void report_waiting(struct sites *sites, struct analysis *a, const struct trace_event *event,
			   const struct model_object *o, const char *verb)
{
	const struct model_barrier *b = &o->detail->barrier;
	struct finding *f = sites_begin(sites, a, RULE_BARRIER_MISUSE, CONFIDENCE_OBSERVED,
					event->stack, event->object);

	if (!f)
		return;
	analysis_add_stack(a, f, ROLE_DESTROYS, event->thread, event->object, event->stack,
			   event->time_ns, NULL, 0);
	for (uint32_t i = 0; i < b->arrival_count && i < 8; i++)
		analysis_add_stack(a, f, ROLE_WAITS, b->arrival[i].site.thread, event->object,
				   b->arrival[i].site.stack, b->arrival[i].site.time_ns, NULL, 0);
	f->title = analysis_printf(a, "{thread:%u} %s {lock:%u} while %u thread%s wait%s at it",
				   event->thread, verb, event->object, b->arrival_count,
				   b->arrival_count == 1 ? "" : "s",
				   b->arrival_count == 1 ? "s" : "");
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

static void barrier_misuse_on_event(void *state, struct analysis *a,
				    const struct trace_event *event, const struct model_step *step)
{
	const struct model_object *o = step->object;
	bool waited;

	if (!o || o->kind != TRACE_OBJECT_BARRIER || !o->detail)
		return;
	waited = o->detail->barrier.arrival_count > 0;
	switch (event->op) {
	case TRACE_DESTROY:
		if (waited || event->result == EBUSY)
			report_waiting(state, a, event, o, "destroys");
		break;
	case TRACE_INIT:
		if (event->result == EINVAL)
			report_invalid(state, a, event);
		else if (waited)
			report_waiting(state, a, event, o, "initialises");
		break;
	case TRACE_GONE:
		if (waited && event->arg == TRACE_GONE_REINIT)
			report_waiting(state, a, event, o, "initialises");
		else if (waited && event->arg == TRACE_GONE_FREED && !a->model->exit_kind)
			report_waiting(state, a, event, o, "frees the memory of");
		break;
	default: /* not subscribed */
		break;
	}
}

const struct checker checker_barrier_misuse = {
	.name = "barrier_misuse",
	.consumes = CHECKER_OP(TRACE_DESTROY) | CHECKER_OP(TRACE_INIT) | CHECKER_OP(TRACE_GONE),
	.begin = barrier_misuse_begin,
	.on_event = barrier_misuse_on_event,
	.finish = barrier_misuse_finish,
	.release = barrier_misuse_release,
};
