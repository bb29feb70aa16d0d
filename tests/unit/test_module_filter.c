/* SPDX-License-Identifier: MIT */
/*
 * test_module_filter.c - which findings --include and --exclude keep: by the code that called, and never what is not known.
 */
#include "analyzer/gate/module_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct call {
	const char *function, *module;
};

static struct frames make_frames(struct finding_list *list, const struct call *calls, size_t count)
{
	struct frame *frame = finding_list_alloc(list, count * sizeof(*frame));

	for (size_t i = 0; i < count; i++)
		frame[i] =
			(struct frame){ .function = calls[i].function, .module = calls[i].module };
	return (struct frames){ .frame = frame, .count = count };
}

static const struct call of_program[] = { { "work", "/opt/app/server" },
					  { "main", "/opt/app/server" } };
static const struct call of_library[] = { { "foo_lock", "/usr/lib/libfoo.so.1" },
					  { "main", "/opt/app/server" } };
/* std::thread's constructor calls pthread_create: the program made that call. */
static const struct call through_std[] = { { "std::thread::_M_start_thread(x)",
					     "/usr/lib/libstdc++.so.6" },
					   { "start", "/opt/app/server" } };
static const struct call unknown[] = { { NULL, NULL } };

/* Is a finding with stacks in `one` and `two` (NULL = none) kept? */
static bool keeps(const struct module_filter *filter, const struct call *one,
		  const struct call *two)
{
	struct finding_list *list = finding_list_new();
	struct finding *f = finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, 0);
	size_t left, kept;

	finding_add_thread(list, f, 1);
	if (one)
		finding_add_stack(list, f, ROLE_WAITS, 1, 0, 0)->frames =
			make_frames(list, one, one == unknown ? 1 : 2);
	if (two)
		finding_add_stack(list, f, ROLE_WAITS, 1, 0, 0)->frames =
			make_frames(list, two, two == unknown ? 1 : 2);
	finding_commit(list, f);
	left = module_filter_apply(filter, list);
	kept = finding_list_count(list);
	assert_int_equal(left + kept, 1);
	finding_list_free(list);
	return kept;
}

static void test_exclude(void **state)
{
	const char *const foo[] = { "libfoo.so*" };
	const struct module_filter filter = { .exclude = foo, .exclude_count = 1 };

	(void)state;
	assert_true(keeps(&filter, of_program, NULL));
	assert_false(keeps(&filter, of_library, NULL));
	assert_false(keeps(&filter, of_library, of_library));
	assert_true(keeps(&filter, of_library, of_program));
	assert_true(keeps(&filter, of_program, of_library));
	assert_true(keeps(&filter, unknown, of_library));
	assert_true(keeps(&filter, NULL, NULL));
}

static void test_include(void **state)
{
	const char *const names[] = { "serv?r", "other" };
	const struct module_filter filter = { .include = names, .include_count = 2 };

	(void)state;
	assert_true(keeps(&filter, of_program, NULL));
	assert_true(keeps(&filter, through_std, NULL));
	assert_false(keeps(&filter, of_library, NULL));
	assert_true(keeps(&filter, of_library, of_program));
	assert_true(keeps(&filter, unknown, NULL));
}

static void test_both(void **state)
{
	const char *const all[] = { "*" }, *const server[] = { "server" };
	const struct module_filter filter = {
		.include = all, .include_count = 1, .exclude = server, .exclude_count = 1
	};
	const struct module_filter none = { 0 };

	(void)state;
	assert_true(keeps(&filter, of_library, NULL));
	assert_false(keeps(&filter, of_program, through_std));
	assert_true(keeps(&none, of_program, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exclude),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
