/* SPDX-License-Identifier: MIT */
/*
 * wait_history.c - signals in flight, who touched what, which waits were left. Decides nothing
 * about hangs.
 */
#include "wait_history.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

static void *grow(void *array, uint32_t *capacity, uint32_t needed, size_t element_bytes)
{
	uint32_t wanted = *capacity ? *capacity : 8;

	if (needed <= *capacity)
		return array;
	while (wanted < needed)
		wanted *= 2;
	array = reallocarray(array, wanted, element_bytes);
	if (!array)
		abort();
	*capacity = wanted;
	return array;
}

struct wait_history *wait_history_new(const struct model *m)
{
	struct wait_history *h = allocate(1, sizeof(*h));

	h->model = m;
	h->object_count = m->object_count;
	h->touch = allocate(h->object_count, sizeof(*h->touch));
	h->cond_of = allocate(h->object_count, sizeof(*h->cond_of));
	h->thread_count = m->thread_count;
	h->wait_event = allocate(h->thread_count, sizeof(*h->wait_event));
	h->arrive_stack = allocate(h->thread_count, sizeof(*h->arrive_stack));
	h->stack_count = m->process->stack_count;
	h->left = allocate(h->stack_count / 8 + 1, 1);
	return h;
}

void wait_history_free(struct wait_history *h)
{
	if (!h)
		return;
	for (uint32_t i = 0; i < h->set_count; i++)
		free(h->sets[i].thread);
	free(h->sets);
	free(h->conds);
	free(h->cond_of);
	free(h->futexes);
	free(h->futex_of);
	free(h->touch);
	free(h->wait_event);
	free(h->arrive_stack);
	free(h->left);
	free(h);
}

/* ---- who touched what ---- */

static void set_add(struct wait_touch_set *s, struct wait_touch *t, uint32_t thread)
{
	/* The newest is the likeliest. */
	for (uint32_t i = s->count; i-- > 0;)
		if (s->thread[i] == thread)
			return;
	if (s->count == WAIT_TOUCHERS) {
		t->many = true;
		return;
	}
	s->thread = grow(s->thread, &s->capacity, s->count + 1, sizeof(*s->thread));
	s->thread[s->count++] = thread;
}

static void touch_slow(struct wait_history *h, struct wait_touch *t, uint32_t thread)
{
	for (unsigned i = 1; i < WAIT_TOUCHERS_INLINE; i++) {
		if (t->thread[i] == thread)
			return;
		if (t->thread[i] == 0) {
			t->thread[i] = thread;
			return;
		}
	}
	if (t->more)
		set_add(&h->sets[t->more - 1], t, thread);
	else
		t->many = true;
}

static inline void touch(struct wait_history *h, uint32_t object, uint32_t thread)
{
	struct wait_touch *t = &h->touch[object];

	if (t->thread[0] == thread || t->many)
		return;
	if (t->thread[0] == 0)
		t->thread[0] = thread;
	else
		touch_slow(h, t, thread);
}

/* From now on more threads than fit the object's own places are written down. */
static void keep_touchers(struct wait_history *h, uint32_t object)
{
	struct wait_touch *t = &h->touch[object];

	if (t->more || h->set_count == UINT16_MAX - 1)
		return;
	h->sets = grow(h->sets, &h->set_capacity, h->set_count + 1, sizeof(*h->sets));
	memset(&h->sets[h->set_count], 0, sizeof(*h->sets));
	t->more = (uint16_t)++h->set_count;
}

/* ---- condvars ---- */

static struct wait_cond *cond_of(struct wait_history *h, uint32_t object)
{
	struct wait_cond *c;

	if (h->cond_of[object])
		return &h->conds[h->cond_of[object] - 1];
	h->conds = grow(h->conds, &h->cond_capacity, h->cond_count + 1, sizeof(*h->conds));
	c = &h->conds[h->cond_count++];
	memset(c, 0, sizeof(*c));
	c->object = object;
	h->cond_of[object] = h->cond_count;
	keep_touchers(h, object);
	return c;
}

static void mark_left(struct wait_history *h, uint32_t stack)
{
	if (stack && stack < h->stack_count)
		h->left[stack / 8] |= (uint8_t)(1u << stack % 8);
}

static void cond_wait(struct wait_history *h, const struct trace_event *event,
		      const struct model_step *step)
{
	cond_of(h, event->object)->fresh++;
	h->wait_event[event->thread] = h->model->events;
	touch(h, event->object, event->thread);
	if (step->other) {
		keep_touchers(h, step->other->id);
		touch(h, step->other->id, event->thread);
	}
}

static void cond_wake(struct wait_history *h, const struct trace_event *event,
		      const struct model_step *step)
{
	struct wait_cond *c = cond_of(h, event->object);
	bool normal = event->result == 0 && event->arg == 0;

	if (normal)
		mark_left(h, step->waited.site.stack ? step->waited.site.stack : event->stack);
	if (h->wait_event[event->thread] > c->broadcast) {
		c->fresh -= c->fresh > 0;
		if (normal && c->credit > 0)
			c->credit--;
		if (c->credit > c->fresh)
			c->credit = c->fresh;
	}
	h->wait_event[event->thread] = 0;
}

/* Bounded mode: how the wait ended expired. */
static void cond_gone(struct wait_history *h, uint32_t thread, uint32_t cond)
{
	struct wait_cond *c = cond_of(h, cond);

	if (h->wait_event[thread] > c->broadcast) {
		c->fresh -= c->fresh > 0;
		if (c->credit > c->fresh)
			c->credit = c->fresh;
	}
	h->wait_event[thread] = 0;
}

