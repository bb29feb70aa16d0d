/* SPDX-License-Identifier: MIT */
/*
 * test_lock_order_scale.c - lock order with many locks, threads, contexts: S21, S62, S63, S77, S78,
 * and bounded state.
 */
#include "event_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct big {
	struct trace_process process;
	struct finding_list *findings;
	struct analyze_stats stats;
	struct analyze_image *image;
	uint64_t now_ns;
};

static void big_init(struct big *b, uint32_t objects, uint32_t threads)
{
	memset(b, 0, sizeof(*b));
	b->process.objects = calloc(objects + 1, sizeof(struct trace_object));
	b->process.threads = calloc(threads + 1, sizeof(struct trace_thread));
	b->process.object_count = objects + 1;
	b->process.thread_count = threads + 1;
	for (uint32_t i = 1; i <= objects; i++)
		b->process.objects[i].kind = TRACE_OBJECT_MUTEX;
	b->findings = finding_list_new();
	b->image = analyze_image_begin(&b->process, 0, NULL, b->findings, &b->stats);
}

static void put(struct big *b, uint32_t thread, enum trace_op op, uint32_t object, uint32_t stack,
		uint64_t arg)
{
	struct trace_event e = { .op = (uint8_t)op,
				 .stream = thread,
				 .thread = thread,
				 .object = object,
				 .stack = stack,
				 .arg = arg,
				 .time_ns = b->now_ns += 10 };

	analyze_image_event(b->image, &e);
}

static void nested(struct big *b, uint32_t thread, uint32_t outer, uint32_t inner, uint32_t stack)
{
	put(b, thread, TRACE_ACQUIRE, outer, stack, 0);
	put(b, thread, TRACE_ACQUIRE, inner, stack + 1, 0);
	put(b, thread, TRACE_RELEASE, inner, 0, 0);
	put(b, thread, TRACE_RELEASE, outer, 0, 0);
}

static size_t finish(struct big *b, enum rule rule)
{
	size_t count = 0;

	assert_null(analyze_image_end(b->image));
	b->image = NULL;
	for (size_t i = 0; i < finding_list_count(b->findings); i++)
		count += finding_list_get(b->findings, i)->rule == rule;
	return count;
}

static void big_release(struct big *b)
{
	finding_list_free(b->findings);
	free(b->process.objects);
	free(b->process.threads);
}

static void test_parent_before_child_in_10000_nodes(void **state)
{
	struct big b;

	(void)state;
	big_init(&b, 10000, 4);
	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t node = 1; 2 * node + 1 <= 10000; node++) {
			nested(&b, 1 + node % 4, node, 2 * node, 5);
			nested(&b, 1 + (node + round) % 4, node, 2 * node + 1, 7);
		}
	assert_int_equal(finish(&b, RULE_LOCK_ORDER_INVERSION), 0);
	assert_int_equal(b.stats.lock_edges, 9998);
	big_release(&b);
}

static void feed_600_at_once(struct big *b, bool with_ring)
{
	b->now_ns = 0;
	for (uint32_t i = 1; i <= 600; i++)
		put(b, 1, TRACE_ACQUIRE, i, i, 0);
	for (uint32_t i = 1; i <= 600; i++) /* oldest first */
		put(b, 1, TRACE_RELEASE, i, 0, 0);
	if (with_ring)
		nested(b, 2, 600, 1, 5000);
}

static void test_600_locks_at_once(void **state)
{
	struct big b;

	(void)state;
	big_init(&b, 601, 2);
	feed_600_at_once(&b, true);
	b.image = analyze_image_end(b.image);
	assert_non_null(b.image); /* too many for one pass */
	feed_600_at_once(&b, true);
	assert_int_equal(finish(&b, RULE_LOCK_ORDER_INVERSION), 1);
	big_release(&b);
}

