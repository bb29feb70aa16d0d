/* SPDX-License-Identifier: MIT */
/*
 * test_misuse.c - misuse rules on their scenarios and on what looks like them and is none.
 */
#include "event_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TWO "1 create 2; 1 create 3; 2 begin; 3 begin;"

static void main_blocked(struct feed *f)
{
	feed_wait(f, 1, TRACE_WAIT_JOIN, 0, 0, 0, 5);
}

static void objects(struct feed *f)
{
	feed_object(f, 'c', TRACE_OBJECT_COND, 0);
	feed_object(f, 'd', TRACE_OBJECT_COND, 0);
	feed_object(f, 'b', TRACE_OBJECT_BARRIER, 3);
	feed_object(f, 's', TRACE_OBJECT_SEM, 0);
	feed_object(f, 'r', TRACE_OBJECT_RWLOCK, 0);
	feed_object(f, 'R', TRACE_OBJECT_MUTEX, TF_MUTEX_ROBUST);
	feed_object(f, 'E', TRACE_OBJECT_MUTEX, 2);
	feed_object(f, 'o', TRACE_OBJECT_ONCE, 0);
}

static void once(enum rule rule, const char *script)
{
	feed_expect(objects, script, rule, CONFIDENCE_OBSERVED, 1);
}

static void silent(const char *script)
{
	feed_expect(objects, script, RULE_UNLOCK_NOT_OWNED, CONFIDENCE_OBSERVED, 0);
}

static void test_unlock_by_another_thread(void **state)
{
	(void)state;
	once(RULE_UNLOCK_NOT_OWNED, TWO "2 lock A; 3 odd A 2 0");
	/* The robbed owner's own unlock is no second finding; a third one is. */
	once(RULE_UNLOCK_NOT_OWNED, TWO "2 lock A; 3 odd A 2 0; 2 odd A 0 0");
	/* Refused: the lock stays with its owner. */
	once(RULE_UNLOCK_NOT_OWNED, TWO "2 lock E; 3 odd E 2 1; 2 unlock E");
	once(RULE_UNLOCK_NOT_OWNED, TWO "2 rlock r; 3 odd r 0 0");
	/* Once per site. */
	once(RULE_UNLOCK_NOT_OWNED, TWO "2 lock A; 3 odd A 2 0 @9; 2 lock A; 3 odd A 2 0 @9");
	feed_expect(objects, TWO "2 lock A; 3 odd A 2 0 @9; 2 lock A; 3 odd A 2 0 @10",
		    RULE_UNLOCK_NOT_OWNED, CONFIDENCE_OBSERVED, 2);
	/* Records of the owner are missing. */
	silent(TWO "2 lock A; 2 lost 3; 3 odd A 2 0");
}

static void test_unlock_of_nothing(void **state)
{
	(void)state;
	once(RULE_UNLOCK_NOT_LOCKED, TWO "2 lock A; 2 unlock A; 2 odd A 0 0");
	once(RULE_UNLOCK_NOT_LOCKED, TWO "2 odd E 0 1");
	/* S73: locked before the recording began. */
	silent(TWO "2 odd A 0xffffffff 0");
	/* But its whole life was seen, or the library knows. */
	once(RULE_UNLOCK_NOT_LOCKED, TWO "2 init A 0; 2 odd A 0xffffffff 0");
	once(RULE_UNLOCK_NOT_LOCKED, TWO "2 odd E 0xffffffff 1");
	/* S72 */
	silent(TWO "2 lost 1; 2 odd A 0 0");
	/* A wait that is not hooked gave it away and took it back; once. */
	silent(TWO "2 lock A; 3 lock A; 3 unlock A; 2 odd A 0 0");
	once(RULE_UNLOCK_NOT_LOCKED,
	     TWO "2 lock A; 3 lock A; 3 unlock A; 2 odd A 0 0; 2 odd A 0 0");
	/* A semaphore has no owner. */
	silent(TWO "2 post s; 3 lock s");
}

static void test_lock_twice(void **state)
{
	(void)state;
	once(RULE_DOUBLE_LOCK, TWO "2 lock E; 2 fail E 35; 2 unlock E");
	once(RULE_DOUBLE_LOCK, TWO "2 lock r; 2 failr r 35; 2 unlock r");
	silent(TWO "2 lock E; 2 failtry E 16; 2 unlock E");
	silent(TWO "2 lock E; 2 unlock E; 2 lock E; 2 unlock E");
	/* EDEADLK of something else. */
	silent(TWO "2 fail A 35");
}

