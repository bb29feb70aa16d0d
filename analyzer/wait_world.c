/* SPDX-License-Identifier: MIT */
/*
 * wait_world.c - wait slots, model and history to a wait-for graph. Reports nothing.
 */
#include "wait_world.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* ---- objects ---- */

/* Another process may hold it or end waits on it. */
static bool is_shared_between_processes(const struct model_object *o)
{
	if (!(o->flags & MODEL_ATTRIBUTES))
		return false;
	switch (o->kind) {
	case TRACE_OBJECT_MUTEX:
	case TRACE_OBJECT_RWLOCK:
	case TRACE_OBJECT_COND:
		return o->attributes & TF_PSHARED;
	case TRACE_OBJECT_SEM:
	case TRACE_OBJECT_BARRIER:
		return o->attributes & TF_COUNT_SHARED;
	default: /* a number from a file */
		return false;
	}
}

static uint32_t mutex_type(const struct model_object *o)
{
	return o->attributes & TF_MUTEX_TYPE_MASK;
}

static bool is_robust(const struct model_object *o)
{
	return o->kind == TRACE_OBJECT_MUTEX && (o->attributes & TF_MUTEX_ROBUST);
}

/* A second acquire by the holder returns at once: with success, or with EDEADLK. */
static bool relock_returns(const struct model_object *o, const struct model_held *hold)
{
	switch (o->kind) {
	case TRACE_OBJECT_MUTEX:
		return mutex_type(o) == 1 /* recursive */ ||
		       mutex_type(o) == 2 /* error-checking */;
	case TRACE_OBJECT_RWLOCK:
		return !(hold->flags & MODEL_HOLD_SHARED); /* glibc compares with the writer only */
	case TRACE_OBJECT_LOADER:
		return true;
	default: /* a number from a file */
		return false;
	}
}

/* ---- targets ---- */

static uint32_t add_target(struct wait_world *w, uint32_t object, enum wait_side side)
{
	static const enum wait_node_state states[] = {
		[WAIT_SIDE_EXCLUSIVE] = WAIT_NODE_ALL,
		[WAIT_SIDE_SHARED] = WAIT_NODE_ALL,
		[WAIT_SIDE_SEM] = WAIT_NODE_ANY,
		[WAIT_SIDE_OPEN] = WAIT_NODE_RUNS,
	};
	uint32_t *slot = side == WAIT_SIDE_SHARED ? &w->shared_node[object]
						  : &w->plain_node[object];

	if (*slot)
		return *slot;
	if (w->target_count == w->target_capacity) {
		w->target_capacity = w->target_capacity ? 2 * w->target_capacity : 16;
		w->target = reallocarray(w->target, w->target_capacity, sizeof(*w->target));
		if (!w->target)
			abort();
	}
	w->target[w->target_count++] = (struct wait_target){ .object = object, .side = side };
	*slot = wait_graph_add_node(&w->graph, states[side]);
	return *slot;
}

/* The lock's node for this way of taking it; 0 when the call can proceed. */
static uint32_t lock_target(struct wait_world *w, const struct model_thread *t,
			    const struct model_object *o, const struct trace_wait_state *slot,
			    bool shared)
{
	const struct model_held *own = model_find_held(t, o->id);

	if (own && (relock_returns(o, own) || slot->since_ns < own->time_ns))
		return 0;
	if (own && shared && (own->flags & MODEL_HOLD_SHARED) && !model_object_prefers_writer(o))
		return 0;
	if (o->kind == TRACE_OBJECT_SEM)
		return add_target(w, o->id, WAIT_SIDE_SEM);
	if (wait_history_is_handed_over(w->history, o->id))
		return o->owner || o->readers ? add_target(w, o->id, WAIT_SIDE_OPEN) : 0;
	return add_target(w, o->id, shared ? WAIT_SIDE_SHARED : WAIT_SIDE_EXCLUSIVE);
}

/* ---- one thread ---- */

static bool is_destroyed(const struct model_object *o)
{
	return !(o->flags & MODEL_TOUCHED) || (o->flags & MODEL_GONE);
}

