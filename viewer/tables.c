/* SPDX-License-Identifier: MIT */
/*
 * tables.c - rows from the events: tasks, loops, threads at the end, pairs of locks. What spans say is table_lanes.c's.
 */
#include "tables.h"

#include "../analyzer/model/model_loops.h"
#include "table_making.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)TABLE_POSTS == (int)MODEL_POSTS, "copied as they are");

void *table_room(void *array, size_t count, size_t element_bytes)
{
	/* Powers of two: a new one is needed where the count is one. */
	if (count & (count - 1))
		return array;
	return realloc(array, (count ? count * 2 : 1) * element_bytes);
}

/* ---- loops ---- */

/* The row of a loop, or of a thread that turns one which no table knows. NULL = out of memory. */
static struct table_loop *loop_row(struct tables *t, const struct scan *scan, uint32_t loop,
				   uint32_t thread)
{
	struct table_loop *rows;

	for (size_t i = t->loop_count; i-- > t->making->first_loop;)
		if (t->loop[i].loop == loop && (loop || t->loop[i].thread == thread))
			return &t->loop[i];
	rows = table_room(t->loop, t->loop_count, sizeof(*rows));
	if (!rows)
		return NULL;
	t->loop = rows;
	rows += t->loop_count++;
	*rows = (struct table_loop){ .process = (uint32_t)scan->index,
				     .loop = loop,
				     .thread = thread };
	return table_times_detail(&rows->call) ? rows : NULL;
}

static bool on_turn(struct tables *t, const struct scan *scan, const struct trace_event *event)
{
	const struct model_driver *d = model_get_driver(scan->model, event->thread);
	struct table_loop *row;

	/* Many programs wait for descriptors now and then: a loop comes back to the same place. */
	if (!d || (!d->loop && d->same_stack < 3))
		return true;
	row = loop_row(t, scan, d->loop, event->thread);
	if (!row)
		return false;
	row->thread = event->thread;
	row->turns++;
	row->idle_ns += (event->arg >> 1) * 1000;
	return true;
}

/* ---- callbacks ---- */

static unsigned call_bucket(uint64_t ns)
{
	unsigned bucket = 0;

	while (bucket + 1 < TABLE_CALLS && ns > UINT64_C(1000) << bucket)
		bucket++;
	return bucket;
}

struct table_site *table_site_row(struct tables *t, const struct scan *scan, uint32_t site)
{
	while (t->site_count <= t->making->first_site + site) {
		struct table_site *rows = table_room(t->site, t->site_count, sizeof(*rows));

		if (!rows)
			return NULL;
		t->site = rows;
		t->site[t->site_count++] = (struct table_site){ .process = (uint32_t)scan->index };
	}
	return &t->site[t->making->first_site + site];
}

static bool on_returned(struct tables *t, const struct scan *scan, const struct trace_event *event,
			const struct model_step *step)
{
	const struct model_callback *c = &step->callback;
	const struct model_driver *d = model_get_driver(scan->model, event->thread);
	const struct model_job *job =
		step->flags & MODEL_STEP_ENDED ? step->ended : model_get_job(scan->model, c->task);
	uint64_t ns = event->time_ns > c->since_ns ? event->time_ns - c->since_ns : 0;
	uint32_t loop = c->loop ? c->loop : d ? d->loop : 0;

	if (job && job->id == c->task) {
		struct table_site *site = table_site_row(t, scan, job->site);

		if (!site || !table_times_detail(&site->call))
			return false;
		table_times_add(&site->call, c->since_ns + scan->start_ns, ns);
	}
	if (!step->callback_depth && !c->in_pool && loop) {
		struct table_loop *row = loop_row(t, scan, loop, event->thread);

		if (!row)
			return false;
		if (ns >= row->call.longest_ns)
			row->longest_stack = c->stack;
		table_times_add(&row->call, c->since_ns + scan->start_ns, ns);
		row->call_in[call_bucket(ns)]++;
	}
	return true;
}

