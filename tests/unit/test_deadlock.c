/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock.c - hard cycles of mutexes, joins and initialisers; look-alikes that stay silent.
 */
#include "wait_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { A = 10, B, C, M, CV, S1, S2, RW, RW2, ONCE };

static struct scene *two_threads(void)
{
	struct scene *s = scene_new();

	for (uint32_t o = A; o <= M; o++)
		scene_mutex(s, o);
	scene_object(s, CV, TRACE_OBJECT_COND, 0);
	scene_object(s, S1, TRACE_OBJECT_SEM, 1);
	scene_object(s, S2, TRACE_OBJECT_SEM, 1);
	scene_object(s, RW, TRACE_OBJECT_RWLOCK, 0);
	scene_object(s, RW2, TRACE_OBJECT_RWLOCK, 2);
	scene_object(s, ONCE, TRACE_OBJECT_ONCE, 0);
	scene_spawn(s, 1, 2);
	scene_spawn(s, 1, 3);
	return s;
}

static void make_abba(struct scene *s)
{
	scene_lock(s, 2, A);
	scene_lock(s, 3, B);
	scene_blocked(s, 2, TRACE_WAIT_LOCK, B, 0);
	scene_blocked(s, 3, TRACE_WAIT_LOCK, A, 0);
}

/* S02 */
static void test_abba_killed_during_the_hang(void **state)
{
	struct scene *s = two_threads();
	const struct finding *f;

	(void)state;
	make_abba(s);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_int_equal(f->level, LEVEL_ERROR);
	assert_string_equal(f->title,
			    "Deadlock: thread 2 and thread 3 wait for each other's locks");
	assert_int_equal(f->thread_count, 2);
	assert_int_equal(f->lock_count, 2);
	assert_int_equal(f->stack_count, 4);
	assert_non_null(scene_stack(f, ROLE_HOLDS, 2, A));
	assert_non_null(scene_stack(f, ROLE_HOLDS, 3, B));
	assert_int_equal(scene_stack(f, ROLE_WAITS, 2, B)->held_count, 1);
	assert_int_equal(scene_stack(f, ROLE_WAITS, 3, A)->held[0], B);
	assert_non_null(strstr(f->message, "1 more thread is blocked behind: the main thread."));
	scene_free(s);
}

static void test_deadlock_counts_while_others_run_and_after_exit(void **state)
{
	static const uint32_t exits[] = { KILLED, TRACE_EXIT_DESTRUCTORS, TRACE_EXIT_QUICK,
					  TRACE_EXIT_EXEC };

	(void)state;
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		struct scene *s = two_threads();

		make_abba(s);
		if (exits[i])
			scene_event(s, TRACE_PROCESS_EXIT, 1, 0, 0, exits[i], 0);
		scene_end(s, exits[i]);
		scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
		scene_free(s);
	}
}

