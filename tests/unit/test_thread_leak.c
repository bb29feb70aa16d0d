/* SPDX-License-Identifier: MIT */
/*
 * test_thread_leak.c - what is said of threads after exit(), and the many idle threads of which nothing is said.
 */
#include "wait_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { A = 10, M, CV, SEM, BAR, WORD };

static struct scene *workers(uint32_t last)
{
	struct scene *s = scene_new();

	scene_mutex(s, A);
	scene_mutex(s, M);
	scene_object(s, CV, TRACE_OBJECT_COND, 0);
	scene_object(s, SEM, TRACE_OBJECT_SEM, 0);
	scene_object(s, BAR, TRACE_OBJECT_BARRIER, 3);
	for (uint32_t t = 2; t <= last; t++)
		scene_spawn(s, 1, t);
	return s;
}

static void wait_on(struct scene *s, uint32_t thread, uint32_t cond, uint32_t mutex)
{
	scene_lock(s, thread, mutex);
	scene_in_cond(s, thread, cond, mutex);
}

static void exit_normally(struct scene *s)
{
	scene_exit(s, 1);
	scene_end(s, TRACE_EXIT_DESTRUCTORS);
}

/* S64 */
static void test_finished_threads_of_one_place_are_one_finding(void **state)
{
	struct scene *s = workers(4);
	const struct finding *f;

	(void)state;
	for (uint32_t t = 2; t <= 4; t++)
		scene_thread_end(s, t);
	exit_normally(s);
	f = scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED);
	assert_int_equal(f->level, LEVEL_WARNING);
	assert_int_equal(f->count, 3);
	assert_string_equal(f->title,
			    "Leaked thread: 3 threads finished and were never joined nor detached");
	assert_non_null(scene_stack(f, ROLE_CREATES, 2, 0));
	assert_int_equal(f->thread_count, 3);
	scene_free(s);
}

static void test_other_place_is_another_finding(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	s->site = 2;
	scene_spawn(s, 1, 3);
	scene_thread_end(s, 2);
	scene_thread_end(s, 3);
	exit_normally(s);
	assert_int_equal(scene_count(s, RULE_LEAKED_THREAD), 2);
	assert_string_equal(finding_list_get(s->findings, 0)->title,
			    "Leaked thread: thread 2 finished and was never joined nor detached");
	scene_free(s);
}

/* S64c, S65 */
static void test_joined_and_detached_threads_are_silent(void **state)
{
	struct scene *s = workers(5);

	(void)state;
	scene_thread_end(s, 2);
	scene_join(s, 1, 2);
	scene_event(s, TRACE_DETACH, 3, 0, 0, 3, 0);
	scene_thread_end(s, 3);
	scene_thread_end(s, 4);
	scene_event(s, TRACE_DETACH, 1, 0, 0, 4, 0);	  /* after its end */
	s->process.threads[5].flags = TF_THREAD_DETACHED; /* blocked for ever */
	wait_on(s, 5, CV, M);
	exit_normally(s);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_failed_join_is_no_join(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	scene_event(s, TRACE_JOIN, 1, 0, 0, 2, 16 /* EBUSY of tryjoin */);
	scene_thread_end(s, 2);
	exit_normally(s);
	scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED);
	scene_free(s);
}

/* S64d */
static void test_nothing_without_a_normal_exit(void **state)
{
	static const uint32_t exits[] = { KILLED, TRACE_EXIT_QUICK, TRACE_EXIT_EXEC };

	(void)state;
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		struct scene *s = workers(3);

		scene_thread_end(s, 2);
		wait_on(s, 3, CV, M);
		if (exits[i])
			scene_event(s, TRACE_PROCESS_EXIT, 1, 0, 0, exits[i], 0);
		scene_end(s, exits[i]);
		assert_int_equal(scene_total(s), 0);
		scene_free(s);
	}
}

static void test_missing_records_may_hold_the_join(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	scene_thread_end(s, 2);
	scene_event(s, TRACE_LOST, 1, 0, 0, 3, 0);
	exit_normally(s);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* Somebody is joining it right now. */
static void test_thread_being_joined_is_silent(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	scene_event(s, TRACE_DETACH, 1, 0, 0, 3, 0);
	scene_thread_end(s, 2);
	scene_blocked(s, 3, TRACE_WAIT_JOIN, 2, 0);
	exit_normally(s);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* S64b */
static void test_blocked_for_ever_at_exit(void **state)
{
	struct scene *s = workers(2);
	const struct finding *f;

	(void)state;
	wait_on(s, 2, CV, M);
	exit_normally(s);
	f = scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED);
	assert_int_equal(f->level, LEVEL_WARNING);
	assert_non_null(strstr(
		f->title,
		"thread 2 waits for a signal on condition variable #1 at exit and nobody can wake it"));
	assert_non_null(scene_stack(f, ROLE_WAITS, 2, CV));
	assert_non_null(scene_stack(f, ROLE_CREATES, 2, 0));
	scene_free(s);
}

static void test_lock_held_by_the_exiting_thread(void **state)
{
	struct scene *s = workers(2);
	const struct finding *f;

	(void)state;
	s->site = 2;
	scene_lock(s, 1, A);
	s->site = 1;
	scene_blocked(s, 2, TRACE_WAIT_LOCK, A, 0);
	exit_normally(s);
	f = scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->message, "held by main thread, which called exit"));
	assert_non_null(scene_stack(f, ROLE_HOLDS, 1, A));
	scene_free(s);
}

