/* SPDX-License-Identifier: MIT */
/*
 * shim_bounded_sync.c - bounded mode: what is new in semaphores, condition variables, barriers and misuse.
 */
#include "shim_bounded_private.h"

/* ---- semaphores: held where whoever took one gives it back, as the model sees it ---- */

static bool sem_may_be_lock(const struct story *t)
{
	const struct object *o = t ? t->object : NULL;

	return o && !t->signals && KIND_OF(o->kind) == TRACE_OBJECT_SEM &&
	       !(o->attributes & TF_COUNT_SHARED) && o->attributes;
}

static void sem_taken(struct stream *s, const struct fact *f, struct story *t)
{
	struct bounded *b = s->bounded;
	bool lock = sem_may_be_lock(t), force = false;

	if (lock && t->object->attributes == 1) {
		force = t->sem_owner != 0; /* two at once: it counts */
		t->signals |= force;
		t->sem_owner = s->thread;
	}
	if (t && t->live) {
		__atomic_fetch_sub(&t->live->value, 1, __ATOMIC_RELAXED);
	}
	if (b->request_object) {
		bounded_answer_request(s);
	}
	if (b->recording &&
	    (((b->count ? bounded_is_new_request(s, f) : bounded_is_new_alone(s, f)) |
	      bounded_is_new_actor(s, f)) ||
	     force)) {
		bounded_tell_order(s, f);
	}
	if (lock && !force) {
		bounded_push(s, f->op, f->object, f->stack, bounded_mode(f->op),
			     bounded_mix(f->object, f->stack, f->op));
	}
}

static void sem_posted(struct stream *s, const struct fact *f, struct story *t)
{
	struct bounded *b = s->bounded;
	bool own = bounded_find_hold(b, f->object) != NULL, force = false;

	if (!own && sem_may_be_lock(t)) {
		t->signals = 1;
		force = true;
	}
	if (t) {
		t->sem_owner = 0;
	}
	if (t && t->live) {
		__atomic_fetch_add(&t->live->value, 1, __ATOMIC_RELAXED);
	}
	if (b->recording && ((bounded_is_new_site(s, f) | bounded_is_new_actor(s, f)) || force)) {
		bounded_tell(s, f);
	}
	if (own) {
		bounded_drop_object(b, f->object);
	}
}

void bounded_sem(struct stream *s, const struct fact *f)
{
	struct story *t = bounded_story_of(f->object);

	bounded_look_up(s, f);
	if (f->op == TRACE_POST) {
		sem_posted(s, f, t);
	} else {
		sem_taken(s, f, t);
	}
	if (t && t->destroy_thread && s->bounded->recording) {
		bounded_look_at_destroyed(s, f);
	}
}

/* ---- condition variables ---- */

static void cond_wait(struct stream *s, const struct fact *f)
{
	struct bounded *b = s->bounded;
	struct story *t = bounded_story_of(f->object), *mutex = bounded_story_of(f->other);
	uint32_t other = t ? t->cond_mutex : 0;
	bool wrong = other && other != f->other && t->object &&
		     atomic_load_explicit(&t->object->waiters, memory_order_relaxed) > 1;

	if (mutex) {
		mutex->with_cond = 1;
	}
	if (b->recording) {
		struct fact key = *f;

		key.r = other;
		if (wrong && bounded_is_new_site(s, &key)) {
			facts_tell(s, f, FACT_WAITERS);
		} else if (bounded_is_new_request(s, f)) {
			bounded_tell_order(s, f);
		}
	}
	if (t) {
		t->cond_mutex = f->other;
	}
	if (!(f->a & TRACE_MODE_UNLOCKED)) {
		bounded_drop_object(b, f->other);
	}
}

static void cond_wake(struct stream *s, const struct fact *f)
{
	const struct story *mutex = bounded_story_of(f->other);
	const struct object *o = mutex ? mutex->object : NULL;
	bool dead_owner = f->r == encode_zigzag(EOWNERDEAD);
	struct fact hold = { .object = f->other, .stack = f->stack };

	if (s->bounded->recording && bounded_is_new_site(s, f)) {
		bounded_tell(s, f);
	}
	if (o && atomic_load_explicit(&o->owner, memory_order_relaxed) == s->thread) {
		bounded_hold_again(s, &hold,
				   TRACE_HOLD_REACQUIRED | (dead_owner ? TRACE_HOLD_OWNERDEAD : 0));
		if (dead_owner && s->bounded->count) {
			s->bounded->holds[s->bounded->count - 1].ticks = 0;
		}
	}
}