static void test_destroy_in_use(void **state)
{
	(void)state;
	once(RULE_DESTROY_LOCKED, TWO "2 lock A; 2 destroy A 1 16; 2 unlock A");
	once(RULE_DESTROY_LOCKED, TWO "2 lock A; 3 destroy A 1 0");
	once(RULE_DESTROY_LOCKED, TWO "2 rlock r; 3 destroy r 1 0");
	once(RULE_DESTROY_LOCKED, TWO "2 lock A; 2 cwait c A; 3 destroy c 2 0");
	once(RULE_DESTROY_LOCKED, TWO "2 req s; 3 destroy s 2 0");
	silent(TWO "2 lock A; 2 unlock A; 3 destroy A 0 0");
	/*
	 * S80: the recorder may still see the word locked while the last owner leaves its unlock.
	 */
	silent(TWO "2 lock A; 2 unlock A; 3 destroy A 1 0");
	/* Woken waiters that are not out yet do not block on it. */
	silent(TWO
	       "2 lock A; 2 cwait c A; 3 broadcast c 1; 3 destroy c 2 0; 2 cwake c A; 2 unlock A");
	silent(TWO "2 lock A; 2 cwait c A; 3 signal c 1; 3 destroy c 2 0; 2 cwake c A; 2 unlock A");
	silent(TWO "2 req s; 3 post s; 3 destroy s 2 0");
	/* Freed with a lock held: untidy. */
	feed_expect(objects, TWO "2 lock A; 2 gone A 1", RULE_DESTROY_LOCKED, CONFIDENCE_HINT, 1);
	silent(TWO "2 lock A; 2 unlock A; 2 gone A 1");
	silent(TWO "2 lock A; 2 gone A 3");
}

static void test_use_after_destroy(void **state)
{
	(void)state;
	once(RULE_USE_AFTER_DESTROY, TWO "2 destroy A 0 0; 3 fail A 22");
	once(RULE_USE_AFTER_DESTROY,
	     TWO "2 destroy r 0 0; 3 rlock r @9; 3 unlock r @9; 3 rlock r @9");
	once(RULE_USE_AFTER_DESTROY, TWO "2 destroy c 0 0; 3 signal c 0");
	once(RULE_USE_AFTER_DESTROY, TWO "2 destroy s 0 0; 3 post s");
	once(RULE_USE_AFTER_DESTROY, TWO "2 destroy A 0 0; 3 destroy A 0 0");
	/* S13: initialised again. Statically, for a mutex: it could not be locked else. */
	silent(TWO "2 destroy r 0 0; 2 init r 0; 3 rlock r; 3 unlock r");
	silent(TWO "2 destroy A 0 0; 3 lock A; 3 unlock A");
	/* Refused, so not destroyed. */
	once(RULE_DESTROY_LOCKED,
	     TWO "2 lock A; 2 destroy A 1 16; 2 unlock A; 2 lock A; 2 unlock A");
	/* What was under way may end. */
	silent(TWO
	       "2 lock A; 2 cwait c A; 3 broadcast c 1; 3 destroy c 0 0; 2 cwake c A; 2 unlock A");
	/* S57 */
	feed_expect(objects, TWO "1 exit 1; 1 destroy r 0 0; 1 lock r @9; 1 unlock r @9",
		    RULE_USE_AFTER_DESTROY, CONFIDENCE_HINT, 1);
}

