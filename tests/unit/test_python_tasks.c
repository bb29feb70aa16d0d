/* SPDX-License-Identifier: MIT */
/*
 * test_python_tasks.c - coroutines: how they end, what became of a cancellation, who waits for whom, locks that tasks hold.
 */
#include "event_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "task N STEP": also of the steps that have no verb. */
#define UNAWAITED "15"
#define FAILED "14"
#define SWALLOWED "13"
#define ASKED "17"
#define MET "18"
#define WENT_ON "19"
#define FORGOTTEN "20"
#define PENDING "16"

static struct trace_task tasks[8];
static struct trace_await awaits[8];

static void with_locks(struct feed *f)
{
	f->process.tasks = tasks;
	f->process.task_count = 8;
	for (const char *c = "ab"; *c; c++)
		feed_object(f, *c, TRACE_OBJECT_MUTEX, TF_LIBRARY_ASYNCIO << TF_LIBRARY_SHIFT);
}

static void expect(const char *script, enum rule rule, enum confidence confidence, size_t count)
{
	feed_expect(with_locks, script, rule, confidence, count);
}

/* ---- ends ---- */

static void test_coroutine_that_never_began(void **state)
{
	(void)state;
	expect("1 new 1 153; 1 arm 1 - 1; 1 task 1 " UNAWAITED, RULE_NEVER_AWAITED,
	       CONFIDENCE_OBSERVED, 1);
}

static void test_failure_that_nobody_saw(void **state)
{
	(void)state;
	expect("1 new 1 150; 1 call 1; 1 ret 1; 1 task 1 " FAILED "; 1 finish 1",
	       RULE_UNRETRIEVED_EXCEPTION, CONFIDENCE_OBSERVED, 1);
	expect("1 new 1 150; 1 call 1; 1 ret 1; 1 finish 1", RULE_UNRETRIEVED_EXCEPTION,
	       CONFIDENCE_OBSERVED, 0);
}

static void test_cancellation_that_was_swallowed(void **state)
{
	(void)state;
	expect("1 new 1 150; 1 task 1 " ASKED "; 1 task 1 " MET
	       "; 1 call 1; 1 ret 1; 1 task 1 " WENT_ON "; 1 task 1 " SWALLOWED "; 1 finish 1",
	       RULE_SWALLOWED_CANCELLATION, CONFIDENCE_OBSERVED, 1);
	/* it returned in the handler */
	expect("1 new 1 150; 1 task 1 " ASKED "; 1 task 1 " MET
	       "; 1 call 1; 1 ret 1; 1 task 1 " SWALLOWED "; 1 finish 1",
	       RULE_SWALLOWED_CANCELLATION, CONFIDENCE_HINT, 1);
	/* it was put off, and then passed on */
	expect("1 new 1 150; 1 task 1 " ASKED "; 1 task 1 " MET "; 1 task 1 " WENT_ON
	       "; 1 task 1 5",
	       RULE_SWALLOWED_CANCELLATION, CONFIDENCE_OBSERVED, 0);
	/* asked again, and still at work when the trace ends */
	expect("1 new 1 150; 1 task 1 " ASKED "; 1 task 1 " MET "; 1 task 1 " WENT_ON
	       "; 1 task 1 " ASKED,
	       RULE_SWALLOWED_CANCELLATION, CONFIDENCE_OBSERVED, 1);
	/* the task that it waited for took it */
	expect("1 new 1 150; 1 task 1 " ASKED "; 1 task 1 " SWALLOWED "; 1 finish 1",
	       RULE_SWALLOWED_CANCELLATION, CONFIDENCE_HINT, 0);
}

static void test_task_that_was_not_over(void **state)
{
	(void)state;
	expect("1 new 1 150; 1 call 1; 1 ret 1; 1 drop 1", RULE_LEAKED_TASK, CONFIDENCE_OBSERVED,
	       1);
	expect("1 new 1 150; 1 task 1 " FORGOTTEN "; 1 task 1 5", RULE_LEAKED_TASK,
	       CONFIDENCE_OBSERVED, 1);
	expect("1 new 1 150; 1 task 1 " PENDING "; 1 task 1 5", RULE_LEAKED_TASK,
	       CONFIDENCE_OBSERVED, 0);
}

/* ---- orders of locks ---- */

#define TAKE_BOTH(task, first, second)                                                           \
	"1 call " task ";1 lock " first ";1 lock " second ";1 unlock " second ";1 unlock " first \
	";1 ret " task ";"

static void test_tasks_take_locks_in_two_orders(void **state)
{
	(void)state;
	expect("1 new 1 150; 1 new 2 150;" TAKE_BOTH("1", "a", "b") TAKE_BOTH("2", "b", "a"),
	       RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 1);
	expect("1 new 1 150; 1 new 2 150;" TAKE_BOTH("1", "a", "b") TAKE_BOTH("1", "b", "a"),
	       RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 0);
	/* task 1 made task 3 when 2 was over */
	expect("1 new 1 150; 1 call 1; 1 new 2 150; 1 ret 1;" TAKE_BOTH(
		       "2", "a",
		       "b") "1 finish 2; 1 call 1; 1 new 3 150; 1 ret 1;" TAKE_BOTH("3", "b", "a"),
	       RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 0);
	/* the same of another parent: requests of a server */
	expect("1 new 2 150;" TAKE_BOTH("2", "a",
					"b") "1 finish 2; 1 new 3 150;" TAKE_BOTH("3", "b", "a"),
	       RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 1);
}

