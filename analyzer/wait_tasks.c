/* SPDX-License-Identifier: MIT */
/*
 * wait_tasks.c - who waits for a task: a thread that posted one and then waits, where whoever would run it waits too.
 *
 * That the task would end the wait nobody recorded. So these edges only explain what hangs: in a world where nobody can run, or
 * where all who could are event loops at rest.
 */
#include "model/model_loops.h"
#include "wait_world.h"

#include <stdlib.h>

static bool is_async(uint32_t kind)
{
	return kind == TRACE_TASK_UV_ASYNC || kind == TRACE_TASK_EV_ASYNC;
}

static bool is_timer(uint32_t kind)
{
	return kind == TRACE_TASK_UV_TIMER || kind == TRACE_TASK_G_TIMEOUT ||
	       kind == TRACE_TASK_EV_TIMER || kind == TRACE_TASK_QT_TIMER;
}

/* Made to be run soon, not to watch something. */
static bool is_posted(uint32_t kind)
{
	switch (model_job_life(kind)) {
	case MODEL_LIFE_REQUEST:
	case MODEL_LIFE_WORK:
		return kind != TRACE_TASK_CURL_TRANSFER && kind != TRACE_TASK_ANNOTATED;
	case MODEL_LIFE_SOURCE:
		return kind == TRACE_TASK_G_IDLE || kind == TRACE_TASK_G_SOURCE || is_timer(kind);
	case MODEL_LIFE_HANDLE:
		return is_async(kind) || is_timer(kind) || kind == TRACE_TASK_UV_IDLE ||
		       kind == TRACE_TASK_EVENT_EVENT || kind == TRACE_TASK_SD_SOURCE;
	case MODEL_LIFE_CALL:
		return true;
	case MODEL_LIFE_COROUTINE:
	case MODEL_LIFE_STATE:
		break;
	}
	return false;
}

static const struct model_site *posted_at(const struct model_job *j)
{
	return j->armed.thread ? &j->armed : &j->made;
}

/* Its loop, or the pool, has it still to run. */
static bool is_pending(const struct model_job *j)
{
	if (j->state == MODEL_JOB_WORKED)
		return true;
	return (j->state == MODEL_JOB_ARMED || j->state == MODEL_JOB_CALLED) &&
	       is_posted(j->kind) && posted_at(j)->time_ns > j->called_ns;
}

static bool is_queued_work(const struct model_job *j)
{
	return model_job_life(j->kind) == MODEL_LIFE_WORK && j->state != MODEL_JOB_WORKED;
}

/* libuv has one pool, whatever loop the work is for. */
static bool is_of_pool(const struct model_driver *d, const struct model_job *j)
{
	return d->pool_kind == j->kind &&
	       (j->kind == TRACE_TASK_UV_WORK || d->pool_loop == j->loop);
}

static bool drives(const struct model_driver *d, uint32_t loop)
{
	for (uint32_t i = 0; loop && i < d->count; i++)
		if (d->callback[i].loop == loop && !d->callback[i].in_pool)
			return true;
	return false;
}

/* Threads that would run the job and are blocked inside another one. False: some thread is free for it. */
static bool add_runners(struct wait_world *w, uint32_t node, const struct model_job *j,
			bool dry_run)
{
	uint32_t found = 0;

	for (uint32_t id = 1; id < w->thread_count; id++) {
		const struct model_driver *d = model_get_driver(w->model, id);
		bool work = is_queued_work(j);

		if (!d || !wait_world_is_alive(w, id) ||
		    !(work ? is_of_pool(d, j) : drives(d, j->loop)))
			continue;
		if (!w->party[id].target && !w->party[id].retake)
			return false;
		if (work && !(d->count && d->callback[0].in_pool))
			return false;
		found++;
		if (!dry_run)
			wait_graph_add_edge(&w->graph, node, id);
	}
	return found > 0;
}

static void keep(struct wait_world *w, uint32_t waiter, uint32_t node, const struct model_job *j,
		 bool weak)
{
	w->task_edge = realloc(w->task_edge, (w->task_edge_count + 1) * sizeof(*w->task_edge));
	if (!w->task_edge)
		abort();
	w->task_edge[w->task_edge_count++] = (struct wait_task_edge){
		.waiter = waiter,
		.node = node,
		.task = j->id,
		.weak = weak,
	};
}

