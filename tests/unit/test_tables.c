/* SPDX-License-Identifier: MIT */
/*
 * test_tables.c - rows of locks, threads, tasks, loops and orders against traces whose numbers are known.
 */
#include "trace/trace_writer.h"
#include "trace_scratch.h"
#include "viewer/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAIN = 1, WORKER = 2, A = 1, B = 2, LOOP = 3, TICK_NS = 10 };

struct scene {
	char *dir;
	struct trace_writer *w;
	struct trace_reader *reader;
	struct tables *tables;
	struct lanes *lanes;
};

static struct scene begin(void)
{
	struct scene s = { .dir = scratch_new() };

	s.w = trace_writer_new(s.dir, 1000);
	for (uint32_t stack = 1; stack < 10; stack++) {
		uint64_t ip = 0x1000 + 16 * stack;

		trace_writer_stack(s.w, stack, &ip, 1);
	}
	trace_writer_thread(s.w, MAIN, 0, 0);
	trace_writer_thread(s.w, WORKER, MAIN, 9);
	trace_writer_object(s.w, A, TRACE_OBJECT_MUTEX, 0x5000, 1, MAIN);
	trace_writer_object(s.w, B, TRACE_OBJECT_MUTEX, 0x5100, 2, MAIN);
	trace_writer_object(s.w, LOOP, TRACE_OBJECT_LOOP, 0x5200, 3, MAIN);
	trace_writer_begin(s.w, 0, MAIN);
	trace_writer_create(s.w, 0, WORKER, 9);
	trace_writer_begin(s.w, 1, WORKER);
	return s;
}

static void build(struct scene *s, uint32_t exit_kind)
{
	struct diag diag;

	trace_writer_finish(s->w, exit_kind);
	s->reader = scratch_open(s->dir);
	assert_int_equal(tables_new(s->reader, NULL, &s->tables, &s->lanes, &diag), 0);
}

static void end(struct scene *s)
{
	tables_free(s->tables);
	lanes_free(s->lanes);
	trace_reader_free(s->reader);
	scratch_remove(s->dir);
}

static const struct table_lock *lock_of(const struct scene *s, uint32_t object)
{
	for (size_t i = 0; i < s->tables->lock_count; i++)
		if (s->tables->lock[i].object == object)
			return &s->tables->lock[i];
	return NULL;
}

static void event(struct scene *s, uint32_t thread, enum trace_op op, uint64_t ticks,
		  uint32_t object, uint32_t stack)
{
	trace_writer_event(s->w, thread - 1, op, ticks, object,
			   op == TRACE_REQUEST ? (thread == MAIN ? WORKER : MAIN) : 0, stack, 0, 0,
			   op == TRACE_ACQUIRE ? TRACE_WRITER_AUTO : 0);
}

/* Main holds A for 2000 ticks, the worker waits 1000 of them, then holds it for 500. */
static void contend(struct scene *s)
{
	event(s, MAIN, TRACE_ACQUIRE, 1000, A, 4);
	event(s, WORKER, TRACE_REQUEST, 2000, A, 5);
	event(s, MAIN, TRACE_RELEASE, 3000, A, 0);
	event(s, WORKER, TRACE_ACQUIRE, 3000, A, 5);
	event(s, WORKER, TRACE_RELEASE, 3500, A, 0);
}

static void test_locks_say_how_long_they_were_waited_for_and_held(void **state)
{
	struct scene s = begin();
	const struct table_lock *lock;

	(void)state;
	contend(&s);
	build(&s, TRACE_EXIT_DESTRUCTORS);
	lock = lock_of(&s, A);
	assert_non_null(lock);
	assert_int_equal(lock->taken, 2);
	assert_int_equal(lock->threads, 2);
	assert_int_equal(lock->most_waiters, 1);
	assert_int_equal(lock->wait.count, 1);
	assert_int_equal(lock->wait.total_ns, 1000 * TICK_NS);
	assert_int_equal(lock->hold.count, 2);
	assert_int_equal(lock->hold.total_ns, 2500 * TICK_NS);
	assert_int_equal(lock->hold.longest_ns, 2000 * TICK_NS);
	assert_int_equal(lock->wait_place[0].stack, 5);
	assert_int_equal(lock->wait_place[0].thread, WORKER);
	assert_int_equal(lock->hold_place[0].stack, 4);
	assert_int_equal(lock->hold_place[1].stack, 5);
	assert_int_equal(lock->owner, 0);
	assert_null(lock_of(&s, B));
	end(&s);
}

