/* SPDX-License-Identifier: MIT */
/*
 * test_wait_graph.c - the fixpoint, components and cycles by themselves, and that size is no problem.
 */
#include "analyzer/wait_graph.h"
#include "wait_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_all_needs_each_and_any_needs_one(void **state)
{
	struct wait_graph g;
	uint8_t can[6];

	(void)state;
	wait_graph_init(&g, 6);
	wait_graph_set_state(&g, 1, WAIT_NODE_NEVER);
	wait_graph_set_state(&g, 2, WAIT_NODE_ALL);
	wait_graph_set_state(&g, 3, WAIT_NODE_ANY);
	wait_graph_set_state(&g, 4, WAIT_NODE_ALL);
	wait_graph_set_state(&g, 5, WAIT_NODE_ANY);
	wait_graph_add_edge(&g, 2, 0);
	wait_graph_add_edge(&g, 2, 1);
	wait_graph_add_edge(&g, 3, 0);
	wait_graph_add_edge(&g, 3, 1);
	wait_graph_solve(&g, can);
	assert_memory_equal(
		can,
		((uint8_t[]){ 1, 0, 0, 1, 1 /* nothing to wait for */, 0 /* nobody to give */ }),
		6);
	wait_graph_release(&g);
}

/* The answer does not change when an edge is there twice. */
static void test_double_edges(void **state)
{
	struct wait_graph g;
	uint8_t can[3];

	(void)state;
	wait_graph_init(&g, 3);
	wait_graph_set_state(&g, 1, WAIT_NODE_ALL);
	wait_graph_set_state(&g, 2, WAIT_NODE_ALL);
	wait_graph_add_edge(&g, 1, 0);
	wait_graph_add_edge(&g, 1, 0);
	wait_graph_add_edge(&g, 2, 1);
	wait_graph_solve(&g, can);
	assert_memory_equal(can, ((uint8_t[]){ 1, 1, 1 }), 3);
	wait_graph_release(&g);
}

static void test_cycle_cannot_run_and_who_waits_for_it_neither(void **state)
{
	struct wait_graph g;
	uint8_t can[5], within[5];
	uint32_t component[5], path[5];

	(void)state;
	wait_graph_init(&g, 5);
	for (uint32_t n = 1; n < 5; n++)
		wait_graph_set_state(&g, n, WAIT_NODE_ALL);
	wait_graph_add_edge(&g, 1, 2);
	wait_graph_add_edge(&g, 2, 3);
	wait_graph_add_edge(&g, 3, 1);
	wait_graph_add_edge(&g, 4, 2);
	wait_graph_solve(&g, can);
	assert_memory_equal(can, ((uint8_t[]){ 1, 0, 0, 0, 0 }), 5);
	for (uint32_t n = 0; n < 5; n++)
		within[n] = !can[n];
	assert_int_equal(wait_graph_components(&g, within, component), 2);
	assert_int_equal(component[0], WAIT_NO_COMPONENT);
	assert_int_equal(component[1], component[2]);
	assert_int_equal(component[1], component[3]);
	assert_true(component[4] > component[1]);
	assert_int_equal(wait_graph_find_cycle(&g, component, 2, path), 3);
	assert_memory_equal(path, ((uint32_t[]){ 2, 3, 1 }), 3 * sizeof(uint32_t));
	assert_int_equal(wait_graph_find_cycle(&g, component, 4, path), 0);
	wait_graph_release(&g);
}

static void test_shortest_of_two_cycles(void **state)
{
	struct wait_graph g;
	uint8_t within[5] = { 1, 1, 1, 1, 1 };
	uint32_t component[5], path[5];

	(void)state;
	wait_graph_init(&g, 5);
	for (uint32_t n = 0; n < 5; n++)
		wait_graph_add_edge(&g, n, (n + 1) % 5);
	wait_graph_add_edge(&g, 1, 0);
	assert_int_equal(wait_graph_components(&g, within, component), 1);
	assert_int_equal(wait_graph_find_cycle(&g, component, 0, path), 2);
	assert_int_equal(wait_graph_find_cycle(&g, component, 3, path), 5);
	wait_graph_release(&g);
}

static void test_graph_may_grow_after_answers(void **state)
{
	struct wait_graph g;
	uint8_t can[3];
	size_t count;

	(void)state;
	wait_graph_init(&g, 1);
	wait_graph_solve(&g, can);
	assert_int_equal(can[0], 1);
	assert_int_equal(wait_graph_add_node(&g, WAIT_NODE_ALL), 1);
	assert_int_equal(wait_graph_add_node(&g, WAIT_NODE_NEVER), 2);
	wait_graph_add_edge(&g, 1, 2);
	wait_graph_solve(&g, can);
	assert_memory_equal(can, ((uint8_t[]){ 1, 0, 0 }), 3);
	assert_int_equal(*wait_graph_get_in(&g, 2, &count), 1);
	assert_int_equal(count, 1);
	wait_graph_release(&g);
}

/* Recursion would need a stack of hundreds of megabytes here. */
static void test_a_million_nodes_in_a_chain_and_in_a_ring(void **state)
{
	enum { NODES = 1000000 };
	struct wait_graph g;
	uint8_t *can = malloc(NODES), *within = malloc(NODES);
	uint32_t *component = malloc(NODES * sizeof(*component)),
		 *path = malloc(NODES * sizeof(*path));

	(void)state;
	wait_graph_init(&g, NODES);
	for (uint32_t n = 1; n < NODES; n++) {
		wait_graph_set_state(&g, n, WAIT_NODE_ALL);
		wait_graph_add_edge(&g, n, n - 1);
	}
	wait_graph_solve(&g, can);
	assert_int_equal(can[NODES - 1], 1);
	wait_graph_set_state(&g, 0, WAIT_NODE_ALL);
	wait_graph_add_edge(&g, 0, NODES - 1);
	wait_graph_solve(&g, can);
	assert_int_equal(can[NODES / 2], 0);
	memset(within, 1, NODES);
	assert_int_equal(wait_graph_components(&g, within, component), 1);
	assert_int_equal(wait_graph_find_cycle(&g, component, 7, path), NODES);
	wait_graph_release(&g);
	free(can);
	free(within);
	free(component);
	free(path);
}

