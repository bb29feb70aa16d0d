/* SPDX-License-Identifier: MIT */
/*
 * test_reading.c - what a server says of how far it is: states go one way, the percentage never falls.
 */
#include "viewer/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_nothing_read_is_no_percent(void **state)
{
	struct reading reading = { 0 };
	char text[256];

	(void)state;
	assert_int_equal(reading_get_state(&reading), READING_BEGUN);
	assert_int_equal(reading_percent(&reading), 0);
	assert_in_range(reading_put(&reading, text, sizeof(text)), 1, sizeof(text) - 1);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_non_null(strstr(text, "\"state\":\"reading\",\"percent\":0,"));
}

static void test_the_slower_job_is_waited_for(void **state)
{
	struct reading reading = { 0 };

	(void)state;
	reading_tell(&reading, READING_FINDINGS, 900, 1000);
	assert_int_equal(reading_percent(&reading), 0);
	reading_tell(&reading, READING_TIMELINE, 300, 1000);
	assert_int_equal(reading_percent(&reading), 30);
	reading_tell(&reading, READING_TIMELINE, 950, 1000);
	assert_int_equal(reading_percent(&reading), 90);
}

static void test_it_never_goes_back(void **state)
{
	struct reading reading = { 0 };

	(void)state;
	reading_tell(&reading, READING_FINDINGS, 500, 1000);
	reading_tell(&reading, READING_TIMELINE, 600, 1000);
	assert_int_equal(reading_percent(&reading), 50);
	reading_tell(&reading, READING_FINDINGS, 100, 1000); /* a second pass over the image */
	assert_int_equal(reading_percent(&reading), 50);
	reading_tell(&reading, READING_FINDINGS, 700, 100000); /* more than was thought */
	assert_int_equal(reading_percent(&reading), 50);
}

static void test_the_last_percent_is_being_ready(void **state)
{
	struct reading reading = { 0 };
	char text[256];

	(void)state;
	reading_tell(&reading, READING_FINDINGS, 2000, 1000);
	reading_tell(&reading, READING_TIMELINE, 1000, 1000);
	assert_int_equal(reading_percent(&reading), 99);
	reading_finish(&reading);
	assert_int_equal(reading_get_state(&reading), READING_DONE);
	assert_int_equal(reading_percent(&reading), 100);
	reading_tell(&reading, READING_TIMELINE, 1, 1000);
	assert_int_equal(reading_get_state(&reading), READING_DONE);
	reading_put(&reading, text, sizeof(text));
	assert_non_null(strstr(text, "\"state\":\"ready\",\"percent\":100,"));
}

static void test_words_that_do_not_fit_are_cut(void **state)
{
	struct reading reading = { 0 };
	char text[64];

	(void)state;
	reading_tell(&reading, READING_FINDINGS, UINT64_MAX / 2, UINT64_MAX);
	for (size_t bytes = 1; bytes <= sizeof(text); bytes++) {
		size_t used = reading_put(&reading, text, bytes);

		assert_true(used < bytes);
		assert_int_equal(strlen(text), used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_read_is_no_percent),
		cmocka_unit_test(test_the_slower_job_is_waited_for),
		cmocka_unit_test(test_it_never_goes_back),
		cmocka_unit_test(test_the_last_percent_is_being_ready),
		cmocka_unit_test(test_words_that_do_not_fit_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