static const struct table_thread *thread_of(const struct scene *s, uint32_t thread)
{
	for (size_t i = 0; i < s->tables->thread_count; i++)
		if (s->tables->thread[i].thread == thread)
			return &s->tables->thread[i];
	return NULL;
}

static void test_threads_say_what_they_were_in(void **state)
{
	struct scene s = begin();
	const struct table_thread *thread;

	(void)state;
	contend(&s);
	build(&s, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(s.tables->thread_count, 2);
	thread = thread_of(&s, WORKER);
	assert_int_equal(thread->state_ns[LANE_WAITS_LOCK], 1000 * TICK_NS);
	assert_int_equal(thread->state_ns[LANE_HOLDS], 500 * TICK_NS);
	assert_int_equal(thread->waits, 1);
	assert_int_equal(thread->taken, 1);
	assert_int_equal(thread->created_by, MAIN);
	assert_int_equal(thread->created_stack, 9);
	end(&s);
}

/* Killed in ABBA: who waits for what, and who has it. */
static void test_the_end_of_a_deadlock(void **state)
{
	struct scene s = begin();
	struct trace_wait wait = { .kind = TRACE_WAIT_LOCK, .object = B, .stack = 6 };
	const struct table_thread *thread;

	(void)state;
	event(&s, MAIN, TRACE_ACQUIRE, 1000, A, 4);
	event(&s, WORKER, TRACE_ACQUIRE, 1000, B, 5);
	event(&s, MAIN, TRACE_REQUEST, 2000, B, 6);
	trace_writer_wait(s.w, 0, &wait);
	event(&s, WORKER, TRACE_REQUEST, 2000, A, 7);
	wait.object = A;
	wait.stack = 7;
	trace_writer_wait(s.w, 1, &wait);
	build(&s, 0);
	thread = thread_of(&s, MAIN);
	assert_int_equal(thread->held, 1);
	assert_int_equal(thread->wait_object, B);
	assert_int_equal(thread->wait_holder, WORKER);
	assert_int_equal(lock_of(&s, A)->owner, MAIN);
	assert_int_equal(lock_of(&s, A)->waiting, 1);
	assert_int_equal(s.tables->order_count, 2);
	assert_int_equal(s.tables->order[0].edge.cycle, 0);
	assert_int_equal(s.tables->order[1].edge.cycle, 0);
	assert_int_equal(s.tables->order[0].edge.hold_stack, 4);
	assert_int_equal(s.tables->order[0].edge.request_stack, 6);
	end(&s);
}

static void test_orders_without_a_ring(void **state)
{
	struct scene s = begin();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		event(&s, MAIN, TRACE_ACQUIRE, 1000 + 100 * i, A, 4);
		event(&s, MAIN, i ? TRACE_ACQUIRE : TRACE_ACQUIRE_TRY, 1010 + 100 * i, B, 5);
		event(&s, MAIN, TRACE_RELEASE, 1020 + 100 * i, B, 0);
		event(&s, MAIN, TRACE_RELEASE, 1030 + 100 * i, A, 0);
	}
	build(&s, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(s.tables->order_count, 1);
	assert_int_equal(s.tables->order[0].edge.from, A);
	assert_int_equal(s.tables->order[0].edge.to, B);
	assert_int_equal(s.tables->order[0].edge.count, 3);
	assert_int_equal(s.tables->order[0].edge.thread, MAIN);
	assert_false(s.tables->order[0].edge.only_tries);
	assert_int_equal(s.tables->order[0].edge.cycle, ORDER_NO_CYCLE);
	end(&s);
}

static void task(struct scene *s, enum trace_op op, uint64_t ticks, uint32_t id, int32_t what)
{
	trace_writer_event(s->w, 0, op, ticks, op == TRACE_TASK_NEW ? LOOP : 0, 0, 7, id, what, 0);
}

/* Two timers made at one place: one is called for 300 ticks and ends, one lives on. */
static void test_tasks_by_place_and_loops(void **state)
{
	struct scene s = begin();

	(void)state;
	trace_writer_event(s.w, 0, TRACE_LOOP, 500, LOOP, 0, 3, TRACE_LOOP_RUN, 0, 0);
	task(&s, TRACE_TASK_NEW, 1000, 1, TRACE_TASK_UV_TIMER);
	task(&s, TRACE_TASK_NEW, 1001, 2, TRACE_TASK_UV_TIMER);
	trace_writer_event(s.w, 0, TRACE_TURN, 1500, 0, 0, 8, 40 << 1, 1, 0);
	task(&s, TRACE_TASK, 2000, 1, TRACE_TASK_CALLED);
	task(&s, TRACE_TASK, 2300, 1, TRACE_TASK_RETURNED);
	task(&s, TRACE_TASK, 2400, 1, TRACE_TASK_FINISHED);
	build(&s, 0);
	assert_int_equal(s.tables->site_count, 1);
	assert_int_equal(s.tables->site[0].made, 2);
	assert_int_equal(s.tables->site[0].ended, 1);
	assert_int_equal(s.tables->site[0].live, 1);
	assert_int_equal(s.tables->site[0].call.count, 1);
	assert_int_equal(s.tables->site[0].call.total_ns, 300 * TICK_NS);
	assert_int_equal(s.tables->task_count, 1);
	assert_int_equal(s.tables->task[0].task, 2);
	assert_int_equal(s.tables->task[0].made_stack, 7);
	assert_int_equal(s.tables->loop_count, 1);
	assert_int_equal(s.tables->loop[0].loop, LOOP);
	assert_int_equal(s.tables->loop[0].thread, MAIN);
	assert_int_equal(s.tables->loop[0].turns, 1);
	assert_int_equal(s.tables->loop[0].idle_ns, 40000);
	assert_int_equal(s.tables->loop[0].call.count, 1);
	assert_int_equal(s.tables->loop[0].live, 1);
	end(&s);
}

/* Bigger than what is told apart, and in no order: what is kept are the heaviest, and percentiles are about right. */
static void test_many_places_and_percentiles(void **state)
{
	struct scene s = begin();
	const struct table_lock *lock;
	uint64_t now = 1000, p;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		event(&s, MAIN, TRACE_ACQUIRE, now, A, 1 + i % 9);
		now += i % 9 == 8 ? 5000 : 10 + i % 9;
		event(&s, MAIN, TRACE_RELEASE, now++, A, 0);
	}
	build(&s, TRACE_EXIT_DESTRUCTORS);
	lock = lock_of(&s, A);
	assert_int_equal(lock->hold.count, 1000);
	assert_int_equal(lock->hold_place[0].stack, 9);
	p = table_times_percentile(&lock->hold, 50);
	assert_in_range(p, 12 * TICK_NS, 17 * TICK_NS);
	p = table_times_percentile(&lock->hold, 99);
	assert_in_range(p, 5000 * TICK_NS, 5000 * TICK_NS * 9 / 8);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locks_say_how_long_they_were_waited_for_and_held),
		cmocka_unit_test(test_threads_say_what_they_were_in),
		cmocka_unit_test(test_the_end_of_a_deadlock),
		cmocka_unit_test(test_orders_without_a_ring),
		cmocka_unit_test(test_tasks_by_place_and_loops),
		cmocka_unit_test(test_many_places_and_percentiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
