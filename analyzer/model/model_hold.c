/* SPDX-License-Identifier: MIT */
/*
 * model_hold.c - held sets: who holds what, since when, in which mode. It judges nothing: misuse is
 * a checker's word.
 *
 * Sets are arrays in order of acquire. Locks are released newest first nearly always, so searches
 * go from the end; any other order works the same.
 */
#include "model_internal.h"

#include <errno.h>

void model_hold_push(struct model_thread *t, struct model_object *o, const struct model_held *hold)
{
	t->held = model_grow(t->held, &t->held_capacity, t->held_count + 1, sizeof(*t->held));
	t->held[t->held_count] = *hold;
	t->held[t->held_count++].task = t->task;
	t->held_hash ^= model_hold_hash(hold);
	if (hold->flags & MODEL_HOLD_SHARED) {
		o->readers++;
	} else {
		o->owner = t->id;
		if (o->kind == TRACE_OBJECT_RWLOCK)
			o->flags |= MODEL_EVER_WRITTEN;
	}
	o->flags &= (uint16_t)~MODEL_OWNER_LOST;
}

struct model_held model_hold_remove(struct model *m, struct model_thread *t, uint32_t index)
{
	struct model_held hold = t->held[index];
	struct model_object *o = model_get_object(m, hold.object);

	t->held_hash ^= model_hold_hash(&hold);
	t->held_count--;
	for (uint32_t i = index; i < t->held_count; i++)
		t->held[i] = t->held[i + 1];
	if (hold.flags & MODEL_HOLD_SHARED)
		o->readers--;
	else if (o->owner == t->id)
		o->owner = 0;
	return hold;
}

/*
 * The exclusive hold of another thread ends behind its back. Returns that thread, NULL when the
 * model knew of none.
 */
static struct model_thread *take_from_owner(struct model *m, struct model_object *o,
					    struct model_step *step)
{
	struct model_thread *owner = model_get_thread(m, o->owner);
	uint32_t index = owner ? model_hold_index(owner, o->id) : UINT32_MAX;

	if (index == UINT32_MAX) {
		o->owner = 0;
		return NULL;
	}
	step->released = model_hold_remove(m, owner, index);
	step->loser = owner;
	return owner;
}

/*
 * A mutex of a known type other than recursive cannot be acquired twice: the release between them
 * is missing.
 */
static bool can_recurse(const struct model_object *o)
{
	if (o->kind == TRACE_OBJECT_SPIN || o->kind == TRACE_OBJECT_SEM)
		return false;
	if (o->kind != TRACE_OBJECT_MUTEX || !(o->flags & MODEL_ATTRIBUTES))
		return true;
	return (o->attributes & TF_MUTEX_TYPE_MASK) == 1; /* PTHREAD_MUTEX_RECURSIVE */
}

/* The thread acquires what it holds. Returns false when the old hold was stale and is gone now. */
static bool acquire_again(struct model *m, struct model_step *step, uint32_t index, uint32_t flags)
{
	struct model_thread *t = step->thread;
	struct model_held *hold = &t->held[index];

	if ((hold->flags & MODEL_HOLD_SHARED) && (flags & MODEL_HOLD_SHARED)) {
		hold->flags |= MODEL_HOLD_REREAD;
	} else if ((hold->flags & MODEL_HOLD_SHARED) || !can_recurse(step->object)) {
		model_hold_remove(m, t, index);
		return false;
	}
	hold->depth++;
	step->flags |= MODEL_STEP_DEPTH;
	return true;
}

void model_hold_acquire(struct model *m, const struct trace_event *event, struct model_step *step,
			uint32_t flags)
{
	struct model_object *o = step->object;
	struct model_thread *t = step->thread;
	struct model_held hold = { .object = event->object,
				   .stack = event->stack,
				   .depth = 1,
				   .flags = flags,
				   .time_ns = event->time_ns };

	if (__builtin_expect((o->owner | o->readers) != 0, 0)) {
		uint32_t index = o->owner == t->id || o->readers ? model_hold_index(t, o->id)
								 : UINT32_MAX;

		if (index != UINT32_MAX && acquire_again(m, step, index, flags))
			return;
		if (o->owner && take_from_owner(m, o, step))
			step->flags |= MODEL_STEP_TAKEN_OVER;
	}
	model_hold_push(t, o, &hold);
	step->flags |= MODEL_STEP_HOLD;
}

void model_hold_release(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_thread *t = step->thread;
	uint32_t index = model_hold_index(t, event->object);

	if (__builtin_expect(index == UINT32_MAX, 0)) {
		step->flags |= MODEL_STEP_UNKNOWN_RELEASE;
		step->object->flags &= (uint16_t)~MODEL_OWNER_LOST;
		/*
		 * The recorder says this thread owned it: then whoever the model believed does not.
		 */
		if (step->object->owner && take_from_owner(m, step->object, step))
			step->flags |= MODEL_STEP_RELEASED;
		return;
	}
	if (t->held[index].depth > 1) {
		t->held[index].depth--;
		step->flags |= MODEL_STEP_DEPTH;
		return;
	}
	if (t->held[index].flags & MODEL_HOLD_OWNERDEAD)
		step->object->flags |= MODEL_NOT_RECOVERABLE;
	step->released = model_hold_remove(m, t, index);
	step->loser = t;
	step->flags |= MODEL_STEP_RELEASED;
}

