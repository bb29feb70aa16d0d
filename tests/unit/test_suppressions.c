/* SPDX-License-Identifier: MIT */
/*
 * test_suppressions.c - our lines, ThreadSanitizer's and Valgrind's files: what each hides, what it
 * must not, and what is said of files that are wrong.
 */
#include "analyzer/gate/suppressions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TODAY "2026-11-21"

static struct frames make_frames(struct finding_list *list, const char *first, const char *second)
{
	struct frame *frame = finding_list_alloc(list, 2 * sizeof(*frame));

	frame[0] = (struct frame){ .function = first,
				   .file = "/src/bank/ledger.cpp",
				   .line = 7,
				   .module = "/usr/lib/libbank.so.2" };
	frame[1] = (struct frame){ .function = second, .module = "/opt/bank/server" };
	return (struct frames){ .frame = frame, .count = 2 };
}

static struct finding *add(struct finding_list *list, const char *rule, const char *first,
			   const char *second)
{
	struct finding *f = finding_begin(list, (enum rule)rule_find(rule), CONFIDENCE_OBSERVED, 0);
	struct finding_stack *stack;

	finding_add_thread(list, f, 1)->start_function = "worker_main";
	finding_add_lock(list, f, 5)->name = "accounts+40";
	stack = finding_add_stack(list, f, ROLE_WAITS, 1, 5, 0);
	stack->frames = make_frames(list, first, second);
	finding_commit(list, f);
	return f;
}

/* Does `text` hide a finding of `rule` in transfer(int) <- bank::Teller::run()? */
static bool hides(const char *text, const char *rule)
{
	struct finding_list *list = finding_list_new();
	struct suppressions *s = suppressions_new();
	struct diag diag = { 0 };
	struct finding *f = add(list, rule, "transfer(int)", "bank::Teller<int>::run()");
	bool hidden;

	if (suppressions_parse(s, "file.supp", text, strlen(text), TODAY, &diag))
		fail_msg("%s", diag.message);
	suppressions_apply(s, list);
	hidden = f->suppressed_by;
	suppressions_free(s);
	finding_list_free(list);
	return hidden;
}

static void test_own_lines(void **state)
{
	(void)state;
	assert_true(hides("deadlock:transfer", "deadlock"));
	assert_true(hides("deadlock:transfer  # known since spring", "deadlock"));
	assert_true(hides("*:transfer", "deadlock"));
	assert_true(hides("deadlock:*", "deadlock"));
	assert_true(hides("deadlock:bank::Teller::run", "deadlock"));
	assert_true(hides("deadlock:trans*", "deadlock"));
	assert_true(hides("deadlock:libbank.so.2", "deadlock"));
	assert_true(hides("deadlock:ledger.cpp", "deadlock"));
	assert_true(hides("deadlock:accounts*", "deadlock"));
	assert_true(hides("deadlock:accounts", "deadlock"));
	assert_true(hides("deadlock:worker_main", "deadlock"));
	assert_true(hides("\n# remark\n\n  deadlock:transfer;bank::Teller::run\r\n", "deadlock"));
	assert_false(hides("deadlock:transfer;audit", "deadlock"));
	assert_false(hides("deadlock:transfer", "self-deadlock"));
	assert_false(hides("deadlock:transf", "deadlock"));
	assert_false(hides("deadlock:Transfer", "deadlock"));
	assert_false(hides("deadlock:bank", "deadlock"));
	assert_false(hides("", "deadlock"));
}

