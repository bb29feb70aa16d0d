/* SPDX-License-Identifier: MIT */
/*
 * task_misuse.c - tasks and fibers that are suspended with a lock held, and callbacks that return to their loop with one: everyone
 * who needs it waits until a scheduler comes back, and a thread that runs another task may be the one that waits.
 */
#include "../model/model_loops.h"
#include "sites.h"

static void *task_misuse_begin(struct analysis *a)
{
	(void)a;
	return sites_new();
}

static void task_misuse_release(void *state)
{
	sites_free(state);
}

static void task_misuse_finish(void *state, struct analysis *a)
{
	sites_commit(state, a);
}

static bool is_ownable(const struct model_object *o)
{
	return o && (o->kind == TRACE_OBJECT_MUTEX || o->kind == TRACE_OBJECT_RWLOCK ||
		     o->kind == TRACE_OBJECT_SPIN ||
		     (o->kind == TRACE_OBJECT_SEM && /* threading.Lock */
		      (o->attributes >> TF_LIBRARY_SHIFT & TF_LIBRARY_MASK) == TF_LIBRARY_PYTHON &&
		      model_object_is_lock(o)));
}

static const char *name_of(struct analysis *a, uint32_t task)
{
	const struct trace_process *p = a->process;

	if (p->tasks && task < p->task_count && p->tasks[task].name && *p->tasks[task].name)
		return analysis_printf(a, "task %u \"%s\"", task, p->tasks[task].name);
	return analysis_printf(a, "task %u", task);
}

/* What the callback took and still holds: the loop goes on with it. */
static void on_returned(void *state, struct analysis *a, const struct trace_event *event,
			const struct model_step *step)
{
	const struct model_callback *c = &step->callback;
	const struct model_thread *t = step->thread;

	for (uint32_t i = 0; i < t->held_count; i++) {
		const struct model_held *h = &t->held[i];
		struct finding_stack *s;
		struct finding *f;

		if (h->time_ns < c->since_ns || h->object == c->lock ||
		    h->flags & MODEL_HOLD_REACQUIRED ||
		    !is_ownable(model_get_object(a->model, h->object)))
			continue;
		f = sites_begin(state, a, RULE_LOCK_HELD_ACROSS_AWAIT, CONFIDENCE_HINT, h->stack,
				h->object);
		if (!f)
			continue;
		analysis_add_task(a, f, c->task, c->kind, c->stack, c->posted.stack);
		s = analysis_add_stack(a, f, ROLE_AWAITS, event->thread, 0,
				       c->stood ? c->stood : c->stack, event->time_ns, &h->object,
				       1);
		s->is_chain = c->stood != 0;
		s->note = c->stood ? "it waits here" : "this callback returned";
		analysis_add_stack(a, f, ROLE_HOLDS, event->thread, h->object, h->stack, h->time_ns,
				   NULL, 0);
		f->title = analysis_printf(a, "{task:%u} returned while it holds {lock:%u}",
					   c->task, h->object);
		f->message = analysis_printf(
			a,
			"%s. Until another callback of the same thread releases it, whoever needs the lock "
			"waits; if that is a callback that runs before, for ever.",
			f->title);
	}
}

static void task_misuse_on_event(void *state, struct analysis *a, const struct trace_event *event,
				 const struct model_step *step)
{
	uint32_t id = event->arg <= UINT32_MAX ? (uint32_t)event->arg : 0;
	const struct model_task *task = model_get_task(a->model, id);

	/* One of the library itself is cut short where it calls the program: it may hold locks of its own then. */
	if (step->flags & MODEL_STEP_RETURNED && step->callback.kind != TRACE_TASK_ANNOTATED &&
	    model_job_life(step->callback.kind) != MODEL_LIFE_STATE)
		on_returned(state, a, event, step);
	if (!task || event->result != TRACE_TASK_SUSPENDED)
		return;
	for (uint32_t i = 0; i < task->held_count; i++) {
		const struct model_held *h = &task->held[i];
		struct finding *f;

		if (!is_ownable(model_get_object(a->model, h->object)))
			continue;
		f = sites_begin(state, a, RULE_LOCK_HELD_ACROSS_AWAIT, CONFIDENCE_HINT,
				event->stack, h->object);
		if (!f)
			continue;
		analysis_add_stack(a, f, ROLE_AWAITS, event->thread, 0, event->stack,
				   event->time_ns, &h->object, 1)
			->is_chain = step->callback.stood != 0;
		analysis_add_stack(a, f, ROLE_HOLDS, event->thread, h->object, h->stack, h->time_ns,
				   NULL, 0);
		f->title = analysis_printf(a, "%s is suspended while it holds {lock:%u}",
					   name_of(a, id), h->object);
		f->message = analysis_printf(
			a,
			"%s. Whoever needs the lock waits until the task is resumed; if that is "
			"another task of the same threads, the task may never be.",
			f->title);
	}
}

const struct checker checker_task_misuse = {
	.name = "task_misuse",
	.consumes = CHECKER_OP(TRACE_TASK),
	.begin = task_misuse_begin,
	.on_event = task_misuse_on_event,
	.finish = task_misuse_finish,
	.release = task_misuse_release,
};
