/* SPDX-License-Identifier: MIT */
/*
 * task_misuse.c - tasks and fibers that are suspended with a lock held: everyone who needs it waits until a
 * scheduler comes back to the task, and a thread that runs another task may be the one that waits.
 */
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
		     o->kind == TRACE_OBJECT_SPIN);
}

static const char *name_of(struct analysis *a, uint32_t task)
{
	const struct trace_process *p = a->process;

	if (p->tasks && task < p->task_count && p->tasks[task].name && *p->tasks[task].name)
		return analysis_printf(a, "task %u \"%s\"", task, p->tasks[task].name);
	return analysis_printf(a, "task %u", task);
}

static void task_misuse_on_event(void *state, struct analysis *a, const struct trace_event *event,
				 const struct model_step *step)
{
	uint32_t id = event->arg <= UINT32_MAX ? (uint32_t)event->arg : 0;
	const struct model_task *task = model_get_task(a->model, id);

	(void)step;
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
				   event->time_ns, &h->object, 1);
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
