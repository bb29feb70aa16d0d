/* SPDX-License-Identifier: MIT */
/*
 * recorded.c - takes events and accesses in, in the order in which the replay lets them out.
 */
#include "recorded_private.h"

#include "../predict/room.h"

#include <errno.h>

#define RAW_MOST (UINT64_C(1) << 26)

/* ---- life ---- */

struct recorded *recorded_new(const struct trace_process *process, struct trace_memory *memory)
{
	struct recorded *r = room_new(1, sizeof(*r));
	size_t threads = process->thread_count + 1;

	r->process = process;
	r->hb = happens_before_new(process);
	r->known = known_new(r->hb, threads);
	r->rounds = barrier_rounds_new(process->object_count + 1);
	r->object = room_new(process->object_count + 1, sizeof(*r->object));
	r->cond_depth = room_new(threads, sizeof(*r->cond_depth));
	r->number = room_new(threads, sizeof(*r->number));
	r->place_now = room_new(threads, sizeof(*r->place_now));
	r->is_begun = room_new(threads, sizeof(*r->is_begun));
	r->has_memory = memory != NULL;
	for (size_t i = 1; process->objects && i < process->object_count; i++) {
		r->object[i].is_semaphore = process->objects[i].kind == TRACE_OBJECT_SEM;
		r->object[i].is_plain_semaphore = true;
		r->object[i].is_shared = process->objects[i].identity != NULL;
	}
	recorded_place_event(r, 0, 0, 0); /* number 0: none is known */
	if (memory)
		recorded_note_cells(r, memory);
	return r;
}

void recorded_free(struct recorded *r)
{
	if (!r)
		return;
	happens_before_free(r->hb);
	known_free(r->known);
	barrier_rounds_free(r->rounds);
	cells_release(&r->cells);
	for (size_t i = 0; i < r->blocks; i++)
		free(r->raw[i]);
	free(r->raw);
	free(r->object);
	free(r->hold);
	free(r->cond_depth);
	free(r->number);
	free(r->place_now);
	free(r->is_begun);
	free(r->time);
	free(r->cell);
	predict_sequence_release(&r->sequence);
	free(r);
}

/* ---- one more ---- */

void recorded_add(struct recorded *r, uint32_t thread, enum raw_op op, uint32_t object, bool shared)
{
	size_t at;

	if (r->count >= RAW_MOST) {
		r->flaw = "there are more events than are looked at";
		return;
	}
	at = r->count++ % RAW_BLOCK;
	if (!at) {
		r->raw = room_for(r->raw, r->blocks, 1, &r->block_capacity, sizeof(*r->raw));
		r->raw[r->blocks++] = room_new(RAW_BLOCK, sizeof(struct raw));
	}
	r->raw[r->blocks - 1][at] = (struct raw){ .thread = recorded_thread_of(r, thread),
						  .object = object,
						  .place = r->place_now[thread],
						  .op = (uint8_t)op,
						  .shared = shared };
}

void recorded_signal(struct recorded *r, uint32_t thread, bool posts, enum recorded_lock_kind kind,
		     uint64_t id, uint32_t part)
{
	recorded_add(r, thread, posts ? RAW_POST : RAW_TAKE, recorded_lock_of(r, kind, id, part),
		     false);
}

/* From here on it is not certain what the thread does. */
static void doubt(struct recorded *r, uint32_t thread)
{
	known_not(r->known, thread, r->count);
}

static void doubt_all(struct recorded *r)
{
	for (uint32_t t = 1; t < r->process->thread_count; t++)
		doubt(r, t);
}

/* ---- locks ---- */

static struct shared_hold *hold_of(struct recorded *r, uint32_t thread, uint32_t object)
{
	for (size_t i = r->hold_count; i-- > 0;)
		if (r->hold[i].thread == thread && r->hold[i].object == object)
			return &r->hold[i];
	return NULL;
}

static void add_lock_event(struct recorded *r, uint32_t thread, enum raw_op op, uint32_t object,
			   bool shared)
{
	struct recorded_object *o = &r->object[object];

	if (!o->lock)
		o->lock = recorded_lock_of(r, RECORDED_OBJECT, object, 0) + 1;
	recorded_add(r, thread, op, o->lock - 1, shared);
}

