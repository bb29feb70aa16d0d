/* SPDX-License-Identifier: MIT */
/*
 * test_model.c - the model by itself: holds, objects, threads, order, sets, and hostile input.
 */
#include "analyzer/model/model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OBJECTS 20u
#define THREADS 10u

struct world {
	struct trace_process process;
	struct trace_object object[OBJECTS];
	struct trace_thread thread[THREADS];
	struct model *m;
	struct model_step step;
	uint64_t now_ns;
};

static int world_new(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	for (uint32_t i = 1; i < OBJECTS; i++)
		w->object[i].kind = i < 5 ? TRACE_OBJECT_MUTEX : 0;
	w->object[5].kind = TRACE_OBJECT_RWLOCK;
	w->object[6].kind = TRACE_OBJECT_COND;
	w->object[7].kind = TRACE_OBJECT_SEM;
	w->object[7].attributes = 1;
	w->object[8].kind = TRACE_OBJECT_BARRIER;
	w->object[8].attributes = 2;
	w->object[9].kind = TRACE_OBJECT_ONCE;
	w->object[4].attributes = 1; /* recursive */
	w->process.objects = w->object;
	w->process.object_count = OBJECTS;
	w->process.threads = w->thread;
	w->process.thread_count = THREADS;
	w->m = model_new(&w->process);
	*state = w;
	return 0;
}

static int world_free(void **state)
{
	struct world *w = *state;

	model_free(w->m);
	free(w);
	return 0;
}

static struct model_step *apply_numbered(struct world *w, uint32_t thread, enum trace_op op,
					 uint32_t object, uint32_t other, uint64_t arg,
					 int32_t result, uint64_t seq)
{
	struct trace_event e = { .op = (uint8_t)op,
				 .thread = thread,
				 .stream = thread,
				 .object = object,
				 .other = other,
				 .stack = (uint32_t)++w->now_ns,
				 .arg = arg,
				 .result = result,
				 .has_seq = seq != 0,
				 .seq = seq,
				 .time_ns = w->now_ns };

	model_apply(w->m, &e, &w->step);
	return &w->step;
}

static struct model_step *apply(struct world *w, uint32_t thread, enum trace_op op, uint32_t object,
				uint32_t other, uint64_t arg, int32_t result)
{
	return apply_numbered(w, thread, op, object, other, arg, result, 0);
}

static struct model_thread *thread(struct world *w, uint32_t id)
{
	return model_get_thread(w->m, id);
}

static void test_holds_end_in_any_order(void **state)
{
	struct world *w = *state;
	uint64_t empty;

	apply(w, 1, TRACE_THREAD_BEGIN, 0, 0, 1, 0);
	empty = thread(w, 1)->held_hash;
	for (uint32_t i = 1; i <= 4; i++)
		assert_true(apply(w, 1, TRACE_ACQUIRE, i, 0, 0, 0)->flags & MODEL_STEP_HOLD);
	apply(w, 1, TRACE_RELEASE, 2, 0, 0, 0);
	assert_int_equal(w->step.released.object, 2);
	assert_int_equal(w->step.released.stack, 3);
	apply(w, 1, TRACE_RELEASE, 1, 0, 0, 0);
	assert_int_equal(thread(w, 1)->held_count, 2);
	assert_int_equal(thread(w, 1)->held[0].object, 3);
	assert_int_equal(w->m->objects[1].owner, 0);
	assert_int_equal(w->m->objects[3].owner, 1);
	apply(w, 1, TRACE_RELEASE, 3, 0, 0, 0);
	apply(w, 1, TRACE_RELEASE, 4, 0, 0, 0);
	assert_true(thread(w, 1)->held_hash == empty);
}

static void test_recursion_needs_a_recursive_lock(void **state)
{
	struct world *w = *state;

	apply(w, 1, TRACE_ACQUIRE, 4, 0, 0, 0);
	assert_true(apply(w, 1, TRACE_ACQUIRE, 4, 0, 0, 0)->flags & MODEL_STEP_DEPTH);
	assert_true(apply(w, 1, TRACE_RELEASE, 4, 0, 0, 0)->flags & MODEL_STEP_DEPTH);
	assert_int_equal(w->m->objects[4].owner, 1);
	assert_true(apply(w, 1, TRACE_RELEASE, 4, 0, 0, 0)->flags & MODEL_STEP_RELEASED);
	/* Of an ordinary mutex the release between is missing. */
	apply(w, 1, TRACE_ACQUIRE, 1, 0, 0, 0);
	apply(w, 1, TRACE_ACQUIRE, 1, 0, 0, 0);
	assert_int_equal(thread(w, 1)->held_count, 1);
	assert_true(apply(w, 1, TRACE_RELEASE, 1, 0, 0, 0)->flags & MODEL_STEP_RELEASED);
}

