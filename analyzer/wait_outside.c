/* SPDX-License-Identifier: MIT */
/*
 * wait_outside.c - waits that other processes end, or somebody unknown: pipes, queues, children,
 * futex words.
 */
#include "wait_targets.h"

/* ---- waits that other processes end ---- */

struct partners {
	struct wait_world *w;
	uint32_t node;
	uint32_t count, unseen;
};

/* It lives, and some thread of it was seen: else it may be about to do anything. */
static bool process_is_seen(const struct wait_world *w, uint32_t process)
{
	const struct run_process *p = &w->run->process[process];

	for (uint32_t t = 1; t < p->process->thread_count; t++)
		if (wait_world_is_alive(w, p->first_thread + t))
			return true;
	return false;
}

static void add_process_edges(struct wait_world *w, uint32_t node, uint32_t process)
{
	const struct run_process *p = &w->run->process[process];

	for (uint32_t t = 1; t < p->process->thread_count; t++)
		if (wait_world_is_alive(w, p->first_thread + t))
			wait_graph_add_edge(&w->graph, node, p->first_thread + t);
}

static void count_partner(void *cookie, uint32_t process)
{
	struct partners *p = cookie;

	p->count++;
	p->unseen += !process_is_seen(p->w, process);
}

static void add_partner(void *cookie, uint32_t process)
{
	struct partners *p = cookie;

	add_process_edges(p->w, p->node, process);
}

/* Nobody there: the read ends with end-of-file, the write with an error. */
static uint32_t channel_target(struct wait_world *w, uint32_t object, bool for_data)
{
	uint32_t *slot = for_data ? &w->shared_node[object] : &w->plain_node[object];
	struct partners p = { .w = w };

	if (*slot)
		return *slot;
	if (!run_visit_partners(w->run, object, for_data, count_partner, &p) || !p.count ||
	    p.unseen)
		return 0;
	p.node = wait_add_node(w, slot, object, WAIT_SIDE_CHANNEL);
	run_visit_partners(w->run, object, for_data, add_partner, &p);
	return p.node;
}

bool wait_is_queue(const struct wait_world *w, uint32_t object)
{
	const struct trace_process *p = w->model->process;

	return w->run && object && object < p->object_count &&
	       p->objects[object].kind == TRACE_OBJECT_QUEUE && p->objects[object].identity;
}

struct self_search {
	uint32_t process;
	bool found;
};

static void look_for_self(void *cookie, uint32_t process)
{
	struct self_search *s = cookie;

	s->found |= process == s->process;
}

/*
 * Of a channel whose other end the waiter's own process has: it is a sleep until one of its handlers writes, or
 * an event loop at rest.
 */
static bool may_be_at_rest(const struct wait_world *w, const struct wait_party *p)
{
	bool for_data = p->mode & TRACE_MODE_SHARED;
	uint32_t thread = (uint32_t)(p - w->party);
	struct self_search s = { .process = run_process_of_thread(w->run, thread) };
	bool handled = for_data && (wait_handlers(w, thread) & WAIT_SIGNALS_FROM_OUTSIDE);

	return (handled || p->other == TRACE_CALL_POLL) &&
	       run_visit_partners(w->run, p->object, for_data, look_for_self, &s) && s.found;
}

uint64_t wait_handlers(const struct wait_world *w, uint32_t thread)
{
	return w->run ? w->run->process[run_process_of_thread(w->run, thread)].handlers
		      : w->model->handled_signals;
}

bool wait_handler_may_end(const struct wait_world *w, uint32_t thread, uint32_t node)
{
	uint64_t handlers = wait_handlers(w, thread);
	const struct wait_target *t;
	const struct model_object *o;

	if (wait_node_is_thread(w, node))
		return false;
	t = wait_world_get_target(w, node);
	if (t->side == WAIT_SIDE_PROCESS || t->side == WAIT_SIDE_CHANNEL)
		return handlers & WAIT_SIGNALS_OF_TIMERS;
	o = model_get_object(w->model, t->object);
	if (t->side != WAIT_SIDE_OPEN || o->kind != TRACE_OBJECT_SEM ||
	    (o->detail && o->detail->sem.posters.count))
		return false;
	/* The one that ends the program seldom posts what other processes wait for. */
	return handlers &
	       (wait_world_crosses(w, node) ? WAIT_SIGNALS_OF_TIMERS : WAIT_SIGNALS_FROM_OUTSIDE);
}

