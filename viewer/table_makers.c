/* SPDX-License-Identifier: MIT */
/*
 * table_makers.c - which place's tasks made the tasks of which place.
 */
#include "../analyzer/model/model_loops.h"
#include "table_making.h"

/* The row of a live task's place; SIZE_MAX = out of memory. */
static size_t row_of(struct tables *t, const struct scan *scan, const struct model_job *job)
{
	const struct table_site *row = table_site_row(t, scan, job->site);

	return row ? (size_t)(row - t->site) : SIZE_MAX;
}

static void count_maker(struct table_site *made, uint32_t maker)
{
	for (int i = 0; i < TABLE_MAKERS; i++)
		if (!made->maker[i].count || made->maker[i].site == maker) {
			made->maker[i].site = maker;
			made->maker[i].count++;
			return;
		}
	made->other_makers++;
}

bool table_makers_add(struct tables *t, const struct scan *scan, const struct trace_event *event)
{
	const struct model_job *made = model_get_job(scan->model, event->arg);
	const struct model_callback *c = model_get_callback(scan->model, event->thread);
	const struct model_job *maker = c ? model_get_job(scan->model, c->task) : NULL;
	size_t row, from = 0;

	if (!made || made->made.time_ns != event->time_ns)
		return true; /* a number that the model would not have */
	row = row_of(t, scan, made);
	if (row == SIZE_MAX)
		return false;
	if (maker && (from = row_of(t, scan, maker)) == SIZE_MAX)
		return false;
	t->site[row].newest_task = made->id;
	if (maker)
		count_maker(&t->site[row], (uint32_t)from);
	return true;
}