static void test_lock_is_never_held_by_two(void **state)
{
	struct world *w = *state;

	apply(w, 1, TRACE_ACQUIRE, 1, 0, 0, 0);
	assert_true(apply(w, 2, TRACE_ACQUIRE, 1, 0, 0, 0)->flags & MODEL_STEP_TAKEN_OVER);
	assert_ptr_equal(w->step.loser, thread(w, 1));
	assert_int_equal(thread(w, 1)->held_count, 0);
	assert_int_equal(w->m->objects[1].owner, 2);
	/* A release by the recorder's owner wins over the model's. */
	apply(w, 1, TRACE_RELEASE, 1, 0, 0, 0);
	assert_int_equal(w->m->objects[1].owner, 0);
	assert_int_equal(thread(w, 2)->held_count, 0);
}

static void test_readers_are_counted(void **state)
{
	struct world *w = *state;
	size_t iterator = 0;

	apply(w, 1, TRACE_ACQUIRE_SHARED, 5, 0, 0, 0);
	apply(w, 2, TRACE_ACQUIRE_TRY_SHARED, 5, 0, 0, 0);
	apply(w, 2, TRACE_ACQUIRE_SHARED, 5, 0, 0, 0);
	assert_int_equal(w->m->objects[5].readers, 2);
	assert_true(thread(w, 2)->held[0].flags & MODEL_HOLD_REREAD);
	assert_int_equal(model_next_holder(w->m, 5, &iterator)->id, 1);
	assert_int_equal(model_next_holder(w->m, 5, &iterator)->id, 2);
	assert_null(model_next_holder(w->m, 5, &iterator));
	apply(w, 2, TRACE_RELEASE, 5, 0, 0, 0);
	apply(w, 2, TRACE_RELEASE, 5, 0, 0, 0);
	apply(w, 1, TRACE_RELEASE, 5, 0, 0, 0);
	assert_int_equal(w->m->objects[5].readers, 0);
	assert_false(w->m->objects[5].flags & MODEL_EVER_WRITTEN);
	apply(w, 1, TRACE_ACQUIRE, 5, 0, 0, 0);
	assert_true(w->m->objects[5].flags & MODEL_EVER_WRITTEN);
}

static void test_condition_wait_gives_the_mutex_back_and_takes_it(void **state)
{
	struct world *w = *state;

	apply(w, 1, TRACE_ACQUIRE, 2, 0, 0, 0);
	apply(w, 1, TRACE_ACQUIRE, 1, 0, 0, 0);
	apply(w, 1, TRACE_COND_WAIT, 6, 1, 0, 0);
	assert_int_equal(w->m->objects[1].owner, 0);
	assert_int_equal(thread(w, 1)->held_count, 1);
	assert_int_equal(w->m->objects[6].detail->cond.waiter_count, 1);
	apply(w, 2, TRACE_COND_SIGNAL, 6, 0, 1, 0);
	assert_false(w->step.flags & MODEL_STEP_NO_WAITER);
	apply(w, 1, TRACE_COND_WAKE, 6, 1, 0, ETIMEDOUT);
	assert_int_equal(w->m->objects[1].owner, 1);
	assert_int_equal(w->step.waited.mutex, 1);
	assert_true(thread(w, 1)->held[1].flags & MODEL_HOLD_REACQUIRED);
	assert_int_equal(w->m->objects[6].detail->cond.waiter_count, 0);
	assert_true(apply(w, 2, TRACE_COND_BROADCAST, 6, 0, 0, 0)->flags & MODEL_STEP_NO_WAITER);
	assert_int_equal(w->m->objects[6].detail->cond.signallers.count, 1);
	assert_int_equal(w->m->objects[6].detail->cond.signallers.actor[0].count, 2);
	/* Never held, refused: still not held. */
	apply(w, 2, TRACE_COND_WAIT, 6, 3, TRACE_MODE_UNLOCKED, 0);
	apply(w, 2, TRACE_COND_WAKE, 6, 3, 0, EPERM);
	assert_int_equal(w->m->objects[3].owner, 0);
}

