/* SPDX-License-Identifier: MIT */
/*
 * model.c - the tables of the model and the dispatch of events; what an event does is in the other
 * files.
 */
#include "model_internal.h"

/* Hold flags of the plain acquire ops, by op number. */
static const uint8_t acquire_flags[TF_OPS] = {
	[TRACE_ACQUIRE] = 0x80,
	[TRACE_ACQUIRE_SHARED] = 0x80 | MODEL_HOLD_SHARED,
	[TRACE_ACQUIRE_TRY] = 0x80 | MODEL_HOLD_TRY,
	[TRACE_ACQUIRE_TRY_SHARED] = 0x80 | MODEL_HOLD_TRY | MODEL_HOLD_SHARED,
	[TRACE_ACQUIRE_TIMED] = 0x80 | MODEL_HOLD_TIMED,
	[TRACE_ACQUIRE_TIMED_SHARED] = 0x80 | MODEL_HOLD_TIMED | MODEL_HOLD_SHARED,
};

struct model *model_new(const struct trace_process *process)
{
	struct model *m = model_allocate(1, sizeof(*m));

	m->process = process;
	m->object_count = process->object_count ? process->object_count : 1;
	m->objects = model_allocate(m->object_count, sizeof(*m->objects));
	m->thread_count = process->thread_count ? process->thread_count : 1;
	m->threads = model_allocate(m->thread_count, sizeof(struct model_thread *));
	m->order = model_order_new();
	m->sets = model_sets_new();
	m->wait_index = model_allocate(m->thread_count, sizeof(*m->wait_index));
	for (size_t i = 0; i < process->wait_count; i++) {
		const struct trace_wait_state *w = &process->waits[i];

		if (w->thread < m->thread_count && w->wait.kind != TRACE_WAIT_NONE)
			m->wait_index[w->thread] = (uint32_t)i + 1;
	}
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->object_count; i++)
		model_release_detail(&m->objects[i]);
	for (size_t i = 0; i < m->thread_count; i++) {
		if (!m->threads[i])
			continue;
		free(m->threads[i]->held);
		free(m->threads[i]->permit);
		free(m->threads[i]);
	}
	model_tasks_free(m);
	model_loops_free(m->loops);
	model_order_free(m->order);
	model_sets_free(m->sets);
	model_streams_free(m->streams);
	free(m->wait_index);
	free(m->objects);
	free(m->threads);
	free(m);
}

struct model_thread *model_touch_thread(struct model *m, uint32_t id)
{
	struct model_thread *t;

	if (id == 0 || id >= m->thread_count)
		return NULL;
	t = m->threads[id];
	if (t)
		return t;
	t = model_allocate(1, sizeof(*t));
	t->id = id;
	t->detached = m->process->threads && (m->process->threads[id].flags & TF_THREAD_DETACHED);
	if (m->process->threads && m->process->threads[id].flags & TF_THREAD_MAIN)
		t->signal_mask = m->process->boot_signal_mask;
	m->threads[id] = t;
	return t;
}

struct model_detail *model_touch_detail(struct model_object *o)
{
	if (!o->detail)
		o->detail = model_allocate(1, sizeof(*o->detail));
	return o->detail;
}

void model_release_detail(struct model_object *o)
{
	if (!o->detail)
		return;
	model_sync_release(o);
	free(o->detail);
	o->detail = NULL;
}

/* Linear in actors, but the usual actor is the one of last time. */
void model_actors_add(struct model_actors *actors, const struct trace_event *event)
{
	struct model_actor *actor = NULL;

	if (actors->recent < actors->count &&
	    actors->actor[actors->recent].last.thread == event->thread) {
		actor = &actors->actor[actors->recent];
	} else {
		for (uint32_t i = 0; i < actors->count && !actor; i++)
			if (actors->actor[i].last.thread == event->thread) {
				actor = &actors->actor[i];
				actors->recent = i;
			}
	}
	if (!actor) {
		actors->actor = model_grow(actors->actor, &actors->capacity, actors->count + 1,
					   sizeof(*actors->actor));
		actors->recent = actors->count;
		actor = &actors->actor[actors->count++];
		memset(actor, 0, sizeof(*actor));
	}
	actor->last.thread = event->thread;
	actor->last.stack = event->stack;
	actor->last.time_ns = event->time_ns;
	actor->count++;
}

