/* SPDX-License-Identifier: MIT */
/*
 * test_lock_order.c - lock-order-inversion on the scenarios S01 to S35 and S61: what must be found,
 * as what, what must not.
 */
#include "event_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Two threads that live at the same time. */
#define TWO "1 create 2; 1 create 3; 2 begin; 3 begin;"
#define JOIN_TWO "; 2 end 0; 3 end 0; 1 join 2; 1 join 3"
#define AB(t) #t " lock A;" #t " lock B;" #t " unlock B;" #t " unlock A;"
#define BA(t) #t " lock B;" #t " lock A;" #t " unlock A;" #t " unlock B;"

static void potential(void (*prepare)(struct feed *), const char *script)
{
	feed_expect(prepare, script, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 1);
}

static void hint(void (*prepare)(struct feed *), const char *script)
{
	feed_expect(prepare, script, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_HINT, 1);
}

static void silent(void (*prepare)(struct feed *), const char *script)
{
	feed_expect(prepare, script, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 0);
}

/* Runs the script and returns how many cycles were pruned for `reason`. */
static uint64_t pruned(void (*prepare)(struct feed *), const char *script, enum prune_reason reason)
{
	struct feed f;
	uint64_t count;

	feed_init(&f);
	if (prepare)
		prepare(&f);
	feed_run(&f, script);
	feed_end(&f);
	count = f.stats.pruned[reason];
	feed_release(&f);
	return count;
}

static void rwlocks(struct feed *f)
{
	feed_object(f, 'A', TRACE_OBJECT_RWLOCK, 0);
	feed_object(f, 'B', TRACE_OBJECT_RWLOCK, 0);
	feed_object(f, 'G', TRACE_OBJECT_RWLOCK, 0);
}

static void writers_first(struct feed *f)
{
	feed_object(f, 'A', TRACE_OBJECT_RWLOCK, 2);
	feed_object(f, 'B', TRACE_OBJECT_RWLOCK, 2);
}

static void spins(struct feed *f)
{
	feed_object(f, 'A', TRACE_OBJECT_SPIN, 0);
	feed_object(f, 'B', TRACE_OBJECT_SPIN, 0);
}

static void binary_semaphores(struct feed *f)
{
	feed_object(f, 'A', TRACE_OBJECT_SEM, 1);
	feed_object(f, 'B', TRACE_OBJECT_SEM, 1);
}

static void recursive_a(struct feed *f)
{
	feed_object(f, 'A', TRACE_OBJECT_MUTEX, 1);
}

static void cond_c(struct feed *f)
{
	feed_object(f, 'c', TRACE_OBJECT_COND, 0);
}

static void barrier_b(struct feed *f)
{
	feed_object(f, 'b', TRACE_OBJECT_BARRIER, 2);
}

static void once_o(struct feed *f)
{
	feed_object(f, 'o', TRACE_OBJECT_ONCE, 0);
}

static void heap_a(struct feed *f)
{
	f->object['A'].where = TF_WHERE_UNKNOWN;
}

static void test_two_orders_are_found_with_four_stacks(void **state)
{
	const struct finding *x;
	struct feed f;

	(void)state;
	feed_init(&f);
	feed_run(
		&f,
		"1 create 2 @7; 1 create 3 @8; 2 begin; 3 begin; 2 lock A @11; 2 lock B @12; 2 unlock B; 2 unlock A;"
		"3 lock B @13; 3 lock A @14; 3 unlock A; 3 unlock B" JOIN_TWO);
	feed_end(&f);
	assert_int_equal(feed_count(&f, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL), 1);
	x = feed_find(&f, RULE_LOCK_ORDER_INVERSION);
	assert_int_equal(x->level, LEVEL_ERROR);
	assert_int_equal(x->thread_count, 2);
	assert_int_equal(x->lock_count, 2);
	assert_int_equal(x->stack_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(x->stacks[i].role, i % 2 ? ROLE_ACQUIRES : ROLE_HOLDS);
		assert_int_equal(x->stacks[i].stack, 11 + i);
		assert_int_equal(x->stacks[i].thread, 2 + i / 2);
	}
	assert_int_equal(x->stacks[1].held_count, 1);
	assert_int_equal(x->stacks[1].held[0], 'A');
	assert_int_equal(x->threads[0].created_stack, 7);
	assert_int_equal(x->threads[1].created_stack, 8);
	finding_expand_names(f.findings);
	assert_string_equal(
		x->title,
		"thread 2 takes mutex #1, then mutex #2; thread 3 takes them the other way round");
	feed_release(&f);
}