/* ---- events ---- */

static void on_wait(struct table_lock_facts *fact)
{
	if (++fact->waiters > fact->most_waiters)
		fact->most_waiters = fact->waiters;
}

static void on_lock(struct tables *t, const struct scan *scan, const struct trace_event *event,
		    const struct model_step *step)
{
	struct table_image *image = &t->making->image[scan->index];
	struct table_lock_facts *fact = event->object && event->object < image->objects
						? &image->fact[event->object]
						: NULL;

	if (!fact)
		return;
	if (event->op == TRACE_REQUEST || event->op == TRACE_COND_WAIT)
		on_wait(fact);
	if ((event->op == TRACE_COND_WAKE || (step->flags & MODEL_STEP_REQUESTED)) && fact->waiters)
		fact->waiters--;
	fact->failed += event->op == TRACE_ACQUIRE_FAIL;
}

static bool on_event(void *state, const struct scan *scan, const struct trace_event *event,
		     const struct model_step *step)
{
	struct tables *t = state;

	on_lock(t, scan, event, step);
	if (event->op == TRACE_TURN)
		return on_turn(t, scan, event);
	if (event->op == TRACE_TASK_NEW)
		return table_makers_add(t, scan, event);
	if (step->flags & MODEL_STEP_RETURNED)
		return on_returned(t, scan, event, step);
	return true;
}

static bool on_begin(void *state, const struct scan *scan)
{
	struct tables *t = state;
	struct table_image *image = &t->making->image[scan->index];

	image->objects = scan->process->object_count;
	image->fact = calloc(image->objects + 1, sizeof(*image->fact));
	t->making->first_site = t->site_count;
	t->making->first_loop = t->loop_count;
	return image->fact;
}

/* ---- the end of an image ---- */

static bool take_sites(struct tables *t, const struct scan *scan)
{
	for (uint32_t i = 0; i < model_job_site_count(scan->model); i++) {
		const struct model_job_site *from = model_get_job_site(scan->model, i);
		struct table_site *row = table_site_row(t, scan, i);

		if (!row)
			return false;
		row->kind = from->kind;
		row->stack = from->stack ? from->stack : from->last.stack;
		row->loop = from->loop;
		row->made = from->made;
		row->ended = from->ended;
		row->called = from->called;
		row->lost = from->lost;
		row->live = from->live;
		row->most_live = from->live_most;
		memcpy(row->live_at, from->live_at, sizeof(row->live_at));
		memcpy(row->post_at, from->post_at, sizeof(row->post_at));
		row->post_step_ns = from->post_step_ns;
		row->post_count = from->post_count;
		row->first_ns = from->first.time_ns + scan->start_ns;
		row->last_ns = from->last.time_ns + scan->start_ns;
	}
	return true;
}

static void fill_await(struct table_task *row, const struct trace_process *p)
{
	uint32_t look = p->await_count ? p->awaits[p->await_count - 1].look : 0;

	for (size_t i = p->await_count; i-- > 0 && p->awaits[i].look == look;)
		if (p->awaits[i].task == row->task) {
			row->await_stack = p->awaits[i].stack;
			row->awaits = p->awaits[i].other;
		}
}

static bool take_task(struct tables *t, const struct scan *scan, const struct model_job *job)
{
	const struct trace_process *p = scan->process;
	struct table_task *row;

	if (t->task_count == TABLE_MOST_TASKS) {
		t->tasks_left_out++;
		return true;
	}
	row = table_room(t->task, t->task_count, sizeof(*row));
	if (!row)
		return false;
	t->task = row;
	row += t->task_count++;
	*row = (struct table_task){
		.process = (uint32_t)scan->index,
		.task = job->id,
		.kind = job->kind,
		.state = job->state,
		.loop = job->loop,
		.thread = job->thread,
		.parent = job->id < p->task_count ? p->tasks[job->id].parent : 0,
		.made_by = job->made.thread,
		.made_stack = job->made.stack,
		.callback_stack = job->callback_stack,
		.made_ns = job->made.time_ns + scan->start_ns,
		.called_ns = job->called_ns ? job->called_ns + scan->start_ns : 0,
		.calls = job->calls,
	};
	fill_await(row, p);
	return true;
}

