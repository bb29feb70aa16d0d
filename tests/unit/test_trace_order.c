/* SPDX-License-Identifier: MIT */
/*
 * test_trace_order.c - hand-overs come out in their true order under any clock skew, and nothing
 * waits for ever.
 */
#include "trace/trace_merge.h"
#include "trace/trace_writer.h"
#include "trace_scratch.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND (1000000000ll / TRACE_WRITER_TICK_NS)
#define OBJECTS 64

/*
 * Fails when two threads own one lock, or one takes it while readers are in; counts readers let in
 * beside a writer.
 */
struct holds {
	uint32_t owner[OBJECTS];
	uint32_t depth[OBJECTS];
	uint32_t readers[OBJECTS];
	unsigned acquires, overlaps;
};

static void take(struct holds *h, uint32_t object, uint32_t thread)
{
	assert_true(!h->depth[object] || h->owner[object] == thread);
	assert_int_equal(h->readers[object], 0);
	h->owner[object] = thread;
	h->depth[object]++;
	h->acquires++;
}

static void drop(struct holds *h, uint32_t object, uint32_t thread)
{
	if (h->depth[object] && h->owner[object] == thread) {
		h->depth[object]--;
	} else {
		assert_true(h->readers[object] > 0);
		h->readers[object]--;
	}
}

static void hold_event(struct holds *h, const struct trace_event *e)
{
	switch (e->op) {
	case TRACE_ACQUIRE:
	case TRACE_ACQUIRE_TRY:
		take(h, e->object, e->thread);
		break;
	case TRACE_ACQUIRE_OWNERDEAD:
		h->depth[e->object] = 0;
		take(h, e->object, e->thread);
		break;
	case TRACE_ACQUIRE_SHARED:
		h->overlaps += h->depth[e->object] != 0;
		h->readers[e->object]++;
		h->acquires++;
		break;
	case TRACE_RELEASE:
		drop(h, e->object, e->thread);
		break;
	case TRACE_COND_WAIT:
		drop(h, e->other, e->thread);
		break;
	case TRACE_COND_WAKE:
		take(h, e->other, e->thread);
		break;
	default:
		break;
	}
}

/* Plays all events and checks each; the caller frees *ret_events. */
static struct holds play(const char *dir, struct trace_event **ret_events, size_t *ret_count)
{
	struct trace_reader *r = scratch_open(dir);
	struct trace_event *events;
	struct holds h = { .acquires = 0 };
	size_t count;

	events = scratch_events(r, 0, &count);
	for (size_t i = 0; i < count; i++) {
		hold_event(&h, &events[i]);
	}
	trace_reader_free(r);
	if (ret_events) {
		*ret_events = events;
		*ret_count = count;
	} else {
		free(events);
	}
	return h;
}

static void define(struct trace_writer *w, uint32_t threads, uint32_t objects,
		   enum trace_object_kind kind)
{
	for (uint32_t i = 1; i <= threads; i++) {
		trace_writer_thread(w, i, 0, 0);
		trace_writer_begin(w, i - 1, i);
	}
	for (uint32_t i = 1; i <= objects; i++) {
		trace_writer_object(w, i, kind, 0x1000 * i, 0, 1);
	}
}

static void hand_over(int64_t skew)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	uint64_t ticks = 10 * SECOND;

	define(w, 2, 1, TRACE_OBJECT_MUTEX);
	trace_writer_skew(w, 1, skew);
	for (int i = 0; i < 1000; i++, ticks += 100) {
		trace_writer_event(w, i % 2, TRACE_ACQUIRE, ticks, 1, 0, 0, 0, 0,
				   TRACE_WRITER_AUTO);
		trace_writer_event(w, i % 2, TRACE_RELEASE, ticks + 50, 1, 0, 0, 0, 0, 0);
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(play(dir, NULL, NULL).acquires, 1000);
	scratch_remove(dir);
}

static void test_hand_over_survives_clock_skew(void **state)
{
	(void)state;
	hand_over(0);
	hand_over(SECOND);
	hand_over(-SECOND);
	hand_over(5 * SECOND);
	hand_over(-5 * SECOND);
	hand_over(-70);
	hand_over(120);
}

