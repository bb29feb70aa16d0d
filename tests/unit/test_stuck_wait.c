/* SPDX-License-Identifier: MIT */
/*
 * test_stuck_wait.c - condvars that nobody is left to signal; idle programs that only look that way.
 */
#include "wait_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { A = 10, B, M, M2, CV, CV2, SEM, SEM2, BAR, SHARED };

static struct scene *workers(uint32_t last)
{
	struct scene *s = scene_new();

	scene_mutex(s, A);
	scene_mutex(s, B);
	scene_mutex(s, M);
	scene_mutex(s, M2);
	scene_object(s, CV, TRACE_OBJECT_COND, 0);
	scene_object(s, CV2, TRACE_OBJECT_COND, 0);
	scene_object(s, SEM, TRACE_OBJECT_SEM, 0);
	scene_object(s, SEM2, TRACE_OBJECT_SEM, 0);
	scene_object(s, BAR, TRACE_OBJECT_BARRIER, 3);
	scene_object(s, SHARED, TRACE_OBJECT_SEM, TF_COUNT_SHARED);
	for (uint32_t t = 2; t <= last; t++)
		scene_spawn(s, 1, t);
	return s;
}

static void wait_on(struct scene *s, uint32_t thread, uint32_t cond, uint32_t mutex)
{
	scene_lock(s, thread, mutex);
	scene_in_cond(s, thread, cond, mutex);
}

/* S32: by a thread that ended, and by the main thread, which now joins the waiter. */
static void test_signal_before_the_wait(void **state)
{
	(void)state;
	for (uint32_t signaller = 1; signaller <= 3; signaller += 2) {
		struct scene *s = workers(3);
		const struct finding *f;

		scene_signal(s, signaller, CV, 0);
		scene_thread_end(s, 3);
		wait_on(s, 2, CV, M);
		scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
		scene_end(s, KILLED);
		f = scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
		assert_int_equal(f->level, LEVEL_ERROR);
		assert_non_null(strstr(f->title, "Stuck: thread 2 waits on condition variable"));
		assert_non_null(strstr(f->title, "; the last signal came when nobody waited"));
		assert_non_null(strstr(f->message, "The main thread waits for thread 2 to end."));
		assert_non_null(scene_stack(f, ROLE_SIGNALS, signaller, CV));
		assert_non_null(scene_stack(f, ROLE_WAITS, 2, CV));
		assert_int_equal(scene_stack(f, ROLE_WAITS, 1, 0)->for_thread, 2);
		scene_free(s);
	}
}

static void test_unheard_signal_with_nobody_stuck_is_silent(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	scene_signal(s, 1, CV, 0);
	scene_thread_end(s, 2);
	scene_join(s, 1, 2);
	scene_exit(s, 1);
	scene_end(s, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* A broadcast or signal that came after the wait began: the waiter is on its way. */
static void test_woken_waiter_is_silent(void **state)
{
	(void)state;
	for (unsigned broadcast = 0; broadcast < 2; broadcast++) {
		struct scene *s = workers(2);

		wait_on(s, 2, CV, M);
		if (broadcast)
			scene_broadcast(s, 1, CV, 1);
		else
			scene_signal(s, 1, CV, 1);
		scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
		scene_end(s, KILLED);
		assert_int_equal(scene_total(s), 0);
		scene_free(s);
	}
}

/* One signal, consumed by the first of two waiters, who then ended. */
static void test_consumed_signal_wakes_nobody_else(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	wait_on(s, 2, CV, M);
	scene_lock(s, 3, M);
	scene_cond_wait(s, 3, CV, M);
	scene_signal(s, 1, CV, 2);
	scene_cond_wake(s, 3, CV, M);
	scene_unlock(s, 3, M);
	scene_thread_end(s, 3);
	scene_join(s, 1, 3);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	assert_non_null(strstr(scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED)->title,
			       "went to another waiter"));
	scene_free(s);
}

/* A waiter that came after the broadcast was not meant. */
static void test_broadcast_does_not_reach_later_waiters(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	scene_lock(s, 3, M);
	scene_cond_wait(s, 3, CV, M);
	scene_broadcast(s, 1, CV, 1);
	wait_on(s, 2, CV, M);
	scene_cond_wake(s, 3, CV, M);
	scene_unlock(s, 3, M);
	scene_thread_end(s, 3);
	scene_join(s, 1, 3);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	scene_free(s);
}

/* S34: notify_one woke the wrong one of two, which waits again. */
static void test_wrong_waiter_was_woken(void **state)
{
	struct scene *s = workers(4);
	const struct finding *f;

	(void)state;
	scene_lock(s, 2, M);
	scene_cond_wait(s, 2, CV, M);
	scene_lock(s, 3, M);
	scene_in_cond(s, 3, CV, M);
	scene_lock(s, 4, M);
	scene_signal(s, 4, CV, 2);
	scene_unlock(s, 4, M);
	scene_thread_end(s, 4);
	scene_cond_wake(s, 2, CV, M);
	scene_in_cond(s, 2, CV, M);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->title, "thread 2 and thread 3 wait on condition variable"));
	assert_non_null(scene_stack(f, ROLE_WAITS, 2, CV));
	assert_non_null(scene_stack(f, ROLE_WAITS, 3, CV));
	assert_non_null(scene_stack(f, ROLE_SIGNALS, 4, CV));
	scene_free(s);
}

/* Producer and consumer wait on two condvars of one mutex: one cause, one finding. */
static void test_producer_and_consumer_wait_for_each_other(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	scene_lock(s, 2, M);
	scene_signal(s, 2, CV2, 0);
	scene_in_cond(s, 2, CV, M);
	scene_lock(s, 3, M);
	scene_signal(s, 3, CV, 1);
	scene_unlock(s, 3, M);
	scene_cond_wake(s, 2, CV, M);
	scene_in_cond(s, 2, CV, M);
	wait_on(s, 3, CV2, M);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	scene_free(s);
}

