/* SPDX-License-Identifier: MIT */
/*
 * test_loops.c - loops and their tasks: stalls and what caused them, what blocks in callbacks, what is never closed
 * or run, and traces that make no sense.
 */
#include "event_feed.h"

#include "analyzer/model/model.h"
#include "analyzer/model/model_loops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Kinds, as scripts write them. */
#define TIMER "10"
#define WORK "24"
#define REQUEST "27"

/* Calls of spec/calls.def. */
static const unsigned SLEEP_CALL = TRACE_CALL_SLEEP, FILE_CALL = TRACE_CALL_FILE;

/* A timer of loop L, on its thread, that is about to be called. */
#define ARMED "1 new 1 " TIMER " L @1; 1 loop L 1; 1 arm 1 L @2; "

static void with_loop(struct feed *f)
{
	feed_object(f, 'L', TRACE_OBJECT_LOOP, 0);
	feed_object(f, 'P', TRACE_OBJECT_POOL, 0);
}

static void with_condition(struct feed *f)
{
	with_loop(f);
	feed_object(f, 'C', TRACE_OBJECT_COND, 0);
}

static void stall(const char *script, size_t count)
{
	feed_expect(with_loop, script, RULE_LOOP_STALL, CONFIDENCE_OBSERVED, count);
}

/* What the only finding of `rule` says, before names are put in. */
static void expect_words(void (*prepare)(struct feed *), const char *script, enum rule rule,
			 const char *words)
{
	struct feed *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	feed_init(f);
	prepare(f);
	feed_run(f, script);
	feed_end(f);
	assert_int_equal(feed_count(f, rule, -1), 1);
	if (!strstr(feed_find(f, rule)->title, words))
		fail_msg("\"%s\" does not say \"%s\"", feed_find(f, rule)->title, words);
	feed_release(f);
	free(f);
}

/* ---- stalls ---- */

static void test_callback_beyond_the_threshold_is_a_stall(void **state)
{
	(void)state;
	stall(ARMED "1 call 1 @3; 1 sleep 120; 1 ret 1", 1);
	stall(ARMED "1 call 1 @3; 1 sleep 90; 1 ret 1", 0);
	expect_words(with_loop, ARMED "1 call 1 @3; 1 sleep 120; 1 busy 120000 119000; 1 ret 1",
		     RULE_LOOP_STALL, "119.0 ms of it on the processor");
}

static void test_stalls_of_one_callback_are_one_finding(void **state)
{
	struct feed *f = calloc(1, sizeof(*f));

	(void)state;
	feed_init(f);
	with_loop(f);
	feed_run(f, ARMED);
	for (int i = 0; i < 5; i++)
		feed_run(f, "1 call 1 @3; 1 sleep 120; 1 ret 1");
	feed_run(f, "1 call 1 @4; 1 sleep 120; 1 ret 1");
	feed_end(f);
	assert_int_equal(feed_count(f, RULE_LOOP_STALL, -1), 2);
	assert_int_equal(feed_find(f, RULE_LOOP_STALL)->count, 5);
	feed_release(f);
	free(f);
}

static void test_thread_that_the_system_held_up_is_no_stall(void **state)
{
	(void)state;
	/* 300 ms went by, 20 of them on a processor, and nothing was waited for */
	stall(ARMED "1 call 1 @3; 1 sleep 300; 1 busy 300000 20000; 1 ret 1", 0);
	/* that look at the clock is of another stretch: nobody knows */
	stall(ARMED "1 busy 20000 10000; 1 call 1 @3; 1 sleep 300; 1 ret 1", 1);
	/* waiting counts */
	expect_words(with_loop,
		     ARMED "1 call 1 @3; 1 req a; 1 sleep 280; 1 lock a; 1 unlock a; "
			   "1 busy 300000 20000; 1 ret 1",
		     RULE_LOOP_STALL, "280.0 ms of it in a wait for {lock:97}");
	/* and is the main thing, where the system took most of the time */
	expect_words(with_loop,
		     ARMED "1 call 1 @3; 1 sleep 200; 1 req a; 1 sleep 100; 1 lock a; 1 unlock a; "
			   "1 busy 300000 10000; 1 ret 1",
		     RULE_LOOP_STALL, "100.0 ms of it in a wait for {lock:97}");
}

