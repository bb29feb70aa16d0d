/* SPDX-License-Identifier: MIT */
/*
 * test_happens_before.c - the order of a run: by locks, threads, tasks and what hands objects over; gaps and hostile ids.
 */
#include "analyzer/happens_before.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAIN = 1, A, B, THREADS };
enum { LOCK = 1, OTHER, HANDED, OBJECTS };

static struct happens_before *new_order(void)
{
	struct trace_process process = { .thread_count = THREADS, .object_count = OBJECTS };

	return happens_before_new(&process);
}

static void feed(struct happens_before *hb, uint32_t thread, enum trace_op op, uint32_t object,
		 uint64_t arg, int32_t result)
{
	struct trace_event e = {
		.op = (uint8_t)op, .thread = thread, .object = object, .arg = arg, .result = result
	};

	happens_before_apply(hb, &e);
}

static void test_create_and_join_order(void **state)
{
	struct happens_before *hb = new_order();
	uint32_t before, during, inside;

	(void)state;
	before = happens_before_now(hb, MAIN);
	feed(hb, MAIN, TRACE_CREATE, 0, A, 0);
	during = happens_before_now(hb, MAIN);
	inside = happens_before_now(hb, A);
	assert_true(happens_before_is(hb, MAIN, before, A));
	assert_false(happens_before_is(hb, MAIN, during, A));
	assert_false(happens_before_is(hb, A, inside, MAIN));
	feed(hb, MAIN, TRACE_JOIN, 0, A, 0);
	assert_true(happens_before_is(hb, A, inside, MAIN));
	happens_before_free(hb);
}

/* ---- barriers ---- */

static struct happens_before *new_barrier(struct trace_object objects[OBJECTS])
{
	struct trace_process process = { .thread_count = THREADS,
					 .object_count = OBJECTS,
					 .objects = objects };
	struct happens_before *hb;

	memset(objects, 0, OBJECTS * sizeof(*objects));
	objects[LOCK].kind = TRACE_OBJECT_BARRIER;
	hb = happens_before_new(&process);
	feed(hb, MAIN, TRACE_INIT, LOCK, 2, 0);
	return hb;
}

static void test_a_late_one_out_of_a_barrier_has_not_seen_the_next_round(void **state)
{
	struct trace_object objects[OBJECTS];
	struct happens_before *hb = new_barrier(objects);
	uint32_t before, after;

	(void)state;
	for (int round = 0; round < 3; round++) {
		before = happens_before_now(hb, B);
		feed(hb, A, TRACE_BARRIER_ARRIVE, LOCK, 0, 0);
		feed(hb, B, TRACE_BARRIER_ARRIVE, LOCK, 0, 0);
		feed(hb, B, TRACE_BARRIER_LEAVE, LOCK, 0, -1);
		after = happens_before_now(hb, B);
		feed(hb, B, TRACE_BARRIER_ARRIVE, LOCK, 0, 0);
		feed(hb, A, TRACE_BARRIER_LEAVE, LOCK, 0, 0);
		assert_true(happens_before_is(hb, B, before, A));
		assert_false(happens_before_is(hb, B, after, A));
		feed(hb, A, TRACE_BARRIER_ARRIVE, LOCK, 0, 0);
		feed(hb, A, TRACE_BARRIER_LEAVE, LOCK, 0, -1);
		feed(hb, B, TRACE_BARRIER_LEAVE, LOCK, 0, 0);
		assert_true(happens_before_is(hb, B, after, A));
	}
	happens_before_free(hb);
}

/* Which two of three meet is not known: whoever arrived before came before. */
static void test_a_barrier_with_more_users_than_it_waits_for(void **state)
{
	struct trace_object objects[OBJECTS];
	struct happens_before *hb = new_barrier(objects);
	uint32_t moment;

	(void)state;
	feed(hb, MAIN, TRACE_BARRIER_ARRIVE, LOCK, 0, 0);
	feed(hb, A, TRACE_BARRIER_ARRIVE, LOCK, 0, 0);
	feed(hb, A, TRACE_BARRIER_LEAVE, LOCK, 0, -1);
	feed(hb, MAIN, TRACE_BARRIER_LEAVE, LOCK, 0, 0);
	moment = happens_before_now(hb, A);
	feed(hb, A, TRACE_BARRIER_ARRIVE, LOCK, 0, 0);
	feed(hb, B, TRACE_BARRIER_ARRIVE, LOCK, 0, 0);
	feed(hb, B, TRACE_BARRIER_LEAVE, LOCK, 0, 0);
	assert_true(happens_before_is(hb, A, moment, B));
	happens_before_free(hb);
}

