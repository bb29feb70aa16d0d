/* SPDX-License-Identifier: MIT */
/*
 * model_sync.c - objects that are more than held: condition variables, semaphores, barriers, once.
 */
#include "model_internal.h"

#include <errno.h>

static struct model_site site_of(const struct trace_event *event)
{
	return (struct model_site){ event->thread, event->stack, event->time_ns };
}

void model_sync_init(struct model_object *o, uint32_t attributes, bool known)
{
	o->attributes = known ? attributes : 0;
	o->flags = (uint16_t)(known ? o->flags | MODEL_ATTRIBUTES : o->flags & ~MODEL_ATTRIBUTES);
	switch (o->kind) {
	case TRACE_OBJECT_SEM: {
		struct model_sem *sem = &model_touch_detail(o)->sem;

		/* Who posts may be in another process, unseen here; in the run as one these bits are gone. */
		bool shared = attributes & TF_COUNT_SHARED ||
			      (attributes >> TF_LIBRARY_SHIFT & TF_LIBRARY_MASK) == TF_LIBRARY_SYSV;

		sem->initial_known = known;
		sem->initial = attributes & TF_SEM_MOST; /* above: library, shared, undo */
		sem->value = sem->initial;
		o->flags &= (uint16_t) ~(MODEL_SEM_LOCK | MODEL_SEM_PERMITS);
		if (known && !shared && sem->initial == 1 && o->owner == 0)
			o->flags |= MODEL_SEM_LOCK;
		if (known && (shared || sem->initial > 1))
			o->flags |= MODEL_SEM_PERMITS;
		break;
	}
	case TRACE_OBJECT_BARRIER:
		model_touch_detail(o)->barrier.count = known ? attributes : 0;
		break;
	case TRACE_OBJECT_COND:
	case TRACE_OBJECT_ONCE:
	case TRACE_OBJECT_GUARD:
		model_touch_detail(o);
		break;
	default: /* a number from a file */
		break;
	}
}

void model_sync_release(struct model_object *o)
{
	switch (o->kind) {
	case TRACE_OBJECT_COND:
		free(o->detail->cond.waiter);
		free(o->detail->cond.signallers.actor);
		break;
	case TRACE_OBJECT_SEM:
		free(o->detail->sem.posters.actor);
		free(o->detail->sem.takers.actor);
		break;
	case TRACE_OBJECT_BARRIER:
		free(o->detail->barrier.arrival);
		free(o->detail->barrier.leaver);
		free(o->detail->barrier.users.actor);
		break;
	default:
		break;
	}
}

/* ---- condition variables ---- */

static void remove_waiter(struct model_cond *c, uint32_t thread)
{
	for (uint32_t i = 0; i < c->waiter_count; i++) {
		if (c->waiter[i].site.thread != thread)
			continue;
		c->waiter_count--;
		memmove(&c->waiter[i], &c->waiter[i + 1],
			(c->waiter_count - i) * sizeof(*c->waiter));
		if (c->woken > 0)
			c->woken--;
		if (c->woken > c->waiter_count)
			c->woken = c->waiter_count;
		return;
	}
}

static void cond_wait(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_thread *t = step->thread;
	struct model_cond *c = &step->object->detail->cond;
	uint32_t index = model_hold_index(t, event->other);

	if (t->waiting.cond && model_get_object(m, t->waiting.cond)->detail &&
	    model_get_object(m, t->waiting.cond)->kind == TRACE_OBJECT_COND)
		remove_waiter(&model_get_object(m, t->waiting.cond)->detail->cond, t->id);
	t->waiting = (struct model_waiting){ .cond = event->object,
					     .mutex = event->other,
					     .mode = (uint32_t)event->arg,
					     .site = site_of(event) };
	if (index != UINT32_MAX && t->held[index].depth > 1) {
		/*
		 * glibc gives up one level only: a recursive mutex taken twice stays locked during
		 * the wait.
		 */
		t->held[index].depth--;
		t->waiting.was_held = true;
		t->waiting.saved = t->held[index];
		step->flags |= MODEL_STEP_DEPTH;
	} else if (index != UINT32_MAX) {
		step->released = model_hold_remove(m, t, index);
		step->loser = t;
		step->flags |= MODEL_STEP_RELEASED;
		t->waiting.was_held = true;
		t->waiting.saved = step->released;
	}
	c->waiter =
		model_grow(c->waiter, &c->waiter_capacity, c->waiter_count + 1, sizeof(*c->waiter));
	c->waiter[c->waiter_count++] =
		(struct model_cond_waiter){ .site = site_of(event),
					    .mutex = event->other,
					    .timed = event->arg & TRACE_MODE_TIMED };
	c->waits++;
}

