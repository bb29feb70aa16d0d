/* SPDX-License-Identifier: MIT */
/*
 * test_task_deadlock.c - deadlocks through tasks: who posted one and waits, while whoever would run it waits too.
 */
#include "event_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TIMER "10"
#define ASYNC "14"
#define SOCKET "17"
#define WORK "24"

/* Main drives L, in the callback of a timer; 2 is an async handle of L. */
#define IN_CALLBACK                                                                              \
	"1 init s 0; 1 new 1 " TIMER " L @1; 1 new 2 " ASYNC " L @2; 1 loop L 1; 1 arm 1 L @3; " \
	"1 call 1 @4; "

static void sem_waiter(struct feed *f, uint32_t thread, char sem)
{
	feed_wait(f, thread, TRACE_WAIT_SEM, sem, '-', 0, 90 + thread);
}

static void prepare(struct feed *f)
{
	feed_object(f, 'L', TRACE_OBJECT_LOOP, 0);
	feed_object(f, 'M', TRACE_OBJECT_LOOP, 0);
	feed_object(f, 's', TRACE_OBJECT_SEM, 0);
	feed_object(f, 't', TRACE_OBJECT_SEM, 0);
}

static void main_waits(struct feed *f)
{
	prepare(f);
	sem_waiter(f, 1, 's');
}

/* Findings of deadlock after the script: -1 = not of that confidence. */
static void deadlocks(void (*begin)(struct feed *), const char *script, int observed, int potential)
{
	struct feed *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	feed_init(f);
	begin(f);
	feed_run(f, script);
	feed_end(f);
	assert_int_equal(feed_count(f, RULE_DEADLOCK, CONFIDENCE_OBSERVED), observed);
	assert_int_equal(feed_count(f, RULE_DEADLOCK, CONFIDENCE_POTENTIAL), potential);
	assert_int_equal(feed_count(f, RULE_SELF_DEADLOCK, -1), 0);
	if (observed + potential) {
		assert_int_equal(feed_count(f, RULE_STUCK_WAIT, -1), 0);
		assert_int_equal(feed_count(f, RULE_LOOP_STALL, -1), 0);
		assert_true(feed_find(f, RULE_DEADLOCK)->task_count >= 1);
	}
	feed_release(f);
	free(f);
}

static void test_task_posted_to_the_own_loop(void **state)
{
	(void)state;
	deadlocks(main_waits, IN_CALLBACK "1 arm 2 L @5; 1 sleep 900; 1 req s", 1, 0);
}

static void test_task_that_ran_or_was_posted_before_explains_nothing(void **state)
{
	(void)state;
	/* the loop had run it before the callback began */
	deadlocks(main_waits,
		  "1 init s 0; 1 new 1 " TIMER " L @1; 1 new 2 " ASYNC
		  " L @2; 1 loop L 1; 1 arm 2 L; "
		  "1 call 2 @6; 1 ret 2; 1 call 1 @4; 1 req s",
		  0, 0);
	/* posted by an earlier callback: a handle that is armed once and for all */
	deadlocks(main_waits,
		  "1 init s 0; 1 new 1 " TIMER " L @1; 1 new 2 " ASYNC
		  " L @2; 1 loop L 1; 1 arm 2 L; "
		  "1 call 1 @4; 1 req s",
		  0, 0);
	/* a watched socket is no message to oneself */
	deadlocks(main_waits, IN_CALLBACK "1 new 3 " SOCKET " L @7; 1 arm 3 L; 1 req s", 0, 0);
}

static void test_task_of_a_loop_that_turns_explains_nothing(void **state)
{
	(void)state;
	/* posted to M, which nobody is in a callback of */
	deadlocks(main_waits, IN_CALLBACK "1 new 3 " ASYNC " M @7; 1 arm 3 M; 1 req s", 0, 0);
}

static void test_while_others_run_nothing_is_known(void **state)
{
	(void)state;
	deadlocks(main_waits,
		  "1 create 2; " IN_CALLBACK "1 arm 2 L @5; 2 lock a; 2 unlock a; 1 req s", 0, 0);
}

static void other_loop_rests(struct feed *f)
{
	main_waits(f);
	f->wait[f->process.wait_count++] = (struct trace_wait_state){
		.thread = 2,
		.wait = { .kind = TRACE_WAIT_CALL, .other = TRACE_CALL_EPOLL_WAIT, .stack = 80 }
	};
}