static void test_lock_of_a_task_is_no_thread_s(void **state)
{
	(void)state;
	expect("1 new 1 150; 1 call 1; 1 lock a; 1 ret 1; 1 exit 1", RULE_LOCK_HELD_ACROSS_AWAIT,
	       CONFIDENCE_HINT, 0);
}

/* ---- looks ---- */

static struct feed *look(const struct trace_await *await, size_t count, const char *script)
{
	struct feed *f = calloc(1, sizeof(*f));

	feed_init(f);
	with_locks(f);
	memcpy(awaits, await, count * sizeof(*await));
	for (size_t i = 0; i < count; i++) {
		awaits[i].look = 1;
		awaits[i].thread = 1;
		awaits[i].time_ns = 1000000;
		awaits[i].object = awaits[i].object ? feed_id((char)awaits[i].object) : 0;
	}
	f->process.awaits = awaits;
	f->process.await_count = count;
	feed_run(f, "1 new 1 150; 1 new 2 150; 1 new 3 150");
	feed_run(f, script);
	feed_end(f);
	return f;
}

static size_t count_after(const struct trace_await *await, size_t count, const char *script,
			  enum rule rule)
{
	struct feed *f = look(await, count, script);
	size_t found = feed_count(f, rule, CONFIDENCE_OBSERVED);

	feed_release(f);
	free(f);
	return found;
}

static const char idle[] = "1 call 1; 1 ret 1; 1 call 2; 1 ret 2";

static void test_tasks_that_await_each_other(void **state)
{
	struct trace_await w[] = { { .task = 1, .kind = TF_AWAIT_TASK, .other = 2 },
				   { .task = 2, .kind = TF_AWAIT_TASK, .other = 1 } };

	(void)state;
	assert_int_equal(count_after(w, 2, idle, RULE_AWAIT_CYCLE), 1);
	/* still there when the program ended it */
	assert_int_equal(
		count_after(w, 2, "1 sleep 5; 1 call 1; 1 ret 1; 1 exit 1", RULE_AWAIT_CYCLE), 1);
	w[1].flags = TF_AWAIT_TIMED;
	assert_int_equal(count_after(w, 2, idle, RULE_AWAIT_CYCLE), 0);
	w[1].flags = 0;
	w[1].other = 3; /* which can go on */
	assert_int_equal(count_after(w, 2, idle, RULE_AWAIT_CYCLE), 0);
}

static void test_limit_of_who_waits_for_a_task_of_the_circle(void **state)
{
	const struct trace_await w[] = {
		{ .task = 1, .kind = TF_AWAIT_TASK, .other = 2 },
		{ .task = 2, .kind = TF_AWAIT_TASK, .other = 1 },
		{ .task = 3, .kind = TF_AWAIT_TASK, .other = 1, .flags = TF_AWAIT_TIMED },
	};

	(void)state;
	assert_int_equal(count_after(w, 3, idle, RULE_AWAIT_CYCLE), 0);
}

static void test_tasks_that_hold_each_other_s_locks(void **state)
{
	const struct trace_await w[] = {
		{ .task = 1, .kind = TF_AWAIT_LOCK, .object = 'b' },
		{ .task = 2, .kind = TF_AWAIT_LOCK, .object = 'a' },
	};
	const struct trace_await own[] = { { .task = 1, .kind = TF_AWAIT_LOCK, .object = 'a' } };
	static const char hold[] = "1 call 1; 1 lock a; 1 ret 1; 1 call 2; 1 lock b; 1 ret 2";

	(void)state;
	assert_int_equal(count_after(w, 2, hold, RULE_DEADLOCK), 1);
	assert_int_equal(count_after(w, 2, hold, RULE_STUCK_WAIT), 0);
	assert_int_equal(count_after(w, 1, hold, RULE_DEADLOCK), 0);
	assert_int_equal(count_after(own, 1, hold, RULE_SELF_DEADLOCK), 1);
}

static void test_wait_that_nobody_can_end(void **state)
{
	struct trace_await w[] = { { .task = 1, .kind = TF_AWAIT_EVENT, .subject = 64 } };

	(void)state;
	assert_int_equal(count_after(w, 1, idle, RULE_STUCK_WAIT), 1);
	/* it went on, or the program ended by itself */
	assert_int_equal(count_after(w, 1, "1 sleep 5; 1 call 1; 1 ret 1", RULE_STUCK_WAIT), 0);
	assert_int_equal(count_after(w, 1, "1 exit 1", RULE_STUCK_WAIT), 0);
	/* another thread runs */
	assert_int_equal(
		count_after(w, 1, "1 create 2; 2 begin; 2 lock c; 2 unlock c", RULE_STUCK_WAIT), 0);
	for (uint32_t flag = TF_AWAIT_LOOP_TIMERS; flag <= TF_AWAIT_LOOP_UNKNOWN; flag *= 2) {
		w[0].flags = flag;
		assert_int_equal(count_after(w, 1, idle, RULE_STUCK_WAIT), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coroutine_that_never_began),
		cmocka_unit_test(test_failure_that_nobody_saw),
		cmocka_unit_test(test_cancellation_that_was_swallowed),
		cmocka_unit_test(test_task_that_was_not_over),
		cmocka_unit_test(test_tasks_take_locks_in_two_orders),
		cmocka_unit_test(test_lock_of_a_task_is_no_thread_s),
		cmocka_unit_test(test_tasks_that_await_each_other),
		cmocka_unit_test(test_limit_of_who_waits_for_a_task_of_the_circle),
		cmocka_unit_test(test_tasks_that_hold_each_other_s_locks),
		cmocka_unit_test(test_wait_that_nobody_can_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
