/* SPDX-License-Identifier: MIT */
/*
 * test_perturb.c - the pauses of --perturb are a function of seed, thread and call, rare and short; each thread has calm spans and others.
 */
#include "../../preload/steer/steer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { THREADS = 8, CALLS = 4096, MOST_US = 20000 };

/* What the file asks the rest of the recorder for; steer_perturb itself is not called here. */
struct shim_options shim_options;
struct stream *steer_stream(uintptr_t address, const struct object **ret_object)
{
	(void)address;
	(void)ret_object;
	return NULL;
}

static uint32_t pauses(uint64_t seed, uint32_t thread, uint32_t from, uint32_t calls)
{
	uint32_t count = 0;

	for (uint32_t i = from; i < from + calls; i++) {
		count += steer_pause_us(seed, thread, i) != 0;
	}
	return count;
}

static void test_the_same_seed_decides_the_same(void **state)
{
	uint32_t differ = 0;

	(void)state;
	for (uint32_t i = 0; i < CALLS; i++) {
		assert_int_equal(steer_pause_us(7, 3, i), steer_pause_us(7, 3, i));
		differ += steer_pause_us(7, 3, i) != steer_pause_us(8, 3, i);
	}
	assert_true(differ > CALLS / 32);
}

static void test_pauses_are_some_and_short(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 16; seed++) {
		for (uint32_t thread = 1; thread <= THREADS; thread++) {
			uint32_t count = pauses(seed, thread, 0, CALLS);

			assert_in_range(count, CALLS / 32, CALLS / 4);
		}
		for (uint32_t i = 0; i < CALLS; i++) {
			assert_true(steer_pause_us(seed, 1, i) <= MOST_US);
		}
	}
}

static void test_a_thread_is_calm_for_spans_and_not_for_others(void **state)
{
	uint32_t calm = 0, busy = 0;

	(void)state;
	for (uint32_t span = 0; span < CALLS / 32; span++) {
		uint32_t count = pauses(1, 2, span * 32, 32);

		calm += count == 0;
		busy += count > 5;
	}
	assert_true(calm > CALLS / 32 / 8);
	assert_true(busy > CALLS / 32 / 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_seed_decides_the_same),
		cmocka_unit_test(test_pauses_are_some_and_short),
		cmocka_unit_test(test_a_thread_is_calm_for_spans_and_not_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