static void test_thread_ends_with_a_lock(void **state)
{
	(void)state;
	/* S52, S51, S49 (held since long before), pthread_exit */
	once(RULE_LOCK_HELD_AT_THREAD_EXIT, TWO "2 lock A; 2 end 0; 1 join 2");
	once(RULE_LOCK_HELD_AT_THREAD_EXIT, TWO "2 lock A; 1 cancel 2; 2 end 2; 1 join 2");
	once(RULE_LOCK_HELD_AT_THREAD_EXIT, TWO "2 rlock r; 2 pexit; 2 end 1");
	once(RULE_LOCK_HELD_AT_THREAD_EXIT, TWO "2 lock A; 2 end 0; 4 begin 2; 4 end 0");
	/* Destructors release it. */
	silent(TWO "2 lock A; 2 end 0; 2 unlock A; 1 join 2");
	/* S50: the guard's destructor. S51b: the handler unlocks what the wait took back. */
	silent(TWO "2 lock A; 2 unlock A; 2 end 0; 1 join 2");
	silent(TWO "2 lock A; 2 cwait c A; 1 cancel 2; 2 cwake c A; 2 unlock A; 2 end 2; 1 join 2");
	once(RULE_LOCK_HELD_AT_THREAD_EXIT,
	     TWO "2 lock A; 2 cwait c A; 1 cancel 2; 2 cwake c A; 2 end 2; 1 join 2");
	/* Still running at the end. */
	silent(TWO "2 lock A; 1 exit 1");
	/* Unlocked by another one later: that is the mistake. */
	once(RULE_UNLOCK_NOT_OWNED, TWO "2 lock A; 2 end 0; 1 join 2; 1 odd A 2 0");
	/* A destroy of it adds nothing. */
	once(RULE_LOCK_HELD_AT_THREAD_EXIT, TWO "2 lock A; 2 end 0; 1 join 2; 1 destroy A 1 16");
	/* Semaphores, robust mutexes, lost records. */
	silent(TWO "2 lock s; 2 end 0; 1 join 2");
	silent(TWO "2 lock R; 2 end 0; 1 join 2");
	silent(TWO "2 lock A; 2 lost 1; 2 end 0; 1 join 2");
	silent(TWO "2 lost 1; 2 lock A; 2 end 0; 1 join 2");
	/* The lock is gone with its thread's stack. */
	silent(TWO "2 lock A; 2 gone A 3; 2 end 0; 1 join 2");
}

static void test_process_exits_with_a_lock(void **state)
{
	(void)state;
	feed_expect(objects, TWO "1 lock A; 1 exit 1", RULE_LOCK_HELD_AT_EXIT, CONFIDENCE_HINT, 1);
	silent(TWO "1 lock A; 1 exit 1; 1 unlock A");
	feed_expect(main_blocked, TWO "1 lock A; 1 exit 1", RULE_LOCK_HELD_AT_EXIT, CONFIDENCE_HINT,
		    0);
	silent(TWO "1 lock A; 1 exit 2");
	silent(TWO "1 lock A");
}

static void test_condition_waits(void **state)
{
	(void)state;
	once(RULE_COND_WAIT_UNLOCKED, TWO "2 cwait c A 256; 2 cwake c A");
	silent(TWO "2 lock A; 2 cwait c A; 2 cwake c A; 2 unlock A");
	silent(TWO "2 lost 1; 2 cwait c A 256; 2 cwake c A");
	/* S33: at the same time; one after the other is allowed. */
	once(RULE_COND_WAIT_WRONG_MUTEX, TWO "2 lock A; 2 cwait c A; 3 lock B; 3 cwait c B");
	silent(TWO
	       "2 lock A; 2 cwait c A; 3 signal c 1; 2 cwake c A; 2 unlock A; 3 lock B; 3 cwait c B");
	silent(TWO "2 lock A; 2 cwait c A; 1 broadcast c 1; 3 lock B; 3 cwait c B");
	silent(TWO "2 lock A; 2 cwait c A; 3 lock A; 3 cwait c A");
	silent(TWO "2 lock A; 2 cwait c A; 3 lock B; 3 cwait d B");
	/* S32b */
	silent(TWO "2 signal c 0; 2 broadcast c 0");
}

static void test_barriers(void **state)
{
	(void)state;
	once(RULE_BARRIER_MISUSE, TWO "2 arrive b; 3 destroy b 2 0");
	once(RULE_BARRIER_MISUSE, TWO "2 arrive b; 3 arrive b; 1 gone b 4");
	once(RULE_BARRIER_MISUSE, TWO "2 arrive b; 3 init b 2");
	once(RULE_BARRIER_MISUSE, TWO "2 init b 0 22");
	/* Complete: the first one out may destroy it. */
	silent(TWO
	       "1 arrive b; 2 arrive b; 3 arrive b; 1 leave b; 1 destroy b 0 0; 2 leave b; 3 leave b");
	silent(TWO
	       "1 arrive b; 2 arrive b; 3 arrive b; 1 leave b; 1 arrive b; 2 leave b; 2 arrive b; 3 leave b; 3 arrive b;"
	       "1 leave b; 2 leave b; 3 leave b; 1 destroy b 0 0");
	/* Clocks that disagree: one leaves before the last arrival is seen. */
	silent(TWO
	       "1 arrive b; 2 arrive b; 1 leave b; 3 arrive b; 2 leave b; 3 leave b; 1 destroy b 0 0");
}