static void drop_exclusive(struct recorded *r, uint32_t object)
{
	struct recorded_object *o = &r->object[object];

	if (o->owner)
		add_lock_event(r, o->owner, RAW_RELEASE, object, false);
	o->owner = o->depth = 0;
}

static void acquire_shared(struct recorded *r, uint32_t thread, enum raw_op op, uint32_t object)
{
	struct recorded_object *o = &r->object[object];
	struct shared_hold *h = hold_of(r, thread, object);
	uint32_t reader = recorded_thread_of(r, thread), i = 0;

	if (h) {
		h->depth++;
		return;
	}
	r->hold = room_for(r->hold, r->hold_count, 1, &r->hold_capacity, sizeof(*r->hold));
	r->hold[r->hold_count++] = (struct shared_hold){ thread, object, 1 };
	while (i < o->readers && i < READERS_MOST && o->reader[i] != reader)
		i++;
	if (i == o->readers && i < READERS_MOST)
		o->reader[i] = reader;
	o->readers += i == o->readers;
	add_lock_event(r, thread, op, object, true);
}

static void acquire_exclusive(struct recorded *r, uint32_t thread, enum raw_op op, uint32_t object)
{
	struct recorded_object *o = &r->object[object];

	if (o->owner == thread) {
		o->depth++;
		return;
	}
	/* Something was missed: nobody gave it back. */
	if (o->owner) {
		doubt_all(r);
		drop_exclusive(r, object);
	}
	o->owner = thread;
	o->depth = 1;
	add_lock_event(r, thread, op, object, false);
}

static void take_semaphore(struct recorded *r, uint32_t thread, bool waits, uint32_t object)
{
	struct recorded_object *o = &r->object[object];

	o->is_plain_semaphore |= o->owner != 0;
	o->owner = thread;
	add_lock_event(r, thread, waits ? RAW_SEM_TAKE : RAW_SEM_TRY, object, false);
}

static void acquire(struct recorded *r, const struct trace_event *e, bool shared, bool waits)
{
	enum raw_op op = waits ? RAW_ACQUIRE : RAW_TRY;
	struct recorded_object *o;

	if (!e->object)
		return;
	o = &r->object[e->object];
	if (o->is_shared) {
		recorded_signal(r, e->thread, false, RECORDED_SIGNAL, e->object, 0);
		doubt(r, e->thread);
	} else if (o->is_semaphore) {
		take_semaphore(r, e->thread, waits, e->object);
	} else if (shared) {
		acquire_shared(r, e->thread, op, e->object);
	} else {
		acquire_exclusive(r, e->thread, op, e->object);
	}
}

static void release_lock(struct recorded *r, uint32_t thread, uint32_t object)
{
	struct recorded_object *o = &r->object[object];
	struct shared_hold *h;

	if (!object)
		return;
	if (o->is_shared) {
		recorded_signal(r, thread, true, RECORDED_SIGNAL, object, 0);
		return;
	}
	h = hold_of(r, thread, object);
	if (h) {
		if (--h->depth)
			return;
		*h = r->hold[--r->hold_count];
		add_lock_event(r, thread, RAW_RELEASE, object, true);
	} else if (o->owner == thread) {
		if (!--o->depth)
			drop_exclusive(r, object);
	} else if (o->owner) {
		doubt_all(r);
		drop_exclusive(r, object);
	}
}

static void post(struct recorded *r, const struct trace_event *e)
{
	struct recorded_object *o = &r->object[e->object];

	if (o->is_shared) {
		recorded_signal(r, e->thread, true, RECORDED_SIGNAL, e->object, 0);
		return;
	}
	o->is_plain_semaphore |= o->owner != e->thread;
	o->owner = 0;
	add_lock_event(r, e->thread, RAW_SEM_POST, e->object, false);
}

static void init(struct recorded *r, const struct trace_event *e)
{
	struct recorded_object *o = &r->object[e->object];

	if (o->is_semaphore)
		o->is_plain_semaphore = e->arg != 1 || e->result || o->owner;
	else if (r->process->objects &&
		 r->process->objects[e->object].kind == TRACE_OBJECT_BARRIER && !o->is_shared &&
		 !e->result)
		barrier_rounds_init(r->rounds, e->object, e->arg);
}