/* The test's own check: without the numbers, the same skew does put the lock into two hands. */
static void test_without_numbers_skew_would_show(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	struct trace_reader *r;
	struct trace_event *events;
	size_t count, wrong = 0;

	(void)state;
	define(w, 2, 1, TRACE_OBJECT_SEM);
	trace_writer_skew(w, 1, -SECOND);
	for (int i = 0; i < 100; i++) {
		trace_writer_acquire(w, i % 2, 1, 0);
		trace_writer_release(w, i % 2, 1);
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	for (size_t i = 1; i < count; i++) {
		wrong += events[i].op == TRACE_ACQUIRE && events[i - 1].thread == events[i].thread;
	}
	assert_true(wrong > 0);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

/*
 * A random run of threads over mutexes and rwlocks, written in its true order, each stream with its
 * own clock error. Small generator, fixed seeds: the same run on every machine.
 */
static uint32_t roll(uint64_t *seed, uint32_t sides)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % sides;
}

struct run {
	uint32_t owner[OBJECTS], readers[OBJECTS];
	uint32_t held[32][4]; /* objects held by a thread, 0 = free place */
	uint32_t waiting[32]; /* mutex to take again after a wait */
};

static bool can_take(const struct run *run, uint32_t o, bool shared)
{
	return !run->owner[o] && (shared || !run->readers[o]);
}

static void run_step(struct trace_writer *w, struct run *run, uint32_t t, uint32_t objects,
		     uint64_t *seed)
{
	uint32_t o = 1 + roll(seed, objects), place = roll(seed, 4);
	uint32_t *held = &run->held[t][place];
	bool rwlock = o % 2 == 0, shared = rwlock && roll(seed, 3);

	if (run->waiting[t]) {
		uint32_t m = run->waiting[t];

		if (can_take(run, m, false)) {
			trace_writer_event(w, t - 1, TRACE_COND_WAKE, 0, 63, m, 0, 0, 0,
					   TRACE_WRITER_AUTO);
			run->owner[m] = t;
			run->waiting[t] = 0;
			run->held[t][0] = m;
		}
	} else if (*held) {
		o = *held;
		if (run->owner[o] == t && o % 2 && !place && roll(seed, 2)) {
			trace_writer_event(w, t - 1, TRACE_COND_WAIT, 0, 63, o, 0, 0, 0,
					   TRACE_WRITER_AUTO);
			run->waiting[t] = o;
			run->owner[o] = 0;
		} else {
			trace_writer_release(w, t - 1, o);
			if (run->owner[o] == t) {
				run->owner[o] = 0;
			} else {
				run->readers[o]--;
			}
		}
		*held = 0;
	} else if (can_take(run, o, shared)) {
		trace_writer_event(w, t - 1, shared ? TRACE_ACQUIRE_SHARED : TRACE_ACQUIRE, 0, o, 0,
				   0, 0, 0, TRACE_WRITER_AUTO);
		if (shared) {
			run->readers[o]++;
		} else {
			run->owner[o] = t;
		}
		*held = o;
	}
}

static void random_run(uint64_t seed, uint32_t threads, uint32_t objects, int64_t skew,
		       unsigned steps)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	struct run run = { .owner = { 0 } };
	struct holds h;

	define(w, threads, 0, TRACE_OBJECT_MUTEX);
	for (uint32_t o = 1; o <= objects; o++) {
		trace_writer_object(w, o, o % 2 ? TRACE_OBJECT_MUTEX : TRACE_OBJECT_RWLOCK,
				    0x1000 * o, 0, 1);
	}
	trace_writer_object(w, 63, TRACE_OBJECT_COND, 0x99000, 0, 1);
	trace_writer_event(w, 0, TRACE_EXIT, 10 * SECOND, 0, 0, 0, 0, 0, 0);
	for (uint32_t t = 1; t < threads; t++) {
		trace_writer_skew(w, t, skew ? (int64_t)roll(&seed, 2 * (uint32_t)skew) - skew : 0);
	}
	for (unsigned i = 0; i < steps; i++) {
		run_step(w, &run, 1 + roll(&seed, threads), objects, &seed);
	}
	trace_writer_finish(w, 0);
	h = play(dir, NULL, NULL);
	assert_true(h.acquires > steps / 20);
	assert_true(h.overlaps <= (skew > 100 ? steps / 50 : 0));
	scratch_remove(dir);
}