static void test_request_that_is_never_answered_counts(void **state)
{
	struct feed f;

	(void)state;
	feed_init(&f);
	feed_wait(&f, 2, TRACE_WAIT_LOCK, 'B', 0, 0,
		  50); /* no REQUEST record: the slot alone says it */
	feed_run(&f, TWO BA(3) "2 lock A; 3 lock C");
	feed_end(&f);
	assert_int_equal(feed_count(&f, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL), 1);
	feed_release(&f);
}

static void test_three_threads_three_locks_are_one_finding(void **state)
{
	(void)state;
	potential(
		NULL, TWO
		"1 create 4; 2 lock A; 2 lock B; 2 unlock B; 2 unlock A; 3 lock B; 3 lock C; 3 unlock C;"
		"3 unlock B; 4 lock C; 4 lock A; 4 unlock A; 4 unlock C");
}

static void test_ring_of_25_is_one_finding(void **state)
{
	struct feed f;
	char script[128];

	(void)state;
	feed_init(&f);
	for (int i = 0; i < 25; i++) {
		snprintf(script, sizeof(script), "1 create %d @3; %d begin", i + 2, i + 2);
		feed_run(&f, script);
	}
	for (int i = 0; i < 25; i++) {
		char a = (char)('A' + i), b = (char)('A' + (i + 1) % 25);

		snprintf(script, sizeof(script),
			 "%d lock %c @%d; %d lock %c @%d; %d unlock %c; %d unlock %c", i + 2, a,
			 200 + i, i + 2, b, 300 + i, i + 2, b, i + 2, a);
		feed_run(&f, script);
	}
	feed_end(&f);
	assert_int_equal(feed_count(&f, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL), 1);
	assert_int_equal(feed_find(&f, RULE_LOCK_ORDER_INVERSION)->stack_count, 50);
	feed_release(&f);
}

static void test_gate_lock_by_mode(void **state)
{
	static const char s05[] = TWO
		"2 lock G;" AB(2) "2 unlock G; 3 lock G;" BA(3) "3 unlock G" JOIN_TWO;

	(void)state;
	silent(NULL, s05);
	assert_int_equal(pruned(NULL, s05, PRUNE_GATE), 1);
	/* S05b: one side only. */
	potential(NULL, TWO "2 lock G;" AB(2) "2 unlock G;" BA(3));
	/* S05c: both sides share it. */
	potential(rwlocks, TWO "2 rlock G;" AB(2) "2 unlock G; 3 rlock G;" BA(3) "3 unlock G");
	/* S05d: one side shares it. */
	silent(rwlocks, TWO "2 rlock G;" AB(2) "2 unlock G; 3 lock G;" BA(3) "3 unlock G");
	/* S06: dropped before the inner request. */
	potential(NULL, TWO "2 lock G; 2 lock A; 2 unlock G; 2 lock B; 2 unlock B; 2 unlock A;"
			    "3 lock G; 3 lock B; 3 unlock G; 3 lock A; 3 unlock A; 3 unlock B");
}

