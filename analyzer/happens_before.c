/* SPDX-License-Identifier: MIT */
/*
 * happens_before.c - vector clocks of threads, objects and tasks. Component t of a clock is the newest moment of thread t that came
 * before. A thread's own component grows at each release, so that what it does later is not taken for released.
 */
#include "happens_before.h"

#include "barrier_rounds.h"

#include <stdlib.h>
#include <string.h>

struct clock {
	uint32_t *at; /* owned; by thread */
	uint32_t count;
};

/* Tasks are many and short-lived: their clocks in a table that starts anew when full. */
struct task_clock {
	uint64_t task;
	struct clock clock;
};
enum { TASKS = 4096 };

/* What atomics order: of a memory trace only. */
struct address_clock {
	uint64_t key; /* 0 = empty */
	struct clock clock;
};

/* A shared hold: its release orders those that exclude it, not those that share. */
struct shared_hold {
	uint32_t thread, object;
};

struct happens_before {
	struct clock *thread, *object;	/* owned; by id */
	struct clock *shared;		/* owned; by object: what its shared releases published */
	struct clock *pending, *fenced; /* owned; by thread: see may_acquire_at, may_release_at */
	struct shared_hold *hold;	/* owned */
	size_t hold_count, hold_capacity;
	struct address_clock *address; /* owned; open addressing */
	size_t address_count, address_slots;
	struct clock *lane; /* owned; HAPPENS_BEFORE_LANES of each object; NULL = none was used */
	struct barrier_rounds *rounds;	    /* owned */
	const struct trace_thread *threads; /* borrowed from the process; may be NULL */
	const struct trace_object *objects; /* the same */
	size_t thread_count, object_count;
	struct task_clock task[TASKS];
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct happens_before *happens_before_new(const struct trace_process *process)
{
	struct happens_before *hb = checked(calloc(1, sizeof(*hb)));

	hb->thread_count = process->thread_count ? process->thread_count : 1;
	hb->object_count = process->object_count ? process->object_count : 1;
	hb->thread = checked(calloc(hb->thread_count, sizeof(*hb->thread)));
	hb->object = checked(calloc(hb->object_count, sizeof(*hb->object)));
	hb->shared = checked(calloc(hb->object_count, sizeof(*hb->shared)));
	hb->pending = checked(calloc(hb->thread_count, sizeof(*hb->pending)));
	hb->fenced = checked(calloc(hb->thread_count, sizeof(*hb->fenced)));
	hb->threads = process->threads;
	hb->objects = process->objects;
	hb->rounds = barrier_rounds_new(hb->object_count);
	return hb;
}

void happens_before_free(struct happens_before *hb)
{
	if (!hb)
		return;
	for (size_t i = 0; i < hb->thread_count; i++) {
		free(hb->thread[i].at);
		free(hb->pending[i].at);
		free(hb->fenced[i].at);
	}
	for (size_t i = 0; i < hb->object_count; i++) {
		free(hb->object[i].at);
		free(hb->shared[i].at);
	}
	for (size_t i = 0; i < hb->address_slots; i++)
		free(hb->address[i].clock.at);
	free(hb->address);
	free(hb->hold);
	free(hb->shared);
	free(hb->pending);
	free(hb->fenced);
	for (size_t i = 0; i < TASKS; i++)
		free(hb->task[i].clock.at);
	for (size_t i = 0; hb->lane && i < hb->object_count * HAPPENS_BEFORE_LANES; i++)
		free(hb->lane[i].at);
	free(hb->lane);
	barrier_rounds_free(hb->rounds);
	free(hb->thread);
	free(hb->object);
	free(hb);
}

static void make_room(struct clock *c, uint32_t count)
{
	if (count <= c->count)
		return;
	c->at = checked(realloc(c->at, count * sizeof(*c->at)));
	memset(c->at + c->count, 0, (count - c->count) * sizeof(*c->at));
	c->count = count;
}

static void join(struct clock *to, const struct clock *from)
{
	make_room(to, from->count);
	for (uint32_t i = 0; i < from->count; i++)
		if (from->at[i] > to->at[i])
			to->at[i] = from->at[i];
}

/* NULL = no such thread. */
static struct clock *clock_of(struct happens_before *hb, uint64_t thread)
{
	struct clock *c = thread < hb->thread_count ? &hb->thread[thread] : NULL;

