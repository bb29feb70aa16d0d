/* SPDX-License-Identifier: MIT */
/*
 * shim_bounded_ids.c - bounded mode: ids of objects and threads, and giving them out again.
 */
#include "shim_facts_private.h"

enum { USED_IDS = 64 }; /* wait before they are given out again */

/* An id of a thread that was one of many and that no fact names; 0 = none. */
static uint32_t take_used_thread(struct facts *w)
{
	uint32_t id = 0;

	spin_lock(&w->used_lock);
	if (w->used_threads_end - w->used_threads_begin > USED_IDS) {
		id = w->used_threads[w->used_threads_begin++ % USED_THREADS];
		w->thread[id].queued = false;
	}
	spin_unlock(&w->used_lock);
	return id && !w->thread[id].pinned ? id : 0;
}

static bool is_one_of_many(struct facts *w, uint32_t stack)
{
	return stack &&
	       atomic_fetch_add(&w->threads_made[facts_class_of(stack)], 1) >= CHURN_THREADS;
}

uint32_t bounded_thread_define(struct tf_def_thread *def)
{
	struct facts *w = shim->facts;
	bool churns = w && is_one_of_many(w, def->stack);
	struct tf_def_thread *at;

	def->thread = churns && facts_are_wanted() ? take_used_thread(w) : 0;
	if (def->thread) {
		struct known_thread *t = &w->thread[def->thread];

		t->birth = atomic_fetch_add(&w->births, 1) + 1;
		t->detached = def->flags & TF_THREAD_DETACHED ? 1 : 0;
		def->def.bytes = t->def->def.bytes;
		def->def.flags = TF_THREAD_AGAIN;
		*t->def = *def;
		return def->thread;
	}
	def->thread = atomic_fetch_add(&shim->next_thread, 1) + 1;
	shim->process->threads = def->thread;
	at = region_define(&def->def, sizeof(*def), NULL, 0, NULL, 0);
	if (w && def->thread < FACT_THREADS) {
		w->thread[def->thread] =
			(struct known_thread){ .def = at,
					       .birth = atomic_fetch_add(&w->births, 1) + 1,
					       .churns = churns,
					       .detached = def->flags & TF_THREAD_DETACHED ? 1
											   : 0 };
	}
	return def->thread;
}

void facts_thread_detached(uint32_t thread)
{
	if (thread < FACT_THREADS) {
		shim->facts->thread[thread].detached = 1;
	}
}

void bounded_thread_over(uint32_t thread, bool joined)
{
	struct facts *w = shim->facts;
	struct known_thread *t = w && thread < FACT_THREADS ? &w->thread[thread] : NULL;

	if (!t || !t->churns || t->pinned || !t->def || !(joined || t->detached)) {
		return;
	}
	spin_lock(&w->used_lock);
	/* Several threads may find out at once that it is over. */
	if (!t->queued && w->used_threads_end - w->used_threads_begin < USED_THREADS) {
		w->used_threads[w->used_threads_end++ % USED_THREADS] = thread;
		t->queued = true;
	}
	spin_unlock(&w->used_lock);
}

bool bounded_thread_is_newer(uint32_t a, uint32_t b)
{
	const struct facts *w = shim->facts;

	return w && a < FACT_THREADS && b < FACT_THREADS ? w->thread[a].birth > w->thread[b].birth
							 : a > b;
}

bool facts_thread_churns(uint32_t thread)
{
	const struct known_thread *t = thread < FACT_THREADS ? &shim->facts->thread[thread] : NULL;

	return !t || (t->churns && !t->pinned);
}

static struct story *story_new(void)
{
	struct facts *w = shim->facts;
	struct story *t = NULL;

	spin_lock(&w->used_lock);
	if (w->used_count > USED_IDS) {
		t = w->used;
		w->used = t->next;
		w->used_count--;
	}
	spin_unlock(&w->used_lock);
	if (t && t->pinned) {
		t = NULL; /* a fact named it at the last moment */
	}
	if (t) {
		struct story fresh = { .id = t->id, .def = t->def, .live = t->live };

		*t = fresh;
		return t;
	}
	t = shim_alloc(sizeof(*t));
	if (t) {
		*t = (struct story){ .id = atomic_fetch_add(&shim->next_object, 1) + 1 };
	}
	return t;
}