/* And the number of edges does not grow with the square. */
static void test_600_locks_in_one_order_take_one_pass(void **state)
{
	struct big b;

	(void)state;
	big_init(&b, 601, 2);
	feed_600_at_once(&b, false);
	assert_int_equal(finish(&b, RULE_LOCK_ORDER_INVERSION), 0);
	assert_in_range(b.stats.lock_edges, 599, 5000);
	big_release(&b);
}

#define CROWD 24u
#define CROWD_THREADS 3u

/* Random nestings, by tries too, released in any order. */
static void feed_crowd(struct big *b, uint64_t seed)
{
	uint32_t held[CROWD_THREADS + 1][CROWD], count[CROWD_THREADS + 1] = { 0 };

	b->now_ns = 0;
	for (uint32_t step = 0; step < 400; step++) {
		uint32_t thread, lock, at = 0;
		bool free_to_take = true;

		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		thread = 1 + (uint32_t)(seed >> 33) % CROWD_THREADS;
		/* Mostly upwards, so that rings are rare. */
		lock = 1 + (uint32_t)(seed >> 40) % CROWD;
		for (uint32_t t = 1; t <= CROWD_THREADS; t++)
			for (uint32_t i = 0; i < count[t]; i++)
				free_to_take &= held[t][i] != lock;
		if (count[thread] && held[thread][count[thread] - 1] > lock && seed >> 60 > 1)
			free_to_take = false;
		if (free_to_take && (seed >> 50) % 8 > 1) {
			put(b, thread, (seed >> 55) % 8 ? TRACE_ACQUIRE : TRACE_ACQUIRE_TRY, lock,
			    1 + thread, 0);
			held[thread][count[thread]++] = lock;
		} else if (count[thread]) {
			at = (uint32_t)(seed >> 20) % count[thread];
			put(b, thread, TRACE_RELEASE, held[thread][at], 0, 0);
			held[thread][at] = held[thread][--count[thread]];
		}
	}
}

static size_t count_in_crowd(uint64_t seed, uint32_t many_held, unsigned *ret_passes)
{
	struct analyze_options options = { .many_held = many_held };
	size_t count;
	struct big b;

	big_init(&b, CROWD, CROWD_THREADS);
	assert_null(analyze_image_end(b.image));
	b.image = analyze_image_begin(&b.process, 0, &options, b.findings, &b.stats);
	for (*ret_passes = 0; b.image; ++*ret_passes) {
		feed_crowd(&b, seed);
		b.image = analyze_image_end(b.image);
	}
	count = finding_list_count(b.findings);
	big_release(&b);
	return count;
}

static void test_few_edges_find_what_all_find(void **state)
{
	unsigned twice = 0, silent = 0, once, passes;

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		size_t all = count_in_crowd(seed * 977, CROWD, &once);

		assert_int_equal(once, 1);
		assert_int_equal(count_in_crowd(seed * 977, 2, &passes), all);
		twice += passes == 2;
		silent += !all;
	}
	assert_in_range(twice, 20, 300); /* the second pass was needed … */
	assert_in_range(silent, 5, 280); /* … and there was something to find, and not */
}

/* 200,000 objects, each locked under a list lock, then gone: the graph forgets them. */
static void test_gone_locks_leave_the_graph(void **state)
{
	struct big b;

	(void)state;
	big_init(&b, 200001, 2);
	for (uint32_t i = 2; i <= 200001; i++) {
		nested(&b, 1 + i % 2, 1, i, 5);
		put(&b, 1, TRACE_GONE, i, 0, TRACE_GONE_FREED);
	}
	assert_int_equal(b.stats.lock_edges, 0);
	assert_int_equal(finish(&b, RULE_LOCK_ORDER_INVERSION), 0);
	assert_int_equal(b.stats.lock_edges, 200000);
	big_release(&b);
}