/* The kind an operation implies, for ids whose definition was lost. */
static uint8_t kind_of_op(unsigned op)
{
	switch (op) {
	case TRACE_COND_WAIT:
	case TRACE_COND_WAKE:
	case TRACE_COND_SIGNAL:
	case TRACE_COND_BROADCAST:
		return TRACE_OBJECT_COND;
	case TRACE_POST:
		return TRACE_OBJECT_SEM;
	case TRACE_BARRIER_ARRIVE:
	case TRACE_BARRIER_LEAVE:
		return TRACE_OBJECT_BARRIER;
	case TRACE_ONCE_BEGIN:
	case TRACE_ONCE_END:
	case TRACE_ONCE_PASS:
		return TRACE_OBJECT_ONCE;
	case TRACE_ACQUIRE_SHARED:
	case TRACE_ACQUIRE_TRY_SHARED:
	case TRACE_ACQUIRE_TIMED_SHARED:
		return TRACE_OBJECT_RWLOCK;
	case TRACE_TASK_NEW:
	case TRACE_TASK_ARM:
	case TRACE_LOOP:
		return TRACE_OBJECT_LOOP;
	default: /* not an enum: any byte of a file */
		return TRACE_OBJECT_MUTEX;
	}
}

/* Bounded mode: its INIT is in the definition. */
static void meet_initialised(struct model_object *o, const struct trace_object *defined)
{
	model_touch_detail(o)->init =
		(struct model_site){ defined->thread, defined->stack, defined->time_ns };
	o->detail->init_epoch = UINT32_MAX; /* whether it is brand new, its holds say */
	o->flags |= MODEL_INIT;
	if (o->only_thread == 0)
		o->only_thread = defined->thread;
}

static void meet_object(struct model *m, struct model_object *o, uint32_t id, unsigned op)
{
	const struct trace_object *defined = m->process->objects ? &m->process->objects[id] : NULL;
	bool known = defined && defined->kind && !(defined->attributes & TF_ATTRIBUTES_UNKNOWN);

	o->id = id;
	o->kind = defined && defined->kind && defined->kind <= UINT8_MAX ? (uint8_t)defined->kind
									 : kind_of_op(op);
	o->flags |= MODEL_TOUCHED;
	/* An INIT says it itself, unless it failed. */
	known = known && op != TRACE_INIT;
	model_sync_init(o, known ? defined->attributes : 0, known);
	if (defined && defined->initialised && op != TRACE_INIT)
		meet_initialised(o, defined);
}

/*
 * Follows who uses the object; the second thread's way to it is kept for the brand-new-object rule
 * of lock_order.
 */
static void touch_object(struct model *m, struct model_object *o, const struct trace_event *event,
			 struct model_step *step)
{
	if (!(o->flags & MODEL_TOUCHED))
		meet_object(m, o, event->object, event->op);
	if (o->flags & MODEL_DESTROYED) {
		/*
		 * glibc (2.31 to 2.36) refuses every call on a destroyed mutex with EINVAL: a
		 * success means that the memory was initialised again by assignment, which nobody
		 * can see. The other kinds go on as if nothing was.
		 */
		if (o->kind == TRACE_OBJECT_MUTEX &&
		    (acquire_flags[event->op] || event->op == TRACE_RELEASE))
			o->flags &= (uint16_t)~MODEL_DESTROYED;
		else
			step->flags |= MODEL_STEP_AFTER_DESTROY;
	}
	if (o->only_thread == step->thread->id || o->only_thread == MODEL_MANY_THREADS ||
	    event->op == TRACE_GONE)
		return;
	if (o->only_thread == 0) {
		o->only_thread = step->thread->id;
		return;
	}
	o->only_thread = MODEL_MANY_THREADS;
	o->second_set = model_intern_set(m, step->thread, 0);
	step->flags |= MODEL_STEP_NOW_SHARED;
}

static void apply_request(const struct trace_event *event, struct model_step *step)
{
	struct model_request *r = &step->thread->request;

	*r = (struct model_request){ .object = event->object,
				     .stack = event->stack,
				     .mode = (uint32_t)event->arg,
				     .holder = event->other,
				     .time_ns = event->time_ns };
	if (!(r->mode & TRACE_MODE_SHARED) && step->object->kind == TRACE_OBJECT_RWLOCK)
		step->object->flags |= MODEL_EVER_WRITTEN;
}