static void test_time_of_callbacks_in_callbacks_is_the_outer_ones(void **state)
{
	(void)state;
	stall(ARMED "1 new 2 " TIMER " L @5; 1 call 1 @3; 1 sleep 60; 1 call 2 @4; 1 sleep 60; "
		    "1 ret 2; 1 ret 1",
	      1);
	expect_words(with_loop,
		     ARMED "1 new 2 " TIMER " L @5; 1 call 1 @3; 1 sleep 60; 1 call 2 @4; "
			   "1 sleep 60; 1 ret 2; 1 ret 1",
		     RULE_LOOP_STALL, "{task:1}");
}

static void test_loop_inside_a_callback_turns_itself(void **state)
{
	(void)state;
	/* the callback runs the loop: it waits 300 ms for descriptors, in turns */
	stall(ARMED "1 call 1 @3; 1 loop L 1; 1 sleep 100; 1 turn 100000 @9; 1 sleep 100; "
		    "1 turn 100000 @9; 1 loop L 2; 1 ret 1",
	      0);
	/* without a loop inside, it is the callback that waits */
	stall(ARMED "1 call 1 @3; 1 sleep 100; 1 turn 100000 @9; 1 sleep 100; 1 turn 100000 @9; "
		    "1 ret 1",
	      1);
	/* and between two of its turns it is held up like any other */
	stall(ARMED "1 call 1 @3; 1 loop L 1; 1 turn 10 @9; 1 sleep 150; 1 turn 10 @9; 1 loop L 2; "
		    "1 ret 1",
	      1);
}

static void test_work_of_a_pool_stalls_nobody(void **state)
{
	(void)state;
	stall("1 create 2; 1 loop L 1; 1 new 1 " WORK " L @1; 2 call 1 @3; 2 sleep 500; 2 ret 1; "
	      "1 call 1 @4; 1 ret 1; 1 finish 1",
	      0);
	/* its other half, on the loop's thread, does */
	stall("1 create 2; 1 loop L 1; 1 new 1 " WORK " L @1; 2 call 1 @3; 2 worked 1; "
	      "1 call 1 @4; 1 sleep 500; 1 ret 1; 1 finish 1",
	      1);
}

static void test_unknown_loop_stalls_between_its_turns(void **state)
{
	struct feed *f = calloc(1, sizeof(*f));

	(void)state;
	feed_init(f);
	with_loop(f);
	for (int i = 0; i < 30; i++)
		feed_run(f, "1 turn 10 @9; 1 sleep 2");
	feed_run(f, "1 sleep 200; 1 turn 10 @9");
	feed_end(f);
	assert_int_equal(feed_count(f, RULE_LOOP_STALL, -1), 1);
	feed_release(f);
	free(f);
	/* one wait for descriptors now and then is no loop; nor is one that waits itself */
	stall("1 turn 10 @9; 1 sleep 300; 1 turn 10 @9; 1 sleep 300; 1 turn 10 @9", 0);
}

static void test_callback_that_was_left_by_a_jump_is_over(void **state)
{
	(void)state;
	/* the recorder sees that its frame is gone when the next one begins, and says so */
	stall(ARMED "1 new 2 " TIMER " L @5; 1 call 1 @3; 1 sleep 10; 1 ret 1; 1 call 2 @4; "
		    "1 sleep 10; 1 ret 2; 1 sleep 300; 1 call 2 @4; 1 ret 2",
	      0);
	/* where records are missing its return may be among them */
	stall(ARMED "1 call 1 @3; 1 sleep 10; 1 lost 5; 1 sleep 300; 1 lock a; 1 unlock a", 0);
	/* inner ones that never returned end with the outer one */
	stall(ARMED "1 new 2 " TIMER " L @5; 1 call 1 @3; 1 call 2 @4; 1 ret 1; 1 sleep 300; "
		    "1 call 1 @3; 1 ret 1",
	      0);
}