static void test_one_thread_cannot_meet_itself(void **state)
{
	(void)state;
	silent(NULL, TWO AB(2) BA(2));
	assert_int_equal(pruned(NULL, TWO AB(2) BA(2), PRUNE_ONE_THREAD), 1);
	/* S08: two of the three edges belong to one thread ... */
	silent(NULL, TWO
	       "2 lock A; 2 lock B; 2 unlock A; 2 lock C; 2 unlock C; 2 unlock B; 3 lock C; 3 lock A; 3 unlock A;"
	       "3 unlock C");
	assert_int_equal(pruned(NULL,
				TWO
				"2 lock A; 2 lock B; 2 unlock A; 2 lock C; 2 unlock C; 2 unlock B;"
				"3 lock C; 3 lock A; 3 unlock A; 3 unlock C",
				PRUNE_ONE_THREAD),
			 1);
	/* ... unless a second thread runs the same code. */
	potential(
		NULL, TWO
		"1 create 4; 2 lock A @1; 2 lock B @2; 2 unlock A; 2 lock C @3; 2 unlock C; 2 unlock B;"
		"4 lock A @1; 4 lock B @2; 4 unlock A; 4 lock C @3; 4 unlock C; 4 unlock B;"
		"3 lock C; 3 lock A; 3 unlock A; 3 unlock C");
}

static void test_create_and_join_order(void **state)
{
	static const char s09[] = AB(1) "1 create 2; 2 begin;" BA(2) "2 end 0; 1 join 2";

	(void)state;
	silent(NULL, s09);
	assert_int_equal(pruned(NULL, s09, PRUNE_ORDERED_CREATE), 1);
	/* After the join is ordered too; between them is not. */
	silent(NULL, "1 create 2; 2 begin;" BA(2) "2 end 0; 1 join 2;" AB(1));
	potential(NULL, "1 create 2; 2 begin;" BA(2) AB(1) "2 end 0; 1 join 2");
	/* Through a third thread. */
	silent(NULL, "1 create 2; 2 begin;" AB(2) "2 end 0; 1 join 2; 1 create 3; 3 begin;" BA(
			     3) "3 end 0; 1 join 3");
	/* The same code once before and once after the creation: the second can meet it. */
	potential(
		NULL,
		"1 lock A @1; 1 lock B @2; 1 unlock B; 1 unlock A; 1 create 2; 2 begin; 1 lock A @1; 1 lock B @2;"
		"1 unlock B; 1 unlock A;" BA(2));
	/* S09b: a flag under a mutex is no order. */
	potential(NULL, TWO AB(2) "2 lock F; 2 unlock F; 3 lock F; 3 unlock F;" BA(3));
}

static void test_barrier_order(void **state)
{
	static const char s09c[] = TWO AB(2) "2 arrive b; 3 arrive b; 2 leave b; 3 leave b;" BA(3)
		JOIN_TWO;

	(void)state;
	silent(barrier_b, s09c);
	assert_int_equal(pruned(barrier_b, s09c, PRUNE_ORDERED_BARRIER), 1);
	/* Both on one side of the barrier. */
	potential(barrier_b, TWO AB(2) BA(3) "2 arrive b; 3 arrive b; 2 leave b; 3 leave b");
	/* A third thread that does not pass it. */
	potential(barrier_b, TWO "1 create 4; 4 begin;" AB(
				     2) "2 arrive b; 3 arrive b; 3 leave b; 2 leave b;" BA(4));
}

static void test_idle_generations_keep_the_order(void **state)
{
	struct feed f;

	(void)state;
	feed_init(&f);
	barrier_b(&f);
	feed_run(&f, TWO AB(2));
	for (int i = 0; i < 1000; i++)
		feed_run(&f, "2 arrive b; 3 arrive b; 2 leave b; 3 leave b");
	feed_run(&f, BA(3) JOIN_TWO);
	feed_end(&f);
	assert_int_equal(feed_count(&f, RULE_LOCK_ORDER_INVERSION, -1), 0);
	assert_int_equal(f.stats.pruned[PRUNE_ORDERED_BARRIER], 1);
	feed_release(&f);
}

