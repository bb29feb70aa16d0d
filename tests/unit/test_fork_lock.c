/* SPDX-License-Identifier: MIT */
/*
 * test_fork_lock.c - a child that waits for what was locked at the fork (S46), and the look-alikes.
 */
#include "run_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Parent 10 with threads 1 and 2; thread 2 locks A, thread 1 forks 20. */
static void fork_while_locked(struct run *r, struct image *p, struct image *c, uint32_t holder)
{
	*p = image_new(r, 10, 1, "/bin/server");
	image_thread(p, 1, 2);
	owns(p, A, TRACE_OBJECT_MUTEX);
	does(p, holder, TRACE_ACQUIRE, A, 0, 0);
	forks(p, 20);
	*c = image_new(r, 20, 10, "/bin/server");
	owns(c, A, TRACE_OBJECT_MUTEX);
}

static void finish(struct run *r, struct image *p, struct image *c)
{
	image_end(p, TRACE_EXIT_QUICK);
	image_end(c, 0);
	run_check(r);
}

static void test_child_waits_for_a_lock_of_a_ghost(void **state)
{
	struct run *r = run_new();
	struct image p, c;
	const struct finding *f;

	(void)state;
	fork_while_locked(r, &p, &c, 1);
	does(&p, 1, TRACE_RELEASE, A, 0, 0);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	finish(r, &p, &c);
	f = only(r, RULE_FORK_WITH_LOCK_HELD, CONFIDENCE_OBSERVED);
	assert_int_equal(f->threads[0].pid, 20);
	assert_int_equal(f->threads[1].pid, 10);
	assert_string_equal(f->threads[1].label, "thread 2 of process 10 (server)");
	assert_int_equal(f->stack_count, 3);
	assert_int_equal(f->stacks[0].process, 1);
	assert_int_equal(f->stacks[1].process, 0);
	assert_int_equal(f->stacks[2].process, 0);
	assert_non_null(strstr(f->message, "does not exist there"));
	run_free(r);
}

static void test_child_waits_for_what_it_locked_before_it_was_born(void **state)
{
	struct run *r = run_new();
	struct image p, c;
	const struct finding *f;

	(void)state;
	fork_while_locked(r, &p, &c, 0);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	finish(r, &p, &c);
	f = only(r, RULE_FORK_WITH_LOCK_HELD, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->title, "the thread that forked it"));
	run_free(r);
}

/* S46b */
static void test_atfork_handler_that_unlocks(void **state)
{
	struct run *r = run_new();
	struct image p, c;

	(void)state;
	fork_while_locked(r, &p, &c, 0);
	does(&c, 0, TRACE_RELEASE_ODD, A, UINT64_MAX, 0);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0); /* about to come back */
	finish(r, &p, &c);
	assert_int_equal(count(r, RULE_FORK_WITH_LOCK_HELD), 0);
	run_free(r);
}

static void test_atfork_handler_that_makes_the_lock_anew(void **state)
{
	struct run *r = run_new();
	struct image p, c;

	(void)state;
	fork_while_locked(r, &p, &c, 1);
	does(&c, 0, TRACE_INIT, A, 0, 0);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	finish(r, &p, &c);
	assert_int_equal(count(r, RULE_FORK_WITH_LOCK_HELD), 0);
	run_free(r);
}

static void test_child_that_keeps_its_hands_off(void **state)
{
	struct run *r = run_new();
	struct image p, c;

	(void)state;
	fork_while_locked(r, &p, &c, 1);
	owns(&c, B, TRACE_OBJECT_MUTEX);
	does(&c, 0, TRACE_ACQUIRE, B, 0, 0);
	does(&c, 0, TRACE_RELEASE, B, 0, 0);
	finish(r, &p, &c);
	assert_silent(r);
	run_free(r);
}

static void test_lock_that_was_free_at_the_fork(void **state)
{
	struct run *r = run_new();
	struct image p, c;

	(void)state;
	p = image_new(r, 10, 1, "a");
	owns(&p, A, TRACE_OBJECT_MUTEX);
	locks(&p, A);
	unlocks(&p, A);
	forks(&p, 20);
	c = image_new(r, 20, 10, "a");
	owns(&c, A, TRACE_OBJECT_MUTEX);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	finish(r, &p, &c);
	assert_silent(r);
	run_free(r);
}

/* Shared memory: the parent's thread still lives and will unlock. */
static void test_shared_lock_is_no_ghost(void **state)
{
	struct run *r = run_new();
	struct image p, c;

	(void)state;
	p = image_new(r, 10, 1, "a");
	image_thread(&p, 1, 2);
	shares(&p, A, TRACE_OBJECT_MUTEX, SHARED);
	does(&p, 1, TRACE_ACQUIRE, A, 0, 0);
	forks(&p, 20);
	c = image_new(r, 20, 10, "a");
	shares(&c, A, TRACE_OBJECT_MUTEX, SHARED);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	image_end(&p, 0);
	image_end(&c, 0);
	run_check(r);
	assert_silent(r);
	run_free(r);
}

static void test_grandchild_inherits_the_ghost(void **state)
{
	struct run *r = run_new();
	struct image p, c, g;
	const struct finding *f;

	(void)state;
	fork_while_locked(r, &p, &c, 1);
	forks(&c, 30);
	g = image_new(r, 30, 20, "/bin/server");
	owns(&g, A, TRACE_OBJECT_MUTEX);
	waits(&g, TRACE_WAIT_LOCK, A, 0, 0);
	image_end(&g, 0);
	image_end(&c, TRACE_EXIT_QUICK);
	image_end(&p, TRACE_EXIT_QUICK);
	run_check(r);
	f = only(r, RULE_FORK_WITH_LOCK_HELD, CONFIDENCE_OBSERVED);
	assert_int_equal(f->threads[1].pid, 10);
	run_free(r);
}

/* All its threads queue there: one finding. */
static void test_queue_at_the_ghost_is_one_finding(void **state)
{
	struct run *r = run_new();
	struct image p, c;
	struct trace_wait wait = { .kind = TRACE_WAIT_LOCK, .object = A, .stack = 1 };

	(void)state;
	fork_while_locked(r, &p, &c, 1);
	image_thread(&c, 1, 2);
	waits(&c, TRACE_WAIT_LOCK, A, 0, 0);
	trace_writer_wait(c.w, 1, &wait);
	finish(r, &p, &c);
	only(r, RULE_FORK_WITH_LOCK_HELD, CONFIDENCE_OBSERVED);
	run_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_child_waits_for_a_lock_of_a_ghost),
		cmocka_unit_test(test_child_waits_for_what_it_locked_before_it_was_born),
		cmocka_unit_test(test_atfork_handler_that_unlocks),
		cmocka_unit_test(test_atfork_handler_that_makes_the_lock_anew),
		cmocka_unit_test(test_child_that_keeps_its_hands_off),
		cmocka_unit_test(test_lock_that_was_free_at_the_fork),
		cmocka_unit_test(test_shared_lock_is_no_ghost),
		cmocka_unit_test(test_grandchild_inherits_the_ghost),
		cmocka_unit_test(test_queue_at_the_ghost_is_one_finding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