/*
 * Is the mutex held after a wait that ended with `result`? An error means that nothing was ever
 * released.
 */
static bool held_after_wait(const struct model_waiting *w, int result)
{
	return w->was_held || result == 0 || result == ETIMEDOUT;
}

static void cond_wake(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_thread *t = step->thread;
	struct model_object *mutex = model_get_object(m, event->other);
	struct model_waiting w = t->waiting;
	struct model_held hold = { .object = event->other,
				   .stack = event->stack,
				   .depth = 1,
				   .flags = MODEL_HOLD_REACQUIRED,
				   .time_ns = event->time_ns };

	t->waiting.cond = 0;
	remove_waiter(&step->object->detail->cond, t->id);
	step->object->detail->cond.wakes++;
	if (w.cond != event->object || w.mutex != event->other)
		w = (struct model_waiting){ .cond = event->object,
					    .mutex = event->other,
					    .site = site_of(event) };
	step->waited = w;
	if (!mutex || !held_after_wait(&w, event->result))
		return;
	if (w.was_held && hold.stack == 0)
		hold.stack = w.saved.stack;
	if (w.was_held && event->result != 0 && event->result != ETIMEDOUT)
		hold = w.saved;
	if (model_hold_index(t, mutex->id) != UINT32_MAX) {
		t->held[model_hold_index(t, mutex->id)].depth++;
		step->flags |= MODEL_STEP_DEPTH;
		return;
	}
	if (mutex->owner && model_get_thread(m, mutex->owner)) {
		struct model_thread *owner = model_get_thread(m, mutex->owner);
		uint32_t index = model_hold_index(owner, mutex->id);

		if (index != UINT32_MAX) {
			step->released = model_hold_remove(m, owner, index);
			step->loser = owner;
			step->flags |= MODEL_STEP_TAKEN_OVER;
		}
	}
	model_hold_push(t, mutex, &hold);
	step->flags |= MODEL_STEP_HOLD;
}

static void cond_signal(const struct trace_event *event, struct model_step *step)
{
	struct model_cond *c = &step->object->detail->cond;

	c->last_signal = site_of(event);
	c->last_was_broadcast = event->op == TRACE_COND_BROADCAST;
	c->last_waiters = (uint32_t)(event->arg < UINT32_MAX ? event->arg : UINT32_MAX);
	model_actors_add(&c->signallers, event);
	if (c->last_was_broadcast)
		c->broadcasts++;
	else
		c->signals++;
	if (c->last_was_broadcast)
		c->woken = c->waiter_count;
	else if (c->woken < c->waiter_count)
		c->woken++;
	if (event->arg == 0 && c->waiter_count == 0) {
		c->unheard++;
		c->last_unheard = c->last_signal;
		step->flags |= MODEL_STEP_NO_WAITER;
	}
}

void model_sync_cond(struct model *m, const struct trace_event *event, struct model_step *step)
{
	model_touch_detail(step->object); /* may be back after GONE */
	step->other = model_get_object(m, event->other);
	if (step->other && !(step->other->flags & MODEL_TOUCHED)) {
		/* First seen as the mutex of a wait. */
		const struct trace_object *defined =
			m->process->objects ? &m->process->objects[event->other] : NULL;

		step->other->id = event->other;
		step->other->kind = defined && defined->kind ? (uint8_t)defined->kind
							     : TRACE_OBJECT_MUTEX;
		step->other->flags |= MODEL_TOUCHED;
		model_sync_init(step->other, defined ? defined->attributes : 0,
				defined && !(defined->attributes & TF_ATTRIBUTES_UNKNOWN));
	}
	switch (event->op) {
	case TRACE_COND_WAIT:
		cond_wait(m, event, step);
		break;
	case TRACE_COND_WAKE:
		cond_wake(m, event, step);
		break;
	default:
		cond_signal(event, step);
		break;
	}
}

/* ---- semaphores ---- */

/* It signals: whoever the model took for its holder holds nothing. */
static void demote(struct model *m, struct model_step *step)
{
	model_hold_drop_all(m, step->object, step);
	step->object->flags &= (uint16_t)~MODEL_SEM_LOCK;
	step->flags |= MODEL_STEP_SEM_DEMOTED;
}

static uint32_t permit_index(const struct model_thread *t, uint32_t object)
{
	for (uint32_t i = 0; i < t->permit_count; i++)
		if (t->permit[i].object == object)
			return i;
	return UINT32_MAX;
}

