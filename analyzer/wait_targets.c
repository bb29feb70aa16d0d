/* SPDX-License-Identifier: MIT */
/*
 * wait_targets.c - what one blocked thread waits for, as a node of the graph; none where its call
 * can proceed. Waits that end within the process; those that others end are in wait_outside.c.
 */
#include "wait_targets.h"

#include <stdlib.h>

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

bool wait_is_robust(const struct model_object *o)
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

const struct tf_def_identity *wait_identity(const struct wait_world *w, uint32_t object)
{
	const struct trace_process *p = w->model->process;

	return object && object < p->object_count && p->objects ? p->objects[object].identity
								: NULL;
}

bool wait_is_file_lock(const struct wait_world *w, uint32_t object)
{
	const struct trace_process *p = w->model->process;

	return object < p->object_count && p->objects &&
	       p->objects[object].kind == TRACE_OBJECT_FILE_LOCK;
}

/* A lock that belongs to the process as a whole: its own threads do not wait for it. */
bool wait_is_of_process(const struct wait_world *w, uint32_t object)
{
	const struct tf_def_identity *i = wait_identity(w, object);

	return i && i->space == TF_IDENTITY_POSIX_LOCK;
}

/* ---- targets ---- */

uint32_t wait_add_node(struct wait_world *w, uint32_t *slot, uint32_t object, enum wait_side side)
{
	static const enum wait_node_state states[] = {
		[WAIT_SIDE_EXCLUSIVE] = WAIT_NODE_ALL, [WAIT_SIDE_SHARED] = WAIT_NODE_ALL,
		[WAIT_SIDE_SEM] = WAIT_NODE_ANY,       [WAIT_SIDE_OPEN] = WAIT_NODE_RUNS,
		[WAIT_SIDE_PROCESS] = WAIT_NODE_ANY,   [WAIT_SIDE_CHANNEL] = WAIT_NODE_ANY,
	};

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

uint32_t wait_add_target(struct wait_world *w, uint32_t object, enum wait_side side)
{
	return wait_add_node(
		w, side == WAIT_SIDE_SHARED ? &w->shared_node[object] : &w->plain_node[object],
		object, side);
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
		return wait_add_target(w, o->id, WAIT_SIDE_SEM);
	if (wait_history_is_handed_over(w->history, o->id))
		return o->owner || o->readers ? wait_add_target(w, o->id, WAIT_SIDE_OPEN) : 0;
	return wait_add_target(w, o->id, shared ? WAIT_SIDE_SHARED : WAIT_SIDE_EXCLUSIVE);
}

/* ---- one thread ---- */

static bool is_destroyed(const struct model_object *o)
{
	return !(o->flags & MODEL_TOUCHED) || (o->flags & MODEL_GONE);
}

/* At the end. In bounded mode the recorder kept count, the events are not all there. */
static int64_t sem_value(const struct model *m, const struct model_object *o)
{
	const struct tf_object_live *live = m->process->flags & TF_PROCESS_BOUNDED &&
							    m->process->objects
						    ? m->process->objects[o->id].live
						    : NULL;

	return live ? live->value : o->detail->sem.value;
}

static uint32_t sem_target(struct wait_world *w, const struct model_thread *t,
			   const struct model_object *o, const struct trace_wait_state *slot)
{
	const struct model_sem *sem = &o->detail->sem;
	uint32_t units = slot->wait.other ? slot->wait.other : 1;

	/* Cancellation ends sem_wait; whether it is enabled nobody recorded. */
	if (t->cancel.thread || !sem->initial_known || sem_value(w->model, o) >= units ||
	    is_shared_between_processes(o))
		return 0;
	if ((o->flags & MODEL_SEM_LOCK) && o->owner && o->owner < w->thread_count &&
	    w->party[o->owner].status >= WAIT_RUNNING)
		return lock_target(w, t, o, slot, false);
	return wait_add_target(w, o->id, WAIT_SIDE_OPEN);
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
			return wait_add_target(w, o->id, WAIT_SIDE_OPEN);
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
	return wait_add_target(w, o->id, WAIT_SIDE_EXCLUSIVE);
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
		p->target = wait_add_target(w, o->id, WAIT_SIDE_OPEN);
	if (mutex && mutex->owner && mutex->owner != t->id)
		p->retake = lock_target(w, t, mutex, slot, false);
}

/* A range that nobody ever had may meet others. A conversion does not wait for what it converts. */
static uint32_t file_lock_target(struct wait_world *w, const struct wait_party *p, bool shared)
{
	enum wait_side side = shared ? WAIT_SIDE_SHARED : WAIT_SIDE_EXCLUSIVE;
	uint32_t node = 0;

	if (p->timed)
		return 0;
	if (!p->other)
		return wait_add_target(w, p->object, side);
	wait_add_node(w, &node, p->object, side);
	w->target[node - w->thread_count].converter = (uint32_t)(p - w->party);
	return node;
}

/* ---- one wait ---- */

void wait_classify(struct wait_world *w, const struct model_thread *t,
		   const struct trace_wait_state *slot)
{
	struct wait_party *p = &w->party[t->id];
	const struct model_object *o = model_get_object(w->model, p->object);
	bool shared = p->mode & TRACE_MODE_SHARED;

	/* How __cxa_guard_acquire waits: for the initialiser that runs, whoever else uses a futex word. */
	if (p->kind == TRACE_WAIT_FUTEX && o && o->kind == TRACE_OBJECT_GUARD)
		p->kind = TRACE_WAIT_ONCE;
	if (p->kind == TRACE_WAIT_JOIN)
		p->awaited = p->other;
	if (p->kind == TRACE_WAIT_CHILD) {
		if (w->run && !p->timed)
			p->target = p->other ? wait_one_child_target(w, p)
					     : wait_any_child_target(w, t->id);
	} else if (p->kind == TRACE_WAIT_CALL) {
		p->target = wait_call_target(w, p);
	} else if (p->kind == TRACE_WAIT_FUTEX) {
		p->target = wait_futex_target(w, p);
	} else if (p->kind == TRACE_WAIT_JOIN) {
		if (!p->timed && !t->cancel.thread && p->other != t->id &&
		    wait_world_is_alive(w, p->other))
			p->target = p->other;
	} else if (p->kind == TRACE_WAIT_LOCK && wait_is_file_lock(w, p->object)) {
		p->target = file_lock_target(w, p, shared);
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