/* Each worker stopped by a mutex of its own, as redis does with its I/O threads; against several at one mutex. */
static void test_workers_parked_at_mutexes(void **state)
{
	(void)state;
	for (unsigned one = 0; one < 2; one++) {
		struct scene *s = workers(3);

		s->site = 2;
		scene_lock(s, 1, A);
		scene_lock(s, 1, M);
		s->site = 3;
		scene_blocked(s, 2, TRACE_WAIT_LOCK, A, 0);
		scene_blocked(s, 3, TRACE_WAIT_LOCK, one ? A : M, 0);
		s->process.waits[3].wait.stack = s->process.waits[2].wait.stack;
		exit_normally(s);
		if (one)
			assert_int_equal(
				scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED)->count, 2);
		else
			assert_int_equal(scene_total(s), 0);
		scene_free(s);
	}
}

/* Somebody who runs on may wake it. The runner itself gets a note. */
static void test_wait_with_a_running_thread_is_no_leak(void **state)
{
	struct scene *s = workers(3);
	const struct finding *f;

	(void)state;
	wait_on(s, 2, CV, M);
	exit_normally(s);
	f = scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_HINT);
	assert_int_equal(f->level, LEVEL_NOTE);
	assert_string_equal(f->title, "Leaked thread: thread 3 was still running at exit");
	scene_free(s);
}

/* S82: never woken once, but many of a kind. */
static void test_pool_of_idle_workers_is_silent(void **state)
{
	struct scene *s = workers(7);

	(void)state;
	for (uint32_t t = 2; t <= 7; t++)
		wait_on(s, t, CV, M);
	exit_normally(s);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* One worker that was woken at this very place before. */
static void test_parked_worker_is_silent(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	scene_lock(s, 2, M);
	scene_cond_wait(s, 2, CV, M);
	scene_signal(s, 3, CV, 1);
	scene_cond_wake(s, 2, CV, M);
	scene_in_cond(s, 2, CV, M);
	scene_thread_end(s, 3);
	scene_join(s, 1, 3);
	exit_normally(s);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* One worker that never had to wait before, whose master was there until the end. */
static void test_worker_of_a_living_master_is_silent(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	scene_signal(s, 1, CV, 0);
	wait_on(s, 2, CV, M);
	exit_normally(s);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* Its master has ended long ago and it was never woken. */
static void test_worker_of_a_dead_master_is_told(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	scene_post(s, 3, SEM);
	scene_lock(s, 2, SEM);
	scene_thread_end(s, 3);
	scene_join(s, 1, 3);
	s->site = 2; /* another place than the one it left */
	scene_blocked(s, 2, TRACE_WAIT_SEM, SEM, 0);
	exit_normally(s);
	scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED);
	scene_free(s);
}

/* S37 at exit: two threads at a barrier for three are no pool. */
static void test_short_barrier_is_no_pool(void **state)
{
	struct scene *s = workers(3);
	const struct finding *f;

	(void)state;
	scene_at_barrier(s, 2, BAR);
	scene_at_barrier(s, 3, BAR);
	exit_normally(s);
	/* Each is the other's known user, but both are stuck there. */
	f = scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED);
	assert_int_equal(f->count, 2);
	scene_free(s);
}

static void test_deadlock_is_told_once(void **state)
{
	struct scene *s = workers(4);

	(void)state;
	scene_lock(s, 2, A);
	scene_lock(s, 3, M);
	scene_blocked(s, 2, TRACE_WAIT_LOCK, M, 0);
	scene_blocked(s, 3, TRACE_WAIT_LOCK, A, 0);
	scene_blocked(s, 4, TRACE_WAIT_JOIN, 2, 0);
	exit_normally(s);
	scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	scene_free(s);
}

/* A thread that joins a parked one is as idle as that. */
static void test_joiner_follows_the_joined(void **state)
{
	(void)state;
	for (unsigned parked = 0; parked < 2; parked++) {
		struct scene *s = workers(3);

		if (parked)
			scene_signal(s, 1, CV, 0);
		wait_on(s, 3, CV, M);
		scene_blocked(s, 2, TRACE_WAIT_JOIN, 3, 0);
		exit_normally(s);
		assert_int_equal(scene_count(s, RULE_LEAKED_THREAD), parked ? 0 : 2);
		scene_free(s);
	}
}

/* S83 */
static void test_detached_thread_that_outlives_main_is_a_note(void **state)
{
	struct scene *s = workers(2);
	const struct finding *f;

	(void)state;
	scene_event(s, TRACE_DETACH, 1, 0, 0, 2, 0);
	scene_exit(s, 1);
	scene_thread_end(s, 2);
	scene_end(s, TRACE_EXIT_DESTRUCTORS);
	f = scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_HINT);
	assert_non_null(strstr(f->title, "finished after main returned"));
	scene_free(s);
}

