/* SPDX-License-Identifier: MIT */
/*
 * test_steer.c - when a circle stands: each asks for the very lock that the next one holds, nobody who is over is in it, and all of it are let go.
 */
#include "../../preload/steer/steer_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* What the file asks the rest of the recorder for. */
struct steer_plan *steer_plan;
static struct steer_plan plan;
void *shim_pages(size_t bytes)
{
	return calloc(1, bytes);
}

enum { ALL = 0xff, A = 0x1000, B = 0x2000, C = 0x3000 };

static int begin(void **state)
{
	(void)state;
	plan = (struct steer_plan){ .edges = 3, .hold_ms = 1 };
	steer_plan = &plan;
	return steer_stand_arm() ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	free(steer_state);
	return 0;
}

/* The thread holds the one, taken at any of the outer places, and asks for the other. */
static struct standing *stand(uint32_t thread, uintptr_t held, uintptr_t asks)
{
	struct stream s = { .thread = thread };
	struct steer_call call = { .s = &s, .sp = 100 };
	struct standing *me;

	steer_hold_add(thread, held, ALL);
	me = steer_standing_add(&call, steer_edges_played(thread, ALL, asks), asks);
	steer_circle_look();
	return me;
}

static void test_a_circle_of_the_same_instances_is_let_go(void **state)
{
	const struct standing *one = stand(1, A, B), *other = stand(2, C, A);

	(void)state;
	assert_int_equal(plan.met, 0);
	assert_false(one->go || other->go);
	assert_true(stand(3, B, C)->go);
	assert_true(one->go && other->go);
	assert_int_equal(plan.met, 1);
	assert_int_equal(plan.most, 3);
}

static void test_other_instances_are_no_circle(void **state)
{
	(void)state;
	stand(1, A, B);
	stand(2, C, A);
	assert_false(stand(3, B + 8, C)->go);
	assert_int_equal(plan.met, 0);
	assert_int_equal(plan.most, 2);
}

static void test_who_is_over_stands_nowhere_and_holds_nothing(void **state)
{
	(void)state;
	stand(1, A, B);
	stand(2, C, A);
	steer_thread_drop(1);
	assert_false(stand(3, B, C)->go);
	assert_int_equal(plan.met, 0);
	for (uint32_t i = 10; i < 10 + 2 * HOLDS; i++) {
		assert_non_null(stand(i, 16 * i, 16 * i + 8));
		steer_thread_drop(i);
	}
	assert_true(stand(4, A, B)->go);
}

static void test_who_was_left_by_a_jump_stands_nowhere(void **state)
{
	(void)state;
	stand(1, A, B);
	steer_standing_drop(1, 99);
	stand(2, C, A);
	assert_true(stand(3, B, C)->go);
	steer_standing_drop(1, 100);
	steer_circle_look();
	assert_int_equal(plan.met, 1);
}

/* Eight locks in a row, each read by sixteen who ask for the next: 16 to the power of 8 ways, and none is closed. */
static void test_many_readers_are_looked_at_for_a_bounded_time(void **state)
{
	(void)state;
	plan.edges = STEER_EDGES;
	for (uint32_t i = 0; i < STANDING; i++) {
		assert_non_null(stand(i + 1, A + i % 8 * 8, A + i % 8 * 8 + 8));
	}
	assert_int_equal(plan.met, 0);
	assert_in_range(plan.most, STEER_EDGES - 1, STEER_EDGES);
	assert_null(stand(STANDING + 1, A, B)); /* there is no more room */
	steer_thread_drop(1);
	assert_non_null(stand(STANDING + 2, A, B));
}

static void test_who_is_late_goes_when_the_others_stand(void **state)
{
	struct stream s = { .thread = 1 };
	struct steer_call call = { .s = &s, .sp = 100 };
	struct standing *late = steer_standing_add(&call, 1, A);

	(void)state;
	late->is_late = true;
	steer_late_look();
	assert_false(late->go);
	stand(2, B, C)->edges = 2;
	steer_late_look();
	assert_false(late->go);
	stand(3, C, A)->edges = 4;
	steer_late_look();
	assert_true(late->go);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_circle_of_the_same_instances_is_let_go),
		TEST(other_instances_are_no_circle),
		TEST(who_is_over_stands_nowhere_and_holds_nothing),
		TEST(who_was_left_by_a_jump_stands_nowhere),
		TEST(many_readers_are_looked_at_for_a_bounded_time),
		TEST(who_is_late_goes_when_the_others_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