static void test_stall_at_the_end_of_the_run_is_told(void **state)
{
	(void)state;
	expect_words(with_loop,
		     "1 create 2; " ARMED "1 call 1 @3; 1 sleep 500; 2 lock a; 2 unlock a",
		     RULE_LOOP_STALL, "has held up");
	/* not when it is the exiting one: exit() runs in it */
	stall("1 create 2; " ARMED
	      "1 call 1 @3; 1 sleep 5; 1 exit 1; 1 sleep 500; 2 lock a; 2 unlock a",
	      0);
}

/* ---- causes ---- */

static void test_lock_wait_names_its_holder(void **state)
{
	(void)state;
	expect_words(with_loop,
		     "1 create 2; " ARMED "2 lock a; 1 call 1 @3; 1 req a 2; 1 sleep 300; "
		     "2 unlock a; 1 lock a; 1 unlock a; 1 ret 1",
		     RULE_LOOP_STALL, "in a wait for {lock:97}, held by {thread:2}");
}

static void test_each_wait_of_a_callback_is_a_blocking_call(void **state)
{
	char script[256];

	(void)state;
	snprintf(script, sizeof(script),
		 ARMED "1 call 1 @3; 1 sleep 50; 1 blocked - %u 50000; 1 ret 1", SLEEP_CALL);
	feed_expect(with_loop, script, RULE_BLOCKING_CALL_IN_LOOP, CONFIDENCE_OBSERVED, 1);
	snprintf(script, sizeof(script),
		 ARMED "1 call 1 @3; 1 sleep 5; 1 blocked - %u 5000; 1 ret 1", SLEEP_CALL);
	feed_expect(with_loop, script, RULE_BLOCKING_CALL_IN_LOOP, CONFIDENCE_OBSERVED, 0);
	/* with a lock held the recorder writes two records instead */
	snprintf(script, sizeof(script),
		 ARMED "1 call 1 @3; 1 lock a; 1 block - %u; 1 sleep 60; 1 unblock %u; "
		       "1 unlock a; 1 ret 1",
		 FILE_CALL, FILE_CALL);
	feed_expect(with_loop, script, RULE_BLOCKING_CALL_IN_LOOP, CONFIDENCE_OBSERVED, 1);
	/* a signal handler reads meanwhile: the outer call goes on */
	snprintf(script, sizeof(script),
		 ARMED
		 "1 call 1 @3; 1 lock a; 1 block - %u; 1 sleep 40; 1 block - %u; 1 unblock %u; "
		 "1 sleep 40; 1 unblock %u; 1 unlock a; 1 ret 1",
		 FILE_CALL, TRACE_CALL_READ, TRACE_CALL_READ, FILE_CALL);
	feed_expect(with_loop, script, RULE_BLOCKING_CALL_IN_LOOP, CONFIDENCE_OBSERVED, 1);
	/* a file that is mostly in memory may take a while on a busy machine */
	snprintf(script, sizeof(script),
		 ARMED "1 call 1 @3; 1 sleep 30; 1 blocked - %u 30000; 1 ret 1", FILE_CALL);
	feed_expect(with_loop, script, RULE_BLOCKING_CALL_IN_LOOP, CONFIDENCE_OBSERVED, 0);
	/* outside of callbacks it is nobody's loop that waits */
	snprintf(script, sizeof(script), ARMED "1 blocked - %u 50000", SLEEP_CALL);
	feed_expect(with_loop, script, RULE_BLOCKING_CALL_IN_LOOP, CONFIDENCE_OBSERVED, 0);
}

static void test_condition_wait_in_a_callback_is_a_blocking_call(void **state)
{
	(void)state;
	feed_expect(with_condition,
		    "1 create 2; " ARMED "1 call 1 @3; 1 lock m; 1 cwait C m; 1 sleep 60; "
		    "2 signal C 1; 1 cwake C m; 1 unlock m; 1 ret 1",
		    RULE_BLOCKING_CALL_IN_LOOP, CONFIDENCE_OBSERVED, 1);
}