uint32_t wait_call_target(struct wait_world *w, const struct wait_party *p)
{
	uint32_t kind = p->object && p->object < w->model->object_count
				? w->model->process->objects[p->object].kind
				: TRACE_OBJECT_NONE;
	bool for_data = p->mode & TRACE_MODE_SHARED;

	if (!w->run || p->timed)
		return 0;
	if (kind == TRACE_OBJECT_PIPE || kind == TRACE_OBJECT_SOCKET)
		return may_be_at_rest(w, p) ? 0 : channel_target(w, p->object, for_data);
	/* Anybody can open a queue by its name: in the run, that is. */
	if (wait_is_queue(w, p->object))
		return wait_add_node(
			w, for_data ? &w->shared_node[p->object] : &w->plain_node[p->object],
			p->object, WAIT_SIDE_OPEN);
	return 0;
}

/* A live image of `pid` that is seen to its end; RUN_NO_PROCESS = none. */
static uint32_t live_child(const struct wait_world *w, uint32_t pid)
{
	uint32_t child = run_find_pid(w->run, pid);

	return child == RUN_NO_PROCESS || w->run->process[child].ended || !process_is_seen(w, child)
		       ? RUN_NO_PROCESS
		       : child;
}

uint32_t wait_one_child_target(struct wait_world *w, struct wait_party *p)
{
	uint32_t child = live_child(w, p->other);

	if (child == RUN_NO_PROCESS)
		return 0;
	p->awaited = run_main_thread(w->run, child);
	if (!w->process_node[child]) {
		wait_add_node(w, &w->process_node[child], 0, WAIT_SIDE_PROCESS);
		add_process_edges(w, w->process_node[child], child);
	}
	return w->process_node[child];
}

/* A child that is over and that nobody reaped ends the wait, and one that is not seen may. */
uint32_t wait_any_child_target(struct wait_world *w, uint32_t thread)
{
	uint32_t own = run_process_of_thread(w->run, thread), children = 0;
	uint32_t *slot = &w->process_node[w->run->count + own];

	if (*slot)
		return *slot;
	if (w->run->open)
		return 0;
	for (uint32_t i = 0; i < w->run->count; i++) {
		const struct run_process *p = &w->run->process[i];

		if (p->parent != own || p->reaped)
			continue;
		if (p->successor != RUN_NO_PROCESS)
			continue;
		if (p->ended || !process_is_seen(w, i))
			return 0;
		children++;
	}
	if (!children)
		return 0;
	wait_add_node(w, slot, 0, WAIT_SIDE_PROCESS);
	for (uint32_t i = 0; i < w->run->count; i++)
		if (w->run->process[i].parent == own && !w->run->process[i].ended)
			add_process_edges(w, *slot, i);
	return *slot;
}

static uint32_t thread_of_tid(const struct wait_world *w, uint32_t tid)
{
	const struct trace_process *p = w->model->process;

	for (uint32_t id = 1; tid && id < w->thread_count && p->threads; id++)
		if (p->threads[id].tid == tid)
			return id;
	for (size_t i = 0; tid && i < p->wait_count; i++)
		if (p->waits[i].tid == tid)
			return p->waits[i].thread;
	return 0;
}

#define FUTEX_TID 0x3fffffffu
#define FUTEX_IS_PI 1u /* attribute of a FUTEX object */

/* A word that names its owner is a lock; else anybody may wake. */
uint32_t wait_futex_target(struct wait_world *w, const struct wait_party *p)
{
	const struct trace_process *process = w->model->process;
	const struct trace_object *o = p->object && p->object < process->object_count
					       ? &process->objects[p->object]
					       : NULL;
	uint32_t owner, node;

	if (!o || p->timed || (!w->run && o->identity))
		return 0;
	if (o->kind != TRACE_OBJECT_FUTEX || !(o->attributes & FUTEX_IS_PI))
		return wait_history_is_futex_woken(w->history, p->object)
			       ? 0
			       : wait_add_target(w, p->object, WAIT_SIDE_OPEN);
	owner = thread_of_tid(w, p->other & FUTEX_TID);
	if (!wait_world_is_alive(w, owner))
		return 0; /* the kernel hands it on */
	if (!w->plain_node[p->object]) {
		node = wait_add_target(w, p->object, WAIT_SIDE_EXCLUSIVE);
		wait_graph_add_edge(&w->graph, node, owner);
	}
	return w->plain_node[p->object];
}