static void test_robust_mutexes(void **state)
{
	(void)state;
	/* S44 */
	silent(TWO
	       "2 lock R; 2 end 0; 1 join 2; 3 dead R; 3 consistent R; 3 unlock R; 3 lock R; 3 unlock R");
	once(RULE_LOCK_NOT_RECOVERABLE,
	     TWO "2 lock R; 2 end 0; 1 join 2; 3 dead R; 3 unlock R; 3 fail R 131");
	once(RULE_LOCK_NOT_RECOVERABLE, TWO "3 fail R 131");
	/* Attributes unknown, so judged only when its next owner is told. */
	silent(TWO "2 lock A; 2 end 0; 1 join 2; 3 dead A; 3 consistent A; 3 unlock A");
}

static void test_joins(void **state)
{
	(void)state;
	/* S66 */
	once(RULE_DOUBLE_JOIN, TWO "2 end 0; 1 join 2; 1 join 2 3");
	once(RULE_DOUBLE_JOIN, TWO "1 detach 2; 1 join 2 22");
	once(RULE_DOUBLE_JOIN, TWO "2 end 0; 1 join 2; 1 detach 2 3");
	once(RULE_DOUBLE_JOIN, TWO "1 join 0 3");
	/* S38b */
	once(RULE_DOUBLE_JOIN, TWO "2 join 2 35");
	once(RULE_DOUBLE_JOIN, TWO "3 join 2 35");
	/* Joined at the same time by another one. */
	once(RULE_DOUBLE_JOIN, TWO "3 join 2 22");
	/* S65, S64c and tries that come too early */
	silent(TWO "2 end 0; 1 join 2; 3 end 0; 1 join 3; 1 create 4; 4 begin; 4 end 0; 1 join 4");
	silent(TWO "2 detach 2; 2 end 0; 1 detach 3; 3 end 0");
	silent(TWO "1 join 2 16; 1 join 2 110; 2 end 0; 1 join 2");
}

static void test_contention_notes(void **state)
{
	struct feed f;

	(void)state;
	feed_init(&f);
	feed_run(&f, TWO);
	for (int i = 0; i < 20; i++)
		feed_run(&f, "2 lock A; 3 req A 2; 2 sleep 20; 2 unlock A; 3 lock A; 3 unlock A");
	feed_end(&f);
	assert_int_equal(feed_count(&f, RULE_LOCK_CONTENTION, CONFIDENCE_OBSERVED), 1);
	assert_int_equal(feed_find(&f, RULE_LOCK_CONTENTION)->level, LEVEL_NOTE);
	assert_int_equal(feed_find(&f, RULE_LOCK_CONTENTION)->count, 20);
	assert_int_equal(feed_count(&f, RULE_HOLD_TIME, -1), 0);
	feed_release(&f);
	/*
	 * Held long while another waited; held long with nobody waiting; the wait itself released
	 * it.
	 */
	once(RULE_HOLD_TIME,
	     TWO "2 lock A; 3 req A 2; 2 sleep 300; 2 unlock A; 3 lock A; 3 unlock A");
	silent(TWO "2 lock A; 2 sleep 300; 2 unlock A; 3 lock A; 3 unlock A");
	silent(TWO
	       "2 lock A; 2 cwait c A; 3 lock A; 3 signal c 1; 3 unlock A; 2 sleep 300; 2 cwake c A; 2 unlock A");
	silent(TWO "2 lock A; 3 req A 2; 2 sleep 100; 2 unlock A; 3 lock A; 3 unlock A");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unlock_by_another_thread),
		cmocka_unit_test(test_unlock_of_nothing),
		cmocka_unit_test(test_lock_twice),
		cmocka_unit_test(test_destroy_in_use),
		cmocka_unit_test(test_use_after_destroy),
		cmocka_unit_test(test_thread_ends_with_a_lock),
		cmocka_unit_test(test_process_exits_with_a_lock),
		cmocka_unit_test(test_condition_waits),
		cmocka_unit_test(test_barriers),
		cmocka_unit_test(test_robust_mutexes),
		cmocka_unit_test(test_joins),
		cmocka_unit_test(test_contention_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