static void test_worst_cause_is_told(void **state)
{
	char script[512];

	(void)state;
	snprintf(script, sizeof(script),
		 "1 create 2; " ARMED "1 call 1 @3; 1 sleep 60; 1 blocked - %u 60000; 1 sleep 240; "
		 "1 blocked - %u 240000; 1 ret 1",
		 SLEEP_CALL, FILE_CALL);
	expect_words(with_loop, script, RULE_LOOP_STALL, trace_call_name(FILE_CALL));
}

static void test_join_names_the_thread(void **state)
{
	char script[512];

	(void)state;
	snprintf(script, sizeof(script),
		 "1 create 2; " ARMED
		 "1 call 1 @3; 1 block - %u @5; 1 sleep 300; 2 end 0; 1 unblock %u; "
		 "1 join 2 @5; 1 ret 1",
		 TRACE_CALL_JOIN, TRACE_CALL_JOIN);
	expect_words(with_loop, script, RULE_LOOP_STALL, "in pthread_join of {thread:2}");
}

static void test_lock_that_a_callback_keeps_is_a_note(void **state)
{
	(void)state;
	feed_expect(with_loop, ARMED "1 call 1 @3; 1 lock a; 1 ret 1; 1 unlock a",
		    RULE_LOCK_HELD_ACROSS_AWAIT, CONFIDENCE_HINT, 1);
	/* taken before, released before the end, or inside an inner one that is over */
	feed_expect(with_loop,
		    ARMED "1 lock a; 1 call 1 @3; 1 lock b; 1 unlock b; 1 ret 1; 1 unlock a",
		    RULE_LOCK_HELD_ACROSS_AWAIT, CONFIDENCE_HINT, 0);
}

/* ---- handles and tasks that are left ---- */

static void test_loop_closed_with_open_handles(void **state)
{
	(void)state;
	feed_expect(with_loop, "1 new 1 " TIMER " L @1; 1 new 2 " TIMER " L @1; 1 loop L 3 16",
		    RULE_LEAKED_HANDLE, CONFIDENCE_OBSERVED, 1);
	feed_expect(with_loop, "1 new 1 " TIMER " L @1; 1 close 1; 1 finish 1; 1 loop L 3",
		    RULE_LEAKED_HANDLE, CONFIDENCE_OBSERVED, 0);
	/* of another loop */
	feed_expect(with_loop, "1 new 1 " TIMER " M @1; 1 loop L 3 16", RULE_LEAKED_HANDLE,
		    CONFIDENCE_OBSERVED, 0);
	/* closed at the second try; made after the first; one of two was closed in between */
	feed_expect(with_loop,
		    "1 new 1 " TIMER " L @1; 1 loop L 3 16; 1 close 1; 1 finish 1; 1 loop L 3",
		    RULE_LEAKED_HANDLE, CONFIDENCE_OBSERVED, 0);
	feed_expect(with_loop, "1 loop L 3 16; 1 sleep 1; 1 new 1 " TIMER " L @1",
		    RULE_LEAKED_HANDLE, CONFIDENCE_OBSERVED, 0);
	feed_expect(with_loop,
		    "1 new 1 " TIMER " L @1; 1 new 2 " TIMER " L @2; 1 loop L 3 16; 1 close 1; "
		    "1 finish 1; 1 loop L 3 16",
		    RULE_LEAKED_HANDLE, CONFIDENCE_OBSERVED, 1);
}

static void test_handles_alive_at_the_end_are_no_leak(void **state)
{
	(void)state;
	feed_expect(with_loop, ARMED "1 new 2 " TIMER " L @4; 1 arm 2 L; 1 exit 1",
		    RULE_LEAKED_HANDLE, CONFIDENCE_POTENTIAL, 0);
}

