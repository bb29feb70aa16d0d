/* SPDX-License-Identifier: MIT */
/*
 * test_signal_lock.c - rules signal-handler-lock and lock-held-across-blocking-call on hand-made traces.
 */
#include "event_feed.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TWO "1 begin; 1 create 2; 1 create 3; 2 begin; 3 begin;"
/* SIGUSR1 has a handler, and so has SIGUSR2; each blocks itself only. */
#define USR1 "1 action 0x200 10 2;"
#define USR2 "1 action 0x800 12 2;"

/* Stacks 1 and 2: in handlers of SIGUSR1 and SIGUSR2; 3 of SIGSEGV, 4 of an unknown signal. */
static void handlers(struct feed *f)
{
	feed_handler(f, 1, SIGUSR1);
	feed_handler(f, 2, SIGUSR2);
	feed_handler(f, 3, SIGSEGV);
	feed_handler(f, 4, 0);
	feed_object(f, 'R', TRACE_OBJECT_RWLOCK, 0);
	feed_object(f, 'W', TRACE_OBJECT_RWLOCK, 2);
	feed_object(f, 'S', TRACE_OBJECT_SEM, 1);
	feed_object(f, 'P', TRACE_OBJECT_SPIN, 0);
	feed_object(f, 'Q', TRACE_OBJECT_MUTEX, 1);
	feed_object(f, 'F', TRACE_OBJECT_FILE_LOCK, 0);
}

static void finds(const char *script)
{
	feed_expect(handlers, script, RULE_SIGNAL_HANDLER_LOCK, CONFIDENCE_POTENTIAL, 1);
}

static void hints(const char *script)
{
	feed_expect(handlers, script, RULE_SIGNAL_HANDLER_LOCK, CONFIDENCE_HINT, 1);
}

static void silent(const char *script)
{
	feed_expect(handlers, script, RULE_SIGNAL_HANDLER_LOCK, CONFIDENCE_POTENTIAL, 0);
}

static void test_a_handler_takes_what_others_hold(void **state)
{
	(void)state;
	finds(TWO USR1 "2 lock A; 2 unlock A; 3 lock A @1; 3 unlock A");
	finds(TWO USR1 "3 lock A @1; 3 unlock A; 2 lock A; 2 unlock A");
	/* Waiting for it is enough, and so is any kind of lock. */
	finds(TWO USR1 "2 lock A; 3 req A 2 @1; 2 unlock A; 3 lock A @1; 3 unlock A");
	finds(TWO USR1 "2 lock P; 2 unlock P; 3 lock P @1; 3 unlock P");
	finds(TWO USR1 "2 lock S; 2 post S; 3 lock S @1; 3 post S");
	finds(TWO USR1 "2 rlock R; 2 unlock R; 3 lock R @1; 3 unlock R");
	finds(TWO USR1 "2 lock R; 2 unlock R; 3 rlock R @1; 3 unlock R");
	/* Readers pass readers, unless a writer may stand between. */
	silent(TWO USR1 "2 rlock R; 2 unlock R; 3 rlock R @1; 3 unlock R");
	finds(TWO USR1 "1 lock W; 1 unlock W; 2 rlock W; 2 unlock W; 3 rlock W @1; 3 unlock W");
}

static void test_what_cannot_hang(void **state)
{
	(void)state;
	silent(TWO USR1 "2 lock A; 2 unlock A; 3 try A @1; 3 unlock A");
	silent(TWO USR1 "2 lock A; 2 unlock A; 3 timed A @1; 3 unlock A");
	silent(TWO USR1 "2 lock A; 2 unlock A; 3 lock B @1; 3 unlock B");
	silent(TWO USR1 "2 lock A; 2 unlock A; 3 post S @1");
	silent(TWO USR1 "3 lock A @1; 3 unlock A; 2 lock A @1; 2 unlock A");
	/* A semaphore that signals is no lock. */
	silent(TWO USR1 "2 lock S; 1 post S; 3 lock S @1; 1 post S");
	/* It lets its own thread in again. */
	hints(TWO USR1 "2 lock Q; 2 unlock Q; 3 lock Q @1; 3 unlock Q");
}