static uint32_t sem_target(struct wait_world *w, const struct model_thread *t,
			   const struct model_object *o, const struct trace_wait_state *slot)
{
	const struct model_sem *sem = &o->detail->sem;

	/* Cancellation ends sem_wait; whether it is enabled nobody recorded. */
	if (t->cancel.thread || !sem->initial_known || sem->value > 0 ||
	    is_shared_between_processes(o))
		return 0;
	if ((o->flags & MODEL_SEM_LOCK) && o->owner && o->owner < w->thread_count &&
	    w->party[o->owner].status >= WAIT_RUNNING)
		return lock_target(w, t, o, slot, false);
	return add_target(w, o->id, WAIT_SIDE_OPEN);
}

static uint32_t barrier_target(struct wait_world *w, const struct model_thread *t,
			       const struct model_object *o)
{
	const struct model_barrier *b = &o->detail->barrier;

	if (t->at_barrier != o->id || b->count == 0 || b->arrival_count >= b->count ||
	    is_shared_between_processes(o))
		return 0;
	for (uint32_t i = 0; i < b->arrival_count; i++)
		if (b->arrival[i].site.thread == t->id)
			return add_target(w, o->id, WAIT_SIDE_OPEN);
	return 0; /* of a generation that is complete */
}

static uint32_t once_target(struct wait_world *w, const struct model_thread *t,
			    const struct model_object *o, const struct trace_wait_state *slot)
{
	const struct model_once *once = &o->detail->once;

	if (once->state != MODEL_ONCE_RUNNING)
		return 0;
	if (once->runner.thread == t->id && slot->since_ns < once->runner.time_ns)
		return 0;
	return add_target(w, o->id, WAIT_SIDE_EXCLUSIVE);
}

/* A condvar wait needs somebody to end it, and then its mutex: the second holds in every case. */
static void cond_targets(struct wait_world *w, const struct model_thread *t,
			 const struct model_object *o, const struct trace_wait_state *slot,
			 struct wait_party *p)
{
	const struct model_object *mutex = model_get_object(w->model, p->other);

	if (t->waiting.cond != o->id)
		return;
	p->woken = t->cancel.thread || wait_history_is_woken(w->history, t->id, o->id);
	if (!p->woken && !p->timed && !is_shared_between_processes(o) &&
	    !(mutex && is_shared_between_processes(mutex)))
		p->target = add_target(w, o->id, WAIT_SIDE_OPEN);
	if (mutex && mutex->owner && mutex->owner != t->id)
		p->retake = lock_target(w, t, mutex, slot, false);
}

static void classify_wait(struct wait_world *w, const struct model_thread *t,
			  const struct trace_wait_state *slot)
{
	struct wait_party *p = &w->party[t->id];
	const struct model_object *o = model_get_object(w->model, p->object);
	bool shared = p->mode & TRACE_MODE_SHARED;

	if (p->kind == TRACE_WAIT_JOIN) {
		if (!p->timed && !t->cancel.thread && p->other != t->id &&
		    wait_world_is_alive(w, p->other))
			p->target = p->other;
	} else if (!o || is_destroyed(o) || (p->timed && p->kind != TRACE_WAIT_COND)) {
		return;
	} else if (p->kind == TRACE_WAIT_LOCK) {
		p->target = lock_target(w, t, o, slot, shared);
	} else if (!o->detail) {
		return;
	} else if (p->kind == TRACE_WAIT_COND && o->kind == TRACE_OBJECT_COND) {
		cond_targets(w, t, o, slot, p);
	} else if (p->kind == TRACE_WAIT_SEM && o->kind == TRACE_OBJECT_SEM) {
		p->target = sem_target(w, t, o, slot);
	} else if (p->kind == TRACE_WAIT_BARRIER && o->kind == TRACE_OBJECT_BARRIER) {
		p->target = barrier_target(w, t, o);
	} else if (p->kind == TRACE_WAIT_ONCE &&
		   (o->kind == TRACE_OBJECT_ONCE || o->kind == TRACE_OBJECT_GUARD)) {
		p->target = once_target(w, t, o, slot);
	}
}