static void take_permit(struct model_thread *t, uint32_t object)
{
	uint32_t index = permit_index(t, object);

	if (index != UINT32_MAX) {
		t->permit[index].count++;
		return;
	}
	t->permit =
		model_grow(t->permit, &t->permit_capacity, t->permit_count + 1, sizeof(*t->permit));
	t->permit[t->permit_count++] = (struct model_permit){ object, 1 };
	t->held_hash ^= model_permit_hash(object);
}

/*
 * A post by a thread that took none: the semaphore signals. Permits of others are void from then
 * on.
 */
static void give_permit(struct model_thread *t, struct model_object *o)
{
	uint32_t index = permit_index(t, o->id);

	if (index == UINT32_MAX) {
		o->flags &= (uint16_t)~MODEL_SEM_PERMITS;
		return;
	}
	if (--t->permit[index].count > 0)
		return;
	t->permit[index] = t->permit[--t->permit_count];
	t->held_hash ^= model_permit_hash(o->id);
}

static void sem_take(struct model *m, const struct trace_event *event, struct model_step *step,
		     uint32_t flags)
{
	struct model_object *o = step->object;

	o->detail->sem.value--;
	model_actors_add(&o->detail->sem.takers, event);
	if (o->flags & MODEL_SEM_PERMITS)
		take_permit(step->thread, o->id);
	if (!(o->flags & MODEL_SEM_LOCK))
		return;
	if (o->owner)
		demote(m, step); /* two holders at once: it counts */
	else
		model_hold_acquire(m, event, step, flags & ~(uint32_t)MODEL_HOLD_SHARED);
}

static void sem_post(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_object *o = step->object;
	uint32_t index = model_hold_index(step->thread, o->id);

	o->detail->sem.value++;
	model_actors_add(&o->detail->sem.posters, event);
	if (o->flags & MODEL_SEM_PERMITS)
		give_permit(step->thread, o);
	if (!(o->flags & MODEL_SEM_LOCK))
		return;
	if (index == UINT32_MAX) {
		demote(m, step);
		return;
	}
	step->released = model_hold_remove(m, step->thread, index);
	step->loser = step->thread;
	step->flags |= MODEL_STEP_RELEASED;
}

void model_sync_sem(struct model *m, const struct trace_event *event, struct model_step *step,
		    uint32_t flags)
{
	model_touch_detail(step->object);
	if (event->op == TRACE_POST)
		sem_post(m, event, step);
	else
		sem_take(m, event, step, flags);
}

/* ---- barriers ---- */

static uint32_t arrival_index(const struct model_barrier *b, uint32_t thread)
{
	for (uint32_t i = 0; i < b->arrival_count; i++)
		if (b->arrival[i].site.thread == thread)
			return i;
	return UINT32_MAX;
}

static void add_leaving(struct model_barrier *b, const struct model_arrival *a)
{
	b->leaver = model_grow(b->leaver, &b->leaver_capacity, b->leaving + 1, sizeof(*b->leaver));
	b->leaver[b->leaving++] = *a;
}

static bool remove_leaving(struct model_barrier *b, uint32_t thread)
{
	for (uint32_t i = 0; i < b->leaving; i++)
		if (b->leaver[i].site.thread == thread) {
			b->leaving--;
			memmove(&b->leaver[i], &b->leaver[i + 1],
				(b->leaving - i) * sizeof(*b->leaver));
			return true;
		}
	return false;
}

static void remove_arrival(struct model_barrier *b, uint32_t index)
{
	b->arrival_count--;
	memmove(&b->arrival[index], &b->arrival[index + 1],
		(b->arrival_count - index) * sizeof(*b->arrival));
}

static void barrier_arrive(struct model *m, const struct trace_event *event,
			   struct model_step *step)
{
	struct model_barrier *b = &step->object->detail->barrier;

	step->thread->at_barrier = event->object;
	model_actors_add(&b->users, event);
	if (b->late > 0 && arrival_index(b, event->thread) == UINT32_MAX) {
		/* Others of its generation already left, as their clocks have it. */
		b->late--;
		add_leaving(b, &(struct model_arrival){ .site = site_of(event) });
		model_order_late(m, b, step->thread);
		return;
	}
	if (arrival_index(b, event->thread) != UINT32_MAX)
		return;
	b->arrival = model_grow(b->arrival, &b->arrival_capacity, b->arrival_count + 1,
				sizeof(*b->arrival));
	b->arrival[b->arrival_count++].site = site_of(event);
}

