/* SPDX-License-Identifier: MIT */
/*
 * join_misuse.c - joins of threads that cannot be joined: joined before, detached, oneself, each
 * other.
 */
#include "sites.h"

#include <errno.h>

static void *join_misuse_begin(struct analysis *a)
{
	(void)a;
	return sites_new();
}

static void join_misuse_release(void *state)
{
	sites_free(state);
}

static void join_misuse_finish(void *state, struct analysis *a)
{
	sites_commit(state, a);
}

static struct finding *begin(struct sites *sites, struct analysis *a,
			     const struct trace_event *event, const char *note)
{
	struct finding *f =
		sites_begin(sites, a, RULE_DOUBLE_JOIN, CONFIDENCE_OBSERVED, event->stack, 0);

	if (f)
		analysis_add_stack_now(a, f, ROLE_AWAITS, event->thread, 0, event->stack,
				       event->time_ns)
			->note = note;
	return f;
}

static void add_site(struct analysis *a, struct finding *f, const struct model_site *site,
		     const char *note)
{
	if (site->thread)
		analysis_add_stack(a, f, ROLE_AWAITS, site->thread, 0, site->stack, site->time_ns,
				   NULL, 0)
			->note = note;
}

static void report_known(struct sites *sites, struct analysis *a, const struct trace_event *event,
			 const struct model_step *step)
{
	const struct model_thread *child = step->peer;
	const char *verb = event->op == TRACE_DETACH ? "detaches" : "joins";
	struct finding *f =
		begin(sites, a, event, event->op == TRACE_DETACH ? "the detach" : "the later join");

	if (!f)
		return;
	analysis_add_thread(a, f, child->id);
	if (event->result == EDEADLK && child == step->thread) {
		f->title = analysis_printf(a, "{thread:%u} joins itself", event->thread);
		f->message = analysis_printf(a, "%s. The call was refused (EDEADLK).", f->title);
	} else if (event->result == EDEADLK) {
		f->title = analysis_printf(a, "{thread:%u} and {thread:%u} join each other",
					   event->thread, child->id);
		f->message =
			analysis_printf(a, "%s. The second call was refused (EDEADLK).", f->title);
	} else if (step->flags & MODEL_STEP_JOINED_BEFORE) {
		add_site(a, f, &child->join, "the first join");
		f->title = analysis_printf(a, "{thread:%u} %s {thread:%u}, which was joined before",
					   event->thread, verb, child->id);
		f->message = analysis_printf(
			a, "%s. Its handle is dead since then and may name another thread already.",
			f->title);
	} else if (step->flags & MODEL_STEP_DETACHED_BEFORE) {
		add_site(a, f, &child->detach, "where it was detached");
		f->title = analysis_printf(a, "{thread:%u} joins {thread:%u}, which is detached",
					   event->thread, child->id);
		f->message = analysis_printf(
			a, "%s. A detached thread may be gone with its handle at any time.",
			f->title);
	} else {
		f->title = analysis_printf(
			a,
			"{thread:%u} joins {thread:%u}, which another thread joins at the same time",
			event->thread, child->id);
		f->message = analysis_printf(a, "%s. The call was refused (EINVAL).", f->title);
	}
}

static void report_unknown(struct sites *sites, struct analysis *a, const struct trace_event *event)
{
	struct finding *f = begin(sites, a, event, "the join");

	if (!f)
		return;
	f->title =
		analysis_printf(a, "{thread:%u} joins a thread that does not exist", event->thread);
	f->message = analysis_printf(
		a, "%s. It was joined or detached before, or never made; the call was refused.",
		f->title);
}

/*
 * Ids of threads are given out again in bounded mode, and what told of the new thread may be gone: only a refusal shows that
 * the thread was over. A successful join waited for somebody in any mode.
 */
static bool may_be_another(const struct analysis *a, const struct trace_event *event)
{
	return event->result == 0 &&
	       (event->op == TRACE_JOIN || a->process->flags & TF_PROCESS_BOUNDED);
}

static void join_misuse_on_event(void *state, struct analysis *a, const struct trace_event *event,
				 const struct model_step *step)
{
	uint32_t before = MODEL_STEP_JOINED_BEFORE;

	if (event->op == TRACE_JOIN && event->result == EBUSY)
		return; /* a look, by the recorder at the exit too: of a detached thread as well */
	if (event->op == TRACE_JOIN)
		before |= MODEL_STEP_DETACHED_BEFORE;
	if (!step->peer) {
		if (event->op == TRACE_JOIN && (event->result == ESRCH || event->result == EINVAL))
			report_unknown(state, a, event);
		return;
	}
	if (((step->flags & before) && !may_be_another(a, event)) ||
	    (event->op == TRACE_JOIN && (event->result == EDEADLK || event->result == EINVAL)))
		report_known(state, a, event, step);
}

const struct checker checker_join_misuse = {
	.name = "join_misuse",
	.consumes = CHECKER_OP(TRACE_JOIN) | CHECKER_OP(TRACE_DETACH),
	.begin = join_misuse_begin,
	.on_event = join_misuse_on_event,
	.finish = join_misuse_finish,
	.release = join_misuse_release,
};