static void test_brand_new_object_is_a_hint(void **state)
{
	(void)state;
	/* S10: the others find A only under L. */
	hint(heap_a, TWO
	     "2 init A 0; 2 lock A; 2 lock L; 2 unlock L; 2 unlock A; 3 lock L; 3 lock A; 3 unlock A; 3 unlock L");
	/* Another thread reached A without L. */
	potential(heap_a, TWO
		  "2 init A 0; 2 lock A; 2 lock L; 2 unlock L; 2 unlock A; 3 lock A; 3 unlock A;"
		  "3 lock L; 3 lock A; 3 unlock A; 3 unlock L");
	/* Static storage is within reach of all. */
	potential(
		NULL, TWO
		"2 init A 0; 2 lock A; 2 lock L; 2 unlock L; 2 unlock A; 3 lock L; 3 lock A; 3 unlock A; 3 unlock L");
	/* A thread was made after the initialisation: it may have got the address. */
	potential(heap_a, TWO "2 init A 0; 2 create 4; 2 lock A; 2 lock L; 2 unlock L; 2 unlock A;"
			      "3 lock L; 3 lock A; 3 unlock A; 3 unlock L");
	/* Later the same code runs when A is known to others. */
	potential(heap_a, TWO "2 init A 0; 2 lock A @1; 2 lock L @2; 2 unlock L; 2 unlock A;"
			      "3 lock L; 3 lock A; 3 unlock A; 3 unlock L;"
			      "2 lock A @1; 2 lock L @2; 2 unlock L; 2 unlock A");
}

static void test_no_way_through_a_dead_lock(void **state)
{
	/* S14 without join: A->X, X->B, X is destroyed, then B->A. */
	static const char s14[] = TWO
		"2 lock A; 2 lock X; 2 unlock X; 2 unlock A; 3 lock X; 3 lock B; 3 unlock B; 3 unlock X;"
		"1 destroy X 0 0; 1 create 4; 4 begin; 4 lock B; 4 lock A; 4 unlock A; 4 unlock B";

	(void)state;
	silent(NULL, s14);
	assert_int_equal(pruned(NULL, s14, PRUNE_DESTROYED), 1);
}

static void test_try_and_timed(void **state)
{
	(void)state;
	/* S15, S15b */
	silent(NULL, TWO "2 lock A; 2 try B; 2 unlock B; 2 unlock A;" BA(3));
	potential(NULL, TWO "2 try A; 2 lock B; 2 unlock B; 2 unlock A;" BA(3));
	/* S16: acquired, timed out after a wait, timed out at once. */
	hint(NULL, TWO "2 lock A; 2 timed B; 2 unlock B; 2 unlock A;" BA(3));
	hint(NULL, TWO "2 lock A; 2 reqt B; 2 failt B 110; 2 unlock A;" BA(3));
	hint(NULL, TWO "2 lock A; 2 failt B 110; 2 unlock A;" BA(3));
	/* S17: std::lock both ways. */
	silent(NULL, TWO
	       "2 lock A; 2 try B; 2 unlock B; 2 unlock A; 3 lock B; 3 failtry A 16; 3 unlock B; 3 lock A; 3 try B;"
	       "3 unlock B; 3 unlock A");
	/* S81: refused is not acquired. */
	silent(NULL, TWO
	       "2 lock A; 2 failtry B 16; 2 lock C; 2 unlock C; 2 unlock A; 3 lock C; 3 lock B; 3 unlock B; 3 unlock C;"
	       "3 lock B; 3 lock D; 3 unlock D; 3 unlock B");
}

static void test_recursive_mutexes(void **state)
{
	(void)state;
	/* S18: the inner A makes no edge B -> A. */
	silent(recursive_a,
	       TWO "2 lock A; 2 lock B; 2 lock A; 2 unlock A; 2 unlock B; 2 unlock A;" AB(3));
	/* S18b: still held once. */
	potential(recursive_a,
		  TWO "2 lock A; 2 lock A; 2 unlock A; 2 lock B; 2 unlock B; 2 unlock A;" BA(3));
	/* S19: a refused relock does not count as one. */
	feed_expect(NULL, TWO "2 lock A; 2 fail A 35; 2 unlock A; 2 lock B; 2 unlock B;" BA(3),
		    RULE_DOUBLE_LOCK, CONFIDENCE_OBSERVED, 1);
}