/* ---- all threads ---- */

static void read_slot(struct wait_party *p, const struct trace_wait_state *slot)
{
	p->kind = (uint8_t)slot->wait.kind;
	p->mode = slot->wait.mode;
	p->timed = slot->wait.mode & TRACE_MODE_TIMED;
	p->object = slot->wait.object;
	p->other = slot->wait.other;
	p->stack = slot->wait.stack;
	p->since_ns = slot->since_ns;
}

static void find_status(struct wait_world *w, uint32_t id)
{
	const struct model_thread *t = model_get_thread(w->model, id);
	const struct trace_wait_state *slot = model_get_wait(w->model, id);
	struct wait_party *p = &w->party[id];

	if (!t || t->state == MODEL_THREAD_FAILED || t->state == MODEL_THREAD_UNSEEN) {
		p->status = WAIT_ABSENT;
	} else if (t->joined) {
		p->status = WAIT_FINISHED;
	} else if (slot && slot->wait.kind <= TRACE_WAIT_JOIN) {
		/* Also after THREAD_END: destructors may block. */
		p->status = WAIT_RUNNING;
		read_slot(p, slot);
	} else {
		p->status = t->state >= MODEL_THREAD_ENDED ? WAIT_FINISHED : WAIT_RUNNING;
	}
	if (t && t->lost)
		w->lossy = true;
}

static void classify_all(struct wait_world *w)
{
	for (uint32_t id = 1; id < w->thread_count; id++)
		find_status(w, id);
	for (uint32_t id = 1; id < w->thread_count; id++) {
		struct wait_party *p = &w->party[id];

		if (p->kind != TRACE_WAIT_NONE)
			classify_wait(w, model_get_thread(w->model, id),
				      model_get_wait(w->model, id));
	}
}

/* Edges from targets to the threads that hold them. */
static void add_holder_edges(struct wait_world *w)
{
	for (uint32_t id = 1; id < w->thread_count; id++) {
		const struct model_thread *t = model_get_thread(w->model, id);
		bool dead = w->party[id].status < WAIT_RUNNING;

		for (uint32_t i = 0; t && i < t->held_count; i++) {
			const struct model_held *h = &t->held[i];
			const struct model_object *o = model_get_object(w->model, h->object);
			uint32_t node = w->plain_node[h->object];

			if (dead && is_robust(o))
				continue; /* the next one gets EOWNERDEAD */
			if (node) {
				wait_graph_add_edge(&w->graph, node, id);
				if (dead)
					w->target[node - w->thread_count].dead = id;
			}
			node = w->shared_node[h->object];
			if (node && !(h->flags & MODEL_HOLD_SHARED)) {
				wait_graph_add_edge(&w->graph, node, id);
				if (dead)
					w->target[node - w->thread_count].dead = id;
			}
		}
	}
}

/* Readers of a lock that prefers writers stand behind the writers that wait. */
static void add_writer_edges(struct wait_world *w)
{
	for (uint32_t id = 1; id < w->thread_count; id++) {
		const struct wait_party *p = &w->party[id];
		const struct model_object *o = model_get_object(w->model, p->object);

		if (p->kind == TRACE_WAIT_LOCK && p->target && !(p->mode & TRACE_MODE_SHARED) &&
		    w->shared_node[p->object] && model_object_prefers_writer(o))
			wait_graph_add_edge(&w->graph, w->shared_node[p->object], id);
	}
}

static void add_wait_edges(struct wait_world *w)
{
	for (uint32_t id = 1; id < w->thread_count; id++) {
		struct wait_party *p = &w->party[id];

		if (p->target)
			wait_graph_add_edge(&w->graph, id, p->target);
		if (p->retake)
			wait_graph_add_edge(&w->graph, id, p->retake);
		if (p->target || p->retake)
			wait_graph_set_state(&w->graph, id, WAIT_NODE_ALL);
	}
}

