/* SPDX-License-Identifier: MIT */
/*
 * shim_bounded.c - bounded mode: what is new, and what a record needs beside it to be understood alone.
 * How facts become bytes is in shim_facts.c.
 */
#include "shim_bounded_private.h"

/* ---- keys ---- */

static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* The first numbers by themselves, later ones in ever larger groups. */
static uint32_t rarer(uint32_t n, uint32_t exact)
{
	uint32_t log;

	if (n < exact) {
		return n;
	}
	log = 31 - (uint32_t)__builtin_clz(n);
	return exact + log * 4 + (n >> (log - 2) & 3);
}

/* Whose doing: the analysis wants different threads, and epochs of each. */
static uint64_t doer(const struct stream *s)
{
	return (uint64_t)rarer(s->thread, 16) << 32 | rarer(s->bounded->epoch, 8);
}

struct story *bounded_story_of(uint32_t object)
{
	return object && object < BY_ID ? shim->by_id[object] : NULL;
}

/* The object, or its class where that has seen many come and go. */
static uint64_t identity(uint32_t object)
{
	const struct story *t = bounded_story_of(object);

	return t && t->churns && !t->pinned ? (uint64_t)t->birth_stack << 32 | 1u << 31 : object;
}

static uint64_t site_key(const struct fact *f)
{
	return mix(mix(identity(f->object) ^ (uint64_t)f->op << 56) ^ identity(f->other) << 24 ^
		   f->stack);
}

/* Made here, no thread made since, met by nobody else. */
static bool is_private(const struct stream *s, const struct story *t)
{
	return t && t->def && t->def->def.flags & TF_OBJECT_INIT && !t->shared &&
	       t->birth_thread == s->thread && t->birth_epoch == s->bounded->epoch;
}

/* Where in the program. */
static uint32_t site_place(const struct fact *f)
{
	return f->stack * 31 + f->op;
}

/* The same, and where all that is held was taken. */
static uint32_t place_of(const struct stream *s, const struct fact *f)
{
	uint32_t place = site_place(f);

	for (uint32_t i = 0; i < s->bounded->count; i++) {
		place += s->bounded->holds[i].stack * 0x85ebca6bu;
	}
	return place;
}

/* Of all that is held. The order does not matter. */
static uint64_t held_key(const struct stream *s, bool *ret_private)
{
	const struct bounded *b = s->bounded;
	uint64_t key = 0;

	for (uint32_t i = 0; i < b->count; i++) {
		const struct hold *h = &b->holds[i];
		bool private = is_private(s, bounded_story_of(h->object));

		*ret_private |= private;
		key += mix(identity(h->object) << 1 ^ (uint64_t)h->stack << 33 ^
			   (uint64_t)h->mode << 20 ^ private);
	}
	return mix(key + s->signal_mask);
}

/* Is it new that this thread does `f` with what it holds? */
bool bounded_is_new_request(struct stream *s, const struct fact *f)
{
	bool private = false;

	return !s->bounded->seen &&
	       facts_is_new(s, mix(held_key(s, &private) ^ site_key(f)) ^ mix(doer(s)),
			    place_of(s, f));
}

bool bounded_is_new_site(struct stream *s, const struct fact *f)
{
	return !s->bounded->seen &&
	       facts_is_new(s, site_key(f) ^ mix(s->signal_mask + f->a) ^ mix(~f->r),
			    site_place(f));
}

/* Is it new that this thread has to do with the object in this way? */
bool bounded_is_new_actor(struct stream *s, const struct fact *f)
{
	return !s->bounded->seen &&
	       facts_is_new(s,
			    mix(identity(f->object) ^ (uint64_t)f->op << 48) ^
				    mix((uint64_t)rarer(s->thread, COND_THREADS) << 40),
			    f->stack ^ f->op << 24);
}

/*
 * Looks `f` up in the cache of the thread, with what it holds: `seen` spares the other look-ups. Not where
 * something about the object is odd, since that is no part of the key.
 */
