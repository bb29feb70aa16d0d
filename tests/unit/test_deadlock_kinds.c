/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_kinds.c - hard cycles through read-write locks, semaphores used as locks, and the mutex of a condvar.
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

static void test_read_then_write_by_one_thread(void **state)
{
	struct scene *s = two_threads();
	const struct finding *f;

	(void)state;
	scene_read(s, 2, RW);
	scene_blocked(s, 2, TRACE_WAIT_LOCK, RW, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_SELF_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->title, "thread 2 waits to write "));
	assert_string_equal(scene_stack(f, ROLE_HOLDS, 2, RW)->note, "for reading");
	scene_free(s);
}

/* glibc answers EDEADLK to the writer itself. */
static void test_write_then_read_by_one_thread_returns(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	scene_lock(s, 2, RW);
	scene_blocked_mode(s, 2, TRACE_WAIT_LOCK, RW, 0, TRACE_MODE_SHARED);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_two_readers_both_want_to_write(void **state)
{
	struct scene *s = two_threads();
	const struct finding *f;

	(void)state;
	scene_read(s, 2, RW);
	scene_read(s, 3, RW);
	scene_blocked(s, 2, TRACE_WAIT_LOCK, RW, 0);
	scene_blocked(s, 3, TRACE_WAIT_LOCK, RW, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->title, "both read"));
	assert_int_equal(f->stack_count, 4);
	scene_free(s);
}

/* S28 hung: reader, waiting writer, reader again, on a lock that prefers writers. With the default kind nothing hangs. */
static void test_second_read_behind_a_waiting_writer(void **state)
{
	(void)state;
	for (unsigned prefers = 0; prefers < 2; prefers++) {
		struct scene *s = two_threads();
		uint32_t lock = prefers ? RW2 : RW;

		scene_read(s, 2, lock);
		scene_blocked(s, 3, TRACE_WAIT_LOCK, lock, 0);
		scene_blocked_mode(s, 2, TRACE_WAIT_LOCK, lock, 0, TRACE_MODE_SHARED);
		scene_end(s, KILLED);
		if (prefers)
			assert_non_null(
				strstr(scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED)->message,
				       "behind thread 3, which waits to write it"));
		else
			assert_int_equal(scene_total(s), 0);
		scene_free(s);
	}
}

static void test_reader_waits_while_writer_runs_is_silent(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	scene_lock(s, 3, RW);
	scene_blocked_mode(s, 2, TRACE_WAIT_LOCK, RW, 0, TRACE_MODE_SHARED);
	scene_blocked_mode(s, 1, TRACE_WAIT_LOCK, RW, 0, TRACE_MODE_SHARED);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* Both hold for reading and wait to read the other's: nobody writes, nobody hangs. */
static void test_readers_never_wait_for_readers(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	scene_read(s, 2, RW);
	scene_read(s, 3, RW2);
	scene_blocked_mode(s, 2, TRACE_WAIT_LOCK, RW2, 0, TRACE_MODE_SHARED);
	scene_blocked_mode(s, 3, TRACE_WAIT_LOCK, RW, 0, TRACE_MODE_SHARED);
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

/* S30 hung: signalled, and the mutex to take back is held by the thread that wants ours. Signalled or not, it hangs. */
static void test_condvar_cannot_take_its_mutex_back(void **state)
{
	(void)state;
	for (unsigned signalled = 0; signalled < 3; signalled++) {
		struct scene *s = two_threads();
		const struct finding *f;

		scene_lock(s, 2, A);
		scene_lock(s, 2, M);
		scene_in_cond(s, 2, CV, M);
		scene_lock(s, 3, M);
		if (signalled == 1)
			scene_signal(s, 3, CV, 1);
		if (signalled == 2)
			scene_blocked_mode(s, 2, TRACE_WAIT_COND, CV, M, TRACE_MODE_TIMED);
		scene_blocked(s, 3, TRACE_WAIT_LOCK, A, 0);
		scene_end(s, KILLED);
		f = scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
		assert_non_null(
			strstr(f->title,
			       signalled == 1	? "thread 2 was signalled on condition variable"
			       : signalled == 2 ? "thread 2 had a timed wait on condition variable"
						: "thread 2 waits on condition variable"));
		assert_non_null(scene_stack(f, ROLE_HOLDS, 3, M));
		assert_non_null(scene_stack(f, ROLE_WAITS, 2, M));
		scene_free(s);
	}
}

/* S35 hung; then with a running thread: seen used that way before, and not. */
static void test_semaphores_used_as_locks(void **state)
{
	(void)state;
	for (unsigned variant = 0; variant < 3; variant++) {
		struct scene *s = two_threads();

		for (unsigned i = 0; variant == 1 && i < 2; i++) {
			scene_lock(s, 2 + i, S1 + i);
			scene_post(s, 2 + i, S1 + i);
		}
		scene_lock(s, 2, S1);
		scene_lock(s, 3, S2);
		scene_blocked(s, 2, TRACE_WAIT_SEM, S2, 0);
		scene_blocked(s, 3, TRACE_WAIT_SEM, S1, 0);
		if (variant == 0)
			scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
		scene_end(s, KILLED);
		scene_only(s, RULE_DEADLOCK,
			   variant == 2 ? CONFIDENCE_POTENTIAL : CONFIDENCE_OBSERVED);
		scene_free(s);
	}
}

static void test_semaphore_taken_twice(void **state)
{
	(void)state;
	for (unsigned closed = 0; closed < 2; closed++) {
		struct scene *s = two_threads();

		scene_thread_end(s, 3);
		scene_lock(s, 2, S1);
		scene_post(s, 2, S1);
		scene_lock(s, 2, S1);
		scene_blocked(s, 2, TRACE_WAIT_SEM, S1, 0);
		if (closed)
			scene_blocked(s, 1, TRACE_WAIT_JOIN, 2, 0);
		scene_end(s, KILLED);
		if (closed)
			assert_non_null(strstr(
				scene_only(s, RULE_SELF_DEADLOCK, CONFIDENCE_OBSERVED)->title,
				"semaphore"));
		else
			assert_int_equal(scene_total(s), 0);
		scene_free(s);
	}
}

/* A semaphore that others post is a signal: nobody holds it. */
static void test_signalling_semaphores_make_no_cycle(void **state)
{
	struct scene *s = two_threads();

	(void)state;
	scene_post(s, 3, S1);
	scene_post(s, 2, S2);
	scene_lock(s, 2, S1);
	scene_lock(s, 2, S1);
	scene_lock(s, 3, S2);
	scene_lock(s, 3, S2);
	scene_blocked(s, 2, TRACE_WAIT_SEM, S2, 0);
	scene_blocked(s, 3, TRACE_WAIT_SEM, S1, 0);
	scene_end(s, KILLED); /* main runs */
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_then_write_by_one_thread),
		cmocka_unit_test(test_write_then_read_by_one_thread_returns),
		cmocka_unit_test(test_two_readers_both_want_to_write),
		cmocka_unit_test(test_second_read_behind_a_waiting_writer),
		cmocka_unit_test(test_reader_waits_while_writer_runs_is_silent),
		cmocka_unit_test(test_readers_never_wait_for_readers),
		cmocka_unit_test(test_condvar_cannot_take_its_mutex_back),
		cmocka_unit_test(test_semaphores_used_as_locks),
		cmocka_unit_test(test_semaphore_taken_twice),
		cmocka_unit_test(test_signalling_semaphores_make_no_cycle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