static void request(struct recorded *r, const struct trace_event *e)
{
	if (!e->object || e->arg & (TRACE_MODE_TRY | TRACE_MODE_TIMED))
		return;
	add_lock_event(r, e->thread,
		       r->object[e->object].is_semaphore ? RAW_SEM_REQUEST : RAW_REQUEST, e->object,
		       e->arg & TRACE_MODE_SHARED);
}

/* What it answered depends on when it was asked. */
static void fail(struct recorded *r, const struct trace_event *e)
{
	if (e->result == EBUSY || e->result == EAGAIN || e->result == ETIMEDOUT ||
	    e->result == EINTR)
		doubt(r, e->thread);
}

/* ---- waits ---- */

static void begin_wait(struct recorded *r, const struct trace_event *e)
{
	struct recorded_object *o = &r->object[e->other];

	if (e->arg & TRACE_MODE_UNLOCKED || o->owner != e->thread)
		doubt(r, e->thread);
	r->cond_depth[e->thread] = o->owner == e->thread ? o->depth : 0;
	if (o->owner == e->thread)
		drop_exclusive(r, e->other);
	else
		release_lock(r, e->thread, e->other);
	recorded_signal(r, e->thread, false, RECORDED_SIGNAL, e->object, 0);
}

static void end_wait(struct recorded *r, const struct trace_event *e)
{
	if (e->result || e->arg)
		doubt(r, e->thread);
	if (!e->other || !r->cond_depth[e->thread])
		return;
	acquire_exclusive(r, e->thread, RAW_ACQUIRE, e->other);
	r->object[e->other].depth = r->cond_depth[e->thread];
}

static void arrive(struct recorded *r, const struct trace_event *e)
{
	unsigned round = barrier_rounds_arrive(r->rounds, e->object, e->thread);

	if (round != BARRIER_ROUNDS_ANY)
		recorded_signal(r, e->thread, true, RECORDED_ROUND, e->object, round);
	recorded_signal(r, e->thread, true, RECORDED_SIGNAL, e->object, 0);
}

static void leave(struct recorded *r, const struct trace_event *e)
{
	unsigned round = barrier_rounds_leave(r->rounds, e->object, e->thread, e->result);

	if (round != BARRIER_ROUNDS_ANY)
		recorded_signal(r, e->thread, false, RECORDED_ROUND, e->object, round);
	else
		recorded_signal(r, e->thread, false, RECORDED_SIGNAL, e->object, 0);
}

static void end_once(struct recorded *r, const struct trace_event *e)
{
	recorded_signal(r, e->thread, true, RECORDED_SIGNAL, e->object, 0);
	release_lock(r, e->thread, e->object);
}

static void pass_once(struct recorded *r, const struct trace_event *e)
{
	/* Its end was written down late. */
	if (r->object[e->object].owner) {
		doubt(r, e->thread);
	} else {
		acquire_exclusive(r, e->thread, RAW_ACQUIRE, e->object);
		release_lock(r, e->thread, e->object);
	}
	recorded_signal(r, e->thread, false, RECORDED_SIGNAL, e->object, 0);
}

/* ---- threads and tasks ---- */

static void begin_thread(struct recorded *r, uint32_t thread)
{
	if (r->is_begun[thread])
		return;
	r->is_begun[thread] = true;
	if (!r->process->threads || !(r->process->threads[thread].flags & TF_THREAD_FOREIGN))
		return;
	for (uint32_t t = 1; t < r->process->thread_count; t++)
		if (t != thread && r->is_begun[t])
			recorded_add(r, t, RAW_FORK, recorded_thread_of(r, thread), false);
}

static void on_task(struct recorded *r, const struct trace_event *e)
{
	switch (e->result) {
	case TRACE_TASK_CALLED:
	case TRACE_TASK_STARTED:
	case TRACE_TASK_RESUMED:
		recorded_signal(r, e->thread, false, RECORDED_TASK, e->arg, 0);
		break;
	case TRACE_TASK_CREATED:
	case TRACE_TASK_RETURNED:
	case TRACE_TASK_WORKED:
	case TRACE_TASK_SUSPENDED:
		recorded_signal(r, e->thread, true, RECORDED_TASK, e->arg, 0);
		break;
	default:
		break;
	}
}