static void test_random_runs_keep_locks_exclusive(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		random_run(seed, 2 + seed % 7, 2 + seed % 5, 0, 2000);
		random_run(seed, 2 + seed % 7, 2 + seed % 5, 150, 2000);
		random_run(seed, 2 + seed % 7, 2 + seed % 5, 20000, 2000);
		random_run(seed, 2 + seed % 7, 2 + seed % 5, 3 * SECOND, 2000);
	}
	random_run(99, 30, 40, SECOND, 60000);
}

static void test_recursive_mutex_is_free_after_its_last_release(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	struct trace_event *events;
	size_t count, i = 0;

	(void)state;
	define(w, 2, 0, TRACE_OBJECT_MUTEX);
	trace_writer_object_full(w, 1, TRACE_OBJECT_MUTEX, 0x10, 0, 1, PTHREAD_MUTEX_RECURSIVE,
				 TF_WHERE_MODULE);
	trace_writer_event(w, 0, TRACE_EXIT, 10 * SECOND, 0, 0, 0, 0, 0, 0);
	trace_writer_skew(w, 1, -SECOND);
	for (int n = 0; n < 10; n++) {
		for (uint32_t s = 0; s < 2; s++) {
			trace_writer_acquire(w, s, 1, 0);
			trace_writer_acquire(w, s, 1, 0);
			trace_writer_release(w, s, 1);
			trace_writer_acquire(w, s, 1, 0);
			trace_writer_release(w, s, 1);
			trace_writer_release(w, s, 1);
		}
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(play(dir, &events, &count).acquires, 60);
	while (events[i].op != TRACE_ACQUIRE) {
		i++;
	}
	for (int n = 0; n < 120; n++) {
		assert_int_equal(events[i + n].thread, 1 + n / 6 % 2);
	}
	free(events);
	scratch_remove(dir);
}

/* The owner ended without a release: the one who is told so must not wait for it. */
static void test_dead_owner_is_followed_by_ownerdead(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	struct trace_event *events;
	size_t count;

	(void)state;
	define(w, 3, 1, TRACE_OBJECT_MUTEX);
	trace_writer_event(w, 0, TRACE_EXIT, 10 * SECOND, 0, 0, 0, 0, 0, 0);
	trace_writer_skew(w, 1, -SECOND);
	trace_writer_acquire(w, 0, 1, 0);
	trace_writer_end(w, 0);
	trace_writer_event(w, 1, TRACE_ACQUIRE_OWNERDEAD, 0, 1, 0, 0, 0, 0, TRACE_WRITER_AUTO);
	trace_writer_release(w, 1, 1);
	trace_writer_acquire(w, 2, 1, 0);
	trace_writer_release(w, 2, 1);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(play(dir, &events, &count).acquires, 3);
	assert_int_equal(events[count - 6].op, TRACE_ACQUIRE);
	assert_int_equal(events[count - 5].op, TRACE_ACQUIRE_OWNERDEAD);
	free(events);
	scratch_remove(dir);
}

static size_t find(const struct trace_event *events, size_t count, unsigned op, uint32_t thread)
{
	for (size_t i = 0; i < count; i++) {
		if (events[i].op == op && events[i].thread == thread) {
			return i;
		}
	}
	fail_msg("no event %u of thread %u", op, thread);
	return 0;
}

static void threads_in_order(int64_t skew)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	struct trace_event *events;
	size_t count;

	trace_writer_thread(w, 1, 0, 0);
	trace_writer_thread(w, 2, 1, 0);
	trace_writer_thread(w, 3, 2, 0);
	trace_writer_begin(w, 0, 1);
	trace_writer_event(w, 0, TRACE_EXIT, 10 * SECOND, 0, 0, 0, 0, 0, 0);
	trace_writer_create(w, 0, 2, 0);
	trace_writer_skew(w, 1, skew);
	trace_writer_skew(w, 2, -skew);
	trace_writer_begin(w, 1, 2);
	trace_writer_create(w, 1, 3, 0);
	trace_writer_begin(w, 2, 3);
	trace_writer_end(w, 2);
	trace_writer_event(w, 2, TRACE_POST, 0, 0, 0, 0, 0, 0, 0); /* a destructor of thread 3 */
	trace_writer_join(w, 1, 3, 0);
	trace_writer_end(w, 1);
	trace_writer_join(w, 0, 2, 0);
	trace_writer_event(w, 0, TRACE_PROCESS_EXIT, 0, 0, 0, 0, 1, 0, 0);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	play(dir, &events, &count);
	assert_true(find(events, count, TRACE_CREATE, 1) <
		    find(events, count, TRACE_THREAD_BEGIN, 2));
	assert_true(find(events, count, TRACE_CREATE, 2) <
		    find(events, count, TRACE_THREAD_BEGIN, 3));
	assert_true(find(events, count, TRACE_POST, 3) < find(events, count, TRACE_JOIN, 2));
	assert_true(find(events, count, TRACE_THREAD_END, 2) < find(events, count, TRACE_JOIN, 1));
	assert_int_equal(find(events, count, TRACE_PROCESS_EXIT, 1), count - 1);
	free(events);
	scratch_remove(dir);
}