static void test_order_of_release_does_not_matter(void **state)
{
	(void)state;
	silent(NULL, TWO
	       "2 lock A; 2 lock B; 2 unlock A; 2 unlock B; 3 lock B; 3 unlock B; 3 lock A; 3 unlock A");
	/* S23: hand over hand in one direction, S23b in two. */
	silent(NULL, TWO "2 lock A; 2 lock B; 2 unlock A; 2 lock C; 2 unlock B; 2 unlock C;"
			 "3 lock A; 3 lock B; 3 unlock A; 3 lock C; 3 unlock B; 3 unlock C");
	feed_expect(NULL,
		    TWO "2 lock A; 2 lock B; 2 unlock A; 2 lock C; 2 unlock B; 2 unlock C;"
			"3 lock C; 3 lock B; 3 unlock C; 3 lock A; 3 unlock B; 3 unlock A",
		    RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 2);
}

#define RR(t, x, y) \
#t " rlock " #x ";" #t " rlock " #y ";" #t " unlock " #y ";" #t " unlock " #x ";"
#define RW(t, x, y) #t " rlock " #x ";" #t " lock " #y ";" #t " unlock " #y ";" #t " unlock " #x ";"
#define WRITE(t) #t " lock A;" #t " unlock A;" #t " lock B;" #t " unlock B;"

static void test_read_modes(void **state)
{
	(void)state;
	/* S25: nobody writes. */
	silent(rwlocks, TWO RR(2, A, B) RR(3, B, A));
	silent(writers_first, TWO RR(2, A, B) RR(3, B, A));
	assert_int_equal(pruned(rwlocks, TWO RR(2, A, B) RR(3, B, A), PRUNE_READ_READ), 1);
	/* S25b: writers get between where the lock lets them. */
	silent(rwlocks, TWO RR(2, A, B) RR(3, B, A) "1 create 4; 4 begin;" WRITE(4));
	potential(writers_first, TWO "1 create 4; 4 begin;" RR(2, A, B) RR(3, B, A) WRITE(4));
	/* The writer is long gone, or one of the two. */
	silent(writers_first, WRITE(1) TWO RR(2, A, B) RR(3, B, A));
	silent(writers_first, TWO WRITE(2) RR(2, A, B) RR(3, B, A));
	/* S26 */
	potential(rwlocks, TWO RW(2, A, B) RW(3, B, A));
	/* S27 */
	silent(rwlocks, TWO RR(2, A, B) RW(3, B, A));
	silent(writers_first, TWO RR(2, A, B) RW(3, B, A));
	hint(writers_first,
	     TWO "1 create 4; 4 begin;" RR(2, A, B) RW(3, B, A) "4 lock B; 4 unlock B");
}

static void test_reading_twice(void **state)
{
	static const char twice[] = TWO
		"2 rlock A; 2 rlock A; 2 unlock A; 2 unlock A; 3 lock A; 3 unlock A" JOIN_TWO;

	(void)state;
	/* S28 */
	potential(writers_first, twice);
	hint(rwlocks, twice);
	silent(writers_first,
	       TWO "2 rlock A; 2 rlock A; 2 unlock A; 2 unlock A; 3 rlock A; 3 unlock A");
	/*
	 * One after the other is not twice; the only writer is the reader; a gate keeps the writer
	 * out; joined first.
	 */
	silent(writers_first,
	       TWO "2 rlock A; 2 unlock A; 2 rlock A; 2 unlock A; 3 lock A; 3 unlock A");
	silent(writers_first,
	       TWO "2 rlock A; 2 rlock A; 2 unlock A; 2 unlock A; 2 lock A; 2 unlock A");
	silent(writers_first,
	       TWO "2 lock G; 2 rlock A; 2 rlock A; 2 unlock A; 2 unlock A; 2 unlock G;"
		   "3 lock G; 3 lock A; 3 unlock A; 3 unlock G");
	silent(writers_first,
	       "1 create 2; 2 begin; 2 rlock A; 2 rlock A; 2 unlock A; 2 unlock A; 2 end 0; 1 join 2;"
	       "1 lock A; 1 unlock A");
}