/* `count` tasks of `kind` from one place, over a run of 8 seconds; the first `ended` are closed at once. */
static void grow(struct feed *f, const char *kind, unsigned count, unsigned ended, bool at_start)
{
	char statement[64];

	feed_init(f);
	with_loop(f);
	f->end_ns = UINT64_C(8100000000);
	for (unsigned i = 1; i <= count; i++) {
		snprintf(statement, sizeof(statement), "1 new %u %s L @1", i, kind);
		feed_run(f, statement);
		snprintf(statement, sizeof(statement), "1 finish %u", i);
		if (i <= ended)
			feed_run(f, statement);
		if (!at_start)
			f->now_ns += UINT64_C(8000000000) / count;
	}
	feed_end(f);
}

static size_t growth_of(const char *kind, unsigned count, unsigned ended, bool at_start,
			enum rule rule)
{
	struct feed *f = calloc(1, sizeof(*f));
	size_t found;

	grow(f, kind, count, ended, at_start);
	found = feed_count(f, rule, CONFIDENCE_POTENTIAL);
	feed_release(f);
	free(f);
	return found;
}

static void test_growing_number_of_handles_is_a_leak(void **state)
{
	(void)state;
	assert_int_equal(growth_of(TIMER, 200, 0, false, RULE_LEAKED_HANDLE), 1);
	/* a pool: all made when the run began */
	assert_int_equal(growth_of(TIMER, 200, 0, true, RULE_LEAKED_HANDLE), 0);
	/* too few to tell */
	assert_int_equal(growth_of(TIMER, 16, 0, false, RULE_LEAKED_HANDLE), 0);
	/* all but the newest were closed */
	assert_int_equal(growth_of(TIMER, 2000, 1950, false, RULE_LEAKED_HANDLE), 0);
}

static void test_few_of_many_that_stay_are_counted(void **state)
{
	struct feed *f = calloc(1, sizeof(*f));
	char statement[64];

	(void)state;
	feed_init(f);
	with_loop(f);
	f->end_ns = UINT64_C(8000000000);
	for (unsigned i = 1; i <= 22000; i++) {
		snprintf(statement, sizeof(statement), "1 new %u " TIMER " L @1", i);
		feed_run(f, statement);
		snprintf(statement, sizeof(statement), "1 finish %u", i);
		if (i % 11)
			feed_run(f, statement);
		f->now_ns += UINT64_C(7900000000) / 22000;
	}
	feed_end(f);
	assert_int_equal(feed_count(f, RULE_LEAKED_HANDLE, CONFIDENCE_POTENTIAL), 1);
	assert_int_equal(feed_find(f, RULE_LEAKED_HANDLE)->count, 2000);
	feed_release(f);
	free(f);
}

static void test_growing_number_of_requests_is_unbounded(void **state)
{
	(void)state;
	assert_int_equal(growth_of(REQUEST, 2000, 0, false, RULE_UNBOUNDED_TASKS), 1);
	assert_int_equal(growth_of(WORK, 2000, 0, false, RULE_UNBOUNDED_TASKS), 1);
	assert_int_equal(growth_of(REQUEST, 200, 0, false, RULE_UNBOUNDED_TASKS), 0);
	assert_int_equal(growth_of(REQUEST, 2000, 1900, false, RULE_UNBOUNDED_TASKS), 0);
	/* a burst at the start, which is being worked off, is none */
	assert_int_equal(growth_of(REQUEST, 2000, 0, true, RULE_UNBOUNDED_TASKS), 0);
}

static void test_handles_that_ran_out_are_a_leak(void **state)
{
	struct feed *f = calloc(1, sizeof(*f));
	char statement[128];

	(void)state;
	feed_init(f);
	with_loop(f);
	for (unsigned i = 1; i <= 200; i++) {
		snprintf(statement, sizeof(statement),
			 "1 new %u " TIMER " L @1; 1 arm %u L 1 @2; 1 call %u @3; 1 ret %u", i, i,
			 i, i);
		feed_run(f, statement);
	}
	feed_end(f);
	assert_int_equal(feed_count(f, RULE_LEAKED_HANDLE, CONFIDENCE_POTENTIAL), 1);
	assert_int_equal(feed_find(f, RULE_LEAKED_HANDLE)->count, 200);
	feed_release(f);
	free(f);
}