static void test_timed_wait_is_never_stuck(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	wait_on(s, 2, CV, M);
	scene_blocked_mode(s, 2, TRACE_WAIT_COND, CV, M, TRACE_MODE_TIMED);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_cancelled_waiter_is_not_stuck(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	wait_on(s, 2, CV, M);
	scene_event(s, TRACE_CANCEL, 1, 0, 0, 2, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* The signaller is in a system call, the pool idles, and somebody pulls the plug. */
static void test_idle_pool_killed_is_silent(void **state)
{
	struct scene *s = workers(5);

	(void)state;
	for (uint32_t t = 2; t <= 5; t++)
		wait_on(s, t, CV, M);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_main_in_join_while_workers_run_is_silent(void **state)
{
	struct scene *s = workers(4);

	(void)state;
	wait_on(s, 2, CV, M);
	scene_blocked(s, 3, TRACE_WAIT_SEM, SEM, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 4, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* The hang has one cause; an idle thread that the main thread would stop later is not another. */
static void test_idle_bystander_is_no_cause(void **state)
{
	struct scene *s = workers(4);
	const struct finding *f;

	(void)state;
	scene_lock(s, 3, M2);
	scene_cond_wait(s, 3, CV2, M2);
	scene_signal(s, 4, CV2, 1);
	scene_thread_end(s, 4);
	scene_cond_wake(s, 3, CV2, M2);
	scene_in_cond(s, 3, CV2, M2);
	scene_signal(s, 1, CV, 0);
	wait_on(s, 2, CV, M);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	assert_null(scene_stack(f, ROLE_WAITS, 3, CV2));
	scene_free(s);
}

static void test_deadlock_is_the_cause_not_the_idle_ones(void **state)
{
	struct scene *s = workers(5);

	(void)state;
	scene_lock(s, 2, A);
	scene_lock(s, 3, B);
	scene_blocked(s, 2, TRACE_WAIT_LOCK, B, 0);
	scene_blocked(s, 3, TRACE_WAIT_LOCK, A, 0);
	wait_on(s, 4, CV, M);
	scene_blocked(s, 5, TRACE_WAIT_SEM, SEM, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	scene_free(s);
}

static void test_lost_records_prove_nothing(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	wait_on(s, 2, CV, M);
	scene_event(s, TRACE_LOST, 1, 0, 0, 7, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void make_signaller_gone(struct scene *s)
{
	scene_lock(s, 2, M);
	scene_cond_wait(s, 2, CV, M);
	scene_signal(s, 3, CV, 1);
	scene_cond_wake(s, 2, CV, M);
	scene_in_cond(s, 2, CV, M);
	scene_thread_end(s, 3);
}

static void test_every_signaller_ended_while_others_run(void **state)
{
	struct scene *s = workers(3);
	const struct finding *f;

	(void)state;
	make_signaller_gone(s);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_POTENTIAL);
	assert_int_equal(f->level, LEVEL_WARNING);
	assert_non_null(strstr(f->title, "every thread that signalled it has ended"));
	scene_free(s);
}

static void test_runner_that_knows_the_mutex_gives_hope(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	scene_lock(s, 1, M);
	scene_unlock(s, 1, M);
	make_signaller_gone(s);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* A thread per connection: each signals and ends; the next one will come. */
static void test_signallers_that_come_and_go_give_hope(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	scene_spawn(s, 1, 4);
	make_signaller_gone(s);
	scene_signal(s, 4, CV, 1);
	scene_cond_wake(s, 2, CV, M);
	scene_in_cond(s, 2, CV, M);
	scene_thread_end(s, 4);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_nothing_after_a_normal_exit(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	make_signaller_gone(s);
	scene_join(s, 1, 3);
	scene_exit(s, 1);
	scene_end(s, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(scene_count(s, RULE_STUCK_WAIT), 0);
	scene_free(s);
}

/* The destructor of a pool joins its worker inside exit(), and nobody told the worker. */
static void test_hang_inside_exit(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	wait_on(s, 2, CV, M);
	scene_exit(s, 1);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, TRACE_EXIT_DESTRUCTORS);
	scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signal_before_the_wait),
		cmocka_unit_test(test_unheard_signal_with_nobody_stuck_is_silent),
		cmocka_unit_test(test_woken_waiter_is_silent),
		cmocka_unit_test(test_consumed_signal_wakes_nobody_else),
		cmocka_unit_test(test_broadcast_does_not_reach_later_waiters),
		cmocka_unit_test(test_wrong_waiter_was_woken),
		cmocka_unit_test(test_producer_and_consumer_wait_for_each_other),
		cmocka_unit_test(test_timed_wait_is_never_stuck),
		cmocka_unit_test(test_cancelled_waiter_is_not_stuck),
		cmocka_unit_test(test_idle_pool_killed_is_silent),
		cmocka_unit_test(test_main_in_join_while_workers_run_is_silent),
		cmocka_unit_test(test_idle_bystander_is_no_cause),
		cmocka_unit_test(test_deadlock_is_the_cause_not_the_idle_ones),
		cmocka_unit_test(test_lost_records_prove_nothing),
		cmocka_unit_test(test_every_signaller_ended_while_others_run),
		cmocka_unit_test(test_runner_that_knows_the_mutex_gives_hope),
		cmocka_unit_test(test_signallers_that_come_and_go_give_hope),
		cmocka_unit_test(test_nothing_after_a_normal_exit),
		cmocka_unit_test(test_hang_inside_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