static void test_recursive_mutex_stays_locked_in_a_wait(void **state)
{
	struct world *w = *state;

	apply(w, 1, TRACE_ACQUIRE, 4, 0, 0, 0);
	apply(w, 1, TRACE_ACQUIRE, 4, 0, 0, 0);
	apply(w, 1, TRACE_COND_WAIT, 6, 4, 0, 0);
	assert_int_equal(w->m->objects[4].owner, 1);
	apply(w, 1, TRACE_COND_WAKE, 6, 4, 0, 0);
	assert_int_equal(thread(w, 1)->held[0].depth, 2);
}

static void test_semaphore_is_a_lock_until_another_posts(void **state)
{
	struct world *w = *state;

	apply(w, 1, TRACE_ACQUIRE, 7, 0, 0, 0);
	assert_true(model_object_is_lock(&w->m->objects[7]));
	assert_int_equal(thread(w, 1)->held_count, 1);
	apply(w, 1, TRACE_POST, 7, 0, 0, 0);
	assert_int_equal(thread(w, 1)->held_count, 0);
	assert_int_equal(w->m->objects[7].detail->sem.value, 1);
	apply(w, 1, TRACE_ACQUIRE, 7, 0, 0, 0);
	assert_true(apply(w, 2, TRACE_POST, 7, 0, 0, 0)->flags & MODEL_STEP_SEM_DEMOTED);
	assert_false(model_object_is_lock(&w->m->objects[7]));
	assert_int_equal(thread(w, 1)->held_count, 0);
	apply(w, 2, TRACE_ACQUIRE, 7, 0, 0, 0);
	assert_int_equal(thread(w, 2)->held_count, 0);
	assert_int_equal(w->m->objects[7].detail->sem.posters.count, 2);
}

static void test_value_of_a_librarys_semaphore(void **state)
{
	struct world *w = *state;
	const struct model_sem *sem;

	apply(w, 1, TRACE_INIT, 7, 0, TF_LIBRARY_QT << TF_LIBRARY_SHIFT | 3, 0);
	sem = &w->m->objects[7].detail->sem;
	assert_int_equal(sem->initial, 3);
	apply(w, 1, TRACE_ACQUIRE, 7, 0, 0, 0);
	assert_int_equal(sem->value, 2);
	apply(w, 1, TRACE_INIT, 7, 0, TF_LIBRARY_QT << TF_LIBRARY_SHIFT, 0);
	assert_int_equal(sem->value, 0);
	/* One that other processes may post is nobody's lock. */
	apply(w, 1, TRACE_INIT, 7, 0, TF_LIBRARY_QT << TF_LIBRARY_SHIFT | 1, 0);
	assert_true(model_object_is_lock(&w->m->objects[7]));
	apply(w, 1, TRACE_INIT, 7, 0, TF_LIBRARY_SYSV << TF_LIBRARY_SHIFT | 1, 0);
	assert_false(model_object_is_lock(&w->m->objects[7]));
	apply(w, 1, TRACE_INIT, 7, 0, TF_COUNT_SHARED | 1, 0);
	assert_false(model_object_is_lock(&w->m->objects[7]));
	assert_int_equal(w->m->objects[7].detail->sem.value, 1);
}

static void test_barrier_generations(void **state)
{
	struct world *w = *state;
	struct model_barrier *b;

	apply(w, 1, TRACE_BARRIER_ARRIVE, 8, 0, 0, 0);
	b = &w->m->objects[8].detail->barrier;
	assert_int_equal(b->count, 2);
	assert_int_equal(b->arrival_count, 1);
	assert_int_equal(thread(w, 1)->at_barrier, 8);
	apply(w, 2, TRACE_BARRIER_ARRIVE, 8, 0, 0, 0);
	assert_true(apply(w, 1, TRACE_BARRIER_LEAVE, 8, 0, 0, -1)->flags & MODEL_STEP_GENERATION);
	assert_int_equal(b->generation, 1);
	apply(w, 1, TRACE_BARRIER_ARRIVE, 8, 0, 0, 0);
	apply(w, 2, TRACE_BARRIER_LEAVE, 8, 0, 0, 0);
	assert_int_equal(b->arrival_count, 1);
	assert_int_equal(b->arrival[0].site.thread, 1);
}

