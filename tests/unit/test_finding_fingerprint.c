/* SPDX-License-Identifier: MIT */
/*
 * test_finding_fingerprint.c - what a fingerprint must not depend on, what it must, and the merge
 * of equals.
 */
#include "analyzer/fingerprint.h"
#include "analyzer/frame_class.h"

#include "trace/trace_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* How one build and run of the same program can differ from another. */
struct variant {
	uint32_t first_thread; /* number of the thread that plays the first part */
	bool rotated;	       /* the cycle starts at the other thread */
	const char *prefix;    /* directory of the program */
	int line;	       /* added to all lines */
	uint64_t base;	       /* added to all addresses and offsets */
	const char *inner;     /* function that takes the second lock */
	const char *lock;      /* name of the second lock */
	bool other_libc, inlined_guard, deep;
	const char *interrupted; /* the above is a signal handler that ran in this function */
};

static const struct variant plain = {
	.first_thread = 2, .prefix = "/srv/", .inner = "transfer", .lock = "accounts+40"
};

static struct frames make_frames(struct finding_list *list, const struct variant *v,
				 const char *function, int line)
{
	struct frame *frame = finding_list_alloc(list, 16 * sizeof(*frame));
	const char *module = finding_list_printf(list, "%sbank", v->prefix);
	size_t n = 0;

	if (v->inlined_guard)
		frame[n++] = (struct frame){
			.function = "std::lock_guard<std::mutex>::lock_guard(std::mutex&)",
			.module = module,
			.inlined = true
		};
	for (int i = 0; i < (v->deep ? 5 : 1); i++) /* a recursion */
		frame[n++] =
			(struct frame){ .function = function,
					.file = finding_list_printf(list, "%sbank.c", v->prefix),
					.line = line + v->line,
					.module = module,
					.offset = 0x1000 + v->base };
	if (v->interrupted) {
		frame[n++] =
			(struct frame){ .function = FRAME_SIGNAL, .module = "/usr/lib/libc.so.6" };
		frame[n++] = (struct frame){ .function = v->interrupted, .module = module };
	}
	frame[n++] = (struct frame){
		.function = "worker", .module = module, .line = 9 + v->line, .offset = v->base
	};
	frame[n++] = (struct frame){ .function = v->other_libc ? NULL : "start_thread",
				     .module = v->other_libc ? "/lib/libc-2.31.so"
							     : "/usr/lib/libc.so.6",
				     .offset = v->base };
	return (struct frames){ .frame = frame, .count = n };
}

static void add_party(struct finding_list *list, struct finding *f, const struct variant *v,
		      uint32_t thread, uint32_t wanted, uint32_t held, const char *function)
{
	finding_add_thread(list, f, thread)->tid = 1000 + thread;
	finding_add_stack(list, f, ROLE_WAITS, thread, wanted, 1)->frames =
		make_frames(list, v, function, 20);
	finding_add_stack(list, f, ROLE_HOLDS, thread, held, 1)->frames =
		make_frames(list, v, function, 10);
}

static struct finding *add_deadlock(struct finding_list *list, const struct variant *v,
				    enum confidence confidence)
{
	struct finding *f = finding_begin(list, RULE_DEADLOCK, confidence, 0);
	uint32_t one = v->first_thread, two = v->first_thread + 1;

	for (uint32_t id = 5; id < 7; id++) {
		struct finding_lock *lock = finding_add_lock(list, f, id);

		lock->kind = TRACE_OBJECT_MUTEX;
		lock->name = id == 5 ? "g_log" : v->lock;
		lock->address = v->base + id;
	}
	if (v->rotated)
		add_party(list, f, v, two, 5, 6, "audit");
	add_party(list, f, v, one, 6, 5, v->inner);
	if (!v->rotated)
		add_party(list, f, v, two, 5, 6, "audit");
	finding_commit(list, f);
	return f;
}

static bool is_same_finding(const struct variant *a, const struct variant *b)
{
	struct finding_list *list = finding_list_new();
	struct finding *x = add_deadlock(list, a, CONFIDENCE_OBSERVED),
		       *y = add_deadlock(list, b, CONFIDENCE_OBSERVED);
	bool same;

	findings_finish(list);
	same = !strcmp(x->fingerprint, y->fingerprint);
	assert_int_equal(finding_list_count(list), same ? 1 : 2);
	assert_int_equal(strlen(x->fingerprint), 32);
	assert_int_equal(strspn(x->fingerprint, "0123456789abcdef"), 32);
	if (same)
		assert_string_equal(x->suppression, y->suppression);
	finding_list_free(list);
	return same;
}