static void test_create_begin_end_join_in_order(void **state)
{
	(void)state;
	threads_in_order(0);
	threads_in_order(SECOND);
	threads_in_order(-SECOND);
}

/*
 * Thread 2 records 4 events until its runtime says that it is over (`told` of them, as the join saw it), and goes on: its lock is
 * thread 1's next, as of a thing that the joiner did after the join.
 */
static struct trace_event *joined_early(int64_t skew, uint64_t told, size_t *ret_count)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	struct trace_event *events;

	define(w, 1, 1, TRACE_OBJECT_MUTEX);
	trace_writer_thread(w, 2, 1, 0);
	trace_writer_event(w, 0, TRACE_EXIT, 10 * SECOND, 0, 0, 0, 0, 0, 0);
	trace_writer_create(w, 0, 2, 0);
	trace_writer_skew(w, 1, skew);
	trace_writer_begin(w, 1, 2);
	trace_writer_acquire(w, 1, 1, 0);
	trace_writer_release(w, 1, 1);
	trace_writer_event(w, 1, TRACE_COND_SIGNAL, TRACE_WRITER_NEXT, 0, 0, 0, 0, 0,
			   0); /* its 4th */
	trace_writer_event(w, 0, TRACE_JOIN, TRACE_WRITER_NEXT, 0, 0, 0, 2, 0, told);
	trace_writer_acquire(w, 0, 1, 0);
	trace_writer_release(w, 0, 1);
	trace_writer_acquire(w, 1, 1, 0); /* the third: after the joiner's */
	trace_writer_release(w, 1, 1);
	trace_writer_end(w, 1);
	trace_writer_event(w, 0, TRACE_PROCESS_EXIT, TRACE_WRITER_NEXT, 0, 0, 0, 1, 0, 0);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(play(dir, &events, ret_count).acquires, 3);
	scratch_remove(dir);
	return events;
}

/* Under any skew: after what the thread had recorded, and before what it records later. */
static void test_join_by_a_runtime_waits_for_no_later_record(void **state)
{
	const int64_t skew[] = { 0, SECOND, -SECOND, 70, -70 };

	(void)state;
	for (size_t i = 0; i < sizeof(skew) / sizeof(skew[0]); i++) {
		size_t count;
		struct trace_event *events = joined_early(skew[i], 4, &count);
		size_t join = find(events, count, TRACE_JOIN, 1);

		assert_true(find(events, count, TRACE_COND_SIGNAL, 2) < join);
		assert_true(find(events, count, TRACE_ACQUIRE, 1) <
			    find(events, count, TRACE_THREAD_END, 2));
		assert_true(join < find(events, count, TRACE_THREAD_END, 2));
		free(events);
	}
}

