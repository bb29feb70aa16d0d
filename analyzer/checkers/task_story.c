/* SPDX-License-Identifier: MIT */
/*
 * task_story.c - tasks in the story of a deadlock.
 */
#include "task_story.h"

#include "../model/model_loops.h"

enum { TOLD_TASKS = 4 };

/* The next edge of the knot from `*i` on; NULL = none. */
static const struct wait_task_edge *
next_edge(const struct wait_report *r, const struct wait_knots *k, uint32_t knot, uint32_t *i)
{
	const struct wait_world *w = r->w;

	while (*i < w->task_edge_count) {
		const struct wait_task_edge *e = &w->task_edge[(*i)++];

		if (k->component[e->node] == knot && k->component[e->waiter] == knot)
			return e;
	}
	return NULL;
}

bool task_story_has(const struct wait_report *r, const struct wait_knots *k, uint32_t knot,
		    bool weak)
{
	const struct wait_task_edge *e;

	for (uint32_t i = 0; (e = next_edge(r, k, knot, &i));)
		if (weak || !e->weak)
			return true;
	return false;
}

static const struct model_job *job_of(const struct wait_report *r, const struct wait_task_edge *e)
{
	return model_get_job(r->w->model, e->task);
}

static const struct model_site *posted_at(const struct model_job *j)
{
	return j->armed.thread ? &j->armed : &j->made;
}

static bool is_queued(const struct model_job *j)
{
	return model_job_life(j->kind) == MODEL_LIFE_WORK && j->state != MODEL_JOB_WORKED;
}

void task_story_print_title(FILE *out, const struct wait_report *r, const struct wait_knots *k,
			    uint32_t knot, const uint32_t *threads, uint32_t count)
{
	uint32_t i = 0;
	const struct wait_task_edge *e = next_edge(r, k, knot, &i);
	const struct model_callback *c = model_get_callback(r->w->model, threads[0]);

	fputs("Deadlock: ", out);
	if (count > 1)
		story_print_threads(out, threads, count, 4);
	else if (c)
		fprintf(out, "{task:%u} on {thread:%u}", c->task, threads[0]);
	else
		fprintf(out, "{thread:%u}", threads[0]);
	if (is_queued(job_of(r, e)))
		fprintf(out, " wait%s for {task:%u}, which is queued to the pool of these threads",
			count > 1 ? "" : "s", e->task);
	else if (count > 1)
		fprintf(out,
			" wait for each other: {task:%u} was posted to a loop that does not turn",
			e->task);
	else
		fprintf(out, " waits for {task:%u}, which was posted to its own event loop",
			e->task);
}

void task_story_print(FILE *out, const struct wait_report *r, const struct wait_knots *k,
		      uint32_t knot)
{
	const struct wait_task_edge *e;
	uint32_t told = 0;

	for (uint32_t i = 0; told < TOLD_TASKS && (e = next_edge(r, k, knot, &i)); told++)
		fprintf(out, " {task:%u}, posted by {thread:%u}, %s.", e->task,
			posted_at(job_of(r, e))->thread,
			is_queued(job_of(r, e))
				? "is queued to a pool all of whose threads wait inside work items"
				: "runs only when its event loop turns, and that is in a callback which waits");
}

static void add_callbacks(struct wait_report *r, struct finding *f, const struct wait_knots *k,
			  uint32_t knot)
{
	for (uint32_t id = 1; id < r->w->thread_count; id++) {
		const struct model_callback *c =
			k->component[id] == knot ? model_get_callback(r->w->model, id) : NULL;

		if (c)
			analysis_add_task(r->a, f, c->task, c->kind, c->stack, c->posted.stack);
	}
}

void task_story_add(struct wait_report *r, struct finding *f, const struct wait_knots *k,
		    uint32_t knot)
{
	const struct wait_task_edge *e;
	uint32_t told = 0;

	add_callbacks(r, f, k, knot);
	for (uint32_t i = 0; told < TOLD_TASKS && (e = next_edge(r, k, knot, &i)); told++) {
		const struct model_job *j = job_of(r, e);
		const struct model_site *at = posted_at(j);

		analysis_add_task(r->a, f, j->id, j->kind, j->callback_stack, j->made.stack);
		analysis_add_stack(r->a, f, ROLE_SIGNALS, at->thread, 0, at->stack, at->time_ns,
				   NULL, 0)
			->note = "the task that would have to run was posted here";
	}
}