static void test_loop_at_rest_may_hear_from_outside(void **state)
{
	(void)state;
	/* M watches a socket */
	deadlocks(other_loop_rests,
		  "1 create 2; 2 loop M 1; 2 new 9 " SOCKET " M; 2 arm 9 M; " IN_CALLBACK
		  "1 arm 2 L @5; 1 req s",
		  0, 1);
	/* M has an async handle only: somebody of this process would have to send */
	deadlocks(other_loop_rests,
		  "1 create 2; 2 loop M 1; 2 new 9 " ASYNC " M; 2 arm 9 M; " IN_CALLBACK
		  "1 arm 2 L @5; 1 req s",
		  1, 0);
	/* a timer that was started is no message, where somebody may still answer */
	deadlocks(other_loop_rests,
		  "1 create 2; 2 loop M 1; 2 new 9 " SOCKET " M; 2 arm 9 M; " IN_CALLBACK
		  "1 new 3 " TIMER " L @7; 1 arm 3 L @5; 1 req s",
		  0, 0);
}

static void joined(struct feed *f)
{
	prepare(f);
	feed_wait(f, 1, TRACE_WAIT_JOIN, '-', 2, 0, 91);
	sem_waiter(f, 2, 's');
}

static void test_callback_joins_a_thread_that_waits_for_its_loop(void **state)
{
	(void)state;
	deadlocks(joined, "1 create 2; " IN_CALLBACK "2 arm 2 L @5; 2 req s", 1, 0);
	/* it posted nothing: the other rule's */
	deadlocks(joined, "1 create 2; " IN_CALLBACK "2 req s", 0, 0);
}

static void workers(struct feed *f)
{
	prepare(f);
	sem_waiter(f, 2, 's');
	sem_waiter(f, 3, 't');
	f->wait[f->process.wait_count++] = (struct trace_wait_state){
		.thread = 1,
		.wait = { .kind = TRACE_WAIT_CALL, .other = TRACE_CALL_EPOLL_WAIT, .stack = 80 }
	};
}

#define POOL                                                                                  \
	"1 create 2; 1 create 3; 1 init s 0; 1 init t 0; 1 loop L 1; 1 new 1 " WORK " L @1; " \
	"1 new 2 " WORK " L @1; 2 call 1 @4; 3 call 2 @4; 2 new 3 " WORK " L @5; "
static void test_work_that_waits_for_queued_work(void **state)
{
	(void)state;
	deadlocks(workers, POOL "3 new 4 " WORK " L @5; 2 req s; 3 req t", 1, 0);
	/* one of them is done, and free for what is queued */
	deadlocks(workers, POOL "3 worked 2; 2 req s; 3 req t", 0, 0);
}

static void test_work_that_waits_for_what_others_queued(void **state)
{
	(void)state;
	/* a latch that the third item opens: the loop has nothing else to do */
	deadlocks(workers, POOL "1 new 4 " WORK " L @1; 2 req s; 3 req t", 1, 0);
	/* it watches a socket, and may answer */
	deadlocks(workers,
		  "1 create 2; 1 create 3; 1 init s 0; 1 init t 0; 1 loop L 1; 1 new 1 " WORK
		  " L @1; "
		  "1 new 2 " WORK " L @1; 2 call 1 @4; 3 call 2 @4; 1 new 3 " WORK " L @1; "
		  "1 new 9 " SOCKET " L; 1 arm 9 L; 2 req s; 3 req t",
		  0, 0);
}

static void test_lost_records_say_nothing(void **state)
{
	(void)state;
	deadlocks(main_waits, IN_CALLBACK "1 arm 2 L @5; 1 lost 3; 1 req s", 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_task_posted_to_the_own_loop),
		cmocka_unit_test(test_task_that_ran_or_was_posted_before_explains_nothing),
		cmocka_unit_test(test_task_of_a_loop_that_turns_explains_nothing),
		cmocka_unit_test(test_while_others_run_nothing_is_known),
		cmocka_unit_test(test_loop_at_rest_may_hear_from_outside),
		cmocka_unit_test(test_callback_joins_a_thread_that_waits_for_its_loop),
		cmocka_unit_test(test_work_that_waits_for_queued_work),
		cmocka_unit_test(test_work_that_waits_for_what_others_queued),
		cmocka_unit_test(test_lost_records_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