/* ---- odd things ---- */

/*
 * The lock of this thread went to another one without an unlock that we saw: a function that is not hooked gave it
 * away and took it back. Then the unlock is told with the hold that it ends.
 */
static void hold_what_is_released(struct stream *s, const struct hold *h)
{
	const struct story *t = bounded_story_of(h->object);

	if (t && !t->gone && !t->destroy_thread && t->robbed_from != s->thread &&
	    !bounded_find_hold(s->bounded, h->object)) {
		bounded_push(s, h->op, h->object, h->stack, h->mode, h->mix);
	}
}

static void release_odd(struct stream *s, const struct fact *f)
{
	struct story *t = bounded_story_of(f->object);
	struct fact key = *f;
	bool robbed = t && t->robbed_from == s->thread && !f->a;

	if (robbed) {
		t->robbed_from = 0;
	} else if (t && !f->r && f->a && f->a != UINT32_MAX && f->a != s->thread) {
		t->robbed_from = (uint32_t)f->a;
	}
	key.a = f->a == UINT32_MAX ? 2 : f->a != 0;
	if (s->bounded->recording && (robbed ? t->pinned : bounded_is_new_site(s, &key))) {
		facts_tell(s, f, FACT_OWNER | (t && t->destroy_thread ? FACT_DESTROYED : 0));
	}
	if (!f->r) {
		bounded_drop_object(s->bounded, f->object);
	}
}

static void destroy(struct stream *s, const struct fact *f)
{
	struct story *t = bounded_story_of(f->object);
	bool odd = f->a || f->r;
	bool held = bounded_find_hold(s->bounded, f->object) != NULL;

	if (s->bounded->recording &&
	    ((t && t->pinned) || ((odd || held) && bounded_is_new_site(s, f)))) {
		facts_tell(s, f, odd ? FACT_WAITERS | FACT_OWNER : 0);
	}
	if (s->bounded->recording && t && t->destroy_thread && f->op == TRACE_DESTROY) {
		bounded_look_at_destroyed(s, f);
	}
	if (f->r) {
		return;
	}
	while (bounded_drop_object(s->bounded, f->object)) {
	}
	if (t && f->op == TRACE_DESTROY) {
		t->destroy_thread = s->thread;
		t->destroy_stack = f->stack;
	}
}

static void init(struct stream *s, const struct fact *f)
{
	struct story *t = bounded_story_of(f->object);

	if (!f->r && t && t->def) {
		t->def->attributes = (uint32_t)f->a;
		t->def->def.flags |= TF_OBJECT_INIT;
		t->live->value = (int64_t)(f->a & TF_SEM_MOST);
	}
	if (f->r && s->bounded->recording && bounded_is_new_site(s, f)) {
		bounded_tell(s, f);
	}
}

/* ---- barriers: a generation is told when facts were told since the last one that was ---- */

static uint64_t generation_of(const struct story *t, uint64_t arrival)
{
	uint64_t count = t->object ? t->object->attributes % TF_COUNT_SHARED : 0;

	return count ? arrival / count + 1 : 0;
}

static void barrier_arrive(struct stream *s, const struct fact *f)
{
	struct story *t = bounded_story_of(f->object);
	uint64_t facts = facts_count_order();

	s->bounded->arrival = t ? atomic_fetch_add(&t->arrivals, 1) : 0;
	if (t && facts != t->told_facts) {
		atomic_store(&t->tell_generation, generation_of(t, s->bounded->arrival));
		t->told_facts = facts;
	}
	if (bounded_is_new_site(s, f) | bounded_is_new_actor(s, f)) {
		bounded_tell(s, f);
	}
	if (t && t->destroy_thread) {
		bounded_look_at_destroyed(s, f);
	}
}

