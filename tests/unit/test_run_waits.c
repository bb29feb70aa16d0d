/* SPDX-License-Identifier: MIT */
/*
 * test_run_waits.c - waits that end across the border of a process, or that only look as if nobody could end them:
 * handlers that write or post, polls at rest, queues, conversions of file locks. Real traces, made by the trace
 * writer.
 */
#include "run_scene.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BOTH_ENDS = 3 };

static void handles(struct image *i, int signal)
{
	does(i, 0, TRACE_SIGNAL_ACTION, 0, 0, signal << 2 | 2);
}

static void defaults(struct image *i, int signal)
{
	does(i, 0, TRACE_SIGNAL_ACTION, 0, 0, signal << 2);
}

static void finish(struct run *r, struct image *p, struct image *c)
{
	image_end(p, 0);
	if (c)
		image_end(c, 0);
	run_check(r);
}

/* ---- pipes ---- */

static void channel(struct image *i, uint32_t id, uint64_t ends)
{
	trace_writer_object_full(i->w, id, TRACE_OBJECT_PIPE, 0, 0, 1, TF_CHANNEL_MADE_HERE,
				 TF_WHERE_UNKNOWN);
	trace_writer_identity(i->w, id, TF_IDENTITY_PIPE, 500 + id, ends, 0);
}

static void reads_own_pipe(struct run *r, struct image *p, enum trace_call call)
{
	channel(p, A, BOTH_ENDS);
	waits(p, TRACE_WAIT_CALL, A, call, TRACE_MODE_SHARED);
	finish(r, p, NULL);
}

static void test_a_handler_may_write_to_the_own_pipe(void **state)
{
	struct run *r = run_new();
	struct image p = image_new(r, 10, 1, "a");

	(void)state;
	handles(&p, SIGTERM);
	reads_own_pipe(r, &p, TRACE_CALL_READ);
	assert_silent(r);
	run_free(r);
}

static void test_a_handler_of_crashes_writes_to_no_pipe(void **state)
{
	struct run *r = run_new();
	struct image p = image_new(r, 10, 1, "a");

	(void)state;
	handles(&p, SIGSEGV);
	handles(&p, SIGTERM);
	defaults(&p, SIGTERM);
	reads_own_pipe(r, &p, TRACE_CALL_READ);
	only(r, RULE_SELF_DEADLOCK, CONFIDENCE_OBSERVED);
	run_free(r);
}

static void test_a_poll_of_the_own_pipe_is_a_loop_at_rest(void **state)
{
	struct run *r = run_new();
	struct image p = image_new(r, 10, 1, "a");

	(void)state;
	reads_own_pipe(r, &p, TRACE_CALL_POLL);
	assert_silent(r);
	run_free(r);
}