static void test_gone_locks_keep_their_cycles(void **state)
{
	struct big b;

	(void)state;
	big_init(&b, 3, 3);
	nested(&b, 1, 1, 2, 5);
	nested(&b, 2, 2, 1, 7);
	put(&b, 1, TRACE_DESTROY, 2, 9, 0);
	put(&b, 1, TRACE_GONE, 1, 0, TRACE_GONE_FREED);
	assert_int_equal(finish(&b, RULE_LOCK_ORDER_INVERSION), 1);
	big_release(&b);
}

static void test_two_cycles_that_share_an_edge(void **state)
{
	struct big b;

	(void)state;
	big_init(&b, 3, 4);
	nested(&b, 1, 1, 2, 10);
	nested(&b, 2, 2, 1, 20);
	nested(&b, 3, 2, 3, 30);
	nested(&b, 4, 3, 1, 40);
	assert_int_equal(finish(&b, RULE_LOCK_ORDER_INVERSION), 2);
	big_release(&b);
}

static void test_same_cycle_10000_times_is_one_with_a_count(void **state)
{
	struct big b;

	(void)state;
	big_init(&b, 2, 2);
	for (int i = 0; i < 10000; i++) {
		nested(&b, 1, 1, 2, 10);
		nested(&b, 2, 2, 1, 20);
	}
	assert_int_equal(finish(&b, RULE_LOCK_ORDER_INVERSION), 1);
	assert_int_equal(finding_list_get(b.findings, 0)->count, 10000);
	big_release(&b);
}

static void test_same_code_on_many_instances_is_a_few_findings(void **state)
{
	uint64_t count = 0;
	struct big b;

	(void)state;
	big_init(&b, 20000, 2);
	for (uint32_t i = 1; i < 20000; i += 2) {
		nested(&b, 1, i, i + 1, 10);
		nested(&b, 2, i + 1, i, 20);
	}
	assert_in_range(finish(&b, RULE_LOCK_ORDER_INVERSION), 1, 8);
	for (size_t i = 0; i < finding_list_count(b.findings); i++)
		count += finding_list_get(b.findings, i)->count;
	assert_int_equal(count, 10000);
	big_release(&b);
}

/* Each connection thread: its own use, thousands of them. The two that can meet must be found. */
static void test_many_short_threads(void **state)
{
	struct big b;

	(void)state;
	big_init(&b, 2, 5000);
	put(&b, 1, TRACE_THREAD_BEGIN, 0, 0, 1);
	for (uint32_t t = 2; t <= 5000; t++) {
		put(&b, 1, TRACE_CREATE, 0, 3, t);
		put(&b, t, TRACE_THREAD_BEGIN, 0, 0, t);
		nested(&b, t, 1, 2, 10);
		if (t == 4000)
			nested(&b, 1, 2, 1, 20); /* main, while thread 4000 runs */
		put(&b, t, TRACE_THREAD_END, 0, 0, 0);
		put(&b, 1, TRACE_JOIN, 0, 4, t);
	}
	/*
	 * Uses beyond the exact ones are sampled: the one at 4000 may be left out, but nothing may
	 * be made up.
	 */
	assert_in_range(finish(&b, RULE_LOCK_ORDER_INVERSION), 0, 1);
	big_release(&b);
}

static void test_random_order_ends_in_time(void **state)
{
	struct big b;
	uint64_t x = 1;

	(void)state;
	big_init(&b, 2000, 8);
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t a, c;

		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		a = 1 + (uint32_t)(x >> 40) % 2000;
		c = 1 + (uint32_t)(x >> 20) % 2000;
		if (a != c)
			nested(&b, 1 + i % 8, a, c, 10);
	}
	assert_true(finish(&b, RULE_LOCK_ORDER_INVERSION) >= 1);
	big_release(&b);
}