static void test_condition_wait_takes_the_mutex_back(void **state)
{
	(void)state;
	/* S30; the wait's own mutex taken first is no inversion. */
	potential(cond_c,
		  TWO "2 lock A; 2 lock m; 2 cwait c m; 2 cwake c m; 2 unlock m; 2 unlock A;"
		      "3 lock m; 3 lock A; 3 unlock A; 3 unlock m");
	silent(cond_c, TWO "2 lock m; 2 cwait c m; 2 cwake c m; 2 lock A; 2 unlock A; 2 unlock m;"
			   "3 lock m; 3 lock A; 3 unlock A; 3 signal c 1; 3 unlock m");
	/* Even when the mutex was taken before A. */
	potential(cond_c,
		  TWO "2 lock m; 2 lock A; 2 cwait c m; 2 cwake c m; 2 unlock A; 2 unlock m;"
		      "3 lock m; 3 lock A; 3 unlock A; 3 unlock m");
}

static void test_wait_with_a_lock_the_signaller_needs(void **state)
{
	(void)state;
	/* S31 */
	hint(cond_c,
	     TWO "2 lock A; 2 lock m; 2 cwait c m 4; 2 cwake c m 110; 2 unlock m; 2 unlock A;"
		 "3 lock A; 3 lock m; 3 signal c 0; 3 unlock m; 3 unlock A");
	silent(cond_c, TWO
	       "2 lock A; 2 lock m; 2 cwait c m; 3 lock m; 3 signal c 1; 3 unlock m; 2 cwake c m; 2 unlock m;"
	       "2 unlock A; 3 lock A; 3 unlock A");
	/* Most signals come without A. */
	silent(cond_c, TWO
	       "2 lock A; 2 lock m; 2 cwait c m; 1 lock m; 1 signal c 1; 1 signal c 1; 1 unlock m;"
	       "2 cwake c m; 2 unlock m; 2 unlock A;"
	       "3 lock A; 3 lock m; 3 signal c 0; 3 unlock m; 3 unlock A");
}

static void test_semaphores_used_as_locks(void **state)
{
	(void)state;
	/* S35; S36: others post. */
	potential(binary_semaphores, TWO
		  "2 lock A; 2 lock B; 2 post B; 2 post A; 3 lock B; 3 lock A; 3 post A; 3 post B");
	silent(binary_semaphores, TWO
	       "2 lock A; 2 lock B; 3 post B; 3 post A; 3 lock B; 3 lock A; 2 post A; 2 post B");
	/* A lock held while waiting for a signal that the other gives. */
	silent(binary_semaphores, TWO
	       "2 lock A; 2 lock M; 2 unlock M; 3 post A; 3 lock M; 3 lock A; 2 post A; 3 unlock M");
}

static void two_permits(struct feed *f)
{
	feed_object(f, 's', TRACE_OBJECT_SEM, 2);
}

#define RING(enter, leave)                                                                \
	TWO "1 create 4;" enter(2) "2 lock A; 2 lock B; 2 unlock B; 2 unlock A;" leave(2) \
		enter(3) "3 lock B; 3 lock C; 3 unlock C; 3 unlock B;" leave(3)           \
			enter(4) "4 lock C; 4 lock A; 4 unlock A; 4 unlock C;" leave(4)
#define ENTER(t) #t " lock s;"
#define LEAVE(t) #t " post s;"
#define NOTHING(t) ""

static void test_counting_semaphore_is_a_gate_with_room(void **state)
{
	(void)state;
	/* Two permits, three threads: the ring cannot close. Two threads can meet. */
	silent(two_permits, RING(ENTER, LEAVE));
	assert_int_equal(pruned(two_permits, RING(ENTER, LEAVE), PRUNE_GATE), 1);
	potential(two_permits, RING(NOTHING, NOTHING));
	potential(two_permits, TWO "2 lock s;" AB(2) "2 post s; 3 lock s;" BA(3) "3 post s");
	/* A post by a thread that took none: no gate. */
	potential(two_permits, RING(ENTER, LEAVE) "1 post s");
}