static void test_polls_for_each_other(void **state)
{
	struct run *r = run_new();
	struct image p = image_new(r, 10, 1, "a"), c;

	(void)state;
	channel(&p, A, 1);
	channel(&p, B, 2);
	forks(&p, 20);
	c = image_new(r, 20, 10, "a");
	channel(&c, A, 2);
	channel(&c, B, 1);
	waits(&p, TRACE_WAIT_CALL, A, TRACE_CALL_POLL, TRACE_MODE_SHARED);
	waits(&c, TRACE_WAIT_CALL, B, TRACE_CALL_POLL, TRACE_MODE_SHARED);
	finish(r, &p, &c);
	only(r, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	run_free(r);
}

/* ---- semaphores ---- */

/* The parent waits for the child, which waits for a post; `attributes` of the semaphore. */
static void child_waits_for_a_post(struct run *r, uint32_t attributes, int signal)
{
	struct image p = image_new(r, 10, 1, "a"), c;

	forks(&p, 20);
	c = image_new(r, 20, 10, "a");
	if (attributes)
		shares(&c, A, TRACE_OBJECT_SEM, attributes);
	else
		owns(&c, A, TRACE_OBJECT_SEM);
	does(&c, 0, TRACE_INIT, A, attributes, 0);
	if (signal)
		handles(&c, signal);
	waits(&p, TRACE_WAIT_CHILD, 0, 20, 0);
	waits(&c, TRACE_WAIT_SEM, A, 0, 0);
	finish(r, &p, &c);
}

static void test_a_private_semaphore_is_no_matter_of_the_parent(void **state)
{
	struct run *r = run_new();

	(void)state;
	child_waits_for_a_post(r, 0, 0);
	only(r, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	run_free(r);
}

static void test_a_shared_semaphore_is(void **state)
{
	struct run *r = run_new();

	(void)state;
	child_waits_for_a_post(r, TF_COUNT_SHARED, SIGTERM);
	only(r, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	run_free(r);
}

static void test_a_timer_may_post(void **state)
{
	struct run *r = run_new();

	(void)state;
	child_waits_for_a_post(r, TF_COUNT_SHARED, SIGALRM);
	only(r, RULE_DEADLOCK, CONFIDENCE_HINT);
	run_free(r);
}

/* ---- queues ---- */

static void queue(struct image *i, uint32_t id)
{
	trace_writer_object_full(i->w, id, TRACE_OBJECT_QUEUE, 0, 0, 1, 0, TF_WHERE_UNKNOWN);
	trace_writer_identity(i->w, id, TF_IDENTITY_QUEUE, 700 + id, 0, 0);
}

static void receive_from(struct run *r, uint32_t first, uint32_t second)
{
	struct image p = image_new(r, 10, 1, "a"), c = image_new(r, 20, 1, "b");

	queue(&p, first);
	queue(&c, second);
	waits(&p, TRACE_WAIT_CALL, first, TRACE_CALL_QUEUE_RECEIVE, TRACE_MODE_SHARED);
	waits(&c, TRACE_WAIT_CALL, second, TRACE_CALL_QUEUE_RECEIVE, TRACE_MODE_SHARED);
	finish(r, &p, &c);
}

static void test_two_queues_in_a_cycle(void **state)
{
	struct run *r = run_new();

	(void)state;
	receive_from(r, A, B);
	only(r, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	run_free(r);
}

static void test_all_wait_at_one_queue(void **state)
{
	struct run *r = run_new();

	(void)state;
	receive_from(r, A, A);
	assert_non_null(strstr(only(r, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED)->title,
			       "nobody is left to send to it"));
	run_free(r);
}

/* ---- file locks that are converted ---- */

static void open_lock(struct image *i)
{
	trace_writer_object_full(i->w, A, TRACE_OBJECT_FILE_LOCK, 0, 0, 1, 0, TF_WHERE_UNKNOWN);
	trace_writer_identity(i->w, A, TF_IDENTITY_OFD_LOCK, 900, 0, 10);
	does(i, 0, TRACE_ACQUIRE_SHARED, A, 0, 0);
}

static void upgrades(struct run *r, bool both)
{
	struct image p = image_new(r, 10, 1, "a"), c = image_new(r, 20, 1, "b");

	open_lock(&p);
	open_lock(&c);
	waits(&p, TRACE_WAIT_LOCK, A, 1, 0);
	if (both)
		waits(&c, TRACE_WAIT_LOCK, A, 1, 0);
	finish(r, &p, &c);
}

static void test_two_upgrades_of_a_file_lock(void **state)
{
	struct run *r = run_new();

	(void)state;
	upgrades(r, true);
	assert_int_equal(only(r, RULE_DEADLOCK, CONFIDENCE_OBSERVED)->thread_count, 2);
	run_free(r);
}

static void test_upgrade_waits_for_a_reader_that_runs(void **state)
{
	struct run *r = run_new();

	(void)state;
	upgrades(r, false);
	assert_silent(r);
	run_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_handler_may_write_to_the_own_pipe),
		cmocka_unit_test(test_a_handler_of_crashes_writes_to_no_pipe),
		cmocka_unit_test(test_a_poll_of_the_own_pipe_is_a_loop_at_rest),
		cmocka_unit_test(test_polls_for_each_other),
		cmocka_unit_test(test_a_private_semaphore_is_no_matter_of_the_parent),
		cmocka_unit_test(test_a_shared_semaphore_is),
		cmocka_unit_test(test_a_timer_may_post),
		cmocka_unit_test(test_two_queues_in_a_cycle),
		cmocka_unit_test(test_all_wait_at_one_queue),
		cmocka_unit_test(test_two_upgrades_of_a_file_lock),
		cmocka_unit_test(test_upgrade_waits_for_a_reader_that_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