static void test_masks(void **state)
{
	(void)state;
	silent(TWO USR1 "2 mask 0x200; 2 lock A; 2 unlock A; 3 lock A @1; 3 unlock A");
	finds(TWO USR1 "2 mask 0x800; 2 lock A; 2 unlock A; 3 lock A @1; 3 unlock A");
	/* Unblocked before it is released, or blocked only then. */
	finds(TWO USR1 "2 mask 0x200; 2 lock A; 2 mask 0; 2 unlock A; 3 lock A @1; 3 unlock A");
	finds(TWO USR1 "2 lock A; 2 mask 0x200; 2 unlock A; 3 lock A @1; 3 unlock A");
	/* Another thread's mask is another thread's. */
	finds(TWO USR1 "3 mask 0x200; 2 lock A; 2 unlock A; 3 lock A @1; 3 unlock A");
	/* A mask that a handler sets is over with it. */
	silent(TWO USR1 "2 mask 0x200; 2 mask 0 @2; 2 lock A; 2 unlock A; 3 lock A @1; 3 unlock A");
	/* What the records that are missing did to it is not known. */
	silent(TWO USR1 "2 lost 5; 2 lock A; 2 unlock A; 3 lock A @1; 3 unlock A");
}

static void test_handlers_among_each_other(void **state)
{
	(void)state;
	/* One blocks the other's signal, but not the other way round. */
	finds(TWO
	      "1 action 0xa00 10 2; 1 action 0x800 12 2; 2 lock A @1; 2 unlock A; 3 lock A @2; 3 unlock A");
	silent(TWO
	       "1 action 0xa00 10 2; 1 action 0xa00 12 2; 2 lock A @1; 2 unlock A; 3 lock A @2; 3 unlock A");
	/* SA_NODEFER: it may interrupt itself. */
	finds(TWO "1 action 0 10 2; 2 lock A @1; 2 unlock A");
}

static void test_only_while_there_is_a_handler(void **state)
{
	(void)state;
	silent(TWO "2 lock A; 2 unlock A;" USR1 "3 lock A @1; 3 unlock A");
	silent(TWO USR1 "3 lock A @1; 3 unlock A; 1 action 0 10 0; 2 lock A; 2 unlock A");
	finds(TWO "2 lock A;" USR1 "2 unlock A; 3 lock A @1; 3 unlock A");
	/* Nobody saw it being installed. */
	finds(TWO "2 lock A; 2 unlock A; 3 lock A @1; 3 unlock A");
}

static void test_crashes_and_unknown_signals(void **state)
{
	(void)state;
	hints(TWO "1 action 0x400 11 2; 2 lock A; 2 unlock A; 3 lock A @3; 3 unlock A");
	/* Which signal is not known: then all that have handlers must be able to come. */
	finds(TWO USR1 USR2 "2 lock A; 2 unlock A; 3 lock A @4; 3 unlock A");
	silent(TWO USR1 USR2 "2 mask 0x200; 2 lock A; 2 unlock A; 3 lock A @4; 3 unlock A");
	finds(TWO "2 lock A; 2 unlock A; 3 lock A @4; 3 unlock A");
	silent(TWO "2 mask 0x1; 2 lock A; 2 unlock A; 3 lock A @4; 3 unlock A");
}

static void waits_in_handler(struct feed *f)
{
	handlers(f);
	feed_wait(f, 2, TRACE_WAIT_LOCK, 'A', 0, 0, 1);
	f->wait[0].since_ns = UINT64_C(1000000000);
}

static void test_what_happened_is_not_potential(void **state)
{
	struct feed f;

	(void)state;
	feed_expect(waits_in_handler, TWO USR1 "2 lock A; 2 req A 2 @1", RULE_SIGNAL_HANDLER_LOCK,
		    CONFIDENCE_POTENTIAL, 0);
	feed_init(&f);
	waits_in_handler(&f);
	feed_run(&f, TWO USR1 "2 lock A");
	feed_end(&f);
	assert_int_equal(feed_count(&f, RULE_SELF_DEADLOCK, CONFIDENCE_OBSERVED), 1);
	assert_non_null(strstr(feed_find(&f, RULE_SELF_DEADLOCK)->title,
			       "in a handler of SIGUSR1 that interrupted the holder"));
	feed_release(&f);
}

/* ---- blocking calls: 5 = read ---- */

static void slow(const char *script)
{
	feed_expect(handlers, script, RULE_LOCK_HELD_ACROSS_BLOCKING_CALL, CONFIDENCE_OBSERVED, 1);
}