void bounded_look_up(struct stream *s, const struct fact *f)
{
	struct bounded *b = s->bounded;
	const struct story *t = bounded_story_of(f->object);
	uint64_t more = f->a * 0x2545f4914f6cdd1du ^ f->r << 17 ^ (uint64_t)f->other << 40;
	uint64_t key = bounded_key(b, bounded_mix(f->object, f->stack, f->op) + mix(more));
	uint64_t *slot = &b->known[(key * 0x9e3779b97f4a7c15u) >> (64 - KNOWN_BITS)];

	b->seen = *slot == key && !b->request_object && !(t && t->destroy_thread);
	*slot = key;
}

void bounded_set_salt(struct stream *s)
{
	struct bounded *b = s->bounded;

	b->salt = mix((uint64_t)s->thread << 32 | b->epoch) + mix(s->signal_mask);
}

void bounded_next_epoch(struct stream *s)
{
	s->bounded->epoch++;
	bounded_set_salt(s);
}

/* ---- holds ---- */

/*
 * Is the hold still there? Another thread may have unlocked or destroyed it behind our back. Of locks only, all
 * else we believe.
 */
static bool is_valid(const struct stream *s, const struct hold *h)
{
	const struct story *t = bounded_story_of(h->object);
	const struct object *o = t ? t->object : NULL;

	if (!t) {
		return true;
	}
	if (t->gone || t->signals || t->destroy_thread) {
		return false;
	}
	switch (o ? KIND_OF(o->kind) : 0) {
	case TRACE_OBJECT_MUTEX:
	case TRACE_OBJECT_RWLOCK:
	case TRACE_OBJECT_SPIN:
	case TRACE_OBJECT_LOADER:
		return h->mode & TRACE_MODE_SHARED ||
		       atomic_load_explicit(&o->owner, memory_order_relaxed) == s->thread;
	default: /* an initialiser, a file lock, a semaphore */
		return true;
	}
}

static void drop_hold(struct bounded *b, uint32_t i)
{
	b->mix -= b->holds[i].mix;
	b->count--;
	for (; i < b->count; i++) {
		b->holds[i] = b->holds[i + 1];
	}
}

void bounded_drop_invalid(struct stream *s)
{
	struct bounded *b = s->bounded;

	for (uint32_t i = b->count; i-- > 0;) {
		if (!is_valid(s, &b->holds[i])) {
			drop_hold(b, i);
		}
	}
}

struct hold *bounded_find_hold(struct bounded *b, uint32_t object)
{
	for (uint32_t i = b->count; i-- > 0;) {
		if (b->holds[i].object == object) {
			return &b->holds[i];
		}
	}
	return NULL;
}

/* False: it was not among them. */
bool bounded_drop_object(struct bounded *b, uint32_t object)
{
	struct hold *h = bounded_find_hold(b, object);

	if (h) {
		drop_hold(b, (uint32_t)(h - b->holds));
	}
	return h != NULL;
}

void bounded_hold_again(struct stream *s, const struct fact *f, uint32_t mode)
{
	bounded_push(s, TRACE_ACQUIRE, f->object, f->stack, mode,
		     bounded_mix(f->object, f->stack, TRACE_ACQUIRE));
}

/* ---- telling ---- */

/* Acquires, and what else the lock-order graph is made of. */
void bounded_tell_order(struct stream *s, const struct fact *f)
{
	facts_tell(s, f, FACT_ORDER);
}

void bounded_tell(struct stream *s, const struct fact *f)
{
	facts_tell(s, f, 0);
}

/* ---- the wait for a lock is over ---- */

void bounded_answer_request(struct stream *s)
{
	struct bounded *b = s->bounded;
	struct story *t = bounded_story_of(b->request_object);
	uint64_t ticks = s->last_ticks - b->request_ticks;

	b->request_object = 0;
	bounded_set_salt(s);
	if (t && t->live) {
		__atomic_fetch_add(&t->live->waits, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&t->live->wait_ticks, ticks, __ATOMIC_RELAXED);
		if (ticks > t->live->worst_ticks) {
			t->live->worst_ticks = ticks;
			t->live->worst_stack = t->request_stack;
			t->live->worst_thread = s->thread;
		}
	}
}