void bounded_object_born(struct stream *s, struct object *o, uint32_t stack)
{
	struct story *t = shim->facts ? story_new() : NULL;

	o->story = t;
	if (!t) {
		o->id = atomic_fetch_add(&shim->next_object, 1) + 1;
		return;
	}
	o->id = t->id;
	t->object = o;
	t->birth_thread = s->thread;
	t->birth_epoch = s->bounded ? s->bounded->epoch : 0;
	t->birth_stack = stack;
	t->churns = atomic_load_explicit(&shim->facts->objects_gone[facts_class_of(stack)],
					 memory_order_relaxed) > CHURN_OBJECTS;
	if (t->id < BY_ID) {
		__atomic_store_n(&shim->by_id[t->id], t, __ATOMIC_RELEASE);
	}
}

void bounded_object_gone(struct object *o)
{
	struct facts *w = shim->facts;
	struct story *t = o->story;

	o->story = NULL;
	if (!t || t->object != o) {
		return;
	}
	t->gone = 1;
	t->object = NULL;
	atomic_fetch_add_explicit(&w->objects_gone[facts_class_of(t->birth_stack)], 1,
				  memory_order_relaxed);
	if (t->pinned || t->extra_defs || t->id >= BY_ID || !facts_are_wanted()) {
		return;
	}
	spin_lock(&w->used_lock);
	t->next = NULL;
	if (!w->used_count) {
		w->used_end = &w->used;
	}
	*w->used_end = t;
	w->used_end = &t->next;
	w->used_count++;
	spin_unlock(&w->used_lock);
}

void bounded_object_define(struct object *o, struct tf_def_object *def)
{
	struct tf_object_live live = { .value = (int64_t)(def->attributes & TF_SEM_MOST) };
	struct story *t = o->story;

	if (!t || !t->def) {
		void *at = region_define(&def->def, sizeof(*def), &live, t ? sizeof(live) : 0, NULL,
					 0);

		if (t && at) {
			t->def = at;
			t->live = (void *)(t->def + 1);
		}
		return;
	}
	/* A reader at this very moment finds an object of no kind. */
	def->def.bytes = t->def->def.bytes;
	def->def.flags = TF_OBJECT_AGAIN;
	__atomic_store_n(&t->def->kind, 0, __ATOMIC_RELEASE);
	*t->live = live;
	uint32_t kind = def->kind;

	def->kind = 0;
	*t->def = *def;
	__atomic_store_n(&t->def->kind, kind, __ATOMIC_RELEASE);
}

void bounded_defined(const struct tf_def *def)
{
	uint32_t objects[2] = { 0 };

	if (def->type == TF_DEF_IDENTITY || def->type == TF_DEF_OBJECT_NAME ||
	    def->type == TF_DEF_OWNER || def->type == TF_DEF_ORDER) {
		/* The object's number comes first in all of them; ORDER has two. */
		objects[0] = ((const uint32_t *)(const void *)(def + 1))[0];
	}
	if (def->type == TF_DEF_ORDER) {
		objects[1] = ((const uint32_t *)(const void *)(def + 1))[1];
	}
	for (unsigned i = 0; i < 2; i++) {
		struct story *t = objects[i] < BY_ID ? shim->by_id[objects[i]] : NULL;

		if (t) {
			t->extra_defs = 1;
		}
	}
}

void bounded_object_met(struct stream *s, const struct object *o)
{
	struct story *t = o->story;

	if (!t || !s->bounded) {
		return;
	}
	if (t->birth_thread != s->thread) {
		t->shared = 1;
	}
	if (t->destroy_thread) {
		s->bounded->salt ^= 2; /* the next acquire is looked at */
	}
}
