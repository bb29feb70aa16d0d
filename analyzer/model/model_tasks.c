/* SPDX-License-Identifier: MIT */
/*
 * model_tasks.c - annotated tasks and fibers, and locks that are handed over: holds that move from one thread to
 * another.
 *
 * What a thread acquires while it runs a task belongs to the task. A task that is suspended takes its holds
 * along: they are in no thread's held set until it is resumed, and their locks have the flag
 * MODEL_OWNER_LOST meanwhile. Records of two threads may come in the wrong order by a hair: a suspension that
 * is seen after the resumption elsewhere passes its holds straight on.
 */
#include "model_internal.h"

const struct model_task *model_get_task(const struct model *m, uint32_t id)
{
	return id != 0 && id < m->task_count ? &m->tasks[id] : NULL;
}

void model_tasks_free(struct model *m)
{
	for (size_t i = 0; i < m->task_count; i++)
		free(m->tasks[i].held);
	free(m->tasks);
}

static struct model_task *touch_task(struct model *m, uint64_t id)
{
	if (id == 0 || id >= m->process->task_count)
		return NULL;
	if (!m->tasks) {
		m->tasks = model_allocate(m->process->task_count, sizeof(*m->tasks));
		m->task_count = m->process->task_count;
	}
	return &m->tasks[id];
}

/* Where it was taken from nobody released it in between: it goes to `t`. */
static void give(struct model *m, struct model_thread *t, const struct model_held *hold)
{
	struct model_object *o = model_get_object(m, hold->object);

	if (o->owner || !(o->flags & MODEL_OWNER_LOST) ||
	    model_hold_index(t, hold->object) != UINT32_MAX)
		return;
	model_hold_push(t, o, hold);
}

static void suspend(struct model *m, struct model_thread *t, struct model_task *task, uint32_t id)
{
	struct model_thread *elsewhere = task->thread != t->id ? model_get_thread(m, task->thread)
							       : NULL;

	for (uint32_t i = t->held_count; i-- > 0;) {
		struct model_held hold;

		if (t->held[i].task != id)
			continue;
		hold = model_hold_remove(m, t, i);
		model_get_object(m, hold.object)->flags |= MODEL_OWNER_LOST;
		if (elsewhere) {
			give(m, elsewhere, &hold);
			continue;
		}
		task->held = model_grow(task->held, &task->held_capacity, task->held_count + 1,
					sizeof(*task->held));
		task->held[task->held_count++] = hold;
	}
	if (!elsewhere)
		task->thread = 0;
	if (t->task == id)
		t->task = 0;
}

static void resume(struct model *m, struct model_thread *t, struct model_task *task, uint32_t id)
{
	t->task = id;
	task->thread = t->id;
	while (task->held_count > 0) /* newest last, as they were taken */
		give(m, t, &task->held[--task->held_count]);
}

/* What it still holds is the thread's. */
static void end(struct model_thread *t, struct model_task *task, uint32_t id)
{
	for (uint32_t i = 0; i < t->held_count; i++)
		if (t->held[i].task == id)
			t->held[i].task = 0;
	if (t->task == id)
		t->task = 0;
	task->thread = 0;
	task->held_count = 0;
}

void model_task_apply(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_task *task = touch_task(m, event->arg);
	uint32_t id = (uint32_t)event->arg;

	if (!task)
		return;
	task->state = (uint8_t)event->result;
	task->last = (struct model_site){ event->thread, event->stack, event->time_ns };
	switch (event->result) {
	case TRACE_TASK_STARTED:
	case TRACE_TASK_RESUMED:
		resume(m, step->thread, task, id);
		break;
	case TRACE_TASK_SUSPENDED:
		suspend(m, step->thread, task, id);
		break;
	case TRACE_TASK_FINISHED:
	case TRACE_TASK_CANCELLED:
	case TRACE_TASK_DESTROYED:
		end(step->thread, task, id);
		break;
	default: /* CREATED, or a number from a file */
		break;
	}
}

void model_hold_hand_over(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_object *o = step->object;
	struct model_thread *to =
		event->arg <= UINT32_MAX ? model_touch_thread(m, (uint32_t)event->arg) : NULL;
	uint32_t index = model_hold_index(step->thread, o->id);

	if (index != UINT32_MAX) {
		step->released = model_hold_remove(m, step->thread, index);
		step->loser = step->thread;
		step->flags |= MODEL_STEP_RELEASED;
	}
	o->flags |= MODEL_OWNER_LOST;
	if (to && index != UINT32_MAX) {
		struct model_held hold = step->released;

		give(m, to, &hold);
	}
}