static void on_access(struct recorded *r, const struct trace_event *e)
{
	if (e->arg & (TRACE_ACCESS_PUBLISH | TRACE_ACCESS_OBTAIN))
		recorded_signal(r, e->thread, e->arg & TRACE_ACCESS_PUBLISH, RECORDED_SIGNAL,
				e->object, 0);
}

static bool is_other_thread(const struct recorded *r, const struct trace_event *e)
{
	return e->result == 0 && e->arg && e->arg < r->process->thread_count && e->arg != e->thread;
}

static void apply_lock(struct recorded *r, const struct trace_event *e)
{
	switch (e->op) {
	case TRACE_REQUEST:
		request(r, e);
		break;
	case TRACE_ACQUIRE_OWNERDEAD:
		doubt(r, e->thread);
		acquire(r, e, false, false);
		break;
	case TRACE_ACQUIRE:
	case TRACE_ACQUIRE_SHARED:
		acquire(r, e, e->op == TRACE_ACQUIRE_SHARED, true);
		break;
	case TRACE_ACQUIRE_TRY:
	case TRACE_ACQUIRE_TIMED:
	case TRACE_ACQUIRE_TRY_SHARED:
	case TRACE_ACQUIRE_TIMED_SHARED:
		acquire(r, e,
			e->op == TRACE_ACQUIRE_TRY_SHARED || e->op == TRACE_ACQUIRE_TIMED_SHARED,
			false);
		break;
	case TRACE_RELEASE:
	case TRACE_RELEASE_ODD:
		release_lock(r, e->thread, e->object);
		break;
	case TRACE_ACQUIRE_FAIL:
		fail(r, e);
		break;
	case TRACE_INIT:
		init(r, e);
		break;
	case TRACE_POST:
		post(r, e);
		break;
	case TRACE_ONCE_BEGIN:
		acquire_exclusive(r, e->thread, RAW_ACQUIRE, e->object);
		break;
	case TRACE_ONCE_END:
		end_once(r, e);
		break;
	case TRACE_ONCE_PASS:
		pass_once(r, e);
		break;
	default:
		break;
	}
}

static void apply_other(struct recorded *r, const struct trace_event *e)
{
	switch (e->op) {
	case TRACE_COND_WAIT:
		begin_wait(r, e);
		break;
	case TRACE_COND_WAKE:
		end_wait(r, e);
		break;
	case TRACE_COND_SIGNAL:
	case TRACE_COND_BROADCAST:
	case TRACE_FUTEX_WAKE:
		recorded_signal(r, e->thread, true, RECORDED_SIGNAL, e->object, 0);
		break;
	case TRACE_FUTEX_WOKEN:
		recorded_signal(r, e->thread, false, RECORDED_SIGNAL, e->object, 0);
		break;
	case TRACE_BARRIER_ARRIVE:
		arrive(r, e);
		break;
	case TRACE_BARRIER_LEAVE:
		leave(r, e);
		break;
	case TRACE_CREATE:
	case TRACE_JOIN:
		if (is_other_thread(r, e))
			recorded_add(r, e->thread, e->op == TRACE_CREATE ? RAW_FORK : RAW_JOIN,
				     recorded_thread_of(r, (uint32_t)e->arg), false);
		else if (e->op == TRACE_JOIN && e->result)
			doubt(r, e->thread);
		break;
	case TRACE_TASK_NEW:
	case TRACE_TASK_ARM:
		recorded_signal(r, e->thread, true, RECORDED_TASK, e->arg, 0);
		break;
	case TRACE_TASK:
		on_task(r, e);
		break;
	case TRACE_ACCESS:
		on_access(r, e);
		break;
	case TRACE_LOST:
		barrier_rounds_lost(r->rounds);
		r->flaw = "events are missing";
		break;
	default:
		break;
	}
}

void recorded_event(struct recorded *r, const struct trace_event *e)
{
	if (!e->thread || e->thread >= r->process->thread_count ||
	    e->object >= r->process->object_count + 1)
		return;
	begin_thread(r, e->thread);
	if (e->stack)
		recorded_place_event(r, e->thread, e->stack, e->time_ns);
	apply_lock(r, e);
	apply_other(r, e);
	happens_before_apply(r->hb, e);
}
