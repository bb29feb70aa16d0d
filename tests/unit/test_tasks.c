/* SPDX-License-Identifier: MIT */
/*
 * test_tasks.c - what annotations change: holds that travel with tasks, locks that are handed over, declared orders,
 * stretches that are benign.
 */
#include "event_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct trace_task tasks[4];

static void with_tasks(struct feed *f)
{
	f->process.tasks = tasks;
	f->process.task_count = 4;
}

static void test_unlock_where_the_task_went_is_right(void **state)
{
	(void)state;
	/* odd X 1 0: the recorder believes that thread 1 holds it */
	feed_expect(
		with_tasks,
		"1 create 2; 1 task 1 1; 1 lock a; 1 task 1 2; 2 task 1 3; 2 odd a 1 0; 2 task 1 4",
		RULE_LOCK_HELD_ACROSS_AWAIT, CONFIDENCE_HINT, 1);
	feed_expect(with_tasks, "1 create 2; 1 lock a; 2 odd a 1 0", RULE_UNLOCK_NOT_OWNED,
		    CONFIDENCE_OBSERVED, 1);
}

static void test_resumption_may_be_seen_first(void **state)
{
	(void)state;
	feed_expect(
		with_tasks,
		"1 create 2; 1 task 1 1; 1 lock a; 2 task 1 3; 1 task 1 2; 2 odd a 1 0; 2 task 1 4",
		RULE_UNLOCK_NOT_OWNED, CONFIDENCE_OBSERVED, 0);
}

static void test_thread_keeps_what_it_locked_itself(void **state)
{
	struct feed *f = calloc(1, sizeof(*f));

	(void)state;
	feed_init(f);
	with_tasks(f);
	/* b is the thread's: b -> c is its order; a -> c is nobody's, since a is away with the task */
	feed_run(f, "1 create 2; 1 lock b @11; 1 task 1 1; 1 lock a @12; 1 task 1 2; 1 lock c @13; "
		    "1 unlock c; 1 unlock b; 2 lock c @14; 2 lock b @15; 2 unlock b; 2 unlock c; "
		    "2 lock c @16; 2 lock a @17; 2 unlock a; 2 unlock c; 1 task 1 3; 1 task 1 4");
	feed_end(f);
	assert_int_equal(feed_count(f, RULE_LOCK_ORDER_INVERSION, -1), 1);
	assert_int_equal(feed_count(f, RULE_LOCK_HELD_ACROSS_AWAIT, CONFIDENCE_HINT), 1);
	feed_release(f);
	free(f);
}

static void test_hand_over_to_anyone(void **state)
{
	(void)state;
	feed_expect(NULL,
		    "1 create 2; 1 lock a; 1 handover a 0; 2 odd a -1 0; 1 lock a; 1 unlock a",
		    RULE_UNLOCK_NOT_OWNED, CONFIDENCE_OBSERVED, 0);
}

static void test_hand_over_moves_the_hold(void **state)
{
	(void)state;
	/* thread 2 holds a from then on: a -> b is its order, not thread 1's */
	feed_expect(NULL,
		    "1 create 2; 1 create 3; 1 lock a @11; 1 handover a 2; 1 lock c; 1 unlock c; "
		    "2 lock b @12; 2 unlock b; 2 unlock a; 3 lock b @13; 3 lock a @14; 3 unlock a; "
		    "3 unlock b; 3 lock c; 3 lock a; 3 unlock a; 3 unlock c",
		    RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 1);
}

/* ---- declared orders ---- */

static struct tf_def_order order;
static const struct tf_def_order *orders[1] = { &order };

static void a_before_b(struct feed *f)
{
	order = (struct tf_def_order){ .before = feed_id('a'), .after = feed_id('b') };
	f->process.orders = orders;
	f->process.order_count = 1;
}

static void outer_before_inner(struct feed *f)
{
	a_before_b(f);
	f->object[feed_id('a')].class_name = f->object[feed_id('c')].class_name = "outer";
	f->object[feed_id('b')].class_name = f->object[feed_id('d')].class_name = "inner";
	f->object[feed_id('a')].address = f->object[feed_id('b')].address = 0;
}

static void test_declared_order_is_broken_once(void **state)
{
	(void)state;
	feed_expect(a_before_b, "1 lock b @11; 1 lock a @12; 1 unlock a; 1 unlock b",
		    RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 1);
	feed_expect(a_before_b, "1 lock a; 1 lock b; 1 unlock b; 1 unlock a; 1 lock b; 1 try a",
		    RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 0);
}

static void test_cycle_is_said_once(void **state)
{
	(void)state;
	feed_expect(a_before_b,
		    "1 create 2; 1 lock a @11; 1 lock b @12; 1 unlock b; 1 unlock a; "
		    "2 lock b @13; 2 lock a @14; 2 unlock a; 2 unlock b",
		    RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 1);
}

static void test_declared_order_of_classes(void **state)
{
	(void)state;
	feed_expect(outer_before_inner, "1 lock d @11; 1 lock c @12; 1 unlock c; 1 unlock d",
		    RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 1);
	feed_expect(outer_before_inner,
		    "1 lock c; 1 lock d; 1 unlock d; 1 unlock c; 1 lock e; 1 lock c",
		    RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 0);
}

/* ---- benign ---- */

static enum level level_of(const char *script, enum rule rule)
{
	struct feed *f = calloc(1, sizeof(*f));
	enum level level;

	feed_init(f);
	feed_run(f, script);
	feed_end(f);
	assert_non_null(feed_find(f, rule));
	level = feed_find(f, rule)->level;
	feed_release(f);
	free(f);
	return level;
}

static void test_benign_stretch_makes_a_note(void **state)
{
	(void)state;
	assert_int_equal(level_of("1 create 2; 1 lock a; 2 benign 1; 2 benign 1; 2 benign 0; "
				  "2 odd a 1 0; 2 benign 0",
				  RULE_UNLOCK_NOT_OWNED),
			 LEVEL_NOTE);
	assert_int_equal(level_of("1 create 2; 2 benign 1; 2 benign 0; 1 lock a; 2 odd a 1 0",
				  RULE_UNLOCK_NOT_OWNED),
			 LEVEL_ERROR);
	assert_int_equal(level_of("1 create 2; 1 create 3; 1 lock a; 3 benign 1; 2 odd a 1 0",
				  RULE_UNLOCK_NOT_OWNED),
			 LEVEL_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unlock_where_the_task_went_is_right),
		cmocka_unit_test(test_resumption_may_be_seen_first),
		cmocka_unit_test(test_thread_keeps_what_it_locked_itself),
		cmocka_unit_test(test_hand_over_to_anyone),
		cmocka_unit_test(test_hand_over_moves_the_hold),
		cmocka_unit_test(test_declared_order_is_broken_once),
		cmocka_unit_test(test_cycle_is_said_once),
		cmocka_unit_test(test_declared_order_of_classes),
		cmocka_unit_test(test_benign_stretch_makes_a_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