/*
 * A thread that arrived and comes out: its generation is complete, however many arrivals were seen. Of more than it takes, the
 * first that came are of it, and this one; should another one of the rest come out, too, they change places.
 */
static void complete_generation(struct model *m, struct model_barrier *b, uint32_t index)
{
	uint32_t arrived = b->arrival_count;

	if (b->count && arrived > b->count) {
		if (index >= b->count) {
			struct model_arrival own = b->arrival[index];

			b->arrival[index] = b->arrival[b->count - 1];
			b->arrival[b->count - 1] = own;
		}
		b->arrival_count = b->count;
	}
	model_order_barrier(m, b);
	b->generation++;
	b->late = b->count > b->arrival_count ? b->count - b->arrival_count : 0;
	b->leaving = 0;
	for (uint32_t i = 0; i < b->arrival_count; i++)
		add_leaving(b, &b->arrival[i]);
	memmove(b->arrival, &b->arrival[b->arrival_count],
		(arrived - b->arrival_count) * sizeof(*b->arrival));
	b->arrival_count = arrived - b->arrival_count;
}

/* The generation that it is thought to be of cannot be complete: it is of the last one, another one is not. */
static bool is_of_last_generation(struct model *m, struct model_barrier *b, uint32_t index)
{
	if (!b->leaving || b->arrival_count >= b->count)
		return false;
	model_order_late(m, b, model_get_thread(m, b->arrival[index].site.thread));
	b->arrival[index] = b->leaver[--b->leaving];
	return true;
}

static void barrier_leave(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_barrier *b = &step->object->detail->barrier;
	uint32_t index = arrival_index(b, event->thread);

	step->thread->at_barrier = 0;
	if (index == UINT32_MAX) {
		remove_leaving(b, event->thread);
		return;
	}
	if (event->result != 0 && event->result != -1 /* PTHREAD_BARRIER_SERIAL_THREAD */) {
		remove_arrival(b, index); /* refused: it never took part */
		return;
	}
	if (is_of_last_generation(m, b, index))
		return;
	complete_generation(m, b, index);
	remove_leaving(b, event->thread);
	step->flags |= MODEL_STEP_GENERATION;
}

void model_sync_barrier(struct model *m, const struct trace_event *event, struct model_step *step)
{
	model_touch_detail(step->object);
	if (event->op == TRACE_BARRIER_ARRIVE)
		barrier_arrive(m, event, step);
	else
		barrier_leave(m, event, step);
}

/* ---- bounded mode ---- */

void model_sync_held(struct model_thread *t, const struct model_object *o, uint32_t count)
{
	for (uint32_t i = 0; o->flags & MODEL_SEM_PERMITS && i < count && i < 1024; i++)
		take_permit(t, o->id);
}

void model_sync_once_held(struct model_object *o, const struct model_site *site)
{
	if (o->kind == TRACE_OBJECT_ONCE || o->kind == TRACE_OBJECT_GUARD) {
		model_touch_detail(o)->once.state = MODEL_ONCE_RUNNING;
		o->detail->once.runner = *site;
	}
}

void model_sync_leave(struct model *m, struct model_thread *t, struct model_step *step)
{
	struct model_object *cond = model_get_object(m, t->waiting.cond);
	struct model_object *barrier = model_get_object(m, t->at_barrier);

	step->waited = t->waiting;
	t->waiting = (struct model_waiting){ .cond = 0 };
	if (cond && cond->detail && cond->kind == TRACE_OBJECT_COND)
		remove_waiter(&cond->detail->cond, t->id);
	t->at_barrier = 0;
	if (barrier && barrier->detail && barrier->kind == TRACE_OBJECT_BARRIER) {
		struct model_barrier *b = &barrier->detail->barrier;
		uint32_t index = arrival_index(b, t->id);

		if (index != UINT32_MAX)
			remove_arrival(b, index);
	}
}

/* ---- once and static initialiser guards ---- */

void model_sync_once(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_once *once = &model_touch_detail(step->object)->once;

	step->thread->request.object = 0;
	switch (event->op) {
	case TRACE_ONCE_BEGIN:
		once->state = MODEL_ONCE_RUNNING;
		once->runner = site_of(event);
		model_hold_acquire(m, event, step, 0);
		break;
	case TRACE_ONCE_END:
		once->state = event->arg == 0 ? MODEL_ONCE_DONE : MODEL_ONCE_NEW;
		model_hold_release(m, event, step);
		break;
	default: /* ONCE_PASS */
		if (once->state == MODEL_ONCE_NEW)
			once->state = MODEL_ONCE_DONE;
		break;
	}
}