static void test_a_barrier_whose_beginning_was_not_seen(void **state)
{
	struct happens_before *hb = new_order();
	uint32_t moment;

	(void)state;
	feed(hb, A, TRACE_BARRIER_ARRIVE, LOCK, 0, 0);
	moment = happens_before_now(hb, B);
	feed(hb, B, TRACE_BARRIER_ARRIVE, LOCK, 0, 0);
	feed(hb, A, TRACE_BARRIER_LEAVE, LOCK, 0, 0);
	assert_true(happens_before_is(hb, B, moment, A));
	happens_before_free(hb);
}

static void test_what_comes_after_a_join_is_not_before_it(void **state)
{
	struct happens_before *hb = new_order();
	uint32_t later;

	(void)state;
	feed(hb, MAIN, TRACE_CREATE, 0, A, 0);
	feed(hb, MAIN, TRACE_JOIN, 0, A, 0);
	later = happens_before_now(hb, A); /* Python's thread goes on for a while */
	assert_false(happens_before_is(hb, A, later, MAIN));
	feed(hb, MAIN, TRACE_JOIN, 0, THREADS, 0); /* no such thread */
	happens_before_free(hb);
}

static void test_only_the_same_lock_orders(void **state)
{
	struct happens_before *hb = new_order();
	uint32_t under;

	(void)state;
	feed(hb, A, TRACE_ACQUIRE, LOCK, 0, 0);
	under = happens_before_now(hb, A);
	feed(hb, A, TRACE_RELEASE, LOCK, 0, 0);
	feed(hb, B, TRACE_ACQUIRE, OTHER, 0, 0);
	assert_false(happens_before_is(hb, A, under, B));
	feed(hb, B, TRACE_ACQUIRE, LOCK, 0, 0);
	assert_true(happens_before_is(hb, A, under, B));
	assert_false(happens_before_is(hb, A, happens_before_now(hb, A), B));
	happens_before_free(hb);
}

static void test_what_is_handed_over_orders(void **state)
{
	struct happens_before *hb = new_order();
	uint32_t made = happens_before_now(hb, A);

	(void)state;
	feed(hb, A, TRACE_ACCESS, HANDED, TRACE_ACCESS_PUBLISH, 0);
	assert_false(happens_before_is(hb, A, made, B));
	feed(hb, B, TRACE_ACCESS, HANDED, TRACE_ACCESS_OBTAIN, 0);
	assert_true(happens_before_is(hb, A, made, B));
	happens_before_free(hb);
}

static void test_a_posted_callback_comes_after_its_post(void **state)
{
	struct happens_before *hb = new_order();
	uint32_t posted = happens_before_now(hb, A);

	(void)state;
	feed(hb, A, TRACE_TASK_ARM, 0, 7, 0);
	feed(hb, B, TRACE_TASK, 0, 8, TRACE_TASK_CALLED);
	assert_false(happens_before_is(hb, A, posted, B));
	feed(hb, B, TRACE_TASK, 0, 7, TRACE_TASK_CALLED);
	assert_true(happens_before_is(hb, A, posted, B));
	happens_before_free(hb);
}

static void test_a_gap_orders_all_that_was_before_it(void **state)
{
	struct happens_before *hb = new_order();
	uint32_t a = happens_before_now(hb, A), b = happens_before_now(hb, B);

	(void)state;
	feed(hb, A, TRACE_LOST, 0, 3, 0);
	assert_true(happens_before_is(hb, A, a, B));
	assert_true(happens_before_is(hb, B, b, A));
	assert_false(happens_before_is(hb, A, happens_before_now(hb, A), B));
	happens_before_free(hb);
}

static void test_ids_out_of_range_do_nothing(void **state)
{
	struct happens_before *hb = new_order();

	(void)state;
	for (unsigned op = 0; op < TF_OPS; op++) {
		feed(hb, UINT32_MAX, (enum trace_op)op, UINT32_MAX, UINT64_MAX, -1);
		feed(hb, A, (enum trace_op)op, UINT32_MAX, UINT64_MAX, 0);
	}
	assert_int_equal(happens_before_now(hb, UINT32_MAX), 0);
	assert_false(happens_before_is(hb, UINT32_MAX, 1, A));
	happens_before_free(hb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_and_join_order),
		cmocka_unit_test(test_a_late_one_out_of_a_barrier_has_not_seen_the_next_round),
		cmocka_unit_test(test_a_barrier_with_more_users_than_it_waits_for),
		cmocka_unit_test(test_a_barrier_whose_beginning_was_not_seen),
		cmocka_unit_test(test_what_comes_after_a_join_is_not_before_it),
		cmocka_unit_test(test_only_the_same_lock_orders),
		cmocka_unit_test(test_what_is_handed_over_orders),
		cmocka_unit_test(test_a_posted_callback_comes_after_its_post),
		cmocka_unit_test(test_a_gap_orders_all_that_was_before_it),
		cmocka_unit_test(test_ids_out_of_range_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