/* What thread 3 does follows from what thread 1 did after its join of thread 2, which is over much later. */
static bool effect_comes_late(uint64_t told)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	struct trace_event *events;
	size_t count;
	bool late;

	define(w, 3, 0, TRACE_OBJECT_MUTEX);
	trace_writer_event(w, 0, TRACE_JOIN, TRACE_WRITER_NEXT, 0, 0, 0, 2, 0, told);
	trace_writer_event(w, 0, TRACE_POST, TRACE_WRITER_NEXT, 0, 0, 0, 0, 0, 0);
	trace_writer_event(w, 2, TRACE_COND_SIGNAL, TRACE_WRITER_NEXT, 0, 0, 0, 0, 0, 0);
	trace_writer_end(w, 1);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	play(dir, &events, &count);
	late = find(events, count, TRACE_POST, 1) < find(events, count, TRACE_COND_SIGNAL, 3);
	free(events);
	scratch_remove(dir);
	return late;
}

static void test_a_late_end_does_not_hold_back_a_joiner(void **state)
{
	(void)state;
	assert_true(effect_comes_late(1));
	assert_false(effect_comes_late(0)); /* the test's own check: so it was without the number */
}

/*
 * Nothing that the trace does not hold is waited for: no CREATE, no number n-1, no release, no end.
 */