static void fast(const char *script)
{
	feed_expect(handlers, script, RULE_LOCK_HELD_ACROSS_BLOCKING_CALL, CONFIDENCE_OBSERVED, 0);
}

static void test_a_blocking_call_with_a_wanted_lock(void **state)
{
	(void)state;
	slow(TWO
	     "2 lock A; 2 block - 5; 3 req A 2; 2 sleep 300; 2 unblock 5; 2 unlock A; 3 lock A; 3 unlock A");
	slow(TWO
	     "2 lock A; 3 req A 2; 2 block - 5; 2 sleep 300; 2 unblock 5; 2 unlock A; 3 lock A; 3 unlock A");
	slow(TWO
	     "2 rlock R; 2 block - 5; 3 req R 2; 2 sleep 300; 2 unblock 5; 2 unlock R; 3 lock R; 3 unlock R");
	/* The waiter gives up before the call is over. */
	slow(TWO
	     "2 lock A; 2 block - 5; 3 reqt A 2; 2 sleep 150; 3 failt A 110; 2 sleep 100; 2 unblock 5; 2 unlock A");
	/* It never comes back, or by a longjmp. */
	slow(TWO "2 lock A; 2 block - 5; 3 req A 2; 2 sleep 300; 1 lock B; 1 unlock B");
	slow(TWO "2 lock A; 2 block - 5; 3 req A 2; 2 sleep 300; 2 unlock A; 3 lock A; 3 unlock A");
	/* A handler interrupts it. */
	slow(TWO
	     "2 lock A; 2 block - 5; 3 req A 2; 2 sleep 100; 2 block - 6 @1; 2 unblock 6; 2 lock B @1; 2 unlock B; 2 sleep 150; 2 unblock 5; 2 unlock A; 3 lock A; 3 unlock A");
	/* Often in one place: one finding. */
	slow(TWO
	     "2 lock A @9; 2 block - 5 @10; 3 req A 2 @11; 2 sleep 300; 2 unblock 5; 2 unlock A; 3 lock A @11; 3 unlock A;"
	     "2 lock A @9; 2 block - 5 @10; 3 req A 2 @11; 2 sleep 300; 2 unblock 5; 2 unlock A; 3 lock A @11; 3 unlock A");
}

static void test_a_blocking_call_that_harms_nobody(void **state)
{
	(void)state;
	fast(TWO
	     "2 lock A; 2 block - 5; 2 sleep 300; 2 unblock 5; 2 unlock A; 3 lock A; 3 unlock A");
	fast(TWO
	     "2 lock A; 2 block - 5; 3 req A 2; 2 sleep 20; 2 unblock 5; 2 unlock A; 3 lock A; 3 unlock A");
	fast(TWO
	     "2 lock A; 2 block - 5; 3 req B 1; 2 sleep 300; 2 unblock 5; 2 unlock A; 3 lock B; 3 unlock B");
	/* The lock is given up, or taken only afterwards. */
	fast(TWO
	     "2 lock A; 2 unlock A; 2 lock B; 2 block - 5; 3 lock A; 2 sleep 300; 2 unblock 5; 2 unlock B; 3 unlock A");
	/* Many short ones are no long one. */
	fast(TWO
	     "2 lock A; 3 req A 2; 2 block - 5; 2 sleep 90; 2 unblock 5; 2 block - 5; 2 sleep 90; 2 unblock 5; 2 unlock A; 3 lock A; 3 unlock A");
	/* File locks are made for it. */
	fast(TWO
	     "2 lock F; 2 block - 5; 3 req F 2; 2 sleep 300; 2 unblock 5; 2 unlock F; 3 lock F; 3 unlock F");
	/* Left long ago by a longjmp. */
	fast(TWO
	     "2 lock A; 2 block - 5; 2 unlock A; 2 sleep 150; 2 lock A; 3 req A 2; 2 sleep 100; 2 unblock 5; 2 unlock A; 3 lock A; 3 unlock A");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_handler_takes_what_others_hold),
		cmocka_unit_test(test_what_cannot_hang),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_handlers_among_each_other),
		cmocka_unit_test(test_only_while_there_is_a_handler),
		cmocka_unit_test(test_crashes_and_unknown_signals),
		cmocka_unit_test(test_what_happened_is_not_potential),
		cmocka_unit_test(test_a_blocking_call_with_a_wanted_lock),
		cmocka_unit_test(test_a_blocking_call_that_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