/* The same tangle by one thread, and under one gate. */
static void test_harmless_tangles_cost_nothing(void **state)
{
	struct big b;
	uint64_t x = 1;

	(void)state;
	for (int gated = 0; gated < 2; gated++) {
		big_init(&b, 2001, 8);
		for (uint32_t i = 0; i < 50000; i++) {
			uint32_t a, c, t = gated ? 1 + i % 8 : 1;

			x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			a = 1 + (uint32_t)(x >> 40) % 2000;
			c = 1 + (uint32_t)(x >> 20) % 2000;
			if (gated)
				put(&b, t, TRACE_ACQUIRE, 2001, 3, 0);
			if (a != c)
				nested(&b, t, a, c, 10);
			if (gated)
				put(&b, t, TRACE_RELEASE, 2001, 0, 0);
		}
		assert_int_equal(finish(&b, RULE_LOCK_ORDER_INVERSION), 0);
		assert_int_equal(b.stats.pruned[gated ? PRUNE_GATE : PRUNE_ONE_THREAD], 1);
		assert_int_equal(b.stats.pruned[PRUNE_BUDGET], 0);
		big_release(&b);
	}
}

/* 30,000 edges in one order and two against it, with room for 1,000 contexts. */
static void feed_more_than_fits(struct big *b)
{
	uint64_t x = 1;

	b->now_ns = 0;
	for (uint32_t i = 0; i < 30000; i++) {
		uint32_t a, c;

		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		a = 1 + (uint32_t)(x >> 40) % 2000;
		c = 1 + (uint32_t)(x >> 20) % 2000;
		if (a != c)
			nested(b, 1 + i % 4, a < c ? a : c, a < c ? c : a, 10);
	}
	nested(b, 1, 100, 101, 20);
	nested(b, 2, 101, 100, 30);
	nested(b, 3, 1, 2, 40);
	nested(b, 4, 2, 1, 50);
}

static void test_second_pass_finds_what_did_not_fit(void **state)
{
	struct analyze_options options = { .max_contexts = 1000 };
	struct analyze_image *again;
	size_t count = 0;
	struct big b;

	(void)state;
	big_init(&b, 2000, 4);
	assert_null(analyze_image_end(b.image));
	b.image = analyze_image_begin(&b.process, 0, &options, b.findings, &b.stats);
	feed_more_than_fits(&b);
	again = analyze_image_end(b.image);
	assert_non_null(again);
	assert_int_equal(finding_list_count(b.findings), 0);
	b.image = again;
	feed_more_than_fits(&b);
	count = finish(&b, RULE_LOCK_ORDER_INVERSION);
	assert_int_equal(count, 2);
	assert_int_equal(finding_list_count(b.findings), count);
	big_release(&b);
}

static void test_one_pass_is_enough_without_cycles(void **state)
{
	struct analyze_options options = { .max_contexts = 10 };
	struct big b;

	(void)state;
	big_init(&b, 2000, 4);
	assert_null(analyze_image_end(b.image));
	b.image = analyze_image_begin(&b.process, 0, &options, b.findings, &b.stats);
	for (uint32_t i = 1; i < 2000; i++)
		nested(&b, 1 + i % 4, i, i + 1, 10);
	assert_int_equal(finish(&b, RULE_LOCK_ORDER_INVERSION), 0);
	assert_int_equal(b.stats.lock_edges, 1999);
	big_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_pass_finds_what_did_not_fit),
		cmocka_unit_test(test_one_pass_is_enough_without_cycles),
		cmocka_unit_test(test_parent_before_child_in_10000_nodes),
		cmocka_unit_test(test_600_locks_at_once),
		cmocka_unit_test(test_600_locks_in_one_order_take_one_pass),
		cmocka_unit_test(test_few_edges_find_what_all_find),
		cmocka_unit_test(test_gone_locks_leave_the_graph),
		cmocka_unit_test(test_gone_locks_keep_their_cycles),
		cmocka_unit_test(test_two_cycles_that_share_an_edge),
		cmocka_unit_test(test_same_cycle_10000_times_is_one_with_a_count),
		cmocka_unit_test(test_same_code_on_many_instances_is_a_few_findings),
		cmocka_unit_test(test_many_short_threads),
		cmocka_unit_test(test_random_order_ends_in_time),
		cmocka_unit_test(test_harmless_tangles_cost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