/* More arrive than a generation takes before the first of them comes out: who it was shows only later. */
static void test_barrier_with_one_too_many(void **state)
{
	static const uint32_t stays[] = { 1, 3 };
	struct world *w = *state;

	for (size_t n = 0; n < 2; n++) {
		struct model_barrier *b;

		for (uint32_t t = 1; t <= 3; t++)
			apply(w, t, TRACE_BARRIER_ARRIVE, 8, 0, 0, 0);
		b = &w->m->objects[8].detail->barrier;
		for (uint32_t t = 3; t >= 1; t--)
			if (t != stays[n])
				apply(w, t, TRACE_BARRIER_LEAVE, 8, 0, 0, t == 2 ? -1 : 0);
		assert_int_equal(b->generation, n + 1);
		assert_int_equal(b->arrival_count, 1);
		assert_int_equal(b->arrival[0].site.thread, stays[n]);
		assert_int_equal(b->leaving, 0);
		if (n == 0) { /* The one that stayed is let out by the next generation. */
			apply(w, 2, TRACE_BARRIER_ARRIVE, 8, 0, 0, 0);
			apply(w, 2, TRACE_BARRIER_LEAVE, 8, 0, 0, -1);
			apply(w, 1, TRACE_BARRIER_LEAVE, 8, 0, 0, 0);
			assert_int_equal(b->arrival_count, 0);
			b->generation--;
		}
	}
}

static void test_once(void **state)
{
	struct world *w = *state;

	apply(w, 1, TRACE_ONCE_BEGIN, 9, 0, 0, 0);
	assert_int_equal(w->m->objects[9].owner, 1);
	assert_int_equal(w->m->objects[9].detail->once.state, MODEL_ONCE_RUNNING);
	apply(w, 1, TRACE_ONCE_END, 9, 0, 1, 0);
	assert_int_equal(w->m->objects[9].detail->once.state, MODEL_ONCE_NEW);
	assert_int_equal(thread(w, 1)->held_count, 0);
}

static void test_lost_records_empty_the_held_set(void **state)
{
	struct world *w = *state;

	apply(w, 1, TRACE_ACQUIRE, 1, 0, 0, 0);
	apply(w, 1, TRACE_REQUEST, 2, 0, 0, 0);
	apply(w, 1, TRACE_LOST, 0, 0, 7, 0);
	assert_true(thread(w, 1)->uncertain);
	assert_int_equal(thread(w, 1)->held_count, 0);
	assert_int_equal(thread(w, 1)->request.object, 0);
	assert_int_equal(thread(w, 1)->lost, 7);
	assert_true(w->m->objects[1].flags & MODEL_OWNER_LOST);
	apply(w, 2, TRACE_ACQUIRE, 1, 0, 0, 0);
	assert_false(w->m->objects[1].flags & MODEL_OWNER_LOST);
}

/* Python's join: the thread's own end comes, or never does. */
static void test_thread_joined_by_its_runtime_goes_on(void **state)
{
	struct world *w = *state;

	apply(w, 1, TRACE_CREATE, 0, 0, 2, 0);
	apply(w, 2, TRACE_THREAD_BEGIN, 0, 0, 2, 0);
	apply(w, 2, TRACE_ACQUIRE, 1, 0, 0, 0);
	assert_false(apply_numbered(w, 1, TRACE_JOIN, 0, 0, 2, 0, 2)->flags & MODEL_STEP_OVER);
	assert_true(thread(w, 2)->joined);
	assert_int_equal(thread(w, 2)->state, MODEL_THREAD_RUNNING);
	apply(w, 2, TRACE_RELEASE, 1, 0, 0, 0);
	assert_int_equal(thread(w, 2)->held_count, 0);
	assert_ptr_equal(model_finish(w->m), thread(w, 2));
	assert_int_equal(thread(w, 2)->state, MODEL_THREAD_OVER);
}