static int compare_tasks(const void *x, const void *y)
{
	const struct table_task *a = x, *b = y;

	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	return a->task < b->task ? -1 : a->task > b->task;
}

static bool take_tasks(struct tables *t, const struct scan *scan)
{
	const struct model_job *job;
	size_t iterator = 0, first = t->task_count;
	bool ok = true;

	while (ok && (job = model_next_job(scan->model, &iterator)))
		ok = take_task(t, scan, job);
	if (t->task_count > first)
		qsort(t->task + first, t->task_count - first, sizeof(*t->task), compare_tasks);
	for (size_t i = t->making->first_loop; i < t->loop_count; i++)
		t->loop[i].live = model_loop_job_count(scan->model, t->loop[i].loop);
	return ok;
}

static void fill_wait(struct table_thread *row, const struct scan *scan)
{
	const struct trace_wait_state *w = model_get_wait(scan->model, row->thread);
	const struct model_object *o;
	const struct model_thread *holder;
	size_t iterator = 0;

	if (!w || w->wait.kind == TRACE_WAIT_NONE || row->ended)
		return;
	row->wait_kind = w->wait.kind;
	row->wait_object = w->wait.object;
	row->wait_other = w->wait.other;
	row->wait_stack = w->wait.stack;
	row->wait_since_ns = w->since_ns + scan->start_ns;
	o = model_get_object(scan->model, w->wait.object);
	if (!o)
		return;
	holder = o->owner     ? model_get_thread(scan->model, o->owner)
		 : o->readers ? model_next_holder(scan->model, o->id, &iterator)
			      : NULL;
	row->wait_holder = holder && holder->id != row->thread ? holder->id : 0;
}

static bool take_thread(struct tables *t, const struct scan *scan, const struct model_thread *m)
{
	const struct trace_thread *known = &scan->process->threads[m->id];
	struct table_thread *row = table_room(t->thread, t->thread_count, sizeof(*row));

	if (!row)
		return false;
	t->thread = row;
	row += t->thread_count++;
	*row = (struct table_thread){
		.process = (uint32_t)scan->index,
		.thread = m->id,
		.begin_ns = m->first_ns + scan->start_ns,
		.end_ns = m->last_ns + scan->start_ns,
		.ended = m->state == MODEL_THREAD_ENDED || m->state == MODEL_THREAD_OVER,
		.joined = m->joined,
		.detached = m->detached,
		.events = m->events,
		.created_by = known->parent ? known->parent : m->create.thread,
		.created_stack = known->stack ? known->stack : m->create.stack,
		.held = m->held_count,
	};
	fill_wait(row, scan);
	return true;
}

static bool take_threads(struct tables *t, const struct scan *scan)
{
	struct table_image *image = &t->making->image[scan->index];
	bool ok = true;

	image->first_thread = t->thread_count;
	for (uint32_t i = 1; ok && i < scan->model->thread_count && i < scan->process->thread_count;
	     i++)
		if (scan->model->threads[i])
			ok = take_thread(t, scan, scan->model->threads[i]);
	image->threads = t->thread_count - image->first_thread;
	return ok;
}

static bool take_orders(struct tables *t, const struct scan *scan)
{
	const struct order_graph *g = &t->making->order;

	for (uint32_t i = 0; i < g->count; i++) {
		struct table_order *row = table_room(t->order, t->order_count, sizeof(*row));

		if (!row)
			return false;
		t->order = row;
		row += t->order_count++;
		*row = (struct table_order){ .process = (uint32_t)scan->index, .edge = g->edge[i] };
		row->edge.first_ns += scan->start_ns;
		row->edge.last_ns += scan->start_ns;
	}
	t->orders_left_out += g->left_out;
	return true;
}