/* ---- solving ---- */

static void set_open_targets(struct wait_world *w, enum wait_node_state state)
{
	for (uint32_t i = 0; i < w->target_count; i++)
		if (w->target[i].side == WAIT_SIDE_OPEN)
			wait_graph_set_state(&w->graph, w->thread_count + i, state);
}

static void solve(struct wait_world *w)
{
	uint32_t blocked = 0, running = 0;

	w->can = allocate(w->graph.nodes, 1);
	w->can_closed = allocate(w->graph.nodes, 1);
	set_open_targets(w, WAIT_NODE_RUNS);
	wait_graph_solve(&w->graph, w->can);
	set_open_targets(w, WAIT_NODE_NEVER);
	wait_graph_solve(&w->graph, w->can_closed);
	for (uint32_t id = 1; id < w->thread_count; id++) {
		struct wait_party *p = &w->party[id];

		if (p->status != WAIT_RUNNING || id == w->exit_thread)
			continue;
		if (w->can_closed[id]) {
			running++;
			continue;
		}
		p->status = WAIT_BLOCKED;
		blocked++;
		if (!wait_node_is_thread(w, p->target))
			w->target[p->target - w->thread_count].waiters++;
	}
	/*
	 * In an open world a thread that could go on if others do may still be only behind somebody
	 * who runs.
	 */
	w->closed = blocked > 0 && running == 0;
}

bool wait_world_is_open_wait(const struct wait_world *w, uint32_t thread)
{
	const struct wait_party *p = &w->party[thread];

	return p->status == WAIT_BLOCKED && w->can[thread] && p->target &&
	       !wait_node_is_thread(w, p->target) &&
	       wait_world_get_target(w, p->target)->side == WAIT_SIDE_OPEN;
}

static bool trace_is_lossy(const struct trace_process *p)
{
	return p->lost_events || p->lost_chunks ||
	       p->flags & (TF_PROCESS_FULL | TF_PROCESS_DISK_FULL | TF_PROCESS_OFF);
}

/*
 * Has the process gone through exit()? Not where the thread that called it is still in a wait: then
 * an exit handler or a static destructor hangs, and that is a hang like any other.
 */
static void find_exit(struct wait_world *w)
{
	const struct model *m = w->model;
	uint32_t thread = m->exit_thread ? m->exit_thread : 1;

	w->exit_kind = m->exit_kind ? m->exit_kind : m->process->exit_kind;
	if (w->exit_kind != TRACE_EXIT_DESTRUCTORS)
		return;
	if (model_get_wait(m, thread))
		w->exit_kind = 0;
	else
		w->exit_thread = thread;
}

struct wait_world *wait_world_new(const struct model *m, const struct wait_history *h)
{
	struct wait_world *w = allocate(1, sizeof(*w));
	w->model = m;
	w->history = h;
	w->thread_count = (uint32_t)m->thread_count;
	w->party = allocate(w->thread_count, sizeof(*w->party));
	w->plain_node = allocate(m->object_count, sizeof(uint32_t));
	w->shared_node = allocate(m->object_count, sizeof(uint32_t));
	w->lossy = trace_is_lossy(m->process);
	find_exit(w);
	wait_graph_init(&w->graph, w->thread_count);
	classify_all(w);
	add_holder_edges(w);
	add_writer_edges(w);
	add_wait_edges(w);
	wait_world_add_givers(w);
	wait_graph_set_state(&w->graph, 0, WAIT_NODE_NEVER);
	for (uint32_t id = 1; id < w->thread_count; id++)
		if (w->party[id].status < WAIT_RUNNING || id == w->exit_thread)
			wait_graph_set_state(&w->graph, id, WAIT_NODE_NEVER);
	solve(w);
	return w;
}

void wait_world_free(struct wait_world *w)
{
	if (!w)
		return;
	wait_graph_release(&w->graph);
	free(w->party);
	free(w->target);
	free(w->plain_node);
	free(w->shared_node);
	free(w->can);
	free(w->can_closed);
	free(w);
}