static void test_thread_is_over_when_nothing_can_follow(void **state)
{
	struct world *w = *state;

	apply(w, 1, TRACE_CREATE, 0, 0, 2, 0);
	assert_int_equal(thread(w, 2)->state, MODEL_THREAD_CREATED);
	apply(w, 2, TRACE_THREAD_BEGIN, 0, 0, 2, 0);
	apply(w, 2, TRACE_THREAD_END, 0, 0, 0, 0);
	assert_int_equal(thread(w, 2)->state, MODEL_THREAD_ENDED);
	assert_false(apply(w, 1, TRACE_JOIN, 0, 0, 2, EBUSY)->flags & MODEL_STEP_OVER);
	assert_true(apply(w, 1, TRACE_JOIN, 0, 0, 2, 0)->flags & MODEL_STEP_OVER);
	assert_true(apply(w, 1, TRACE_JOIN, 0, 0, 2, 0)->flags & MODEL_STEP_JOINED_BEFORE);
	/* Its stream goes to another thread. */
	apply(w, 3, TRACE_THREAD_BEGIN, 0, 0, 3, 0);
	apply(w, 3, TRACE_THREAD_END, 0, 0, 2, 0);
	{
		struct trace_event e = {
			.op = TRACE_THREAD_BEGIN, .thread = 4, .stream = 3, .arg = 4
		};

		model_apply(w->m, &e, &w->step);
	}
	assert_true(w->step.flags & MODEL_STEP_OVER);
	assert_ptr_equal(w->step.peer, thread(w, 3));
	/* At the end. */
	apply(w, 4, TRACE_THREAD_END, 0, 0, 0, 0);
	assert_ptr_equal(model_finish(w->m), thread(w, 4));
	assert_null(model_finish(w->m));
	assert_int_equal(thread(w, 1)->state, MODEL_THREAD_RUNNING);
	apply(w, 1, TRACE_CREATE, 0, 0, 5, 0);
	apply(w, 1, TRACE_CREATE_FAILED, 0, 0, 5, EAGAIN);
	assert_int_equal(thread(w, 5)->state, MODEL_THREAD_FAILED);
}

static void test_order_by_create_and_join(void **state)
{
	struct world *w = *state;
	uint32_t before, during, after, child, brother;

	apply(w, 1, TRACE_THREAD_BEGIN, 0, 0, 1, 0);
	before = model_pin_segment(w->m, thread(w, 1));
	assert_int_equal(model_pin_segment(w->m, thread(w, 1)), before);
	apply(w, 1, TRACE_CREATE, 0, 0, 2, 0);
	apply(w, 1, TRACE_CREATE, 0, 0, 3, 0);
	during = model_pin_segment(w->m, thread(w, 1));
	child = model_pin_segment(w->m, thread(w, 2));
	brother = model_pin_segment(w->m, thread(w, 3));
	apply(w, 1, TRACE_JOIN, 0, 0, 2, 0);
	after = model_pin_segment(w->m, thread(w, 1));
	assert_true(model_is_before(w->m, before, child));
	assert_true(model_is_before(w->m, child, after));
	assert_true(model_is_before(w->m, before, after));
	assert_false(model_is_before(w->m, during, child));
	assert_false(model_is_before(w->m, child, during));
	assert_false(model_is_before(w->m, child, brother));
	assert_false(model_is_before(w->m, brother, after));
	assert_false(model_is_before_by_barrier(w->m, before, child));
	assert_false(model_is_before(w->m, child, child));
	assert_int_equal(model_segment_thread(w->m, child), 2);
}

static void test_order_by_barrier(void **state)
{
	struct world *w = *state;
	uint32_t a, b, c;

	apply(w, 1, TRACE_THREAD_BEGIN, 0, 0, 1, 0);
	apply(w, 2, TRACE_THREAD_BEGIN, 0, 0, 2, 0);
	a = model_pin_segment(w->m, thread(w, 1));
	for (int i = 0; i < 100; i++) {
		apply(w, 1, TRACE_BARRIER_ARRIVE, 8, 0, 0, 0);
		apply(w, 2, TRACE_BARRIER_ARRIVE, 8, 0, 0, 0);
		apply(w, 1, TRACE_BARRIER_LEAVE, 8, 0, 0, 0);
		apply(w, 2, TRACE_BARRIER_LEAVE, 8, 0, 0, -1);
	}
	b = model_pin_segment(w->m, thread(w, 2));
	c = model_pin_segment(w->m, thread(w, 1));
	assert_true(model_is_before_by_barrier(w->m, a, b));
	assert_true(model_is_before(w->m, a, c));
	assert_false(model_is_before(w->m, b, c));
	assert_false(model_is_before(w->m, b, a));
	/* Generations in which nothing was pinned cost nothing. */
	assert_in_range(b, 1, 12);
}