static void test_survives_run_and_rebuild(void **state)
{
	struct variant v = plain;

	(void)state;
	assert_true(is_same_finding(&plain, &v));
	v = plain, v.first_thread = 40;
	assert_true(is_same_finding(&plain, &v));
	v = plain, v.rotated = true;
	assert_true(is_same_finding(&plain, &v));
	v = plain, v.prefix = "/home/me/build/";
	assert_true(is_same_finding(&plain, &v));
	v = plain, v.line = 17;
	assert_true(is_same_finding(&plain, &v));
	v = plain, v.base = 0x7f0000000000;
	assert_true(is_same_finding(&plain, &v));
	v = plain, v.other_libc = true;
	assert_true(is_same_finding(&plain, &v));
	v = plain, v.inlined_guard = true;
	assert_true(is_same_finding(&plain, &v));
	v = plain, v.deep = true;
	assert_true(is_same_finding(&plain, &v));
	v = plain, v.inner = "transfer(account&, account&) [clone .isra.0]";
	assert_true(is_same_finding(&plain, &v));
	v = plain, v.lock = "accounts+80";
	assert_true(is_same_finding(&plain, &v));
}

static void test_place_where_a_signal_arrived_is_no_part_of_it(void **state)
{
	struct variant in_read = plain, in_write = plain, other = plain;

	(void)state;
	in_read.interrupted = "read_all";
	in_write.interrupted = "write_all";
	assert_true(is_same_finding(&in_read, &in_write));
	other.interrupted = "read_all";
	other.inner = "on_signal";
	assert_false(is_same_finding(&in_read, &other));
}

static void test_elements_of_an_array_are_one_class(void **state)
{
	struct variant a = plain, b = plain;

	(void)state;
	a.lock = "node[1].lock", b.lock = "node[22].lock";
	assert_true(is_same_finding(&a, &b));
	b.lock = "node[1].other";
	assert_false(is_same_finding(&a, &b));
}

static void test_items_of_a_container_are_one_class(void **state)
{
	static const char *const same[][2] = {
		{ "node[17].lock", "node[].lock" },
		{ "rooms[\"anna\"]", "rooms[]" },
		{ "rooms[\"a[1]\"]", "rooms[]" },
		{ "rows[1][\"x\"]", "rows[][]" },
		{ "Bank.of[\"a\"].lock", "Bank.of[].lock" },
		{ "rooms[\"no end", "rooms[\"no end" },
		{ "accounts+40", "accounts" },
		{ "x[name]", "x[name]" },
	};
	char class[64];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		symbol_class(same[i][0], class, sizeof(class));
		assert_string_equal(class, same[i][1]);
	}
}

static void test_tells_different_code_apart(void **state)
{
	struct variant v = plain;

	(void)state;
	v.inner = "transfer_all";
	assert_false(is_same_finding(&plain, &v));
	v = plain, v.lock = "accounts_lock";
	assert_false(is_same_finding(&plain, &v));
	v = plain, v.lock = NULL;
	assert_false(is_same_finding(&plain, &v));
}

static void test_rule_is_part_of_it(void **state)
{
	struct finding_list *list = finding_list_new();
	struct finding *a = finding_begin(list, RULE_HOLD_TIME, CONFIDENCE_OBSERVED, 0);
	struct finding *b = finding_begin(list, RULE_LOCK_CONTENTION, CONFIDENCE_OBSERVED, 0);

	(void)state;
	finding_commit(list, a);
	finding_commit(list, b);
	findings_finish(list);
	assert_string_not_equal(a->fingerprint, b->fingerprint);
	assert_int_equal(finding_list_count(list), 2);
	finding_list_free(list);
}

/* The value is public: baselines hold it. If this fails, every baseline of every user is void. */
static void test_value_never_changes(void **state)
{
	struct finding_list *list = finding_list_new();
	struct finding *f = add_deadlock(list, &plain, CONFIDENCE_OBSERVED);

	(void)state;
	findings_finish(list);
	assert_string_equal(f->fingerprint, "6103cc127d150c67389ce0d0d3b79766");
	assert_string_equal(f->suppression,
			    "deadlock:audit;transfer  # reason, expires=YYYY-MM-DD");
	finding_list_free(list);
}

static void test_merge_adds_counts_and_keeps_order(void **state)
{
	struct finding_list *list = finding_list_new();
	struct variant other = plain;

	(void)state;
	other.inner = "something_else";
	add_deadlock(list, &plain, CONFIDENCE_OBSERVED)->count = 3;
	add_deadlock(list, &other, CONFIDENCE_OBSERVED)->count = 10;
	add_deadlock(list, &plain, CONFIDENCE_OBSERVED)->count = 4;
	add_deadlock(list, &plain, CONFIDENCE_OBSERVED)->process = 1;
	findings_finish(list);
	assert_int_equal(finding_list_count(list), 2);
	assert_int_equal(finding_list_get(list, 0)->count, 8);
	assert_int_equal(finding_list_get(list, 0)->process, 0);
	assert_int_equal(finding_list_get(list, 1)->count, 10);
	finding_list_free(list);
}

static void test_merge_keeps_the_stronger(void **state)
{
	struct finding_list *list = finding_list_new();

	(void)state;
	add_deadlock(list, &plain, CONFIDENCE_HINT);
	add_deadlock(list, &plain, CONFIDENCE_OBSERVED);
	add_deadlock(list, &plain, CONFIDENCE_POTENTIAL);
	findings_finish(list);
	assert_int_equal(finding_list_count(list), 1);
	assert_int_equal(finding_list_get(list, 0)->level, LEVEL_ERROR);
	assert_int_equal(finding_list_get(list, 0)->count, 3);
	finding_list_free(list);
}

