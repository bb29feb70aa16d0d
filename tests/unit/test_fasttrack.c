/* SPDX-License-Identifier: MIT */
/*
 * test_fasttrack.c - which accesses race: by locks, atomics, fences, shared locks; parts of a word; and the replay of a memory trace
 * whose atomics say another order than the clocks.
 */
#include "memory_file.h"
#include "trace_scratch.h"

#include "analyzer/fasttrack.h"
#include "analyzer/memory_replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAIN = 1, A, B, THREADS };
enum { LOCK = 1, OTHER, OBJECTS };
enum { READ = 0, WRITE = FASTTRACK_WRITES, ATOMIC = FASTTRACK_ATOMIC };

static struct trace_process process = { .thread_count = THREADS, .object_count = OBJECTS };

struct run {
	struct happens_before *hb;
	struct fasttrack *ft;
	unsigned races;
};

static void count(void *cookie, uint64_t word, uint16_t generation,
		  const struct fasttrack_access *old, const struct fasttrack_access *now)
{
	struct run *r = cookie;

	(void)word, (void)generation;
	assert_true(old->thread != now->thread && (old->writes || now->writes));
	r->races++;
}

static struct run begin(void)
{
	return (struct run){ .hb = happens_before_new(&process) };
}

static unsigned end(struct run *r)
{
	fasttrack_free(r->ft);
	happens_before_free(r->hb);
	return r->races;
}

static void touch(struct run *r, unsigned thread, unsigned flags, uint64_t address, unsigned bytes)
{
	if (!r->ft)
		r->ft = fasttrack_new(r->hb, 1000, count, r);
	fasttrack_touch(r->ft, thread, address, bytes, 0, flags, 1, 0);
}

static void feed(struct run *r, unsigned thread, enum trace_op op, unsigned object)
{
	struct trace_event e = { .op = (uint8_t)op, .thread = thread, .object = object };

	happens_before_apply(r->hb, &e);
	if (r->ft)
		fasttrack_moved(r->ft);
}

static void test_what_nothing_orders_races(void **state)
{
	struct run r = begin();

	(void)state;
	touch(&r, A, WRITE, 64, 8);
	touch(&r, B, WRITE, 64, 8);
	assert_int_equal(end(&r), 1);
	r = begin();
	touch(&r, A, READ, 64, 8);
	touch(&r, B, READ, 64, 8);
	assert_int_equal(r.races, 0);
	touch(&r, MAIN, WRITE, 64, 8); /* with both */
	assert_int_equal(end(&r), 2);
}

static void test_a_lock_orders(void **state)
{
	struct run r = begin();

	(void)state;
	feed(&r, A, TRACE_ACQUIRE, LOCK);
	touch(&r, A, WRITE, 64, 8);
	feed(&r, A, TRACE_RELEASE, LOCK);
	feed(&r, B, TRACE_ACQUIRE, LOCK);
	touch(&r, B, WRITE, 64, 8);
	feed(&r, B, TRACE_RELEASE, LOCK);
	assert_int_equal(r.races, 0);
	touch(&r, A, READ, 64, 8); /* B's write is not ordered with it */
	assert_int_equal(end(&r), 1);
}

static void test_a_write_that_came_later_stands_for_the_earlier_one(void **state)
{
	struct run r = begin();

	(void)state;
	touch(&r, A, WRITE, 64, 8);
	feed(&r, A, TRACE_RELEASE, LOCK);
	feed(&r, B, TRACE_ACQUIRE, LOCK);
	touch(&r, B, WRITE, 64, 8);
	touch(&r, MAIN, WRITE, 64, 8); /* A's is before B's: one race is told, with B's */
	assert_int_equal(end(&r), 1);
}

static void test_who_shares_a_lock_is_not_ordered(void **state)
{
	struct run r = begin();

	(void)state;
	feed(&r, A, TRACE_ACQUIRE_SHARED, LOCK);
	touch(&r, A, WRITE, 64, 8);
	feed(&r, A, TRACE_RELEASE, LOCK);
	feed(&r, B, TRACE_ACQUIRE_SHARED, LOCK);
	touch(&r, B, WRITE, 64, 8);
	feed(&r, B, TRACE_RELEASE, LOCK);
	assert_int_equal(r.races, 1);
	feed(&r, MAIN, TRACE_ACQUIRE, LOCK); /* who excludes both comes after both */
	touch(&r, MAIN, WRITE, 64, 8);
	assert_int_equal(end(&r), 1);
}