void bounded_note_request(struct stream *s, const struct fact *f)
{
	struct bounded *b = s->bounded;
	struct story *t = bounded_story_of(f->object);

	if (b->request_object) {
		bounded_answer_request(s);
	}
	b->request_object = f->object;
	b->request_ticks = s->last_ticks;
	b->salt ^= 1; /* the next acquire is looked at */
	if (t) {
		t->contended = 1;
		t->request_thread = s->thread;
		t->request_stack = f->stack;
		t->request_ticks = s->last_ticks;
	}
}

/* ---- acquires and releases ---- */

/* With nothing held: the first at a place, and the first few threads that have to do with the object. */
bool bounded_is_new_alone(struct stream *s, const struct fact *f)
{
	struct story *t = bounded_story_of(f->object);
	bool is_new = bounded_is_new_site(s, f);

	if (t && t->met_by < (t->with_cond ? COND_THREADS : FEW_THREADS) &&
	    bounded_is_new_actor(s, &(struct fact){ .object = f->object })) {
		t->met_by++;
		is_new = true;
	}
	return is_new;
}

void bounded_look_at_destroyed(struct stream *s, const struct fact *f)
{
	const struct story *t = bounded_story_of(f->object);
	struct fact key = *f;

	key.r = 0xdead;
	s->bounded->seen = false;
	if (t && t->destroy_thread && bounded_is_new_site(s, &key)) {
		facts_tell(s, f, FACT_DESTROYED);
	}
}

void bounded_acquire_new(struct stream *s, unsigned op, uint32_t object, uint32_t stack,
			 uint64_t key, uint64_t *slot)
{
	struct bounded *b = s->bounded;
	struct fact f = { .op = op, .object = object, .stack = stack };
	struct story *t = bounded_story_of(object);
	bool private = false;

	if (b->request_object) {
		bounded_answer_request(s);
		key = 0; /* of a salt that is no more */
	}
	if (t && t->birth_thread != s->thread) {
		t->shared = 1;
	}
	if (!b->recording || (!(t && t->destroy_thread) && facts_are_full(s, place_of(s, &f)))) {
		*slot = key;
		return;
	}
	b->seen = false;
	if (b->count) {
		bounded_drop_invalid(s);
		held_key(s, &private);
	}
	if (t && t->destroy_thread) {
		key = 0;
		bounded_look_at_destroyed(s, &f);
	} else if (b->count ? bounded_is_new_request(s, &f) : bounded_is_new_alone(s, &f)) {
		bounded_tell_order(s, &f);
	}
	if (key && !private && key == bounded_key(b, bounded_mix(object, stack, op))) {
		*slot = key;
	}
}

static bool kept_somebody_waiting(const struct stream *s, const struct hold *h)
{
	const struct story *t = bounded_story_of(h->object);

	return t && t->contended && t->request_ticks > h->ticks && t->request_thread != s->thread;
}

void bounded_release_slow(struct stream *s, uint32_t object)
{
	struct bounded *b = s->bounded;
	struct hold *h = bounded_find_hold(b, object);
	struct fact f = { .op = TRACE_RELEASE, .object = object };
	struct fact key = f;
	uint64_t ticks;

	b->seen = false;
	if (!h) {
		b->unseen -= b->unseen != 0;
		return;
	}
	ticks = s->last_ticks - h->ticks;
	key.stack = h->stack;
	if (!b->recording) {
		drop_hold(b, (uint32_t)(h - b->holds));
		return;
	}
	if (!h->ticks) {
		key.a = h->mode;
		if (b->at_thread_end || bounded_is_new_site(s, &key)) {
			bounded_tell(s, &f);
		}
	} else if (ticks > BOUNDED_LONG_HOLD_TICKS && kept_somebody_waiting(s, h)) {
		key.a = 64 - (uint64_t)__builtin_clzll(ticks);
		if (bounded_is_new_site(s, &key)) {
			facts_tell(s, &f, FACT_KEPT_WAITING);
		}
	}
	bounded_drop_object(b, object);
}
