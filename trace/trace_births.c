/* SPDX-License-Identifier: MIT */
/*
 * trace_births.c - what the slots of tasks say, as events in order of time.
 */
#include "trace_births.h"

#include <stdlib.h>

enum { EACH = 3 }; /* of one task */

/* The ring of that thread has what it did then. Of a thread that is not known, somebody's may. */
static bool is_in_ring(const struct trace_defs *defs, uint32_t thread, uint64_t ticks)
{
	return thread && thread < defs->process.thread_count && ticks >= defs->ring[thread];
}

static void add(struct trace_births *b, uint64_t ticks, uint32_t task, enum trace_birth_what what)
{
	b->birth[b->count++] = (struct trace_birth){ ticks, task, what };
}

static void add_task(struct trace_births *b, const struct trace_defs *defs, uint32_t task)
{
	const struct tf_task_live *l = defs->process.tasks[task].live;
	uint64_t made = defs->task_born[task];

	if (!is_in_ring(defs, defs->process.tasks[task].thread, made)) {
		add(b, made, task, TRACE_BIRTH_MADE);
	}
	if (l->armed_ticks >= made && !is_in_ring(defs, l->armed_thread, l->armed_ticks)) {
		add(b, l->armed_ticks, task, TRACE_BIRTH_ARMED);
	}
	if (l->over_ticks >= made && !is_in_ring(defs, l->over_thread, l->over_ticks)) {
		/* After what it did then. */
		add(b, l->over_ticks + (l->over_ticks < UINT64_MAX), task, TRACE_BIRTH_OVER);
	}
}

static int compare(const void *left, const void *right)
{
	const struct trace_birth *a = left, *b = right;

	if (a->ticks != b->ticks) {
		return a->ticks < b->ticks ? -1 : 1;
	}
	return a->task != b->task ? (a->task < b->task ? -1 : 1)
				  : (a->what > b->what) - (a->what < b->what);
}

int trace_births_init(struct trace_births *births, const struct trace_defs *defs)
{
	const struct trace_process *p = &defs->process;
	size_t slots = 0;

	*births = (struct trace_births){ 0 };
	for (size_t i = 1; defs->task_born && i < p->task_count; i++) {
		slots += p->tasks[i].live != NULL;
	}
	if (!slots) {
		return 0;
	}
	births->birth = calloc(slots * EACH, sizeof(*births->birth));
	if (!births->birth) {
		return THRUM_ENOMEM;
	}
	for (size_t i = 1; i < p->task_count; i++) {
		if (p->tasks[i].live) {
			add_task(births, defs, (uint32_t)i);
		}
	}
	qsort(births->birth, births->count, sizeof(*births->birth), compare);
	return 0;
}

void trace_births_release(struct trace_births *births)
{
	free(births->birth);
	*births = (struct trace_births){ 0 };
}

static uint32_t below(uint32_t id, size_t count)
{
	return id < count ? id : 0;
}

/* An object whose number was another's then is not meant. */
static uint32_t loop_then(const struct trace_defs *defs, uint32_t loop, uint64_t ticks)
{
	loop = below(loop, defs->process.object_count);
	return defs->born[loop] > ticks ? 0 : loop;
}

void trace_births_take(struct trace_births *births, const struct trace_defs *defs,
		       struct trace_event *ret_event)
{
	const struct trace_process *p = &defs->process;
	const struct trace_birth *b = &births->birth[births->next++];
	const struct trace_task *t = &p->tasks[b->task];
	const struct tf_task_live *l = t->live;

	*ret_event = (struct trace_event){
		.stream = TRACE_NO_STREAM,
		.arg = b->task,
		.time_ns = trace_clock_ns(&defs->clock, b->ticks),
	};
	switch ((enum trace_birth_what)b->what) {
	case TRACE_BIRTH_MADE:
		ret_event->op = TRACE_TASK_NEW;
		ret_event->thread = t->thread;
		ret_event->object = loop_then(defs, l->loop, b->ticks);
		ret_event->stack = t->stack;
		ret_event->result = (int32_t)l->kind;
		break;
	case TRACE_BIRTH_ARMED:
		ret_event->op = TRACE_TASK_ARM;
		ret_event->thread = below(l->armed_thread, p->thread_count);
		ret_event->object = loop_then(defs, l->armed_loop, b->ticks);
		ret_event->stack = below(l->armed_stack, p->stack_count);
		ret_event->result = (int32_t)l->callback;
		break;
	case TRACE_BIRTH_OVER:
		ret_event->op = TRACE_TASK;
		ret_event->thread = below(l->over_thread, p->thread_count);
		ret_event->result = (int32_t)l->over_step;
		break;
	}
}
