/* SPDX-License-Identifier: MIT */
/*
 * test_cycle.c - the search for cycles: complete where that is small, bounded where it is not.
 */
#include "analyzer/cycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_EDGES 200000u

static uint64_t pairs[MAX_EDGES]; /* from << 32 | to */
static uint32_t from[MAX_EDGES], to[MAX_EDGES];

struct seen {
	uint32_t accepted, offered, longest, entered;
	uint32_t refuse_shorter_than;
	bool never_extends;
};

static int compare(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static bool enters(void *cookie, const uint32_t *edge, uint32_t count)
{
	(void)edge;
	assert_true(count >= 2);
	((struct seen *)cookie)->entered++;
	return true;
}

static bool extends(void *cookie, const uint32_t *edge, uint32_t count)
{
	assert_int_equal(to[edge[count - 2]], from[edge[count - 1]]);
	return !((struct seen *)cookie)->never_extends;
}

static bool closes(void *cookie, const uint32_t *edge, uint32_t count)
{
	struct seen *seen = cookie;

	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(to[edge[i]], from[edge[(i + 1) % count]]);
		for (uint32_t j = 0; j < i; j++)
			assert_int_not_equal(from[edge[i]], from[edge[j]]);
	}
	seen->offered++;
	if (count < seen->refuse_shorter_than)
		return false;
	seen->accepted++;
	if (count > seen->longest)
		seen->longest = count;
	return true;
}

/* Sorts, removes doubles, searches. */
static uint32_t search(uint32_t nodes, uint32_t edges, struct seen *seen, uint64_t budget)
{
	struct cycle_visitor visitor = { seen, enters, extends, closes };
	uint32_t count = 0;

	qsort(pairs, edges, sizeof(pairs[0]), compare);
	for (uint32_t i = 0; i < edges; i++) {
		if (i && pairs[i] == pairs[i - 1])
			continue;
		from[count] = (uint32_t)(pairs[i] >> 32);
		to[count++] = (uint32_t)pairs[i];
	}
	return cycle_search(&(struct cycle_graph){ nodes, count, from, to }, &visitor, budget);
}

static void edge(uint32_t *count, uint32_t a, uint32_t b)
{
	pairs[(*count)++] = (uint64_t)a << 32 | b;
}

static void test_order_without_cycles_is_never_entered(void **state)
{
	struct seen seen = { 0 };
	uint32_t n = 0;

	(void)state;
	for (uint32_t a = 0; a < 300; a++)
		for (uint32_t b = a + 1; b < 300; b++)
			edge(&n, a, b);
	assert_int_equal(search(300, n, &seen, 1000000), 0);
	assert_int_equal(seen.entered, 0);
	assert_int_equal(search(1, 0, &seen, 1000000), 0);
}

static void test_ring_of_any_length_is_found_once(void **state)
{
	static const uint32_t lengths[] = { 2, 3, 4, 25, 5000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct seen seen = { 0 };
		uint32_t n = 0;

		for (uint32_t a = 0; a < lengths[i]; a++)
			edge(&n, a, (a + 1) % lengths[i]);
		assert_int_equal(search(lengths[i], n, &seen, UINT64_C(200000000)), 0);
		assert_int_equal(seen.accepted, 1);
		assert_int_equal(seen.longest, lengths[i]);
	}
}

static void test_cycles_that_share_an_edge_are_two(void **state)
{
	struct seen seen = { 0 };
	uint32_t n = 0;

	(void)state;
	/* 0 -> 1 is shared by 0 1 and by 0 1 2 3 and by 0 1 4 5 6. */
	edge(&n, 0, 1), edge(&n, 1, 0);
	edge(&n, 1, 2), edge(&n, 2, 3), edge(&n, 3, 0);
	edge(&n, 1, 4), edge(&n, 4, 5), edge(&n, 5, 6), edge(&n, 6, 0);
	assert_int_equal(search(7, n, &seen, 1000000), 0);
	assert_int_equal(seen.accepted, 3);
	assert_int_equal(seen.longest, 5);
}

