/* SPDX-License-Identifier: MIT */
/*
 * test_finding.c - levels and caps against the contract, the builder, the words of the tables.
 */
#include "analyzer/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum level level_of(enum rule rule, enum confidence confidence)
{
	struct finding_list *list = finding_list_new();
	enum level level = finding_begin(list, rule, confidence, 0)->level;

	finding_list_free(list);
	return level;
}

static void test_level_is_lower_of_confidence_and_cap(void **state)
{
	(void)state;
	assert_int_equal(level_of(RULE_DEADLOCK, CONFIDENCE_OBSERVED), LEVEL_ERROR);
	assert_int_equal(level_of(RULE_DEADLOCK, CONFIDENCE_PROVEN), LEVEL_ERROR);
	assert_int_equal(level_of(RULE_DEADLOCK, CONFIDENCE_POTENTIAL), LEVEL_WARNING);
	assert_int_equal(level_of(RULE_DEADLOCK, CONFIDENCE_HINT), LEVEL_NOTE);
	assert_int_equal(level_of(RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL), LEVEL_ERROR);
	assert_int_equal(level_of(RULE_LOCK_ORDER_INVERSION, CONFIDENCE_HINT), LEVEL_NOTE);
	assert_int_equal(level_of(RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED), LEVEL_WARNING);
	assert_int_equal(level_of(RULE_LOCK_CONTENTION, CONFIDENCE_OBSERVED), LEVEL_NOTE);
	assert_int_equal(level_of(RULE_LOCK_HELD_AT_EXIT, CONFIDENCE_PROVEN), LEVEL_NOTE);
	for (int rule = 0; rule < RULE_COUNT; rule++)
		for (int c = CONFIDENCE_HINT; c <= CONFIDENCE_OBSERVED; c++)
			assert_true(level_of(rule, c) <= rule_cap(rule));
}

static void test_every_rule_is_found_by_its_id(void **state)
{
	(void)state;
	for (int rule = 0; rule < RULE_COUNT; rule++) {
		assert_int_equal(rule_find(rule_id(rule)), rule);
		assert_true(strlen(rule_title(rule)) > 0 && strlen(rule_help(rule)) > 0);
	}
	assert_int_equal(rule_find("no-such-rule"), -1);
	assert_int_equal(rule_find(""), -1);
}

static void test_names_are_those_of_the_contract(void **state)
{
	static const char *const roles[ROLE_COUNT] = { "holds",	   "waits",    "acquires",
						       "releases", "creates",  "accesses",
						       "blocks",   "destroys", "signals",
						       "awaits" };

	(void)state;
	for (int role = 0; role < ROLE_COUNT; role++)
		assert_string_equal(stack_role_name(role), roles[role]);
	assert_string_equal(level_name(LEVEL_WARNING), "warning");
	assert_string_equal(confidence_name(CONFIDENCE_POTENTIAL), "potential");
}

static void test_parts_survive_growth(void **state)
{
	struct finding_list *list = finding_list_new();
	struct finding *f = finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, 3);

	(void)state;
	for (uint32_t id = 1; id <= 1000; id++) {
		finding_add_thread(list, f, id)->name = finding_list_printf(list, "t%u", id);
		finding_add_lock(list, f, id)->address = id * 64;
		finding_add_stack(list, f, ROLE_WAITS, id, id, id)->time_ns = id;
	}
	finding_commit(list, f);
	assert_int_equal(f->thread_count, 1000);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->process, 3);
	for (uint32_t id = 1; id <= 1000; id++) {
		char name[16];

		snprintf(name, sizeof(name), "t%u", id);
		assert_string_equal(finding_find_thread(f, id)->name, name);
		assert_int_equal(finding_find_lock(f, id)->address, id * 64);
		assert_int_equal(f->stacks[id - 1].time_ns, id);
	}
	assert_null(finding_find_thread(f, 0));
	assert_null(finding_find_lock(f, 1001));
	finding_list_free(list);
}

static void test_adding_an_id_twice_keeps_one(void **state)
{
	struct finding_list *list = finding_list_new();
	struct finding *f = finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, 0);

	(void)state;
	finding_add_lock(list, f, 7)->address = 99;
	finding_add_lock(list, f, 8);
	assert_int_equal(finding_add_lock(list, f, 7)->address, 99);
	assert_int_equal(f->lock_count, 2);
	finding_list_free(list);
}

static void test_memory_is_zeroed_and_apart(void **state)
{
	struct finding_list *list = finding_list_new();
	unsigned char *big = finding_list_alloc(list, 300000), *small = finding_list_alloc(list, 1);

	(void)state;
	for (size_t i = 0; i < 300000; i++)
		assert_int_equal(big[i], 0);
	memset(big, 0xff, 300000);
	assert_int_equal(*small, 0);
	assert_int_equal((uintptr_t)small % 16, 0);
	finding_list_free(list);
	finding_list_free(NULL);
}

static void test_list_keeps_order(void **state)
{
	struct finding_list *list = finding_list_new();

	(void)state;
	for (size_t i = 0; i < 100; i++)
		finding_commit(list, finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, i));
	assert_int_equal(finding_list_count(list), 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(finding_list_get(list, i)->process, i);
	finding_list_truncate(list, 200);
	assert_int_equal(finding_list_count(list), 100);
	finding_list_truncate(list, 10);
	assert_int_equal(finding_list_count(list), 10);
	finding_list_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_level_is_lower_of_confidence_and_cap),
		cmocka_unit_test(test_every_rule_is_found_by_its_id),
		cmocka_unit_test(test_names_are_those_of_the_contract),
		cmocka_unit_test(test_parts_survive_growth),
		cmocka_unit_test(test_adding_an_id_twice_keeps_one),
		cmocka_unit_test(test_memory_is_zeroed_and_apart),
		cmocka_unit_test(test_list_keeps_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
