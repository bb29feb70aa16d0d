/* SPDX-License-Identifier: MIT */
/*
 * test_stuck_wait_kinds.c - semaphores and barriers that nobody is left to serve, locks of the dead.
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

static void test_semaphore_never_posted(void **state)
{
	struct scene *s = workers(2);
	const struct finding *f;

	(void)state;
	scene_blocked(s, 2, TRACE_WAIT_SEM, SEM, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	assert_non_null(
		strstr(f->title, "thread 2 waits for semaphore #1, which nobody ever posted"));
	assert_non_null(strstr(f->message, "semaphore #1: 0 at first, 0 posts, 0 takes."));
	scene_free(s);
}

/* Posted once too little: the poster has ended. */
static void test_poster_is_gone(void **state)
{
	struct scene *s = workers(3);
	const struct finding *f;

	(void)state;
	scene_post(s, 3, SEM);
	scene_lock(s, 2, SEM);
	scene_thread_end(s, 3);
	scene_blocked(s, 2, TRACE_WAIT_SEM, SEM, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->title, "every thread that posted it has ended"));
	assert_non_null(scene_stack(f, ROLE_SIGNALS, 3, SEM));
	scene_free(s);
}

static void test_posted_semaphore_is_silent(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	scene_post(s, 1, SEM);
	scene_blocked(s, 2, TRACE_WAIT_SEM, SEM, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* Two semaphores nobody posts: each thread should post the other's first. The main thread joins one of them. */
static void test_two_semaphores_one_finding(void **state)
{
	struct scene *s = workers(3);
	const struct finding *f;

	(void)state;
	scene_blocked(s, 2, TRACE_WAIT_SEM, SEM, 0);
	scene_blocked(s, 3, TRACE_WAIT_SEM, SEM2, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	assert_string_equal(
		f->title,
		"Stuck: thread 2 waits for semaphore #1, which nobody ever posted; thread 3 waits for "
		"semaphore #2, which nobody ever posted");
	assert_non_null(scene_stack(f, ROLE_WAITS, 2, SEM));
	assert_non_null(scene_stack(f, ROLE_WAITS, 3, SEM2));
	scene_free(s);
}

/* The main thread waits for a signal handler's post, its workers for work: only a hint. */
static void test_idle_server_is_a_hint(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	for (uint32_t t = 2; t <= 3; t++) {
		scene_lock(s, t, M);
		scene_in_cond(s, t, CV, M);
	}
	scene_blocked(s, 1, TRACE_WAIT_SEM, SEM, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_HINT)->level, LEVEL_NOTE);
	scene_free(s);
}

/* The recorder saw a handler being installed: it may post what no thread ever posted. A condition variable it cannot. */
static void test_handler_makes_a_semaphore_wait_a_hint(void **state)
{
	struct scene *s = workers(1);

	(void)state;
	s->process.flags = TF_PROCESS_HANDLERS;
	scene_blocked(s, 1, TRACE_WAIT_SEM, SEM, 0);
	scene_end(s, KILLED);
	scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_HINT);
	scene_free(s);

	s = workers(1);
	s->process.flags = TF_PROCESS_HANDLERS;
	scene_lock(s, 1, M);
	scene_in_cond(s, 1, CV, M);
	scene_end(s, KILLED);
	scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	scene_free(s);
}

/* Whoever should have posted has ended. */
static void test_main_waits_for_a_post_that_was_forgotten(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	scene_thread_end(s, 2);
	scene_thread_end(s, 3);
	scene_blocked(s, 1, TRACE_WAIT_SEM, SEM, 0);
	scene_end(s, KILLED);
	scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	scene_free(s);
}

/* Another process may post it. */
static void test_process_shared_semaphore_is_silent(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	scene_blocked(s, 2, TRACE_WAIT_SEM, SHARED, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* S37 */
static void test_barrier_short_by_one(void **state)
{
	struct scene *s = workers(3);
	const struct finding *f;

	(void)state;
	scene_at_barrier(s, 2, BAR);
	scene_at_barrier(s, 3, BAR);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	assert_string_equal(
		f->title,
		"Stuck: thread 2 and thread 3 wait at barrier #1, short by 1: 2 of 3 threads arrived");
	assert_non_null(scene_stack(f, ROLE_WAITS, 2, BAR));
	assert_non_null(scene_stack(f, ROLE_WAITS, 3, BAR));
	scene_free(s);
}

static void test_full_barrier_is_silent(void **state)
{
	struct scene *s = workers(4);

	(void)state;
	scene_at_barrier(s, 2, BAR);
	scene_at_barrier(s, 3, BAR);
	scene_at_barrier(s, 4, BAR);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_second_generation_short(void **state)
{
	struct scene *s = workers(4);

	(void)state;
	for (uint32_t t = 2; t <= 4; t++)
		scene_arrive(s, t, BAR);
	for (uint32_t t = 2; t <= 4; t++)
		scene_leave(s, t, BAR);
	scene_thread_end(s, 4);
	scene_at_barrier(s, 2, BAR);
	scene_at_barrier(s, 3, BAR);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	scene_free(s);
}

/* S51, S52: the holder ended; certain even while others run. A robust mutex passes on. */
static void test_lock_of_a_thread_that_ended(void **state)
{
	(void)state;
	for (unsigned robust = 0; robust < 2; robust++) {
		struct scene *s = workers(3);

		scene_object(s, A, TRACE_OBJECT_MUTEX, robust ? TF_MUTEX_ROBUST : 0);
		scene_lock(s, 3, A);
		scene_thread_end(s, 3);
		scene_blocked(s, 2, TRACE_WAIT_LOCK, A, 0);
		scene_end(s, KILLED);
		if (robust) {
			assert_int_equal(scene_total(s), 0);
		} else {
			const struct finding *f =
				scene_only(s, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);

			assert_non_null(strstr(
				f->title,
				"thread 2 waits for mutex #1, held by thread 3, which has ended"));
			assert_non_null(scene_stack(f, ROLE_HOLDS, 3, A));
		}
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_semaphore_never_posted),
		cmocka_unit_test(test_idle_server_is_a_hint),
		cmocka_unit_test(test_handler_makes_a_semaphore_wait_a_hint),
		cmocka_unit_test(test_main_waits_for_a_post_that_was_forgotten),
		cmocka_unit_test(test_poster_is_gone),
		cmocka_unit_test(test_posted_semaphore_is_silent),
		cmocka_unit_test(test_two_semaphores_one_finding),
		cmocka_unit_test(test_process_shared_semaphore_is_silent),
		cmocka_unit_test(test_barrier_short_by_one),
		cmocka_unit_test(test_full_barrier_is_silent),
		cmocka_unit_test(test_second_generation_short),
		cmocka_unit_test(test_lock_of_a_thread_that_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