static void test_requests_of_a_closed_loop_never_ran(void **state)
{
	(void)state;
	feed_expect(with_loop, "1 new 1 " WORK " L @1; 1 loop L 3", RULE_LEAKED_TASK,
		    CONFIDENCE_OBSERVED, 1);
	feed_expect(with_loop, "1 new 1 " WORK " L @1; 1 stop 1; 1 loop L 3", RULE_LEAKED_TASK,
		    CONFIDENCE_OBSERVED, 1);
	feed_expect(with_loop, "1 new 1 " WORK " L @1; 1 finish 1; 1 loop L 3", RULE_LEAKED_TASK,
		    CONFIDENCE_OBSERVED, 0);
	/* the loop lives: it may still run */
	feed_expect(with_loop, "1 new 1 " WORK " L @1; 1 loop L 3 16", RULE_LEAKED_TASK,
		    CONFIDENCE_OBSERVED, 0);
}

static void test_task_that_is_thrown_away_is_leaked(void **state)
{
	(void)state;
	feed_expect(with_loop, "1 new 1 64 L @1; 1 drop 1", RULE_LEAKED_TASK, CONFIDENCE_OBSERVED,
		    1);
	feed_expect(with_loop, "1 new 1 64 L @1; 1 finish 1; 1 drop 1", RULE_LEAKED_TASK,
		    CONFIDENCE_OBSERVED, 0);
	/* of thrum.h: made, and never started; a fiber that ran may go */
	feed_expect(with_loop, "1 task 1 0 @1; 1 task 1 6", RULE_LEAKED_TASK, CONFIDENCE_OBSERVED,
		    1);
	feed_expect(with_loop, "1 task 1 0 @1; 1 task 1 1; 1 task 1 2; 1 task 1 6",
		    RULE_LEAKED_TASK, CONFIDENCE_OBSERVED, 0);
}

static void test_active_handle_whose_memory_is_used_again_is_leaked(void **state)
{
	(void)state;
	feed_expect(with_loop,
		    "1 new 1 " TIMER " L @1; 1 arm 1 L; 1 lose 1; 1 new 2 " TIMER " L @1",
		    RULE_LEAKED_HANDLE, CONFIDENCE_OBSERVED, 1);
	feed_expect(with_loop, "1 new 1 " TIMER " L @1; 1 lose 1; 1 new 2 " TIMER " L @1",
		    RULE_LEAKED_HANDLE, CONFIDENCE_OBSERVED, 0);
}

static void test_annotated_tasks_count_on_the_thread_of_a_loop(void **state)
{
	struct feed *f = calloc(1, sizeof(*f));

	(void)state;
	/* a pool's, perhaps */
	stall("1 task 1 0 @1; 1 task 1 1 @2; 1 sleep 500; 1 task 1 4", 0);
	feed_init(f);
	with_loop(f);
	for (int i = 0; i < 30; i++)
		feed_run(f, "1 turn 10 @9; 1 sleep 2");
	feed_run(f, "1 task 1 0 @1; 1 task 1 1 @2; 1 sleep 500; 1 task 1 4; 1 turn 10 @9");
	feed_end(f);
	assert_int_equal(feed_count(f, RULE_LOOP_STALL, -1), 1);
	assert_int_equal(feed_find(f, RULE_LOOP_STALL)->task_count, 1);
	feed_release(f);
	free(f);
}

/* ---- the table of live tasks ---- */