static void take_locks(struct tables *t, const struct scan *scan)
{
	struct table_image *image = &t->making->image[scan->index];
	const struct trace_process *p = scan->process;

	for (size_t i = 0; i < p->wait_count; i++)
		if (p->waits[i].wait.kind != TRACE_WAIT_NONE &&
		    p->waits[i].wait.object < image->objects)
			image->fact[p->waits[i].wait.object].waiting++;
	for (uint32_t i = 1; i < image->objects && i < scan->model->object_count; i++) {
		const struct model_object *o = &scan->model->objects[i];
		size_t iterator = 0;
		const struct model_thread *reader =
			!o->owner && o->readers ? model_next_holder(scan->model, o->id, &iterator)
						: NULL;

		image->fact[i].owner = reader ? reader->id : o->owner;
	}
}

static bool on_end(void *state, const struct scan *scan)
{
	struct tables *t = state;

	take_locks(t, scan);
	return take_sites(t, scan) && take_tasks(t, scan) && take_threads(t, scan) &&
	       take_orders(t, scan);
}

/* ---- all of it ---- */

int tables_begin(struct trace_reader *reader, const struct scan_options *options,
		 struct scan_part ret_parts[TABLES_PARTS], struct tables **ret_tables,
		 struct diag *diag)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (t)
		t->making = calloc(1, sizeof(*t->making));
	if (t && t->making) {
		t->making->images = trace_reader_process_count(reader);
		t->making->image = calloc(t->making->images, sizeof(*t->making->image));
	}
	if (!t || !t->making || !t->making->image) {
		tables_free(t);
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	}
	t->making->reader = reader;
	t->end_ns = scan_end_ns(reader, options);
	ret_parts[0] = order_graph_part(&t->making->order);
	ret_parts[1] = (struct scan_part){
		.state = t, .begin = on_begin, .event = on_event, .end = on_end
	};
	*ret_tables = t;
	return 0;
}

int tables_new(struct trace_reader *reader, const struct scan_options *options,
	       struct tables **ret_tables, struct lanes **ret_lanes, struct diag *diag)
{
	struct scan_part parts[1 + TABLES_PARTS];
	struct tables *tables = NULL;
	struct lanes *lanes = NULL;
	int error = lanes_begin(reader, options, &parts[0], &lanes, diag);

	if (error)
		return error;
	error = tables_begin(reader, options, &parts[1], &tables, diag);
	if (error) {
		parts[0].release(parts[0].state);
		lanes_free(lanes);
		return error;
	}
	error = scan_run(reader, options, parts, 1 + TABLES_PARTS, diag);
	if (!error)
		error = tables_take_lanes(tables, lanes, diag);
	if (error) {
		tables_free(tables);
		lanes_free(lanes);
		return error;
	}
	*ret_tables = tables;
	*ret_lanes = lanes;
	return 0;
}

void table_making_free(struct tables *tables)
{
	struct table_making *making = tables->making;

	tables->making = NULL;
	if (!making)
		return;
	order_graph_release(&making->order);
	for (size_t i = 0; making->image && i < making->images; i++)
		free(making->image[i].fact);
	free(making->image);
	free(making);
}

void tables_free(struct tables *t)
{
	if (!t)
		return;
	table_making_free(t);
	for (size_t i = 0; i < t->lock_count; i++) {
		free(t->lock[i].wait.bucket);
		free(t->lock[i].hold.bucket);
		free(t->lock[i].wait_place);
		free(t->lock[i].hold_place);
	}
	for (size_t i = 0; i < t->site_count; i++)
		free(t->site[i].call.bucket);
	for (size_t i = 0; i < t->loop_count; i++)
		free(t->loop[i].call.bucket);
	free(t->lock);
	free(t->thread);
	free(t->site);
	free(t->task);
	free(t->loop);
	free(t->order);
	free(t);
}