static void cond_signal(struct wait_history *h, const struct trace_event *event,
			const struct model_step *step)
{
	struct wait_cond *c = cond_of(h, event->object);

	touch(h, event->object, event->thread);
	if (step->flags & MODEL_STEP_NO_WAITER)
		return;
	if (event->op == TRACE_COND_BROADCAST) {
		c->broadcast = h->model->events;
		c->fresh = c->credit = 0;
	} else if (c->credit < c->fresh) {
		c->credit++;
	}
}

/* ---- futexes ---- */

static struct wait_futex *futex_of(struct wait_history *h, uint32_t object)
{
	if (!h->futex_of)
		h->futex_of = allocate(h->object_count, sizeof(*h->futex_of));
	if (!h->futex_of[object]) {
		h->futexes = grow(h->futexes, &h->futex_capacity, h->futex_count + 1,
				  sizeof(*h->futexes));
		memset(&h->futexes[h->futex_count], 0, sizeof(*h->futexes));
		h->futex_of[object] = ++h->futex_count;
		keep_touchers(h, object);
	}
	return &h->futexes[h->futex_of[object] - 1];
}

/* The wait's stack is kept until it is over, in the place of a barrier's. */
static void futex_event(struct wait_history *h, const struct trace_event *event)
{
	struct wait_futex *f = futex_of(h, event->object);

	switch (event->op) {
	case TRACE_FUTEX_WAIT:
		f->waiters++;
		h->wait_event[event->thread] = h->model->events;
		h->arrive_stack[event->thread] = event->stack;
		break;
	case TRACE_FUTEX_WOKEN:
		f->waiters -= f->waiters > 0;
		if (event->result == 0) {
			f->credit -= f->credit > 0;
			mark_left(h, h->arrive_stack[event->thread]);
		}
		if (f->credit > f->waiters)
			f->credit = f->waiters;
		break;
	default: /* FUTEX_WAKE */
		f->credit = event->arg > f->waiters - f->credit ? f->waiters
								: f->credit + (uint32_t)event->arg;
		f->wakes++;
		f->last = (struct model_site){ event->thread, event->stack, event->time_ns };
		break;
	}
	touch(h, event->object, event->thread);
}

/* ---- dispatch ---- */

static void apply_to_object(struct wait_history *h, const struct trace_event *event,
			    const struct model_step *step)
{
	switch (event->op) {
	case TRACE_RELEASE_ODD:
		/*
		 * A failed unlock changes nothing; one of a lock that nobody held, or that we never
		 * saw taken, neither.
		 */
		if (event->result == 0 && step->owner_before && step->owner_before != event->thread)
			h->touch[event->object].foreign_release = true;
		touch(h, event->object, event->thread);
		break;
	case TRACE_COND_WAIT:
		cond_wait(h, event, step);
		break;
	case TRACE_COND_WAKE:
		cond_wake(h, event, step);
		break;
	case TRACE_COND_SIGNAL:
	case TRACE_COND_BROADCAST:
		cond_signal(h, event, step);
		break;
	case TRACE_BARRIER_ARRIVE:
		h->arrive_stack[event->thread] = event->stack;
		touch(h, event->object, event->thread);
		break;
	case TRACE_BARRIER_LEAVE:
		mark_left(h, h->arrive_stack[event->thread]);
		break;
	case TRACE_FUTEX_WAIT:
	case TRACE_FUTEX_WOKEN:
	case TRACE_FUTEX_WAKE:
		futex_event(h, event);
		break;
	default: /* acquires and ONCE_PASS */
		mark_left(h, event->stack);
		touch(h, event->object, event->thread);
		break;
	}
}

void wait_history_apply(struct wait_history *h, const struct trace_event *event,
			const struct model_step *step)
{
	if (!step->thread)
		return;
	if (step->object)
		apply_to_object(h, event, step);
	else if (event->op == TRACE_JOIN && event->result == 0)
		mark_left(h, event->stack);
	else if (event->op == TRACE_KEYFRAME && step->waited.cond)
		cond_gone(h, event->thread, step->waited.cond);
}

/* ---- questions ---- */

bool wait_history_is_woken(const struct wait_history *h, uint32_t thread, uint32_t cond)
{
	const struct wait_cond *c;

	if (cond >= h->object_count || thread >= h->thread_count || !h->cond_of[cond])
		return false;
	c = &h->conds[h->cond_of[cond] - 1];
	return h->wait_event[thread] < c->broadcast || c->credit > 0;
}

const struct wait_futex *wait_history_get_futex(const struct wait_history *h, uint32_t object)
{
	return h->futex_of && object < h->object_count && h->futex_of[object]
		       ? &h->futexes[h->futex_of[object] - 1]
		       : NULL;
}

bool wait_history_is_futex_woken(const struct wait_history *h, uint32_t object)
{
	const struct wait_futex *f = wait_history_get_futex(h, object);

	return f && f->credit > 0;
}

bool wait_history_was_left(const struct wait_history *h, uint32_t stack)
{
	return stack && stack < h->stack_count && (h->left[stack / 8] & 1u << stack % 8);
}

bool wait_history_is_handed_over(const struct wait_history *h, uint32_t object)
{
	return object < h->object_count && h->touch[object].foreign_release;
}

bool wait_history_visit_touchers(const struct wait_history *h, uint32_t object,
				 void (*visit)(void *cookie, uint32_t thread), void *cookie)
{
	const struct wait_touch *t;

	if (object >= h->object_count)
		return true;
	t = &h->touch[object];
	for (unsigned i = 0; visit && i < WAIT_TOUCHERS_INLINE && t->thread[i]; i++)
		visit(cookie, t->thread[i]);
	for (uint32_t i = 0; visit && t->more && i < h->sets[t->more - 1].count; i++)
		visit(cookie, h->sets[t->more - 1].thread[i]);
	return !t->many;
}