static void test_missing_partners_do_not_stop_the_merge(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	struct trace_reader *r;
	struct trace_event *events;
	size_t count;

	(void)state;
	trace_writer_thread(w, 1, 0, 0);
	trace_writer_thread(w, 2, 1, 0); /* its CREATE is missing */
	trace_writer_thread(w, 3, 1, 0); /* never began */
	trace_writer_object(w, 1, TRACE_OBJECT_MUTEX, 0x10, 0, 1);
	trace_writer_object(w, 2, TRACE_OBJECT_RWLOCK, 0x20, 0, 1);
	trace_writer_begin(w, 1, 2);
	trace_writer_begin(w, 0, 1);
	trace_writer_join(w, 0, 3, 0);
	trace_writer_event(w, 0, TRACE_ACQUIRE, 0, 1, 0, 0, 0, 0, 900);
	trace_writer_event(w, 1, TRACE_ACQUIRE, 0, 1, 0, 0, 0, 0, 901);
	trace_writer_event(w, 0, TRACE_ACQUIRE_SHARED, 0, 2, 0, 0, 0, 0, UINT64_MAX - 1);
	trace_writer_event(w, 1, TRACE_ACQUIRE, 0, 2, 0, 0, 0, 0, 5);
	trace_writer_event(w, 1, TRACE_COND_WAKE, 0, 7, 1, 0, 0, 0, 77);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	assert_int_equal(count, 8);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

/*
 * A lock whose unlocks are not seen must not drag one thread's events to the end of the trace:
 * after a few forced records the reader stops waiting for it.
 */
static void test_unseen_unlocks_do_not_displace_a_thread(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	struct trace_reader *r;
	struct trace_event *events;
	size_t count, late = 0;

	(void)state;
	define(w, 3, 2, TRACE_OBJECT_MUTEX);
	for (int i = 0; i < 1000; i++) {
		trace_writer_acquire(w, (uint32_t)i % 2, 1, 0);
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	for (size_t i = 1; i < count; i++) {
		late += events[i].time_ns < events[i - 1].time_ns;
	}
	assert_int_equal(count, 1003);
	assert_true(late < 10);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

/* With records lost, one that waits for a lost one is let go after a bounded span of trace time. */
static void test_loss_delays_other_records_little(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	struct trace_reader *r;
	struct trace_event *events;
	size_t count, i = 0;

	(void)state;
	define(w, 3, 2, TRACE_OBJECT_MUTEX);
	trace_writer_acquire(w, 0, 1, 0);
	trace_writer_release(w, 0, 1);
	trace_writer_drop_chunk(w, 0);
	trace_writer_acquire(w, 1, 1, 0); /* number 2, after the lost 1 */
	for (int n = 0; n < 100; n++) {
		trace_writer_event(w, 2, TRACE_EXIT, (uint64_t)(n + 1) * SECOND / 20, 0, 0, 0, 0, 0,
				   0);
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	while (events[i].op != TRACE_ACQUIRE) {
		i++;
	}
	assert_true(i < 10);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

/*
 * Counts the events of the one image in `dir`, read as if the process had run on meanwhile or not.
 */
static size_t count_moving(const char *dir, bool moving)
{
	struct trace_dir d;
	struct trace_defs defs;
	struct trace_merge merge;
	struct trace_event e;
	size_t count = 0;

	assert_int_equal(trace_dir_open(dir, &d, NULL), 0);
	d.images[0].moving = moving;
	assert_int_equal(trace_defs_init(&defs, &d.images[0]), 0);
	assert_int_equal(trace_merge_init(&merge, &defs, &d.images[0]), 0);
	while (trace_merge_next(&merge, &e)) {
		count++;
	}
	assert_int_equal(trace_merge_next(&merge, &e), 0);
	trace_merge_release(&merge);
	trace_defs_release(&defs);
	trace_dir_release(&d);
	return count;
}

/*
 * A live process: stream 1 was copied before its release, stream 2 after the acquire that followed.
 */
static void test_effects_without_causes_of_a_live_process(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);

	(void)state;
	define(w, 2, 1, TRACE_OBJECT_MUTEX);
	trace_writer_acquire(w, 0, 1, 0);
	trace_writer_event(w, 1, TRACE_ACQUIRE, 0, 1, 0, 0, 0, 0, 2);
	trace_writer_release(w, 1, 1);
	trace_writer_finish(w, 0);
	assert_int_equal(count_moving(dir, true), 3);
	assert_int_equal(count_moving(dir, false), 5); /* not alive: nothing is kept back */
	scratch_remove(dir);
}

/*
 * Thousands of streams that all wait for one another's lock: finishes in the time of a sort, not of
 * a square.
 */
static void test_many_parked_streams(void **state)
{
	enum { STREAMS = 4000 };
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 1);
	struct trace_event *events;
	size_t count;

	(void)state;
	trace_writer_object(w, 1, TRACE_OBJECT_MUTEX, 0x10, 0, 1);
	trace_writer_object(w, 2, TRACE_OBJECT_RWLOCK, 0x20, 0, 1);
	trace_writer_get_header(w)->threads = STREAMS;
	for (uint32_t s = 0; s < STREAMS; s++) {
		trace_writer_skew(w, s, SECOND * 5 - (int64_t)s * 1000);
		trace_writer_begin(w, s, s + 1);
	}
	for (int n = 0; n < 3; n++) {
		for (uint32_t s = 0; s < STREAMS; s++) {
			trace_writer_acquire(w, s, 1, 0);
			trace_writer_release(w, s, 1);
		}
		for (uint32_t s = 0; s < STREAMS; s++) {
			trace_writer_event(w, s, TRACE_ACQUIRE_SHARED, 0, 2, 0, 0, 0, 0,
					   TRACE_WRITER_AUTO);
		}
		for (uint32_t s = 0; s < STREAMS; s++) {
			trace_writer_release(w, s, 2);
		}
		trace_writer_acquire(w, 7, 2, 0);
		trace_writer_release(w, 7, 2);
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(play(dir, &events, &count).acquires, 3 * (2 * STREAMS + 1));
	free(events);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hand_over_survives_clock_skew),
		cmocka_unit_test(test_without_numbers_skew_would_show),
		cmocka_unit_test(test_random_runs_keep_locks_exclusive),
		cmocka_unit_test(test_recursive_mutex_is_free_after_its_last_release),
		cmocka_unit_test(test_dead_owner_is_followed_by_ownerdead),
		cmocka_unit_test(test_create_begin_end_join_in_order),
		cmocka_unit_test(test_join_by_a_runtime_waits_for_no_later_record),
		cmocka_unit_test(test_a_late_end_does_not_hold_back_a_joiner),
		cmocka_unit_test(test_missing_partners_do_not_stop_the_merge),
		cmocka_unit_test(test_unseen_unlocks_do_not_displace_a_thread),
		cmocka_unit_test(test_loss_delays_other_records_little),
		cmocka_unit_test(test_effects_without_causes_of_a_live_process),
		cmocka_unit_test(test_many_parked_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