static void test_detached_thread_at_work_is_a_note(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	scene_event(s, TRACE_DETACH, 1, 0, 0, 2, 0);
	exit_normally(s);
	assert_int_equal(scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_HINT)->level, LEVEL_NOTE);
	scene_free(s);
}

/* A static destructor joins it: all is well. */
static void test_join_by_an_exit_handler_is_silent(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	scene_exit(s, 1);
	scene_thread_end(s, 2);
	scene_join(s, 1, 2);
	scene_end(s, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* exit() by a worker: the main thread waits in a join and is no leak, nor is the worker. */
static void test_exit_in_a_worker(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
	scene_exit(s, 2);
	scene_end(s, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_timed_idler_of_a_pool_is_silent_others_run(void **state)
{
	struct scene *s = workers(3);

	(void)state;
	scene_lock(s, 2, M);
	scene_cond_wait(s, 2, CV, M);
	scene_cond_wake(s, 2, CV, M);
	scene_cond_wait(s, 2, CV, M);
	scene_blocked_mode(s, 2, TRACE_WAIT_COND, CV, M, TRACE_MODE_TIMED);
	exit_normally(s);
	assert_non_null(strstr(scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_HINT)->title,
			       "thread 3 was still running"));
	scene_free(s);
}

static void test_foreign_threads_are_not_ours(void **state)
{
	struct scene *s = workers(1);

	(void)state;
	s->process.threads[2].flags = TF_THREAD_FOREIGN;
	scene_event(s, TRACE_THREAD_BEGIN, 2, 0, 0, 2, 0);
	scene_thread_end(s, 2);
	s->process.threads[3].flags = TF_THREAD_FOREIGN;
	scene_event(s, TRACE_THREAD_BEGIN, 3, 0, 0, 3, 0);
	exit_normally(s);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* Calls by number: spec/calls.def. What an event loop, a pool of GLib's and a service thread are in. */
static void test_idle_threads_of_loops_and_libraries_are_silent(void **state)
{
	struct scene *s = workers(5);

	(void)state;
	scene_object(s, WORD, TRACE_OBJECT_FUTEX, 0);
	scene_blocked_mode(s, 2, TRACE_WAIT_CALL, 0, TRACE_CALL_POLL, 0);
	scene_blocked_mode(s, 3, TRACE_WAIT_CALL, 0, TRACE_CALL_EPOLL_WAIT, TRACE_MODE_TIMED);
	scene_blocked_mode(s, 4, TRACE_WAIT_FUTEX, WORD, 0, TRACE_MODE_TIMED);
	scene_blocked_mode(s, 5, TRACE_WAIT_CALL, 0, TRACE_CALL_ACCEPT, 0);
	exit_normally(s);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* It comes back by itself, and goes on with whatever it does. */
static void test_sleeper_is_still_running(void **state)
{
	struct scene *s = workers(2);

	(void)state;
	scene_blocked_mode(s, 2, TRACE_WAIT_CALL, 0, TRACE_CALL_SLEEP, TRACE_MODE_TIMED);
	exit_normally(s);
	assert_int_equal(scene_only(s, RULE_LEAKED_THREAD, CONFIDENCE_HINT)->level, LEVEL_NOTE);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finished_threads_of_one_place_are_one_finding),
		cmocka_unit_test(test_other_place_is_another_finding),
		cmocka_unit_test(test_joined_and_detached_threads_are_silent),
		cmocka_unit_test(test_failed_join_is_no_join),
		cmocka_unit_test(test_nothing_without_a_normal_exit),
		cmocka_unit_test(test_missing_records_may_hold_the_join),
		cmocka_unit_test(test_thread_being_joined_is_silent),
		cmocka_unit_test(test_blocked_for_ever_at_exit),
		cmocka_unit_test(test_lock_held_by_the_exiting_thread),
		cmocka_unit_test(test_workers_parked_at_mutexes),
		cmocka_unit_test(test_wait_with_a_running_thread_is_no_leak),
		cmocka_unit_test(test_pool_of_idle_workers_is_silent),
		cmocka_unit_test(test_parked_worker_is_silent),
		cmocka_unit_test(test_worker_of_a_living_master_is_silent),
		cmocka_unit_test(test_worker_of_a_dead_master_is_told),
		cmocka_unit_test(test_short_barrier_is_no_pool),
		cmocka_unit_test(test_deadlock_is_told_once),
		cmocka_unit_test(test_joiner_follows_the_joined),
		cmocka_unit_test(test_detached_thread_that_outlives_main_is_a_note),
		cmocka_unit_test(test_detached_thread_at_work_is_a_note),
		cmocka_unit_test(test_join_by_an_exit_handler_is_silent),
		cmocka_unit_test(test_exit_in_a_worker),
		cmocka_unit_test(test_timed_idler_of_a_pool_is_silent_others_run),
		cmocka_unit_test(test_foreign_threads_are_not_ours),
		cmocka_unit_test(test_idle_threads_of_loops_and_libraries_are_silent),
		cmocka_unit_test(test_sleeper_is_still_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
