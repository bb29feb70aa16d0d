/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_mixed.c - cycles that mix open waits with locks: nested monitors.
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

/* S31: in the first round, when the signaller never came so far; and when it had signalled before. */
static void test_signaller_needs_a_lock_that_the_waiter_holds(void **state)
{
	(void)state;
	for (unsigned known = 0; known < 2; known++) {
		struct scene *s = workers(3);
		const struct finding *f;

		if (known) {
			scene_lock(s, 2, M);
			scene_cond_wait(s, 2, CV, M);
			scene_lock(s, 3, M);
			scene_signal(s, 3, CV, 1);
			scene_unlock(s, 3, M);
			scene_cond_wake(s, 2, CV, M);
			scene_unlock(s, 2, M);
		}
		scene_lock(s, 2, A);
		wait_on(s, 2, CV, M);
		scene_blocked(s, 3, TRACE_WAIT_LOCK, A, 0);
		scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
		scene_end(s, KILLED);
		f = scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
		assert_non_null(
			strstr(f->title, "thread 2 waits for a signal on condition variable"));
		assert_non_null(strstr(f->title, "thread 3 waits for mutex"));
		assert_non_null(strstr(f->message, "which thread 3 would have to signal"));
		assert_non_null(scene_stack(f, ROLE_HOLDS, 2, A));
		assert_non_null(scene_stack(f, ROLE_WAITS, 2, CV));
		assert_non_null(scene_stack(f, ROLE_WAITS, 3, A));
		assert_true(!!scene_stack(f, ROLE_SIGNALS, 3, CV) == known);
		assert_int_equal(f->stack_count, 3 + known);
		scene_free(s);
	}
}

/* The same while a fourth thread runs: it may signal. */
static void test_nested_wait_with_a_running_thread_is_silent(void **state)
{
	struct scene *s = workers(4);

	(void)state;
	scene_lock(s, 2, A);
	wait_on(s, 2, CV, M);
	scene_blocked(s, 3, TRACE_WAIT_LOCK, A, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_barrier_behind_a_lock(void **state)
{
	struct scene *s = workers(4);

	(void)state;
	scene_at_barrier(s, 2, BAR);
	scene_lock(s, 3, A);
	scene_at_barrier(s, 3, BAR);
	scene_blocked(s, 4, TRACE_WAIT_LOCK, A, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	assert_non_null(strstr(
		scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED)->message,
		"thread 3 waits at barrier #2, which thread 4 would have to reach; thread 4 waits for"));
	scene_free(s);
}

static void test_poster_needs_a_lock_that_the_waiter_holds(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	scene_lock(s, 2, A);
	scene_blocked(s, 2, TRACE_WAIT_SEM, SEM, 0);
	scene_blocked(s, 3, TRACE_WAIT_LOCK, A, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 3, 0);
	scene_end(s, KILLED);
	scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signaller_needs_a_lock_that_the_waiter_holds),
		cmocka_unit_test(test_nested_wait_with_a_running_thread_is_silent),
		cmocka_unit_test(test_barrier_behind_a_lock),
		cmocka_unit_test(test_poster_needs_a_lock_that_the_waiter_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