static void test_longer_cycle_is_tried_when_the_short_one_is_refused(void **state)
{
	struct seen seen = { .refuse_shorter_than = 6 };
	uint32_t n = 0;

	(void)state;
	for (uint32_t a = 0; a < 6; a++)
		edge(&n, a, (a + 1) % 6);
	edge(&n, 3, 0); /* 0 1 2 3 is refused */
	edge(&n, 1, 0);
	assert_int_equal(search(6, n, &seen, 1000000), 0);
	assert_int_equal(seen.longest, 6);
	assert_true(seen.accepted >= 1);
}

static void test_refused_prefixes_still_name_one_cycle(void **state)
{
	struct seen seen = { .never_extends = true, .refuse_shorter_than = UINT32_MAX };
	uint32_t n = 0;

	(void)state;
	for (uint32_t a = 0; a < 10; a++)
		edge(&n, a, (a + 1) % 10);
	assert_int_equal(search(10, n, &seen, 1000000), 0);
	assert_true(seen.offered >= 1);
	assert_int_equal(seen.accepted, 0);
}

static void test_tangle_gives_its_small_cycles_only(void **state)
{
	struct seen seen = { 0 };
	uint32_t n = 0;

	(void)state;
	for (uint32_t a = 0; a < 30; a++)
		for (uint32_t b = 0; b < 30; b++)
			if (a != b)
				edge(&n, a, b);
	assert_int_equal(search(30, n, &seen, 10000000), 0);
	assert_int_equal(seen.accepted, 30 * 29 / 2);
	assert_int_equal(seen.longest, 2);
}

static void test_budget_ends_a_hopeless_search(void **state)
{
	struct seen seen = { .refuse_shorter_than = UINT32_MAX };
	uint32_t n = 0;
	uint64_t x = 1;

	(void)state;
	while (n < 150000) {
		uint32_t a, b;

		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		a = (uint32_t)(x >> 40) % 2000;
		b = (uint32_t)(x >> 20) % 2000;
		if (a != b)
			edge(&n, a, b);
	}
	assert_int_equal(search(2000, n, &seen, 30000000), 1);
	assert_int_equal(seen.accepted, 0);
}

static void test_components(void **state)
{
	uint32_t component[9], n = 0;

	(void)state;
	/* {0 1 2} -> {3} -> {4 5}; 6 alone; {7 8} */
	edge(&n, 0, 1), edge(&n, 1, 2), edge(&n, 2, 0), edge(&n, 2, 3), edge(&n, 3, 4),
		edge(&n, 4, 5), edge(&n, 5, 4);
	edge(&n, 7, 8), edge(&n, 8, 7);
	for (uint32_t i = 0; i < n; i++) {
		from[i] = (uint32_t)(pairs[i] >> 32);
		to[i] = (uint32_t)pairs[i];
	}
	assert_int_equal(cycle_components(&(struct cycle_graph){ 9, n, from, to }, component), 5);
	assert_int_equal(component[0], component[2]);
	assert_int_equal(component[4], component[5]);
	assert_int_not_equal(component[0], component[3]);
	assert_int_not_equal(component[3], component[4]);
	assert_int_not_equal(component[6], component[7]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_without_cycles_is_never_entered),
		cmocka_unit_test(test_ring_of_any_length_is_found_once),
		cmocka_unit_test(test_cycles_that_share_an_edge_are_two),
		cmocka_unit_test(test_longer_cycle_is_tried_when_the_short_one_is_refused),
		cmocka_unit_test(test_refused_prefixes_still_name_one_cycle),
		cmocka_unit_test(test_tangle_gives_its_small_cycles_only),
		cmocka_unit_test(test_budget_ends_a_hopeless_search),
		cmocka_unit_test(test_components),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