static void test_many_findings_stay_apart(void **state)
{
	struct finding_list *list = finding_list_new();

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct variant v = plain;

		v.inner = finding_list_printf(list, "function_%d", i % 1000);
		add_deadlock(list, &v, CONFIDENCE_OBSERVED);
	}
	findings_finish(list);
	assert_int_equal(finding_list_count(list), 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(finding_list_get(list, i)->count, 3);
	finding_list_free(list);
}

/*
 * Two kinds of workers, both made by main and never joined, are two leaks; ten of one kind are one.
 */
static void test_leaks_are_told_apart_by_start_function(void **state)
{
	struct finding_list *list = finding_list_new();

	(void)state;
	for (uint32_t id = 2; id < 12; id++) {
		struct finding *f = finding_begin(list, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED, 0);

		finding_add_thread(list, f, id)->start_function = id & 1 ? "reader" : "writer";
		finding_add_stack(list, f, ROLE_CREATES, id, 0, 1)->frames =
			make_frames(list, &plain, "main", 3);
		finding_commit(list, f);
	}
	findings_finish(list);
	assert_int_equal(finding_list_count(list), 2);
	assert_string_equal(finding_list_get(list, 0)->suppression,
			    "leaked-thread:writer  # reason, expires=YYYY-MM-DD");
	finding_list_free(list);
}

struct name_case {
	const char *function, *bare;
};

static const struct name_case name_cases[] = {
	{ "main", "main" },
	{ "work(int) [clone .isra.0]", "work" },
	{ "work.constprop.0", "work" },
	{ "std::map<int, foo>::at(int const&) const", "std::map::at" },
	{ "main::{lambda(int)#2}::operator()(int)", "main::{lambda}::operator()" },
	{ "main::$_12::operator()() const", "main::{lambda}::operator()" },
	{ "(anonymous namespace)::foo(int)", "(anonymous namespace)::foo" },
	{ "ns::(anonymous namespace)::Foo<int>::bar(char) const",
	  "ns::(anonymous namespace)::Foo::bar" },
	{ "void std::__invoke_impl<void, void (*)(int)>(int)", "std::__invoke_impl" },
	{ "std::pair<int,int> ns::f<int>(int)", "ns::f" },
	{ "operator new(unsigned long)", "operator new" },
	{ "foo::operator<<(std::ostream&)", "foo::operator<<" },
	{ "foo::operator()(int) const", "foo::operator()" },
	{ "foo::operator bool() const", "foo::operator bool" },
	{ "bank::transfer::h0123456789abcdef", "bank::transfer" },
	{ "<bank::Account as core::ops::Drop>::drop", "<bank::Account as core::ops::Drop>::drop" },
	{ "bank::main::{{closure}}", "bank::main::{closure}" },
	{ "bank::main::{closure#0}", "bank::main::{closure}" },
	{ "core::ptr::drop_in_place<bank::Foo>", "core::ptr::drop_in_place" },
	{ "bank::parse::<u32>", "bank::parse" },
};

static void test_bare_names(void **state)
{
	char name[128];

	(void)state;
	for (size_t i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++) {
		function_bare_name(name_cases[i].function, name, sizeof(name));
		assert_string_equal(name, name_cases[i].bare);
	}
}

/*
 * Every tail and every cut of the hard names, into every small buffer: no crash, never longer than
 * asked.
 */
static void test_bare_name_takes_anything(void **state)
{
	char name[64], text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++) {
		size_t length = strlen(name_cases[i].function);

		for (size_t from = 0; from <= length; from++)
			for (size_t to = from; to <= length; to++) {
				snprintf(text, sizeof(text), "%.*s", (int)(to - from),
					 name_cases[i].function + from);
				for (size_t bytes = 1; bytes < sizeof(name); bytes += 13) {
					function_bare_name(text, name, bytes);
					/* "$_1" is "{lambda}"; nothing else grows. */
					assert_true(strlen(name) < bytes &&
						    (strstr(text, "$_") ||
						     strlen(name) <= strlen(text)));
				}
			}
	}
	memset(text, '<', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	function_bare_name(text, name, sizeof(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_survives_run_and_rebuild),
		cmocka_unit_test(test_place_where_a_signal_arrived_is_no_part_of_it),
		cmocka_unit_test(test_elements_of_an_array_are_one_class),
		cmocka_unit_test(test_items_of_a_container_are_one_class),
		cmocka_unit_test(test_tells_different_code_apart),
		cmocka_unit_test(test_rule_is_part_of_it),
		cmocka_unit_test(test_value_never_changes),
		cmocka_unit_test(test_merge_adds_counts_and_keeps_order),
		cmocka_unit_test(test_merge_keeps_the_stronger),
		cmocka_unit_test(test_many_findings_stay_apart),
		cmocka_unit_test(test_leaks_are_told_apart_by_start_function),
		cmocka_unit_test(test_bare_names),
		cmocka_unit_test(test_bare_name_takes_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