static void answer_request(struct model_step *step)
{
	struct model_thread *t = step->thread;

	if (t->request.object == 0)
		return;
	/* Whatever it waited for, it waits no longer: a thread does one thing at a time. */
	if (t->request.object == step->object->id) {
		step->request = t->request;
		step->flags |= MODEL_STEP_REQUESTED;
	}
	t->request.object = 0;
}

static void apply_init(const struct trace_event *event, struct model_step *step)
{
	struct model_object *o = step->object;
	struct model_detail *detail;

	if (event->result != 0)
		return;
	model_sync_init(o, (uint32_t)event->arg, true);
	detail = model_touch_detail(o);
	detail->init = (struct model_site){ event->thread, event->stack, event->time_ns };
	detail->init_epoch = step->thread->epoch;
	o->flags = (uint16_t)((o->flags & ~MODEL_DESTROYED) | MODEL_INIT);
}

static void apply_destroy(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_detail *detail;

	if (event->result != 0)
		return;
	model_hold_drop_all(m, step->object, step);
	detail = model_touch_detail(step->object);
	detail->destroy = (struct model_site){ event->thread, event->stack, event->time_ns };
	detail->destroy_bits = event->arg;
	step->object->flags |= MODEL_DESTROYED;
}

static void apply_gone(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_object *o = step->object;
	bool waited = o->detail &&
		      ((o->kind == TRACE_OBJECT_COND && o->detail->cond.waiter_count) ||
		       (o->kind == TRACE_OBJECT_BARRIER && o->detail->barrier.arrival_count));

	model_hold_drop_all(m, o, step);
	o->flags |= MODEL_GONE;
	if (waited)
		o->detail->gone = event->arg;
	else
		model_release_detail(o);
}

static void apply_acquire_fail(const struct trace_event *event, struct model_step *step)
{
	answer_request(step);
	if (!(event->arg & (TRACE_MODE_SHARED | TRACE_MODE_TRY)) &&
	    step->object->kind == TRACE_OBJECT_RWLOCK)
		step->object->flags |= MODEL_EVER_WRITTEN;
}

/* Acquires of anything: semaphores count, the rest is held. A lock of tasks is no thread's: checkers/task_locks.c. */
static void apply_acquire(struct model *m, const struct trace_event *event, struct model_step *step,
			  uint32_t flags)
{
	if (step->thread->request.object)
		answer_request(step);
	if (__builtin_expect(step->object->kind == TRACE_OBJECT_SEM, 0))
		model_sync_sem(m, event, step, flags);
	else if (!model_object_is_of_tasks(m, event->object))
		model_hold_acquire(m, event, step, flags);
}

static uint32_t flags_of_mode(uint64_t mode)
{
	return (mode & TRACE_MODE_SHARED ? MODEL_HOLD_SHARED : 0) |
	       (mode & TRACE_MODE_TRY ? MODEL_HOLD_TRY : 0) |
	       (mode & TRACE_MODE_TIMED ? MODEL_HOLD_TIMED : 0);
}

/* Events about one object. */
static void apply_to_object(struct model *m, const struct trace_event *event,
			    struct model_step *step)
{
	switch (event->op) {
	case TRACE_REQUEST:
		apply_request(event, step);
		break;
	case TRACE_ACQUIRE_FAIL:
		apply_acquire_fail(event, step);
		break;
	case TRACE_ACQUIRE_OWNERDEAD:
		apply_acquire(m, event, step, flags_of_mode(event->arg) | MODEL_HOLD_OWNERDEAD);
		break;
	case TRACE_RELEASE_ODD:
		model_hold_release_odd(m, event, step);
		break;
	case TRACE_HELD:
		model_hold_held(m, event, step);
		break;
	case TRACE_CONSISTENT: {
		uint32_t index = model_hold_index(step->thread, event->object);

		if (index != UINT32_MAX && event->result == 0)
			step->thread->held[index].flags &= ~(uint32_t)MODEL_HOLD_OWNERDEAD;
		break;
	}
	case TRACE_INIT:
		apply_init(event, step);
		break;
	case TRACE_DESTROY:
		apply_destroy(m, event, step);
		break;
	case TRACE_HAND_OVER:
		model_hold_hand_over(m, event, step);
		break;
	case TRACE_GONE:
		apply_gone(m, event, step);
		break;
	case TRACE_COND_WAIT:
	case TRACE_COND_WAKE:
	case TRACE_COND_SIGNAL:
	case TRACE_COND_BROADCAST:
		if (step->object->kind == TRACE_OBJECT_COND)
			model_sync_cond(m, event, step);
		break;
	case TRACE_POST:
		if (step->object->kind == TRACE_OBJECT_SEM)
			model_sync_sem(m, event, step, 0);
		break;
	case TRACE_BARRIER_ARRIVE:
	case TRACE_BARRIER_LEAVE:
		if (step->object->kind == TRACE_OBJECT_BARRIER)
			model_sync_barrier(m, event, step);
		break;
	case TRACE_ONCE_BEGIN:
	case TRACE_ONCE_END:
	case TRACE_ONCE_PASS:
		if (step->object->kind == TRACE_OBJECT_ONCE ||
		    step->object->kind == TRACE_OBJECT_GUARD)
			model_sync_once(m, event, step);
		break;
	default: /* not an enum: any byte of a file */
		break;
	}
}