static void barrier_leave(struct stream *s, const struct fact *f)
{
	struct story *t = bounded_story_of(f->object);
	uint64_t generation = t ? generation_of(t, s->bounded->arrival) : 0;

	if (generation && atomic_load(&t->tell_generation) == generation) {
		bounded_tell(s, &(struct fact){ .op = TRACE_BARRIER_ARRIVE,
						.object = f->object,
						.stack = s->segment->wait.stack });
		bounded_tell(s, f);
	} else if (bounded_is_new_site(s, f)) {
		bounded_tell(s, f);
	}
	bounded_next_epoch(s);
}

/* ---- the rest ---- */

static void other_event(struct stream *s, const struct fact *f)
{
	const struct story *t = bounded_story_of(f->object);
	struct fact key = *f;
	bool is_new;

	if (f->op == TRACE_FUTEX_WAIT || f->op == TRACE_FUTEX_WAKE || f->op == TRACE_COND_SIGNAL ||
	    f->op == TRACE_COND_BROADCAST) {
		key.a = !f->a; /* a value, or how many wait */
	}
	is_new = bounded_is_new_site(s, &key);
	is_new |= s->bounded->count && bounded_is_new_request(s, &key);
	is_new |= f->op != TRACE_ACQUIRE_FAIL && bounded_is_new_actor(s, f);
	if (is_new) {
		bounded_tell(s, f);
	}
	if (f->op == TRACE_BLOCK) {
		s->bounded->block_told = is_new;
	}
	if (t && t->destroy_thread) {
		bounded_look_at_destroyed(s, f);
	}
}

void bounded_note(struct stream *s, const struct fact *f)
{
	struct bounded *b = s->bounded;
	struct hold *h;

	if (b->count) {
		struct hold released = { 0 };

		h = f->op == TRACE_RELEASE_ODD ? bounded_find_hold(b, f->object) : NULL;
		if (h) {
			released = *h;
		}
		bounded_drop_invalid(s);
		if (h) {
			hold_what_is_released(s, &released);
		}
	}
	if (f->op == TRACE_REQUEST) {
		bounded_note_request(s, f);
		return;
	}
	if (f->op == TRACE_POST) {
		bounded_sem(s, f);
		return;
	}
	bounded_look_up(s, f);
	switch (f->op) {
	case TRACE_COND_WAIT:
		cond_wait(s, f);
		return;
	case TRACE_COND_WAKE:
		cond_wake(s, f);
		return;
	case TRACE_RELEASE_ODD:
		release_odd(s, f);
		return;
	case TRACE_DESTROY:
	case TRACE_GONE:
		destroy(s, f);
		return;
	case TRACE_INIT:
		init(s, f);
		return;
	case TRACE_ONCE_END:
		if (b->recording && bounded_is_new_site(s, f)) {
			bounded_tell(s, f);
		}
		bounded_drop_object(b, f->object);
		return;
	case TRACE_ACQUIRE_OWNERDEAD:
		if (b->recording && (bounded_is_new_request(s, f) | bounded_is_new_actor(s, f))) {
			bounded_tell_order(s, f);
		}
		bounded_hold_again(s, f, (uint32_t)f->a | TRACE_HOLD_OWNERDEAD);
		b->holds[b->count - 1].ticks = 0;
		return;
	case TRACE_CONSISTENT:
		h = bounded_find_hold(b, f->object);
		if (b->recording && bounded_is_new_site(s, f)) {
			bounded_tell(s, f);
		}
		if (h && !f->r) {
			h->mode &= ~(uint32_t)TRACE_HOLD_OWNERDEAD;
			h->ticks = s->last_ticks;
		}
		return;
	default: /* any op with an object */
		break;
	}
	if (f->op == TRACE_ACQUIRE_FAIL && b->request_object) {
		bounded_answer_request(s);
	}
	if (!b->recording) {
		return;
	}
	if (f->op == TRACE_BARRIER_ARRIVE) {
		barrier_arrive(s, f);
	} else if (f->op == TRACE_BARRIER_LEAVE) {
		barrier_leave(s, f);
	} else {
		other_event(s, f);
	}
}