static void test_join_with_a_lock_the_joined_thread_takes(void **state)
{
	(void)state;
	/* S38 when it went well. */
	potential(NULL, TWO "2 lock L; 2 unlock L; 2 end 0; 1 lock L; 1 join 2; 1 unlock L");
	/* Not held during the join, never taken, only tried, ordered, told by a condvar. */
	silent(NULL, TWO "2 lock L; 2 unlock L; 2 end 0; 1 lock L; 1 unlock L; 1 join 2");
	silent(NULL, TWO "3 lock L; 3 unlock L; 2 end 0; 1 lock L; 1 join 2; 1 unlock L");
	silent(NULL, TWO "2 try L; 2 unlock L; 2 end 0; 1 lock L; 1 join 2; 1 unlock L");
	silent(barrier_b, TWO "2 lock L; 2 unlock L; 2 arrive b; 1 arrive b; 1 leave b; 2 leave b;"
			      "2 end 0; 1 lock L; 1 join 2; 1 unlock L");
	silent(cond_c, TWO "1 lock L; 1 cwait c L; 2 lock L; 2 signal c 1; 2 unlock L; 2 end 0;"
			   "1 cwake c L; 1 join 2; 1 unlock L");
}

static void test_once_is_a_lock(void **state)
{
	(void)state;
	/* S39 */
	potential(once_o, TWO
		  "2 once o; 2 lock L; 2 unlock L; 2 onceend o; 3 lock L; 3 pass o; 3 unlock L");
	silent(once_o,
	       TWO "2 once o; 2 lock L; 2 unlock L; 2 onceend o; 3 pass o; 3 lock L; 3 unlock L");
	silent(once_o,
	       "1 once o; 1 lock L; 1 unlock L; 1 onceend o;" TWO "3 lock L; 3 pass o; 3 unlock L");
}

static void test_spinlocks(void **state)
{
	(void)state;
	potential(spins, TWO AB(2) BA(3));
}

static void test_lost_records_make_a_hint(void **state)
{
	(void)state;
	/*
	 * S72: A was taken before the gap; nothing follows from it. After it, a common lock may be
	 * unknown.
	 */
	silent(NULL, TWO "2 lock A; 2 lost 5; 2 lock B; 2 unlock B;" BA(3));
	hint(NULL, TWO "2 lost 5;" AB(2) BA(3));
}

static void test_unlock_by_another_leaves_no_edge(void **state)
{
	(void)state;
	/* S41: A is gone from thread 2 when it takes B. */
	feed_expect(NULL, TWO "2 lock A; 3 odd A 2 0; 2 lock B; 2 unlock B;" BA(3),
		    RULE_UNLOCK_NOT_OWNED, CONFIDENCE_OBSERVED, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_orders_are_found_with_four_stacks),
		cmocka_unit_test(test_request_that_is_never_answered_counts),
		cmocka_unit_test(test_three_threads_three_locks_are_one_finding),
		cmocka_unit_test(test_ring_of_25_is_one_finding),
		cmocka_unit_test(test_gate_lock_by_mode),
		cmocka_unit_test(test_one_thread_cannot_meet_itself),
		cmocka_unit_test(test_create_and_join_order),
		cmocka_unit_test(test_barrier_order),
		cmocka_unit_test(test_idle_generations_keep_the_order),
		cmocka_unit_test(test_brand_new_object_is_a_hint),
		cmocka_unit_test(test_no_way_through_a_dead_lock),
		cmocka_unit_test(test_try_and_timed),
		cmocka_unit_test(test_recursive_mutexes),
		cmocka_unit_test(test_order_of_release_does_not_matter),
		cmocka_unit_test(test_read_modes),
		cmocka_unit_test(test_reading_twice),
		cmocka_unit_test(test_condition_wait_takes_the_mutex_back),
		cmocka_unit_test(test_wait_with_a_lock_the_signaller_needs),
		cmocka_unit_test(test_semaphores_used_as_locks),
		cmocka_unit_test(test_counting_semaphore_is_a_gate_with_room),
		cmocka_unit_test(test_join_with_a_lock_the_joined_thread_takes),
		cmocka_unit_test(test_once_is_a_lock),
		cmocka_unit_test(test_spinlocks),
		cmocka_unit_test(test_lost_records_make_a_hint),
		cmocka_unit_test(test_unlock_by_another_leaves_no_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