static void begin_step(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_thread *t = model_get_thread(m, event->thread);

	step->flags = 0;
	step->owner_before = 0;
	step->object = NULL;
	step->other = NULL;
	step->peer = NULL;
	step->loser = NULL;
	m->events++;
	m->now_ns = event->time_ns;
	if (__builtin_expect(!t, 0))
		t = model_touch_thread(m, event->thread);
	step->thread = t;
	if (__builtin_expect(!t, 0))
		return;
	if (__builtin_expect(t->events == 0, 0)) {
		t->first_ns = event->time_ns;
		if (t->state == MODEL_THREAD_UNSEEN || t->state == MODEL_THREAD_CREATED)
			t->state = MODEL_THREAD_RUNNING;
	}
	t->last_ns = event->time_ns;
	t->events++;
}

void model_apply(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_object *o;

	begin_step(m, event, step);
	if (!step->thread || event->op >= TF_OPS)
		return;
	o = model_get_object(m, event->object);
	if (__builtin_expect((event->op >= TRACE_TASK_NEW && event->op <= TRACE_TURN) ||
				     event->op == TRACE_WOKEN,
			     0)) {
		step->object = o;
		if (o && !(o->flags & MODEL_TOUCHED))
			meet_object(m, o, event->object, event->op);
		model_loops_apply(m, event, step);
		return;
	}
	if (!o) {
		model_thread_apply(m, event, step);
		return;
	}
	step->object = o;
	if (__builtin_expect(o->only_thread != step->thread->id || (o->flags & MODEL_DESTROYED), 0))
		touch_object(m, o, event, step);
	step->owner_before = o->owner;
	if (__builtin_expect(o->flags & MODEL_OWNER_LOST, 0))
		step->flags |= MODEL_STEP_OWNER_LOST;
	if (acquire_flags[event->op])
		apply_acquire(m, event, step, acquire_flags[event->op] & 0x7fu);
	else if (event->op == TRACE_RELEASE && !model_object_is_of_tasks(m, event->object))
		model_hold_release(m, event, step);
	else
		apply_to_object(m, event, step);
}

struct model_thread *model_finish(struct model *m)
{
	while (m->finish_cursor < m->thread_count) {
		struct model_thread *t = m->threads[m->finish_cursor++];

		if (t && (t->state == MODEL_THREAD_ENDED ||
			  (t->joined && t->state == MODEL_THREAD_RUNNING))) {
			t->state = MODEL_THREAD_OVER;
			return t;
		}
	}
	return NULL;
}

const struct trace_wait_state *model_get_wait(const struct model *m, uint32_t thread)
{
	if (thread == 0 || thread >= m->thread_count || m->wait_index[thread] == 0)
		return NULL;
	return &m->process->waits[m->wait_index[thread] - 1];
}

bool model_object_is_lock(const struct model_object *object)
{
	if (object->kind == TRACE_OBJECT_SEM)
		return object->flags & MODEL_SEM_LOCK;
	return trace_object_kind_is_lock(object->kind);
}

bool model_object_prefers_writer(const struct model_object *object)
{
	return object->kind == TRACE_OBJECT_RWLOCK && (object->flags & MODEL_ATTRIBUTES) &&
	       (object->attributes & TF_MUTEX_TYPE_MASK) == 2;
}