static void test_lock_about_to_be_taken_is_silent(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	scene_lock(s, 2, A);
	scene_lock(s, 3, B);
	scene_unlock(s, 3, B); /* recorded before the real unlock: thread 2 is about to get it */
	scene_blocked(s, 2, TRACE_WAIT_LOCK, B, 0);
	scene_blocked(s, 3, TRACE_WAIT_LOCK, A, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_owner_running_is_silent(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	scene_lock(s, 3, B);
	scene_blocked(s, 2, TRACE_WAIT_LOCK, B, 0);
	scene_blocked(s, 1, TRACE_WAIT_LOCK, B, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_timed_wait_breaks_the_cycle(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	make_abba(s);
	scene_blocked_mode(s, 3, TRACE_WAIT_LOCK, A, 0, TRACE_MODE_TIMED);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* S03, S04 */
static void test_ring_of_25(void **state)
{
	struct scene *s = scene_new();
	const struct finding *f;

	(void)state;
	for (uint32_t i = 2; i < 27; i++) {
		scene_mutex(s, i);
		scene_spawn(s, 1, i);
	}
	for (uint32_t i = 2; i < 27; i++) {
		scene_lock(s, i, i);
		scene_blocked(s, i, TRACE_WAIT_LOCK, i == 26 ? 2 : i + 1, 0);
	}
	scene_end(s, KILLED);
	f = scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_int_equal(f->thread_count, 25);
	assert_int_equal(f->stack_count, 50);
	assert_non_null(strstr(f->title, "wait for each other in a cycle of 25"));
	for (uint32_t i = 0; i < 25; i++)
		assert_int_equal(f->threads[i].id, i + 2);
	scene_free(s);
}

static void test_two_knots_are_two_findings_and_followers_are_told(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	scene_spawn(s, 1, 4);
	scene_spawn(s, 1, 5);
	scene_spawn(s, 1, 6);
	make_abba(s);
	scene_lock(s, 4, C);
	scene_lock(s, 5, M);
	scene_blocked(s, 4, TRACE_WAIT_LOCK, M, 0);
	scene_blocked(s, 5, TRACE_WAIT_LOCK, C, 0);
	s->process.threads[6].name = "logger";
	scene_blocked(s, 6, TRACE_WAIT_LOCK, A, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 6, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 2);
	assert_int_equal(scene_count(s, RULE_DEADLOCK), 2);
	assert_non_null(
		strstr(finding_list_get(s->findings, 0)->message,
		       "2 more threads are blocked behind: the main thread, thread 6 \"logger\"."));
	assert_null(strstr(finding_list_get(s->findings, 1)->message, "behind"));
	scene_free(s);
}

/* S38: the main thread joins while it holds what the other needs. */
static void test_join_through_a_lock(void **state)
{
	struct scene *s = two_threads();
	const struct finding *f;

	(void)state;
	scene_lock(s, 1, A);
	scene_blocked(s, 2, TRACE_WAIT_LOCK, A, 0);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_string_equal(
		f->title,
		"Deadlock: main thread waits for thread 2 to end; thread 2 waits for mutex #1, held by "
		"main thread");
	assert_int_equal(scene_stack(f, ROLE_WAITS, 1, 0)->for_thread, 2);
	assert_non_null(scene_stack(f, ROLE_HOLDS, 1, A));
	scene_free(s);
}

static void test_join_of_a_running_thread_is_silent(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	scene_lock(s, 1, A);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_blocked(s, 3, TRACE_WAIT_LOCK, A, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* S38b without EDEADLK: two threads in a ring of joins. */
static void test_joins_in_a_ring(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_blocked(s, 2, TRACE_WAIT_JOIN, 3, 0);
	scene_blocked(s, 3, TRACE_WAIT_JOIN, 1, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED)->stack_count, 3);
	scene_free(s);
}

/* S39 */
static void test_once_initialiser_wants_a_lock(void **state)
{
	struct scene *s = two_threads();
	const struct finding *f;

	(void)state;
	scene_event(s, TRACE_ONCE_BEGIN, 2, ONCE, 0, 0, 0);
	scene_lock(s, 3, A);
	scene_blocked(s, 2, TRACE_WAIT_LOCK, A, 0);
	scene_blocked(s, 3, TRACE_WAIT_ONCE, ONCE, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->message, "waits for the initialiser of once"));
	assert_non_null(scene_stack(f, ROLE_HOLDS, 2, ONCE));
	scene_free(s);
}

static void test_once_that_runs_is_silent(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	scene_event(s, TRACE_ONCE_BEGIN, 2, ONCE, 0, 0, 0);
	scene_blocked(s, 3, TRACE_WAIT_ONCE, ONCE, 0);
	scene_blocked(s, 1, TRACE_WAIT_ONCE, ONCE, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_once_entered_again_by_its_initialiser(void **state)
{
	struct scene *s = two_threads();
	const struct finding *f;

	(void)state;
	scene_event(s, TRACE_ONCE_BEGIN, 2, ONCE, 0, 0, 0);
	scene_blocked(s, 2, TRACE_WAIT_ONCE, ONCE, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_SELF_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->title, "inside its own initialiser"));
	scene_free(s);
}

/* S20 */
static void test_normal_mutex_locked_twice(void **state)
{
	struct scene *s = two_threads();
	const struct finding *f;

	(void)state;
	scene_lock(s, 2, A);
	scene_blocked(s, 2, TRACE_WAIT_LOCK, A, 0);
	scene_blocked(s, 3, TRACE_WAIT_LOCK, A, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_SELF_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_string_equal(f->title,
			    "Self-deadlock: thread 2 locks mutex #1 again, which it already holds");
	assert_int_equal(f->stack_count, 2);
	assert_int_equal(f->thread_count, 1);
	assert_non_null(strstr(f->message, "1 more thread is blocked behind: thread 3"));
	scene_free(s);
}

/* Calls that return at once: the kill came in between. */
static void test_relock_that_returns_is_silent(void **state)
{
	(void)state;
	for (uint32_t type = 1; type <= 2; type++) {
		struct scene *s = two_threads();

		scene_object(s, A, TRACE_OBJECT_MUTEX, type);
		scene_lock(s, 2, A);
		scene_blocked(s, 2, TRACE_WAIT_LOCK, A, 0);
		scene_end(s, KILLED);
		assert_int_equal(scene_total(s), 0);
		scene_free(s);
	}
}

/* Somebody else unlocks it in this program, so its holder does not matter. */
static void test_handed_over_mutex_is_no_hard_wait(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	scene_lock(s, 2, A);
	scene_event(s, TRACE_RELEASE_ODD, 1, A, 0, 2, 0);
	make_abba(s);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_holder_whose_records_are_lost_is_not_blamed(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	make_abba(s);
	scene_event(s, TRACE_LOST, 3, 0, 0, 5, 0);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_rules_can_be_switched_off(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	make_abba(s);
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	s->options.rules_off = UINT64_C(1) << RULE_DEADLOCK;
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0); /* and no stuck-wait in its place */
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_abba_killed_during_the_hang),
		cmocka_unit_test(test_deadlock_counts_while_others_run_and_after_exit),
		cmocka_unit_test(test_lock_about_to_be_taken_is_silent),
		cmocka_unit_test(test_owner_running_is_silent),
		cmocka_unit_test(test_timed_wait_breaks_the_cycle),
		cmocka_unit_test(test_ring_of_25),
		cmocka_unit_test(test_two_knots_are_two_findings_and_followers_are_told),
		cmocka_unit_test(test_join_through_a_lock),
		cmocka_unit_test(test_join_of_a_running_thread_is_silent),
		cmocka_unit_test(test_joins_in_a_ring),
		cmocka_unit_test(test_once_initialiser_wants_a_lock),
		cmocka_unit_test(test_once_that_runs_is_silent),
		cmocka_unit_test(test_once_entered_again_by_its_initialiser),
		cmocka_unit_test(test_normal_mutex_locked_twice),
		cmocka_unit_test(test_relock_that_returns_is_silent),
		cmocka_unit_test(test_handed_over_mutex_is_no_hard_wait),
		cmocka_unit_test(test_holder_whose_records_are_lost_is_not_blamed),
		cmocka_unit_test(test_rules_can_be_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