static void test_sets(void **state)
{
	struct world *w = *state;
	uint32_t one, same, shared, other, count;
	const uint32_t *element;

	apply(w, 1, TRACE_ACQUIRE, 3, 0, 0, 0);
	apply(w, 1, TRACE_ACQUIRE_SHARED, 5, 0, 0, 0);
	apply(w, 1, TRACE_ACQUIRE, 1, 0, 0, 0);
	one = model_intern_set(w->m, thread(w, 1), 0);
	element = model_get_set(w->m, one, &count);
	assert_int_equal(count, 3);
	assert_int_equal(MODEL_SET_OBJECT(element[0]), 1);
	assert_int_equal(MODEL_SET_OBJECT(element[2]), 5);
	assert_true(MODEL_SET_SHARED(element[2]));
	assert_int_equal(model_intern_set(w->m, thread(w, 1), 0), one);
	same = model_intern_set(w->m, thread(w, 1), 1);
	assert_int_not_equal(same, one);
	assert_false(model_set_has(w->m, same, 1));
	assert_true(model_set_has(w->m, same, 3));
	apply(w, 2, TRACE_ACQUIRE_SHARED, 5, 0, 0, 0);
	shared = model_intern_set(w->m, thread(w, 2), 0);
	assert_false(model_sets_exclude(w->m, one, shared));
	apply(w, 2, TRACE_ACQUIRE, 2, 0, 0, 0);
	apply(w, 1, TRACE_RELEASE, 3, 0, 0, 0);
	apply(w, 2, TRACE_ACQUIRE, 3, 0, 0, 0);
	other = model_intern_set(w->m, thread(w, 2), 0);
	assert_true(model_sets_exclude(w->m, one, other));
	assert_true(model_sets_exclude(w->m, other, one));
	assert_int_equal(model_intern_set(w->m, thread(w, 2), 99) != 0, 1);
	assert_false(model_sets_exclude(w->m, 0, one));
	apply(w, 3, TRACE_THREAD_BEGIN, 0, 0, 3, 0);
	assert_int_equal(model_intern_set(w->m, thread(w, 3), 0), 0);
}

/* Any event whatsoever: nothing may crash, and a lock's owner holds it. */
static void test_hostile_events(void **state)
{
	struct world *w = *state;
	uint64_t x = 88172645463325252ULL;

	for (int i = 0; i < 400000; i++) {
		struct trace_event e = { 0 };

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		e.op = x % 70;
		e.thread = (uint32_t)(x >> 8) % (THREADS + 2);
		e.stream = (uint32_t)(x >> 12) % (x >> 60 ? 12 : UINT32_MAX);
		e.object = (uint32_t)(x >> 20) % (OBJECTS + 2);
		e.other = (uint32_t)(x >> 28) % (OBJECTS + 2);
		e.arg = x >> 36 & 1 ? (x >> 40) % 12 : x;
		e.result = x >> 37 & 3 ? 0 : (int32_t)(x >> 44) % 140 - 1;
		e.stack = (uint32_t)(x >> 50) % 10;
		e.time_ns = (uint64_t)i;
		model_apply(w->m, &e, &w->step);
		if (i % 1000 == 0)
			for (uint32_t o = 1; o < OBJECTS; o++)
				if (w->m->objects[o].owner)
					assert_non_null(model_find_held(
						thread(w, w->m->objects[o].owner), o));
		if (i % 777 == 0 && w->step.thread)
			model_pin_segment(w->m, w->step.thread);
	}
	while (model_finish(w->m))
		;
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, world_new, world_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(holds_end_in_any_order),
		TEST(recursion_needs_a_recursive_lock),
		TEST(lock_is_never_held_by_two),
		TEST(readers_are_counted),
		TEST(condition_wait_gives_the_mutex_back_and_takes_it),
		TEST(recursive_mutex_stays_locked_in_a_wait),
		TEST(semaphore_is_a_lock_until_another_posts),
		TEST(value_of_a_librarys_semaphore),
		TEST(barrier_generations),
		TEST(barrier_with_one_too_many),
		TEST(once),
		TEST(lost_records_empty_the_held_set),
		TEST(thread_is_over_when_nothing_can_follow),
		TEST(thread_joined_by_its_runtime_goes_on),
		TEST(order_by_create_and_join),
		TEST(order_by_barrier),
		TEST(sets),
		TEST(hostile_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