	if (c && c->count <= thread) {
		make_room(c, (uint32_t)thread + 1);
		c->at[thread] = 1;
	}
	return c;
}

static void release(struct happens_before *hb, uint32_t thread, struct clock *to)
{
	struct clock *c = clock_of(hb, thread);

	if (!c || !to)
		return;
	join(to, c);
	c->at[thread]++;
}

static void acquire(struct happens_before *hb, uint32_t thread, const struct clock *from)
{
	struct clock *c = clock_of(hb, thread);

	if (c && from)
		join(c, from);
}

static struct clock *object(struct happens_before *hb, uint32_t id)
{
	return id && id < hb->object_count ? &hb->object[id] : NULL;
}

static struct clock *task(struct happens_before *hb, uint64_t id)
{
	struct task_clock *t = &hb->task[id % TASKS];

	if (t->task != id) {
		t->task = id;
		if (t->clock.count)
			memset(t->clock.at, 0, t->clock.count * sizeof(*t->clock.at));
	}
	return &t->clock;
}

/* What is missing may have ordered anything: all that was before it came before all that follows. */
static void order_all(struct happens_before *hb, uint32_t thread)
{
	struct clock *c = clock_of(hb, thread);

	if (!c)
		return;
	for (size_t i = 0; i < hb->thread_count; i++)
		if (i != thread)
			join(c, &hb->thread[i]);
	for (size_t i = 0; i < hb->thread_count; i++)
		if (i != thread && hb->thread[i].count)
			join(&hb->thread[i], c);
	c->at[thread]++;
}

/* A thread that nobody was seen to make: whoever did came before, and may be anyone. */
static void begin_thread(struct happens_before *hb, uint32_t thread)
{
	struct clock *c = clock_of(hb, thread);

	if (!c || !hb->threads || !(hb->threads[thread].flags & TF_THREAD_FOREIGN))
		return;
	for (size_t i = 0; i < hb->thread_count; i++)
		if (i != thread && hb->thread[i].count) {
			join(c, &hb->thread[i]);
			hb->thread[i].at[i]++;
		}
}

/* ---- locks that can be shared ---- */

static void acquire_shared(struct happens_before *hb, uint32_t thread, uint32_t id)
{
	acquire(hb, thread, object(hb, id));
	if (hb->hold_count == hb->hold_capacity) {
		hb->hold_capacity = hb->hold_capacity ? hb->hold_capacity * 2 : 16;
		hb->hold = checked(realloc(hb->hold, hb->hold_capacity * sizeof(*hb->hold)));
	}
	hb->hold[hb->hold_count++] = (struct shared_hold){ thread, id };
}

static void acquire_exclusive(struct happens_before *hb, uint32_t thread, uint32_t id)
{
	acquire(hb, thread, object(hb, id));
	if (id && id < hb->object_count)
		acquire(hb, thread, &hb->shared[id]);
}

static void release_lock(struct happens_before *hb, uint32_t thread, uint32_t id)
{
	for (size_t i = hb->hold_count; i-- > 0;)
		if (hb->hold[i].thread == thread && hb->hold[i].object == id) {
			hb->hold[i] = hb->hold[--hb->hold_count];
			release(hb, thread, id < hb->object_count ? &hb->shared[id] : NULL);
			return;
		}
	release(hb, thread, object(hb, id));
}

/* ---- addresses ---- */

static struct address_clock *address_slot(struct address_clock *slots, size_t count, uint64_t key)
{
	size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (count - 1);

	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & (count - 1);
	return &slots[i];
}

static struct clock *address_clock(struct happens_before *hb, uint64_t address)
{
	struct address_clock *slot;