static void test_expiry(void **state)
{
	(void)state;
	assert_true(hides("deadlock:transfer # fix planned, expires=2026-11-22", "deadlock"));
	assert_false(hides("deadlock:transfer # fix planned, expires=2026-11-21", "deadlock"));
	assert_false(hides("deadlock:transfer # expires=2020-01-01", "deadlock"));
	/* However it is written: never silently without end. */
	assert_false(hides("deadlock:transfer # expires = 2020-01-01", "deadlock"));
	assert_false(hides("deadlock:transfer # Expires: 2020-01-01, ticket 7", "deadlock"));
	assert_false(hides("deadlock:transfer # ticket 7; expires 2020-01-01", "deadlock"));
	assert_true(hides("deadlock:transfer # expires: 2027-01-01", "deadlock"));
	assert_true(hides("deadlock:transfer # the licence expires soon: see ticket", "deadlock"));
	/* As the report prints it. */
	assert_true(hides("deadlock:transfer  # reason, expires=YYYY-MM-DD", "deadlock"));
}

static void test_a_byte_order_mark_is_no_text(void **state)
{
	(void)state;
	assert_true(hides("\xef\xbb\xbf"
			  "deadlock:transfer",
			  "deadlock"));
}

static void test_tsan_files(void **state)
{
	(void)state;
	assert_true(hides("race:foo\ndeadlock:transfer\n", "lock-order-inversion"));
	assert_true(hides("race:foo\ndeadlock:bank/ledger\n", "deadlock"));
	assert_true(hides("race:x\ndeadlock:libbank\n", "lock-order-inversion"));
	assert_true(hides("mutex:Teller*run\n", "unlock-not-owned"));
	assert_true(hides("thread:worker_main\n", "leaked-thread"));
	assert_true(hides("mutex:^transfer$\n", "double-lock"));
	assert_true(hides("# remark\nrace:^x\nmutex:^transfer(int)$\n", "double-lock"));
	assert_false(hides("mutex:^ransfer\n", "double-lock"));
	assert_false(hides("race:foo\ndeadlock:audit\n", "lock-order-inversion"));
	assert_false(hides("race:transfer\n", "lock-order-inversion"));
	/* Only lines that both know: ours, and exact. */
	assert_false(hides("deadlock:transfer\n", "lock-order-inversion"));
}

#define BLOCK(kind, frames) "# head\n{\n  a name\n  " kind "\n" frames "}\n"

static void test_valgrind_files(void **state)
{
	(void)state;
	assert_true(hides(BLOCK("Helgrind:LockOrder", "  fun:transfer\n"), "lock-order-inversion"));
	assert_true(
		hides(BLOCK("Helgrind:LockOrder",
			    "   fun:mutex_lock_WRK\n   fun:pthread_mutex_lock\n   fun:transfer\n"),
		      "lock-order-inversion"));
	assert_true(hides(BLOCK("Helgrind:LockOrder", "   ...\n   obj:*/server\n"),
			  "lock-order-inversion"));
	assert_true(hides(BLOCK("Helgrind:LockOrder", "   fun:trans*\n   fun:bank::Teller*\n"),
			  "lock-order-inversion"));
	assert_true(hides(BLOCK("drd:MutexErr", "   fun:pthread_mutex_unlock\n   src:ledger.cpp\n"),
			  "unlock-not-owned"));
	assert_true(hides(BLOCK("Memcheck,Helgrind:LockOrder", "   fun:transfer\n"),
			  "lock-order-inversion"));
	/* As GLib's file has them: a function that is wrapped here, seen from inside there. */
	assert_true(hides(BLOCK("Helgrind:Misc", "   ...\n   fun:g_cond_clear\n   fun:transfer\n"),
			  "destroy-locked"));
	assert_true(hides(BLOCK("Helgrind:Misc", "   ...\n   fun:g_cond_clear\n   fun:bank::*\n"),
			  "destroy-locked"));
	assert_false(hides(BLOCK("Helgrind:Misc", "   fun:g_cond_clear\n   fun:bank::*\n"),
			   "destroy-locked"));
	assert_false(hides(BLOCK("Helgrind:Misc", "   ...\n   fun:g_cond_clear\n   fun:main\n"),
			   "destroy-locked"));
	assert_false(
		hides(BLOCK("Helgrind:Misc", "   ...\n   fun:g_cond_clear\n"), "destroy-locked"));
	assert_false(hides(BLOCK("Helgrind:LockOrder", "   fun:bank::Teller*\n"),
			   "lock-order-inversion"));
	assert_false(hides(BLOCK("Helgrind:Race", "   fun:transfer\n"), "lock-order-inversion"));
	assert_false(hides(BLOCK("Helgrind:LockOrder", "   fun:pthread_mutex_lock\n"),
			   "lock-order-inversion"));
	assert_false(
		hides(BLOCK("Memcheck:Leak", "   match-leak-kinds: reachable\n   fun:transfer\n"),
		      "lock-order-inversion"));
}