static void test_neighbours_in_a_word_do_not_race(void **state)
{
	struct run r = begin();

	(void)state;
	touch(&r, A, WRITE, 64, 4);
	touch(&r, B, WRITE, 68, 4);
	assert_int_equal(r.races, 0);
	touch(&r, B, WRITE, 67, 2); /* one byte is common */
	assert_int_equal(end(&r), 1);
	r = begin();
	touch(&r, A, WRITE, 70, 4); /* across two words */
	touch(&r, B, READ, 72, 1);
	assert_int_equal(end(&r), 1);
}

static void test_atomics_race_with_plain_accesses_only(void **state)
{
	struct run r = begin();

	(void)state;
	touch(&r, A, WRITE | ATOMIC, 64, 4);
	touch(&r, B, WRITE | ATOMIC, 64, 4);
	assert_int_equal(r.races, 0);
	touch(&r, MAIN, READ, 64, 4);
	assert_true(end(&r) >= 1);
	/* An atomic access that comes later does not stand for a plain one. */
	r = begin();
	touch(&r, A, WRITE, 64, 4);
	touch(&r, A, WRITE | ATOMIC, 64, 4);
	touch(&r, B, WRITE | ATOMIC, 64, 4);
	assert_int_equal(end(&r), 1);
}

static void test_release_and_acquire_of_an_address_order(void **state)
{
	struct run r = begin();

	(void)state;
	touch(&r, A, WRITE, 64, 8);
	happens_before_release_at(r.hb, A, 0x1000);
	fasttrack_moved(r.ft);
	happens_before_acquire_at(r.hb, B, 0x2000);
	happens_before_acquire_at(r.hb, B, 0x1000);
	touch(&r, B, WRITE, 64, 8);
	assert_int_equal(end(&r), 0);
}

static void test_relaxed_orders_with_fences_only(void **state)
{
	struct run r = begin();

	(void)state;
	for (int fences = 0; fences < 2; fences++) {
		uint64_t at = 0x1000 + 64u * (unsigned)fences;

		touch(&r, A, WRITE, at, 8);
		if (fences)
			happens_before_fence(r.hb, A, false, true);
		happens_before_may_release_at(r.hb, A, at + 8);
		happens_before_may_acquire_at(r.hb, B, at + 8);
		if (fences)
			happens_before_fence(r.hb, B, true, false);
		fasttrack_moved(r.ft);
		touch(&r, B, WRITE, at, 8);
		assert_int_equal(r.races, 1); /* the one without */
	}
	end(&r);
}

/* ---- the replay ---- */

static void on_event(void *cookie, const struct trace_event *e)
{
	struct run *r = cookie;

	happens_before_apply(r->hb, e);
	fasttrack_moved(r->ft);
}
static void on_item(void *cookie, const struct memory_moment *at, const struct trace_memory_item *i)
{
	if (i->kind == TM_ACCESS)
		touch(cookie, at->thread, i->flags & TM_WRITE ? WRITE : READ, i->address,
		      (unsigned)i->bytes);
}
static void on_release(void *cookie, const struct memory_moment *at,
		       const struct trace_memory_item *i)
{
	struct run *r = cookie;

	happens_before_release_at(r->hb, at->thread, i->address);
	fasttrack_moved(r->ft);
}
static void on_acquire(void *cookie, const struct memory_moment *at,
		       const struct trace_memory_item *i)
{
	struct run *r = cookie;

	happens_before_acquire_at(r->hb, at->thread, i->address);
	fasttrack_moved(r->ft);
}
static void on_gap(void *cookie)
{
	struct run *r = cookie;

	happens_before_gap(r->hb, MAIN);
	fasttrack_moved(r->ft);
}

static unsigned replay(const struct memory_file *f, const struct trace_event *events, size_t n,
		       struct memory_replay_stats *ret_stats)
{
	struct run r = begin();
	struct memory_sink sink = { &r, on_event, on_item, on_release, on_acquire, on_gap, NULL };
	char *dir = scratch_new(), path[512];
	struct memory_replay *m;
	struct trace_memory *file;
	struct diag diag;

	r.ft = fasttrack_new(r.hb, 1000, count, &r);
	scratch_write(dir, "1.1.memory", f->bytes, f->count);
	snprintf(path, sizeof(path), "%s/1.1.memory", dir);
	assert_int_equal(trace_memory_open(path, &file, &diag), 0);
	m = memory_replay_new(&process, file, &sink);
	for (size_t i = 0; i < n; i++)
		memory_replay_event(m, &events[i], 0);
	memory_replay_finish(m);
	*ret_stats = memory_replay_stats(m);
	memory_replay_free(m);
	trace_memory_free(file);
	scratch_remove(dir);
	return end(&r);
}