	address++; /* none is 0 */
	if (2 * hb->address_count >= hb->address_slots) {
		size_t count = hb->address_slots ? 2 * hb->address_slots : 256;
		struct address_clock *slots = checked(calloc(count, sizeof(*slots)));

		for (size_t i = 0; i < hb->address_slots; i++)
			if (hb->address[i].key)
				*address_slot(slots, count, hb->address[i].key) = hb->address[i];
		free(hb->address);
		hb->address = slots;
		hb->address_slots = count;
	}
	slot = address_slot(hb->address, hb->address_slots, address);
	if (!slot->key) {
		slot->key = address;
		hb->address_count++;
	}
	return &slot->clock;
}

void happens_before_release_at(struct happens_before *hb, uint32_t thread, uint64_t address)
{
	release(hb, thread, address_clock(hb, address));
}

void happens_before_acquire_at(struct happens_before *hb, uint32_t thread, uint64_t address)
{
	acquire(hb, thread, address_clock(hb, address));
}

void happens_before_may_release_at(struct happens_before *hb, uint32_t thread, uint64_t address)
{
	if (clock_of(hb, thread) && hb->fenced[thread].count)
		join(address_clock(hb, address), &hb->fenced[thread]);
}

void happens_before_may_acquire_at(struct happens_before *hb, uint32_t thread, uint64_t address)
{
	if (clock_of(hb, thread))
		join(&hb->pending[thread], address_clock(hb, address));
}

void happens_before_fence(struct happens_before *hb, uint32_t thread, bool acquires, bool releases)
{
	if (!clock_of(hb, thread))
		return;
	if (acquires)
		acquire(hb, thread, &hb->pending[thread]);
	if (releases)
		release(hb, thread, &hb->fenced[thread]);
}

const uint32_t *happens_before_clock(struct happens_before *hb, uint32_t thread,
				     uint32_t *ret_count)
{
	const struct clock *c = clock_of(hb, thread);

	*ret_count = c ? c->count : 0;
	return c ? c->at : NULL;
}

void happens_before_gap(struct happens_before *hb, uint32_t thread)
{
	order_all(hb, thread);
}

static void on_task(struct happens_before *hb, const struct trace_event *e)
{
	switch (e->result) {
	case TRACE_TASK_CALLED:
	case TRACE_TASK_STARTED:
	case TRACE_TASK_RESUMED:
		acquire(hb, e->thread, task(hb, e->arg));
		break;
	case TRACE_TASK_CREATED:
	case TRACE_TASK_RETURNED:
	case TRACE_TASK_WORKED:
	case TRACE_TASK_SUSPENDED:
		release(hb, e->thread, task(hb, e->arg));
		break;
	default:
		break;
	}
}

static struct clock *lane_of(struct happens_before *hb, uint32_t object, unsigned lane)
{
	if (!object || object >= hb->object_count || lane >= HAPPENS_BEFORE_LANES)
		return NULL;
	if (!hb->lane)
		hb->lane =
			checked(calloc(hb->object_count * HAPPENS_BEFORE_LANES, sizeof(*hb->lane)));
	return &hb->lane[object * HAPPENS_BEFORE_LANES + lane];
}

/* One that other processes share may have been used before, and by others. */
static void init_barrier(struct happens_before *hb, const struct trace_event *e)
{
	const struct trace_object *o =
		hb->objects && e->object < hb->object_count ? &hb->objects[e->object] : NULL;

	if (o && o->kind == TRACE_OBJECT_BARRIER && !o->identity && e->result == 0)
		barrier_rounds_init(hb->rounds, e->object, e->arg);
}

static void reach_barrier(struct happens_before *hb, const struct trace_event *e)
{
	unsigned round = barrier_rounds_arrive(hb->rounds, e->object, e->thread);

	if (round != BARRIER_ROUNDS_ANY)
		release(hb, e->thread, lane_of(hb, e->object, round));
	release(hb, e->thread, object(hb, e->object));
}

static void leave_barrier(struct happens_before *hb, const struct trace_event *e)
{
	unsigned round = barrier_rounds_leave(hb->rounds, e->object, e->thread, e->result);

	acquire(hb, e->thread,
		round == BARRIER_ROUNDS_ANY ? object(hb, e->object)
					    : lane_of(hb, e->object, round));
}

void happens_before_apply(struct happens_before *hb, const struct trace_event *e)
{
	switch (e->op) {
	case TRACE_CREATE:
		release(hb, e->thread, clock_of(hb, e->arg));
		break;
	case TRACE_JOIN:
		/* Its own moment passes: a runtime's thread may go on after its join. */
		if (e->result == 0 && e->arg && e->arg < hb->thread_count)
			release(hb, (uint32_t)e->arg, clock_of(hb, e->thread));
		break;
	case TRACE_THREAD_BEGIN:
		begin_thread(hb, e->thread);
		break;
	case TRACE_ACQUIRE_SHARED:
	case TRACE_ACQUIRE_TRY_SHARED:
	case TRACE_ACQUIRE_TIMED_SHARED:
		acquire_shared(hb, e->thread, e->object);
		break;
	case TRACE_ACQUIRE:
	case TRACE_ACQUIRE_TRY:
	case TRACE_ACQUIRE_TIMED:
	case TRACE_ACQUIRE_OWNERDEAD:
		acquire_exclusive(hb, e->thread, e->object);
		break;
	case TRACE_INIT:
		init_barrier(hb, e);
		break;
	case TRACE_BARRIER_ARRIVE:
		reach_barrier(hb, e);
		break;
	case TRACE_BARRIER_LEAVE:
		leave_barrier(hb, e);
		break;
	case TRACE_ONCE_PASS:
	case TRACE_FUTEX_WOKEN:
		acquire(hb, e->thread, object(hb, e->object));
		break;
	case TRACE_RELEASE:
	case TRACE_RELEASE_ODD:
		release_lock(hb, e->thread, e->object);
		break;
	case TRACE_POST:
	case TRACE_COND_SIGNAL:
	case TRACE_COND_BROADCAST:
	case TRACE_ONCE_END:
	case TRACE_FUTEX_WAKE:
		release(hb, e->thread, object(hb, e->object));
		break;
	case TRACE_COND_WAIT:
		release(hb, e->thread, object(hb, e->other));
		break;
	case TRACE_COND_WAKE:
		acquire(hb, e->thread, object(hb, e->other));
		if (e->result == 0) /* else its time was over, and nobody signalled it */
			acquire(hb, e->thread, object(hb, e->object));
		break;
	case TRACE_LOST:
		barrier_rounds_lost(hb->rounds);
		order_all(hb, e->thread);
		break;
	case TRACE_TASK_NEW:
	case TRACE_TASK_ARM:
		release(hb, e->thread, task(hb, e->arg));
		break;
	case TRACE_TASK:
		on_task(hb, e);
		break;
	case TRACE_ACCESS:
		if (e->arg & TRACE_ACCESS_PUBLISH)
			release(hb, e->thread, object(hb, e->object));
		else if (e->arg & TRACE_ACCESS_OBTAIN)
			acquire(hb, e->thread, object(hb, e->object));
		break;
	default:
		break;
	}
}

void happens_before_publish(struct happens_before *hb, uint32_t thread, uint32_t object,
			    unsigned lane)
{
	release(hb, thread, lane_of(hb, object, lane));
}

void happens_before_obtain(struct happens_before *hb, uint32_t thread, uint32_t object,
			   unsigned lane)
{
	acquire(hb, thread, lane_of(hb, object, lane));
}

uint32_t happens_before_now(struct happens_before *hb, uint32_t thread)
{
	const struct clock *c = clock_of(hb, thread);

	return c ? c->at[thread] : 0;
}

bool happens_before_is(struct happens_before *hb, uint32_t thread, uint32_t moment, uint32_t other)
{
	const struct clock *c = clock_of(hb, other);

	return thread == other || (c && thread < c->count && c->at[thread] >= moment);
}
