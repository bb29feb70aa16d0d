/* SPDX-License-Identifier: MIT */
/*
 * test_wakes.c - who woke a loop that no table knows: the right one of several waits, and nobody where it is not known.
 */
#include "event_feed.h"

#include "analyzer/model/model.h"
#include "trace/trace_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* As scripts write them. */
#define OTHER "0"
#define EVENTFD "1"
#define TIMERFD "2"
#define SIGNALFD "3"
#define PIPE "4"
#define EVENTFD_TOO "9"
#define TIMER "10"
#define POLL_HANDLE "15"
_Static_assert(TRACE_WAKER_EVENTFD == 1 && TRACE_WAKER_TIMERFD == 2 && TRACE_WAKER_SIGNALFD == 3 &&
		       TRACE_WAKER_PIPE == 4 && TRACE_WOKEN_MORE == 8 &&
		       TRACE_TASK_UV_TIMER == 10 && TRACE_TASK_UV_POLL == 15,
	       "the words above");

/* Turns of two milliseconds each make the thread a loop; then `script`. NULL `words` = it names nobody. */
static void expect(const char *script, const char *words, uint32_t stack)
{
	struct feed *f = calloc(1, sizeof(*f));
	const struct finding *finding;
	bool found = false;

	assert_non_null(f);
	feed_init(f);
	feed_object(f, 'L', TRACE_OBJECT_LOOP, 0);
	feed_run(f, "1 create 2; 1 create 3");
	for (int i = 0; i < 30; i++)
		feed_run(f, "1 woken 2 " EVENTFD " 5 @7; 1 turn 1900 @9; 1 sleep 2");
	feed_run(f, script);
	feed_end(f);
	assert_int_equal(feed_count(f, RULE_LOOP_STALL, -1), 1);
	finding = feed_find(f, RULE_LOOP_STALL);
	if (words && !strstr(finding->message, words))
		fail_msg("\"%s\" does not say \"%s\"", finding->message, words);
	if (!words && strstr(finding->message, "woken"))
		fail_msg("\"%s\" names a waker", finding->message);
	for (size_t i = 0; i < finding->stack_count; i++)
		/* where a callback was armed is the same in each run; who woke its loop is not */
		if (finding->stacks[i].role == ROLE_SIGNALS && finding->stacks[i].beside) {
			found = true;
			assert_int_equal(finding->stacks[i].stack, stack);
		}
	assert_int_equal(found, stack != 0);
	feed_release(f);
	free(f);
}

#define NEXT_TURN "1 woken 2 " EVENTFD " 5 @7; 1 turn 10 @9"

static void test_waker_of_the_turn_that_stalled_is_told(void **state)
{
	(void)state;
	expect("1 woken 3 " PIPE " 6 @8; 1 turn 10 @9; 1 sleep 200; " NEXT_TURN,
	       "woken through pipe 6, written to by {thread:3}", 8);
	/* the wait that came back just before had no TURN of its own */
	expect("1 turn 10 @9; 1 woken 3 " EVENTFD " 5 @8; 1 sleep 200; " NEXT_TURN,
	       "woken through eventfd 5, written to by {thread:3}", 8);
	expect("1 woken 1 " TIMERFD " 4 @8; 1 turn 10 @9; 1 sleep 200; 1 woken 0 " OTHER
	       "; 1 turn 10 @9",
	       "woken through timerfd 4, set by {thread:1}", 8);
	expect("1 woken 0 " SIGNALFD " 4; 1 turn 10 @9; 1 sleep 200; " NEXT_TURN,
	       "woken through signalfd 4.", 0);
	expect("1 woken 0 " SIGNALFD " 4; 1 woken 3 " EVENTFD_TOO " 5 @8; 1 turn 10 @9; "
	       "1 sleep 200; " NEXT_TURN,
	       "woken through signalfd 4 and eventfd 5, written to by {thread:3}.", 8);
}

static void test_turn_that_other_things_began_names_nobody(void **state)
{
	(void)state;
	expect("1 woken 0 " OTHER "; 1 turn 10 @9; 1 sleep 200; " NEXT_TURN, NULL, 0);
	/* a wait without a TURN, and none that says anything after it */
	expect("1 turn 10 @9; 1 woken 0 " OTHER "; 1 sleep 200; 1 turn 10 @9", NULL, 0);
}

#define WOKEN_AND_CALLED                                                             \
	" L @1; 1 arm 1 L @2; 1 woken 3 " EVENTFD " 5 @8; 1 turn 10 @9; 1 sleep 1; " \
	"1 call 1 @3; 1 sleep 300; 1 woken 2 " PIPE " 4 @7; 1 ret 1"

static void test_waker_of_a_descriptors_callback_is_told(void **state)
{
	(void)state;
	expect("1 new 1 " POLL_HANDLE WOKEN_AND_CALLED,
	       "woken through eventfd 5, written to by {thread:3}", 8);
	/* that a timer went off is another matter, whatever woke the loop in the same turn */
	expect("1 new 1 " TIMER WOKEN_AND_CALLED, NULL, 0);
}

static void test_waker_before_missing_records_is_forgotten(void **state)
{
	(void)state;
	expect("1 woken 3 " EVENTFD " 5 @8; 1 turn 10 @9; 1 lost 5; 1 turn 10 @9; 1 sleep 200; "
	       "1 turn 10 @9",
	       NULL, 0);
}

static void test_wakers_of_no_sense_are_left_out(void **state)
{
	(void)state;
	expect("1 woken 4000000000 " EVENTFD " 5 @8; 1 turn 10 @9; 1 sleep 200; " NEXT_TURN,
	       "woken through eventfd 5.", 0);
	expect("1 woken 3 7 99999 @8; 1 turn 10 @9; 1 sleep 200; " NEXT_TURN, NULL, 0);
	expect("1 woken 2 " EVENTFD " 1 @8; 1 woken 2 9 2 @8; 1 woken 2 9 3 @8; 1 woken 2 9 4 @8; "
	       "1 woken 2 9 -1 @8; 1 woken 2 9 6 @8; 1 turn 10 @9; 1 sleep 200; " NEXT_TURN,
	       "eventfd 4, written to by {thread:2}.", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waker_of_the_turn_that_stalled_is_told),
		cmocka_unit_test(test_turn_that_other_things_began_names_nobody),
		cmocka_unit_test(test_waker_of_a_descriptors_callback_is_told),
		cmocka_unit_test(test_waker_before_missing_records_is_forgotten),
		cmocka_unit_test(test_wakers_of_no_sense_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