static struct trace_event event(unsigned thread, enum trace_op op, unsigned object)
{
	return (struct trace_event){
		.op = (uint8_t)op, .thread = thread, .stream = thread, .object = object
	};
}

/*
 * B's acquire has a number above that of A's release, but all of B's events come first. B waits for A, and what hangs on B's later
 * events waits with it.
 */
static void test_replay_follows_numbers_against_the_clocks(void **state)
{
	struct trace_event events[] = {
		event(B, TRACE_POST, LOCK),
		event(B, TRACE_RELEASE, OTHER),
		event(A, TRACE_ACQUIRE, OTHER),
		event(A, TRACE_POST, LOCK),
	};
	struct memory_replay_stats stats;
	struct memory_file f;

	(void)state;
	memory_file_init(&f);
	memory_file_thread(&f, 1, B, B, 1);
	memory_file_sync(&f, TM_ACQUIRE, 0x5000, 0, 2);
	memory_file_access(&f, TM_WRITE, 0x7000, 8, 1);
	memory_file_thread(&f, 2, A, A, 0);
	memory_file_access(&f, TM_WRITE, 0x7000, 8, 2);
	memory_file_position(&f, 0);
	memory_file_sync(&f, TM_RELEASE, 0x5000, 1, 0);
	memory_file_position(&f, 2);
	assert_int_equal(replay(&f, events, 4, &stats), 0);
	assert_int_equal(stats.gaps, 0);
	assert_int_equal(stats.accesses, 2);
	memory_file_release(&f);
}

/* The release that number 1 was is not in the file: from there on all is ordered, nothing is reported, and it ends. */
static void test_replay_of_a_file_with_a_gap_ends_without_alarm(void **state)
{
	struct trace_event events[] = { event(A, TRACE_POST, LOCK), event(B, TRACE_POST, OTHER) };
	struct memory_replay_stats stats;
	struct memory_file f;

	(void)state;
	memory_file_init(&f);
	memory_file_thread(&f, 1, A, A, 1);
	memory_file_access(&f, TM_WRITE, 0x7000, 8, 1);
	memory_file_thread(&f, 2, B, B, 1);
	memory_file_sync(&f, TM_ACQUIRE, 0x5000, 0, 2);
	memory_file_access(&f, TM_WRITE, 0x7000, 8, 1);
	assert_int_equal(replay(&f, events, 2, &stats), 0);
	assert_int_equal(stats.gaps, 1);
	memory_file_release(&f);
}

/* An access takes its place among the events of its thread: before the release it is covered, behind it not. */
static void test_replay_keeps_places_among_events(void **state)
{
	struct trace_event events[] = {
		event(A, TRACE_ACQUIRE, LOCK),
		event(A, TRACE_RELEASE, LOCK),
		event(A, TRACE_POST, OTHER),
		event(B, TRACE_ACQUIRE, LOCK),
	};
	struct memory_replay_stats stats;

	(void)state;
	for (unsigned place = 1; place <= 3; place++) {
		struct memory_file f;

		memory_file_init(&f);
		memory_file_thread(&f, 1, A, A, place);
		memory_file_access(&f, TM_WRITE, 0x7000, 8, 1);
		memory_file_thread(&f, 2, B, B, 1);
		memory_file_access(&f, TM_WRITE, 0x7000, 8, 2);
		assert_int_equal(replay(&f, events, 4, &stats), place == 1 ? 0 : 1);
		memory_file_release(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_nothing_orders_races),
		cmocka_unit_test(test_a_lock_orders),
		cmocka_unit_test(test_a_write_that_came_later_stands_for_the_earlier_one),
		cmocka_unit_test(test_who_shares_a_lock_is_not_ordered),
		cmocka_unit_test(test_neighbours_in_a_word_do_not_race),
		cmocka_unit_test(test_atomics_race_with_plain_accesses_only),
		cmocka_unit_test(test_release_and_acquire_of_an_address_order),
		cmocka_unit_test(test_relaxed_orders_with_fences_only),
		cmocka_unit_test(test_replay_follows_numbers_against_the_clocks),
		cmocka_unit_test(test_replay_of_a_file_with_a_gap_ends_without_alarm),
		cmocka_unit_test(test_replay_keeps_places_among_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