static void expect_error(const char *text, const char *message)
{
	struct suppressions *s = suppressions_new();
	struct diag diag = { 0 };

	assert_int_equal(suppressions_parse(s, "f", text, strlen(text), TODAY, &diag),
			 THRUM_EINVAL);
	if (!strstr(diag.message, message))
		fail_msg("\"%s\" lacks \"%s\"", diag.message, message);
	assert_int_equal(suppressions_count(s), 0);
	suppressions_free(s);
}

static void test_errors_name_the_line(void **state)
{
	(void)state;
	expect_error("deadlock:x\nnonsense\n", "f:2");
	expect_error("dead-lock:x\n", "there is no rule \"dead-lock\"");
	expect_error("deadlock:\n", "a pattern must follow");
	expect_error("deadlock:x # expires=tomorrow\n", "needs a date");
	expect_error("race:x\nunlock:y\n", "no type of a ThreadSanitizer");
	expect_error("{\n name\n Helgrind:Race\n fun:x\n", "no closing brace");
	expect_error("{\n name\n nothing\n}\n", "TOOL:KIND");
	expect_error("{\n name\n Helgrind:LockOrder\n what:x\n}\n", "a frame is");
	expect_error("x\n{\n name\n Helgrind:Race\n}\n", "begins with {");
}

static void test_binary_files_are_refused(void **state)
{
	static const char text[] = "deadlock:x\0 # a, expires=2027-01-01";
	struct suppressions *s = suppressions_new();
	struct diag diag;

	(void)state;
	assert_int_equal(suppressions_parse(s, "f", text, sizeof(text) - 1, TODAY, &diag),
			 THRUM_EINVAL);
	suppressions_free(s);
}

static void test_use_is_counted(void **state)
{
	static const char text[] = "deadlock:transfer  # one\n"
				   "deadlock:never\n"
				   "deadlock:transfer  # expires=2020-01-01\n";
	struct finding_list *list = finding_list_new();
	struct suppressions *s = suppressions_new();
	struct finding *f = add(list, "deadlock", "transfer", "main");
	struct diag diag;

	(void)state;
	add(list, "deadlock", "transfer", "other");
	assert_int_equal(suppressions_parse(s, "a.supp", text, strlen(text), TODAY, &diag), 0);
	suppressions_apply(s, list);
	assert_string_equal(f->suppressed_by, "a.supp:1");
	assert_string_equal(f->suppressed_reason, "one");
	assert_int_equal(suppressions_count(s), 3);
	assert_int_equal(suppressions_get(s, 0)->state, SUPPRESSION_USED);
	assert_int_equal(suppressions_get(s, 0)->hits, 2);
	assert_int_equal(suppressions_get(s, 1)->state, SUPPRESSION_UNUSED);
	assert_int_equal(suppressions_get(s, 2)->state, SUPPRESSION_EXPIRED);
	assert_string_equal(suppressions_get(s, 2)->expires, "2020-01-01");
	suppressions_free(s);
	finding_list_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_lines),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_a_byte_order_mark_is_no_text),
		cmocka_unit_test(test_tsan_files),
		cmocka_unit_test(test_valgrind_files),
		cmocka_unit_test(test_errors_name_the_line),
		cmocka_unit_test(test_binary_files_are_refused),
		cmocka_unit_test(test_use_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
