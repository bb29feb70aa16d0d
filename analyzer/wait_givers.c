/* SPDX-License-Identifier: MIT */
/*
 * wait_givers.c - who is known to end open waits: edges that explain, and that the solver does not
 * look at.
 */
#include "wait_world.h"

static void visit_actors(const struct model_actors *actors,
			 void (*visit)(void *cookie, uint32_t thread), void *cookie)
{
	for (uint32_t i = 0; i < actors->count; i++)
		visit(cookie, actors->actor[i].last.thread);
}

void wait_world_visit_givers(const struct wait_world *w, uint32_t object,
			     void (*visit)(void *cookie, uint32_t thread), void *cookie)
{
	const struct model_object *o = model_get_object(w->model, object);

	if (!o || !o->detail)
		return;
	switch (o->kind) {
	case TRACE_OBJECT_COND:
		visit_actors(&o->detail->cond.signallers, visit, cookie);
		break;
	case TRACE_OBJECT_SEM:
		visit_actors(&o->detail->sem.posters, visit, cookie);
		break;
	case TRACE_OBJECT_BARRIER:
		visit_actors(&o->detail->barrier.users, visit, cookie);
		break;
	default: /* a number from a file */
		break;
	}
}

struct giver_edges {
	struct wait_world *w;
	uint32_t node;
};

/* Who waits at the same place gives nothing there. */
static void add_giver_edge(void *cookie, uint32_t thread)
{
	struct giver_edges *g = cookie;

	if (wait_world_is_alive(g->w, thread) && g->w->party[thread].target != g->node)
		wait_graph_add_edge(&g->w->graph, g->node, thread);
}

/* Threads that took more of a semaphore than they gave back. */
static void add_taker_edges(struct giver_edges *g, const struct model_sem *sem)
{
	for (uint32_t i = 0; sem->initial > 0 && i < sem->takers.count; i++) {
		uint32_t thread = sem->takers.actor[i].last.thread;
		uint64_t posted = 0;

		for (uint32_t k = 0; k < sem->posters.count; k++)
			if (sem->posters.actor[k].last.thread == thread)
				posted = sem->posters.actor[k].count;
		if (sem->takers.actor[i].count > posted)
			add_giver_edge(g, thread);
	}
}

/* Mutexes that waiters on condvar `object` gave up: who ever locked one may be about to signal. */
static void add_mutex_edges(struct giver_edges *g, const struct model_cond *cond)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < cond->waiter_count; i++) {
		if (cond->waiter[i].mutex == last)
			continue;
		last = cond->waiter[i].mutex;
		wait_history_visit_touchers(g->w->history, last, add_giver_edge, g);
	}
}

static bool uses_queues(const struct trace_process *p)
{
	for (size_t i = 1; i < p->object_count; i++)
		if (p->objects[i].kind == TRACE_OBJECT_QUEUE)
			return true;
	return false;
}

/* Who sends to a queue, or receives, is seen only once it waits: all that work with queues may. */
static void add_queue_edges(struct giver_edges *g)
{
	for (uint32_t i = 0; i < g->w->run->count; i++) {
		const struct run_process *p = &g->w->run->process[i];

		for (uint32_t t = 1; t < p->process->thread_count && uses_queues(p->process); t++)
			add_giver_edge(g, p->first_thread + t);
	}
}

void wait_world_add_givers(struct wait_world *w)
{
	for (uint32_t i = 0; i < w->target_count; i++) {
		const struct model_object *o = model_get_object(w->model, w->target[i].object);
		struct giver_edges g = { .w = w, .node = w->thread_count + i };

		if (wait_is_queue(w, w->target[i].object))
			add_queue_edges(&g);
		if (w->target[i].side != WAIT_SIDE_OPEN || !o->detail)
			continue;
		wait_world_visit_givers(w, o->id, add_giver_edge, &g);
		if (o->kind == TRACE_OBJECT_SEM)
			add_taker_edges(&g, &o->detail->sem);
		else if (o->kind == TRACE_OBJECT_COND)
			add_mutex_edges(&g, &o->detail->cond);
	}
}