/* The newest job that `waiter` posted, in the callback that it is in, and that nobody is free to run. */
static const struct model_job *find_job(struct wait_world *w, uint32_t waiter, uint32_t node)
{
	const struct model_driver *d = model_get_driver(w->model, waiter);
	uint64_t since = d && d->count ? d->callback[0].since_ns : 0;
	const struct model_job *j, *best = NULL;

	for (size_t i = 0; (j = model_next_job(w->model, &i));) {
		const struct model_site *at = posted_at(j);

		if (at->thread != waiter || at->time_ns < since || !is_pending(j))
			continue;
		if (best && (is_timer(j->kind) > is_timer(best->kind) ||
			     (is_timer(j->kind) == is_timer(best->kind) &&
			      at->time_ns <= posted_at(best)->time_ns)))
			continue;
		if (add_runners(w, node, j, true))
			best = j;
	}
	return best;
}

/* The oldest job that waits for a thread of the pool whose work `waiter` runs, all of which are at work and wait. */
static const struct model_job *find_queued(struct wait_world *w, uint32_t waiter, uint32_t node)
{
	const struct model_driver *d = model_get_driver(w->model, waiter);
	const struct model_job *j, *best = NULL;

	if (!d || !d->count || !d->callback[0].in_pool)
		return NULL;
	for (size_t i = 0; (j = model_next_job(w->model, &i));)
		if (is_queued_work(j) && is_pending(j) && is_of_pool(d, j) &&
		    (!best || posted_at(j)->time_ns < posted_at(best)->time_ns))
			best = j;
	return best && add_runners(w, node, best, true) ? best : NULL;
}

void wait_world_add_task_givers(struct wait_world *w)
{
	if (w->run || !w->model->loops)
		return;
	for (uint32_t id = 1; id < w->thread_count; id++) {
		uint32_t node = w->party[id].target;
		const struct model_job *own, *j;

		if (!node || wait_node_is_thread(w, node) ||
		    wait_world_get_target(w, node)->side != WAIT_SIDE_OPEN)
			continue;
		own = find_job(w, id, node);
		j = own ? own : find_queued(w, id, node);
		if (!j)
			continue;
		add_runners(w, node, j, false);
		keep(w, id, node, j, !own || is_timer(j->kind));
	}
}

/* ---- loops at rest ---- */

/* In a wait for descriptors without an end, outside of callbacks; `ret_sealed`: nothing outside of the process ends it. */
static bool is_at_rest(const struct wait_world *w, uint32_t thread, bool *ret_sealed)
{
	const struct trace_wait_state *slot = model_get_wait(w->model, thread);
	const struct model_driver *d = model_get_driver(w->model, thread);
	const struct model_job *j;

	if (!slot || slot->wait.kind != TRACE_WAIT_CALL || slot->wait.mode & TRACE_MODE_TIMED ||
	    (slot->wait.other != TRACE_CALL_EPOLL_WAIT && slot->wait.other != TRACE_CALL_POLL &&
	     slot->wait.other != TRACE_CALL_SELECT && slot->wait.other != TRACE_CALL_URING_WAIT) ||
	    !d || !d->runs || d->count)
		return false;
	if (!d->loop)
		*ret_sealed = false;
	for (size_t i = 0; *ret_sealed && (j = model_next_job(w->model, &i));)
		if (j->loop == d->loop && !is_async(j->kind) &&
		    model_job_life(j->kind) != MODEL_LIFE_WORK && j->state == MODEL_JOB_ARMED)
			*ret_sealed = false;
	return true;
}

enum wait_rest wait_world_get_rest(const struct wait_world *w)
{
	bool sealed = true, any = false;

	if (w->closed)
		return WAIT_REST_SEALED;
	for (uint32_t id = 1; id < w->thread_count; id++) {
		any |= w->party[id].status == WAIT_BLOCKED;
		if (w->party[id].status != WAIT_RUNNING || id == w->exit_thread)
			continue;
		if (!is_at_rest(w, id, &sealed))
			return WAIT_REST_NONE;
	}
	return !any ? WAIT_REST_NONE : sealed ? WAIT_REST_SEALED : WAIT_REST_OPEN;
}