static void test_tasks_are_found_whatever_was_removed(void **state)
{
	struct feed *f = calloc(1, sizeof(*f));
	struct model *m;
	uint8_t alive[3000] = { 0 };
	uint32_t x = 1;

	(void)state;
	feed_init(f);
	with_loop(f);
	f->process.end_ns = 1000000;
	m = model_new(&f->process);
	for (int i = 0; i < 60000; i++) {
		struct trace_event e = { .thread = 1, .stack = 1, .time_ns = (uint64_t)i };
		struct model_step step;

		x = x * 1664525 + 1013904223;
		e.arg = (x >> 8) % 3000;
		e.op = alive[e.arg] ? TRACE_TASK : TRACE_TASK_NEW;
		e.result = alive[e.arg] ? TRACE_TASK_FINISHED : TRACE_TASK_UV_TIMER;
		model_apply(m, &e, &step);
		alive[e.arg] = e.arg && !alive[e.arg];
	}
	for (uint32_t id = 0; id < 3000; id++)
		assert_int_equal(model_get_job(m, id) != NULL, alive[id]);
	assert_int_equal(model_job_site_count(m), 1);
	model_free(m);
	feed_release(f);
	free(f);
}

static void test_ids_of_no_sense_are_left_out(void **state)
{
	struct feed *f = calloc(1, sizeof(*f));

	(void)state;
	feed_init(f);
	with_loop(f);
	feed_run(f, "1 new 0 " TIMER " L; 1 new 99999999999 " TIMER " L; 1 new 5 77777 L; "
		    "1 new 5 " TIMER " L; 1 new 6 -3 L; 1 call 4000000000 @3; 1 ret 77; "
		    "1 ret 4000000000; 1 arm 88 L; 1 close 5; 1 close 5; 1 finish 5; 1 finish 5; "
		    "1 loop L 99; 1 loop L 2; 1 loop - 3; 1 turn 18446744073709551615 -5; "
		    "1 blocked Z 9999 -7; 1 busy 18446744073709551615 -1; 1 drop 0; 1 lose 1");
	feed_end(f);
	assert_int_equal(feed_count(f, RULE_LOOP_STALL, -1), 0);
	assert_int_equal(feed_count(f, RULE_BLOCKING_CALL_IN_LOOP, -1), 0);
	feed_release(f);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_callback_beyond_the_threshold_is_a_stall),
		cmocka_unit_test(test_stalls_of_one_callback_are_one_finding),
		cmocka_unit_test(test_thread_that_the_system_held_up_is_no_stall),
		cmocka_unit_test(test_time_of_callbacks_in_callbacks_is_the_outer_ones),
		cmocka_unit_test(test_loop_inside_a_callback_turns_itself),
		cmocka_unit_test(test_work_of_a_pool_stalls_nobody),
		cmocka_unit_test(test_unknown_loop_stalls_between_its_turns),
		cmocka_unit_test(test_callback_that_was_left_by_a_jump_is_over),
		cmocka_unit_test(test_stall_at_the_end_of_the_run_is_told),
		cmocka_unit_test(test_lock_wait_names_its_holder),
		cmocka_unit_test(test_each_wait_of_a_callback_is_a_blocking_call),
		cmocka_unit_test(test_condition_wait_in_a_callback_is_a_blocking_call),
		cmocka_unit_test(test_worst_cause_is_told),
		cmocka_unit_test(test_join_names_the_thread),
		cmocka_unit_test(test_lock_that_a_callback_keeps_is_a_note),
		cmocka_unit_test(test_loop_closed_with_open_handles),
		cmocka_unit_test(test_handles_alive_at_the_end_are_no_leak),
		cmocka_unit_test(test_growing_number_of_handles_is_a_leak),
		cmocka_unit_test(test_few_of_many_that_stay_are_counted),
		cmocka_unit_test(test_growing_number_of_requests_is_unbounded),
		cmocka_unit_test(test_handles_that_ran_out_are_a_leak),
		cmocka_unit_test(test_requests_of_a_closed_loop_never_ran),
		cmocka_unit_test(test_task_that_is_thrown_away_is_leaked),
		cmocka_unit_test(test_active_handle_whose_memory_is_used_again_is_leaked),
		cmocka_unit_test(test_annotated_tasks_count_on_the_thread_of_a_loop),
		cmocka_unit_test(test_tasks_are_found_whatever_was_removed),
		cmocka_unit_test(test_ids_of_no_sense_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