/* Some reader's hold of `o`, the caller's first; NULL = none. */
static struct model_thread *some_holder(struct model *m, struct model_object *o,
					struct model_thread *first)
{
	size_t iterator = 0;

	if (model_hold_index(first, o->id) != UINT32_MAX)
		return first;
	return model_next_holder(m, o->id, &iterator);
}

void model_hold_release_odd(struct model *m, const struct trace_event *event,
			    struct model_step *step)
{
	struct model_object *o = step->object;
	struct model_thread *holder = NULL;
	uint32_t index;

	if (event->result != 0)
		return;
	if (o->owner)
		holder = model_get_thread(m, o->owner);
	else if (o->readers)
		holder = some_holder(m, o, step->thread);
	o->flags &= (uint16_t)~MODEL_OWNER_LOST;
	index = holder ? model_hold_index(holder, o->id) : UINT32_MAX;
	if (index == UINT32_MAX)
		return;
	step->released = model_hold_remove(m, holder, index);
	step->loser = holder;
	step->flags |= MODEL_STEP_RELEASED;
}

static void drop(struct model *m, struct model_thread *t, uint32_t object, struct model_step *step)
{
	uint32_t index = model_hold_index(t, object);

	if (index == UINT32_MAX)
		return;
	step->released = model_hold_remove(m, t, index);
	step->loser = t;
	step->flags |= MODEL_STEP_RELEASED;
}

void model_hold_drop_all(struct model *m, struct model_object *o, struct model_step *step)
{
	struct model_thread *t = model_get_thread(m, o->owner);
	size_t iterator = 0;

	if (t)
		drop(m, t, o->id, step);
	while (o->readers && (t = model_next_holder(m, o->id, &iterator)))
		drop(m, t, o->id, step);
	o->owner = 0;
	o->readers = 0;
}

void model_hold_forget(struct model *m, struct model_thread *t)
{
	while (t->held_count) {
		struct model_held hold = model_hold_remove(m, t, t->held_count - 1);

		model_get_object(m, hold.object)->flags |= MODEL_OWNER_LOST;
	}
	while (t->permit_count)
		t->held_hash ^= model_permit_hash(t->permit[--t->permit_count].object);
	t->uncertain = true;
	t->request.object = 0;
	t->waiting.was_held = false;
}

void model_hold_keyframe(struct model *m, struct model_step *step)
{
	struct model_thread *t = step->thread;

	while (t->held_count)
		model_hold_remove(m, t, t->held_count - 1);
	while (t->permit_count)
		t->held_hash ^= model_permit_hash(t->permit[--t->permit_count].object);
	t->request.object = 0;
	model_sync_leave(m, t, step);
	t->uncertain = false;
}

/* Whoever the model believed to hold it does not, unless it is shared. */
static void steal(struct model *m, struct model_object *o, bool shared)
{
	struct model_step ignored = { .flags = 0 };

	if (o->owner)
		take_from_owner(m, o, &ignored);
	if (!shared && o->readers)
		model_hold_drop_all(m, o, &ignored);
}

void model_hold_held(struct model *m, const struct trace_event *event, struct model_step *step)
{
	uint64_t age_ns = event->result > 0 ? (uint64_t)event->result * 1000 : 0;
	uint64_t mode = event->arg;
	struct model_object *o = step->object;
	struct model_held hold = {
		.object = event->object,
		.stack = event->stack,
		.depth = 1 + (uint32_t)(mode >> TRACE_HOLD_DEPTH_SHIFT & 0xffff),
		.flags = (mode & TRACE_MODE_SHARED ? MODEL_HOLD_SHARED : 0) |
			 (mode & TRACE_MODE_TRY ? MODEL_HOLD_TRY : 0) |
			 (mode & TRACE_MODE_TIMED ? MODEL_HOLD_TIMED : 0) |
			 (mode & TRACE_HOLD_OWNERDEAD ? MODEL_HOLD_OWNERDEAD : 0) |
			 (mode & TRACE_HOLD_REACQUIRED ? MODEL_HOLD_REACQUIRED : 0) |
			 (mode & TRACE_HOLD_PRIVATE ? MODEL_HOLD_PRIVATE : 0),
		.time_ns = event->time_ns > age_ns ? event->time_ns - age_ns : 0,
	};

	if (model_hold_index(step->thread, o->id) != UINT32_MAX)
		return;
	if (o->kind == TRACE_OBJECT_SEM && !(o->flags & MODEL_SEM_LOCK)) {
		model_sync_held(step->thread, o, hold.depth);
		return;
	}
	if (!model_object_is_lock(o))
		return;
	steal(m, o, hold.flags & MODEL_HOLD_SHARED);
	if ((hold.flags & MODEL_HOLD_SHARED) && hold.depth > 1)
		hold.flags |= MODEL_HOLD_REREAD;
	model_hold_push(step->thread, o, &hold);
	model_sync_once_held(o,
			     &(struct model_site){ step->thread->id, event->stack, hold.time_ns });
}

const struct model_held *model_find_held(const struct model_thread *t, uint32_t object)
{
	uint32_t index = model_hold_index(t, object);

	return index == UINT32_MAX ? NULL : &t->held[index];
}

struct model_thread *model_next_holder(const struct model *m, uint32_t object, size_t *iterator)
{
	while (*iterator < m->thread_count) {
		struct model_thread *t = m->threads[(*iterator)++];

		if (t && t->held_count && model_hold_index(t, object) != UINT32_MAX)
			return t;
	}
	return NULL;
}