/* ---- whole processes ---- */

enum { THREADS = 10000 };

static struct scene *crowd(void)
{
	struct scene *s = scene_new();

	scene_reserve(s, THREADS + 2);
	for (uint32_t t = 2; t <= THREADS; t++) {
		scene_mutex(s, t);
		scene_spawn(s, 1, t);
	}
	for (uint32_t t = 2; t <= THREADS; t++)
		scene_lock(s, t, t);
	for (uint32_t t = 2; t < THREADS; t++)
		scene_blocked(s, t, TRACE_WAIT_LOCK, t + 1, 0);
	return s;
}

static void test_ten_thousand_threads_wait_for_one_that_runs(void **state)
{
	struct scene *s = crowd();

	(void)state;
	scene_end(s, KILLED);
	assert_int_equal(scene_total(s), 0);
	scene_free(s);
}

static void test_ten_thousand_threads_behind_a_pair(void **state)
{
	struct scene *s = crowd();
	const struct finding *f;

	(void)state;
	scene_blocked(s, THREADS, TRACE_WAIT_LOCK, THREADS - 1, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_int_equal(f->thread_count, 2);
	assert_non_null(strstr(f->message, "9997 more threads are blocked behind: thread 2, "));
	scene_free(s);
}

static void test_ring_of_ten_thousand_is_one_finding_of_bounded_size(void **state)
{
	struct scene *s = crowd();
	const struct finding *f;

	(void)state;
	scene_blocked(s, THREADS, TRACE_WAIT_LOCK, 2, 0);
	scene_end(s, KILLED);
	f = scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_non_null(strstr(f->title, "in a cycle of 9999"));
	assert_true(f->stack_count <= 128);
	scene_free(s);
}

/* As many readers of one lock, as many writers behind them, as many waiters on one condvar. */
static void test_crowds_at_one_object(void **state)
{
	struct scene *s = scene_new();
	enum { RW = 1, CV, M, A, LAST = 6000 };
	const struct finding *f;

	(void)state;
	scene_reserve(s, LAST + 1);
	scene_object(s, RW, TRACE_OBJECT_RWLOCK, 2);
	scene_object(s, CV, TRACE_OBJECT_COND, 0);
	scene_mutex(s, M);
	scene_mutex(s, A);
	for (uint32_t t = 2; t <= LAST; t++)
		scene_spawn(s, 1, t);
	for (uint32_t t = 2; t <= LAST; t++) {
		if (t % 3 == 0) {
			scene_read(s, t, RW);
			scene_lock(s, t, M);
			scene_in_cond(s, t, CV, M);
		} else {
			scene_blocked_mode(s, t, TRACE_WAIT_LOCK, RW, 0,
					   t % 3 == 1 ? TRACE_MODE_SHARED : 0);
		}
	}
	scene_blocked(s, 1, TRACE_WAIT_JOIN, 3, 0);
	scene_end(s, KILLED);
	/* Whoever would signal needs the lock that the waiters hold for reading. */
	f = scene_only(s, RULE_DEADLOCK, CONFIDENCE_OBSERVED);
	assert_true(f->stack_count <= 256);
	scene_free(s);
}

/* Nonsense in every slot: ids out of range, kinds that do not fit, threads that never were. */
static void test_hostile_slots_do_no_harm(void **state)
{
	uint32_t seed = 12345;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct scene *s = scene_new();

		for (uint32_t i = 1; i < SCENE_IDS; i++)
			scene_object(s, i, i % 11, (uint32_t)(i * 7 % 33));
		for (unsigned e = 0; e < 400; e++) {
			uint32_t r[6];

			for (unsigned k = 0; k < 6; k++) {
				seed = seed * 1664525u + 1013904223u;
				r[k] = seed >> 16;
			}
			scene_event(s, (enum trace_op)(r[0] % 40), r[1] % 12, r[2] % 70, r[3] % 70,
				    r[4] % 14, (int32_t)(r[5] % 3 ? 0 : r[5] % 120));
		}
		for (uint32_t t = 0; t < SCENE_IDS; t++) {
			seed = seed * 1664525u + 1013904223u;
			s->process.waits[t] =
				(struct trace_wait_state){ .thread = seed >> 8 & 63,
							   .since_ns = seed,
							   .wait = { .kind = seed >> 16 & 7,
								     .object = (seed >> 20) % 70,
								     .other = (seed >> 10) % 70,
								     .stack = seed >> 3,
								     .mode = seed >> 5 & 7 } };
		}
		scene_end(s, round % 4);
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_needs_each_and_any_needs_one),
		cmocka_unit_test(test_double_edges),
		cmocka_unit_test(test_cycle_cannot_run_and_who_waits_for_it_neither),
		cmocka_unit_test(test_shortest_of_two_cycles),
		cmocka_unit_test(test_graph_may_grow_after_answers),
		cmocka_unit_test(test_a_million_nodes_in_a_chain_and_in_a_ring),
		cmocka_unit_test(test_ten_thousand_threads_wait_for_one_that_runs),
		cmocka_unit_test(test_ten_thousand_threads_behind_a_pair),
		cmocka_unit_test(test_ring_of_ten_thousand_is_one_finding_of_bounded_size),
		cmocka_unit_test(test_crowds_at_one_object),
		cmocka_unit_test(test_hostile_slots_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
