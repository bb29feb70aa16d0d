/* SPDX-License-Identifier: MIT */
/*
 * test_run_union.c - several processes of one run: what they share, what they wait for across their
 * borders, and what must stay silent. Real traces, made by the trace writer.
 */
#include "run_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- locks in shared memory ---- */

/* Parent 10 and child 20 with mutexes A and B in shared memory. */
static void two_processes(struct run *r, struct image *p, struct image *c)
{
	*p = image_new(r, 10, 1, "/bin/server --x");
	shares(p, A, TRACE_OBJECT_MUTEX, SHARED);
	shares(p, B, TRACE_OBJECT_MUTEX, SHARED);
	forks(p, 20);
	*c = image_new(r, 20, 10, "/bin/server --x");
	shares(c, A, TRACE_OBJECT_MUTEX, SHARED);
	shares(c, B, TRACE_OBJECT_MUTEX, SHARED);
}

static void test_mutexes_of_two_processes_deadlock(void **state)
{
	struct run *r = run_new();
	struct image p, c;
	const struct finding *f;

	(void)state;
	two_processes(r, &p, &c);
	locks(&p, A);
	locks(&c, B);
	waits(&p, TRACE_WAIT_LOCK, B, 0, 0);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	run_check(r);
	f = only(r, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_true(finding_spans_processes(f));
	assert_int_equal(f->thread_count, 2);
	assert_string_equal(f->threads[0].label, "process 10 (server)");
	assert_string_equal(f->threads[1].label, "process 20 (server)");
	assert_int_equal(f->threads[0].pid, 10);
	assert_int_equal(f->threads[1].pid, 20);
	assert_int_equal(f->lock_count, 2);
	assert_string_equal(f->title,
			    "Deadlock: {thread:1} and {thread:2} wait for each other's locks");
	for (size_t i = 0; i < f->stack_count; i++)
		assert_int_equal(f->stacks[i].process, f->threads[f->stacks[i].thread - 1].process);
	run_free(r);
}

static void test_private_mutexes_of_two_processes_are_not_one(void **state)
{
	struct run *r = run_new();
	struct image p, c;

	(void)state;
	p = image_new(r, 10, 1, "a");
	owns(&p, A, TRACE_OBJECT_MUTEX);
	owns(&p, B, TRACE_OBJECT_MUTEX);
	shares(&p, C, TRACE_OBJECT_MUTEX, SHARED);
	locks(&p, A);
	locks(&p, B);
	locks(&p, C);
	c = image_new(r, 20, 10, "a");
	owns(&c, A, TRACE_OBJECT_MUTEX);
	owns(&c, B, TRACE_OBJECT_MUTEX);
	shares(&c, C, TRACE_OBJECT_MUTEX, SHARED);
	locks(&c, B);
	locks(&c, A);
	waits(&c, TRACE_WAIT_LOCK, C, 0, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	run_check(r);
	assert_silent(r);
	run_free(r);
}

/* S42 */
static void test_lock_order_of_two_processes(void **state)
{
	struct run *r = run_new();
	struct image p, c;
	const struct finding *f;

	(void)state;
	two_processes(r, &p, &c);
	locks(&p, A);
	locks(&p, B);
	unlocks(&p, B);
	unlocks(&p, A);
	locks(&c, B);
	locks(&c, A);
	unlocks(&c, A);
	unlocks(&c, B);
	image_end(&c, TRACE_EXIT_DESTRUCTORS);
	image_end(&p, TRACE_EXIT_DESTRUCTORS);
	run_check(r);
	f = only(r, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL);
	assert_true(finding_spans_processes(f));
	run_free(r);
}

/* A private lock of one process is a link of the chain: P: A then own, own then B; C: B then A. */
static void test_lock_order_through_a_private_lock(void **state)
{
	struct run *r = run_new();
	struct image p, c;

	(void)state;
	two_processes(r, &p, &c);
	owns(&p, C, TRACE_OBJECT_MUTEX);
	image_thread(&p, 1, 2);
	locks(&p, A);
	locks(&p, C);
	unlocks(&p, C);
	unlocks(&p, A);
	does(&p, 1, TRACE_ACQUIRE, C, 0, 0);
	does(&p, 1, TRACE_ACQUIRE, B, 0, 0);
	does(&p, 1, TRACE_RELEASE, B, 0, 0);
	does(&p, 1, TRACE_RELEASE, C, 0, 0);
	locks(&c, B);
	locks(&c, A);
	unlocks(&c, A);
	unlocks(&c, B);
	image_end(&c, TRACE_EXIT_QUICK);
	image_end(&p, TRACE_EXIT_QUICK);
	run_check(r);
	assert_int_equal(count(r, RULE_LOCK_ORDER_INVERSION), 1);
	run_free(r);
}

/* The child is gone before the parent takes them the other way round. */
static void test_wait_for_the_child_orders(void **state)
{
	struct run *r = run_new();
	struct image p, c;

	(void)state;
	two_processes(r, &p, &c);
	locks(&c, B);
	locks(&c, A);
	unlocks(&c, A);
	unlocks(&c, B);
	does(&p, 0, TRACE_REAP, 0, 20, 0);
	locks(&p, A);
	locks(&p, B);
	unlocks(&p, B);
	unlocks(&p, A);
	image_end(&c, TRACE_EXIT_DESTRUCTORS);
	image_end(&p, TRACE_EXIT_DESTRUCTORS);
	run_check(r);
	assert_silent(r);
	run_free(r);
}

static void test_what_comes_before_fork_is_ordered(void **state)
{
	struct run *r = run_new();
	struct image p, c;

	(void)state;
	p = image_new(r, 10, 1, "a");
	shares(&p, A, TRACE_OBJECT_MUTEX, SHARED);
	shares(&p, B, TRACE_OBJECT_MUTEX, SHARED);
	locks(&p, A);
	locks(&p, B);
	unlocks(&p, B);
	unlocks(&p, A);
	does(&p, 0, TRACE_FORK_BEGIN, 0, 0, 0);
	c = image_new(r, 20, 10, "a");
	shares(&c, A, TRACE_OBJECT_MUTEX, SHARED);
	shares(&c, B, TRACE_OBJECT_MUTEX, SHARED);
	locks(&c, B);
	locks(&c, A);
	unlocks(&c, A);
	unlocks(&c, B);
	does(&p, 0, TRACE_FORK, 0, 20, 0);
	image_end(&c, TRACE_EXIT_DESTRUCTORS);
	image_end(&p, TRACE_EXIT_DESTRUCTORS);
	run_check(r);
	assert_silent(r);
	run_free(r);
}

static void test_holder_process_has_ended(void **state)
{
	struct run *r = run_new();
	struct image p, c;
	const struct finding *f;

	(void)state;
	two_processes(r, &p, &c);
	locks(&c, A);
	image_end(&c, 0); /* killed */
	does(&p, 0, TRACE_REAP, 0, 20, 9);
	waits(&p, TRACE_WAIT_LOCK, A, 0, 0);
	image_end(&p, 0);
	run_check(r);
	f = only(r, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->title, "has ended"));
	run_free(r);
}

static void test_robust_mutex_of_an_ended_process(void **state)
{
	struct run *r = run_new();
	struct image p, c;

	(void)state;
	p = image_new(r, 10, 1, "a");
	shares(&p, A, TRACE_OBJECT_MUTEX, SHARED | TF_MUTEX_ROBUST);
	forks(&p, 20);
	c = image_new(r, 20, 10, "a");
	shares(&c, A, TRACE_OBJECT_MUTEX, SHARED | TF_MUTEX_ROBUST);
	locks(&c, A);
	image_end(&c, 0);
	does(&p, 0, TRACE_REAP, 0, 20, 9);
	waits(&p, TRACE_WAIT_LOCK, A, 0, 0);
	image_end(&p, 0);
	run_check(r);
	assert_silent(r);
	run_free(r);
}

/* ---- semaphores: the value is the sum over all processes ---- */

static void semaphores(struct run *r, bool posts)
{
	struct image p = image_new(r, 10, 1, "a"), c;

	shares(&p, A, TRACE_OBJECT_SEM, TF_COUNT_SHARED);
	forks(&p, 20);
	c = image_new(r, 20, 10, "a");
	shares(&c, A, TRACE_OBJECT_SEM, TF_COUNT_SHARED);
	does(&c, 0, TRACE_POST, A, 0, 0);
	locks(&p, A);
	if (posts)
		does(&c, 0, TRACE_POST, A, 0, 0);
	waits(&p, TRACE_WAIT_SEM, A, 0, 0);
	waits(&c, TRACE_WAIT_SEM, A, 0, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	run_check(r);
}

static void test_semaphore_that_nobody_posts(void **state)
{
	struct run *r = run_new();

	(void)state;
	semaphores(r, false);
	only(r, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	run_free(r);
}

static void test_semaphore_with_a_post_on_its_way(void **state)
{
	struct run *r = run_new();

	(void)state;
	semaphores(r, true);
	assert_silent(r);
	run_free(r);
}

/* ---- children ---- */

static void test_parent_waits_for_a_child_that_waits_for_it(void **state)
{
	struct run *r = run_new();
	struct image p, c;
	const struct finding *f;

	(void)state;
	two_processes(r, &p, &c);
	locks(&p, A);
	waits(&p, TRACE_WAIT_CHILD, 0, 20, 0);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	run_check(r);
	f = only(r, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->message, "to end"));
	run_free(r);
}

static void test_parent_waits_for_any_child_and_one_runs(void **state)
{
	struct run *r = run_new();
	struct image p, c, d;

	(void)state;
	two_processes(r, &p, &c);
	forks(&p, 30);
	d = image_new(r, 30, 10, "a");
	locks(&p, A);
	waits(&p, TRACE_WAIT_CHILD, 0, 0, 0);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	image_end(&d, 0);
	run_check(r);
	assert_silent(r);
	run_free(r);
}

static void test_unrecorded_child_keeps_any_wait_open(void **state)
{
	struct run *r = run_new();
	struct image p, c;

	(void)state;
	two_processes(r, &p, &c);
	forks(&p, 30); /* no image */
	locks(&p, A);
	waits(&p, TRACE_WAIT_CHILD, 0, 0, 0);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	run_check(r);
	assert_silent(r);
	run_free(r);
}

/* ---- pipes ---- */

static void pipe_end(struct image *i, uint32_t id, uint32_t attributes, uint64_t ends)
{
	trace_writer_object_full(i->w, id, TRACE_OBJECT_PIPE, 0, 0, 1, attributes,
				 TF_WHERE_UNKNOWN);
	trace_writer_identity(i->w, id, TF_IDENTITY_PIPE, 500 + id, ends, 0);
}

static void pipes(struct run *r, uint32_t made, uint64_t parent_ends)
{
	struct image p = image_new(r, 10, 1, "a"), c;

	pipe_end(&p, A, made, parent_ends);
	pipe_end(&p, B, made, 1);
	forks(&p, 20);
	c = image_new(r, 20, 10, "a");
	pipe_end(&c, A, 0, 1);
	pipe_end(&c, B, 0, 2);
	/* Both write to full pipes that only the other reads. */
	waits(&p, TRACE_WAIT_CALL, A, TRACE_CALL_WRITE, 0);
	waits(&c, TRACE_WAIT_CALL, B, TRACE_CALL_WRITE, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	run_check(r);
}

static void test_full_pipes_both_ways(void **state)
{
	struct run *r = run_new();
	const struct finding *f;

	(void)state;
	pipes(r, TF_CHANNEL_MADE_HERE, 2);
	f = only(r, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->message, "room in {lock:1}"));
	run_free(r);
}

static void test_pipes_from_outside_are_open(void **state)
{
	struct run *r = run_new();

	(void)state;
	pipes(r, 0, 2);
	assert_silent(r);
	run_free(r);
}

static void test_child_that_writes_what_its_parent_does_not_read(void **state)
{
	struct run *r = run_new();
	struct image p = image_new(r, 10, 1, "a"), c;

	(void)state;
	pipe_end(&p, A, TF_CHANNEL_MADE_HERE, 1);
	forks(&p, 20);
	c = image_new(r, 20, 10, "a");
	pipe_end(&c, A, 0, 2);
	waits(&p, TRACE_WAIT_CHILD, 0, 20, 0);
	waits(&c, TRACE_WAIT_CALL, A, TRACE_CALL_WRITE, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	run_check(r);
	only(r, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	run_free(r);
}

/* A second thread of the parent may still read. */
static void test_pipe_with_a_reader_that_runs(void **state)
{
	struct run *r = run_new();
	struct image p = image_new(r, 10, 1, "a"), c;

	(void)state;
	image_thread(&p, 1, 2);
	pipe_end(&p, A, TF_CHANNEL_MADE_HERE, 1);
	forks(&p, 20);
	c = image_new(r, 20, 10, "a");
	pipe_end(&c, A, 0, 2);
	waits(&p, TRACE_WAIT_CHILD, 0, 20, 0);
	waits(&c, TRACE_WAIT_CALL, A, TRACE_CALL_WRITE, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	run_check(r);
	assert_silent(r);
	run_free(r);
}

static void test_own_write_end_left_open(void **state)
{
	struct run *r = run_new();
	struct image p = image_new(r, 10, 1, "a");

	(void)state;
	pipe_end(&p, A, TF_CHANNEL_MADE_HERE, 3);
	waits(&p, TRACE_WAIT_CALL, A, TRACE_CALL_READ, TRACE_MODE_SHARED);
	image_end(&p, 0);
	run_check(r);
	only(r, RULE_SELF_DEADLOCK, CONFIDENCE_OBSERVED);
	run_free(r);
}

/* ---- file locks ---- */

static void file_lock(struct image *i, uint32_t id, uint32_t space, uint64_t offset,
		      uint64_t length)
{
	trace_writer_object_full(i->w, id, TRACE_OBJECT_FILE_LOCK, 0, 0, 1, 0, TF_WHERE_UNKNOWN);
	trace_writer_identity(i->w, id, space, 900, offset, length);
}

static void file_locks(struct run *r, uint32_t space, uint64_t second_offset)
{
	struct image p = image_new(r, 10, 1, "a"), c;

	file_lock(&p, A, space, 0, 10);
	file_lock(&p, B, space, 100, 10);
	c = image_new(r, 20, 10, "a");
	file_lock(&c, A, space, second_offset, 10);
	file_lock(&c, B, space, 100, 10);
	locks(&p, A);
	locks(&c, B);
	waits(&p, TRACE_WAIT_LOCK, B, 0, 0);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	run_check(r);
}

static void test_file_locks_whose_ranges_overlap(void **state)
{
	struct run *r = run_new();

	(void)state;
	file_locks(r, TF_IDENTITY_POSIX_LOCK, 5);
	only(r, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	run_free(r);
}

static void test_file_locks_side_by_side(void **state)
{
	struct run *r = run_new();

	(void)state;
	file_locks(r, TF_IDENTITY_POSIX_LOCK, 10);
	assert_silent(r);
	run_free(r);
}

static void test_flock_in_two_orders(void **state)
{
	struct run *r = run_new();

	(void)state;
	file_locks(r, TF_IDENTITY_FLOCK, 0);
	only(r, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	run_free(r);
}

/* ---- what is found alone is told once ---- */

static void test_deadlock_of_one_process_is_told_once(void **state)
{
	struct run *r = run_new();
	struct image p = image_new(r, 10, 1, "a"), c;
	struct trace_wait wait = { .kind = TRACE_WAIT_LOCK, .object = A, .stack = 1 };

	(void)state;
	shares(&p, A, TRACE_OBJECT_MUTEX, SHARED);
	shares(&p, B, TRACE_OBJECT_MUTEX, SHARED);
	image_thread(&p, 1, 2);
	locks(&p, A);
	does(&p, 1, TRACE_ACQUIRE, B, 0, 0);
	waits(&p, TRACE_WAIT_LOCK, B, 0, 0);
	trace_writer_wait(p.w, 1, &wait);
	c = image_new(r, 20, 10, "a");
	shares(&c, A, TRACE_OBJECT_MUTEX, SHARED);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	run_check(r);
	only(r, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	run_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutexes_of_two_processes_deadlock),
		cmocka_unit_test(test_private_mutexes_of_two_processes_are_not_one),
		cmocka_unit_test(test_lock_order_of_two_processes),
		cmocka_unit_test(test_lock_order_through_a_private_lock),
		cmocka_unit_test(test_wait_for_the_child_orders),
		cmocka_unit_test(test_what_comes_before_fork_is_ordered),
		cmocka_unit_test(test_holder_process_has_ended),
		cmocka_unit_test(test_robust_mutex_of_an_ended_process),
		cmocka_unit_test(test_semaphore_that_nobody_posts),
		cmocka_unit_test(test_semaphore_with_a_post_on_its_way),
		cmocka_unit_test(test_parent_waits_for_a_child_that_waits_for_it),
		cmocka_unit_test(test_parent_waits_for_any_child_and_one_runs),
		cmocka_unit_test(test_unrecorded_child_keeps_any_wait_open),
		cmocka_unit_test(test_full_pipes_both_ways),
		cmocka_unit_test(test_pipes_from_outside_are_open),
		cmocka_unit_test(test_child_that_writes_what_its_parent_does_not_read),
		cmocka_unit_test(test_pipe_with_a_reader_that_runs),
		cmocka_unit_test(test_own_write_end_left_open),
		cmocka_unit_test(test_file_locks_whose_ranges_overlap),
		cmocka_unit_test(test_file_locks_side_by_side),
		cmocka_unit_test(test_flock_in_two_orders),
		cmocka_unit_test(test_deadlock_of_one_process_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
