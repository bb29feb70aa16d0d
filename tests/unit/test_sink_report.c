/* SPDX-License-Identifier: MIT */
/*
 * test_sink_report.c - selection, gate, order, verdict; rings, folded frames, source lines; errors
 * of sinks.
 */
#include "analyzer/frame_class.h"
#include "analyzer/report/frame_view.h"
#include "analyzer/report/report.h"
#include "analyzer/report/ring.h"
#include "analyzer/report/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct finding *add(struct finding_list *list, enum rule rule, enum confidence confidence,
			   const char *fingerprint)
{
	struct finding *f = finding_begin(list, rule, confidence, 0);

	f->fingerprint = fingerprint;
	finding_commit(list, f);
	return f;
}

/* ---- gate and verdict ---- */

static void test_order_is_gate_level_rule_fingerprint(void **state)
{
	struct finding_list *list = finding_list_new();
	struct report report = { 0 };
	const struct report_options options = { .fail_on = LEVEL_ERROR };
	static const char *const expected[] = { "1", "2", "3", "4", "5", "6" };

	(void)state;
	add(list, RULE_LOCK_CONTENTION, CONFIDENCE_OBSERVED, "6");
	add(list, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED, "4");
	add(list, RULE_DEADLOCK, CONFIDENCE_HINT, "5");
	add(list, RULE_SELF_DEADLOCK, CONFIDENCE_OBSERVED, "3");
	add(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, "2");
	add(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, "1");
	report_build(&report, list, &options);
	assert_int_equal(report.finding_count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(report.findings[i]->fingerprint, expected[i]);
	assert_int_equal(report.gated, 3);
	assert_int_equal(report.errors, 3);
	assert_int_equal(report.warnings, 1);
	assert_int_equal(report.notes, 2);
	finding_list_free(list);
}

static unsigned gated_at(int fail_on)
{
	struct finding_list *list = finding_list_new();
	struct report report = { 0 };
	const struct report_options options = { .fail_on = fail_on };

	add(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, "a");
	add(list, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED, "b");
	add(list, RULE_LOCK_CONTENTION, CONFIDENCE_OBSERVED, "c");
	report_build(&report, list, &options);
	assert_int_equal(report.verdict, VERDICT_FINDINGS);
	finding_list_free(list);
	return report.gated;
}

static void test_fail_on_sets_the_gate(void **state)
{
	(void)state;
	assert_int_equal(gated_at(LEVEL_ERROR), 1);
	assert_int_equal(gated_at(LEVEL_WARNING), 2);
	assert_int_equal(gated_at(LEVEL_NOTE), 3);
	assert_int_equal(gated_at(REPORT_FAIL_NEVER), 0);
}

static void test_rules_that_are_off_are_nowhere(void **state)
{
	struct finding_list *list = finding_list_new();
	struct report report = { 0 };
	bool on[RULE_COUNT] = { false };
	const struct report_options options = { .fail_on = LEVEL_ERROR, .rules_on = on };

	(void)state;
	on[RULE_LEAKED_THREAD] = true;
	add(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, "a");
	add(list, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED, "b");
	report_build(&report, list, &options);
	assert_int_equal(report.finding_count, 1);
	assert_int_equal(report.findings[0]->rule, RULE_LEAKED_THREAD);
	assert_int_equal(report.errors + report.gated, 0);
	finding_list_free(list);
}

static enum verdict verdict_of(bool timed_out, bool untraced, int fail_on, int rule,
			       enum confidence confidence)
{
	struct finding_list *list = finding_list_new();
	struct report report = { 0 };
	const struct report_options options = { .fail_on = fail_on,
						.timed_out = timed_out,
						.untraced = untraced };

	if (rule >= 0)
		add(list, (enum rule)rule, confidence, "a");
	report_build(&report, list, &options);
	finding_list_free(list);
	return report.verdict;
}

static void test_verdict(void **state)
{
	(void)state;
	assert_int_equal(verdict_of(false, false, LEVEL_ERROR, -1, 0), VERDICT_CLEAN);
	assert_int_equal(verdict_of(false, true, LEVEL_ERROR, -1, 0), VERDICT_UNTRACED);
	assert_int_equal(verdict_of(true, false, LEVEL_ERROR, -1, 0), VERDICT_TIMEOUT);
	assert_int_equal(verdict_of(true, false, LEVEL_ERROR, RULE_DEADLOCK, CONFIDENCE_OBSERVED),
			 VERDICT_FINDINGS);
	/* explained, though nothing gates */
	assert_int_equal(
		verdict_of(true, false, REPORT_FAIL_NEVER, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED),
		VERDICT_FINDINGS);
	/* a note is no explanation */
	assert_int_equal(
		verdict_of(true, false, LEVEL_ERROR, RULE_LOCK_CONTENTION, CONFIDENCE_OBSERVED),
		VERDICT_TIMEOUT);
	assert_int_equal(verdict_of(true, false, LEVEL_ERROR, RULE_STUCK_WAIT, CONFIDENCE_HINT),
			 VERDICT_TIMEOUT);
	assert_int_equal(
		verdict_of(false, false, LEVEL_ERROR, RULE_LOCK_CONTENTION, CONFIDENCE_OBSERVED),
		VERDICT_FINDINGS);
}

static void test_incomplete_says_which_and_how_many(void **state)
{
	struct finding_list *list = finding_list_new();
	struct trace_process process[3] = { { .name = "1.0", .complete = true },
					    { .name = "2.0", .pid = 2, .why = "killed" },
					    { .name = "3.0", .why = "lossy" } };
	struct report_process processes[3] = { { .process = &process[0] },
					       { .process = &process[1] },
					       { .process = &process[2] } };
	struct report report = { .processes = processes, .process_count = 3 };
	const struct report_options options = { .fail_on = LEVEL_ERROR };

	(void)state;
	report_build(&report, list, &options);
	assert_false(report.complete);
	assert_string_equal(report.incomplete_why, "process 2: killed; and 1 more");
	report = (struct report){ .processes = processes, .process_count = 1 };
	report_build(&report, list, &options);
	assert_true(report.complete);
	assert_null(report.incomplete_why);
	finding_list_free(list);
}

static void test_a_full_disk_is_an_error(void **state)
{
	struct finding_list *list = finding_list_new();
	const struct report_options options = { .fail_on = LEVEL_ERROR };
	struct finding *f = add(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, "f");

	(void)state;
	f->title = f->message = f->place = f->suppression = "x";
	for (size_t i = 0; sink_table[i]; i++) {
		struct report_process process = { .process = &(struct trace_process){
							  .command = (char *)"" } };
		struct report report = { .version = "0",
					 .processes = &process,
					 .process_count = 1 };
		struct diag diag = { "" };
		FILE *full = fopen("/dev/full", "w");

		assert_non_null(full);
		report_build(&report, list, &options);
		assert_int_equal(sink_table[i]->write(&report, full, &diag), THRUM_EIO);
		assert_non_null(strstr(diag.message, sink_table[i]->format));
		assert_ptr_equal(sink_find(sink_table[i]->format), sink_table[i]);
		fclose(full);
	}
	assert_null(sink_find("no-such-format"));
	finding_list_free(list);
}

/* ---- rings ---- */

static void add_wait(struct finding_list *list, struct finding *f, uint32_t thread, uint32_t wanted,
		     uint32_t held)
{
	finding_add_stack(list, f, ROLE_WAITS, thread, wanted, 0);
	finding_add_stack(list, f, ROLE_HOLDS, thread, held, 0);
}

static void test_ring_goes_round(void **state)
{
	struct finding_list *list = finding_list_new();
	struct finding *f = finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, 0);
	struct ring ring;

	(void)state;
	add_wait(list, f, 3, 12, 11);
	add_wait(list, f, 9, 11, 10); /* listed in another order than they wait in */
	add_wait(list, f, 5, 10, 12);
	add_wait(list, f, 7, 10, 13); /* waits behind the ring */
	ring_build(&ring, f);
	assert_int_equal(ring.count, 6);
	assert_true(ring.node[0].is_thread && ring.node[0].id == 3 &&
		    ring.node[0].edge == RING_WAITS_FOR);
	assert_true(!ring.node[1].is_thread && ring.node[1].id == 12 &&
		    ring.node[1].edge == RING_HELD_BY);
	assert_int_equal(ring.node[2].id, 5);
	assert_int_equal(ring.node[4].id, 9);
	finding_list_free(list);
}

static void test_ring_takes_the_reader_that_waits(void **state)
{
	struct finding_list *list = finding_list_new();
	struct finding *f = finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, 0);
	struct ring ring;

	(void)state;
	finding_add_stack(list, f, ROLE_WAITS, 2, 10, 0);
	finding_add_stack(list, f, ROLE_HOLDS, 4, 10, 0); /* a reader outside */
	finding_add_stack(list, f, ROLE_HOLDS, 3, 10, 0); /* the one that matters */
	finding_add_stack(list, f, ROLE_WAITS, 3, 0, 0)->for_thread = 2;
	ring_build(&ring, f);
	assert_int_equal(ring.count, 3);
	assert_int_equal(ring.node[2].id, 3);
	assert_int_equal(ring.node[2].edge, RING_WAITS_FOR);
	finding_list_free(list);
}

static void test_order_ring_uses_each_acquire_once(void **state)
{
	struct finding_list *list = finding_list_new();
	struct finding *f = finding_begin(list, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 0);
	uint32_t held[3][2] = { { 9, 1 }, { 2, 9 }, { 3, 2 } }; /* 9: held beside the point */
	struct ring ring;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct finding_stack *s =
			finding_add_stack(list, f, ROLE_ACQUIRES, 2 + i, 1 + (i + 1) % 3, 0);

		s->held = held[i];
		s->held_count = 2;
	}
	ring_build(&ring, f);
	assert_int_equal(ring.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(!ring.node[i].is_thread && ring.node[i].edge == RING_THEN);
	finding_list_free(list);
}

static void test_no_ring_without_a_cycle(void **state)
{
	struct finding_list *list = finding_list_new();
	struct finding *f = finding_begin(list, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED, 0);
	struct ring ring;

	(void)state;
	finding_add_stack(list, f, ROLE_WAITS, 2, 10, 0);
	finding_add_stack(list, f, ROLE_SIGNALS, 3, 10, 0);
	ring_build(&ring, f);
	assert_int_equal(ring.count, 0);
	finding_list_free(list);
}

/* A complete graph of 40 readers and 40 locks: the budget ends the search. */
static void test_ring_of_a_jungle_ends(void **state)
{
	struct finding_list *list = finding_list_new();
	struct finding *f = finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, 0);
	struct ring ring;

	(void)state;
	for (uint32_t t = 1; t <= 40; t++)
		for (uint32_t l = 1; l <= 40; l++)
			add_wait(list, f, t, l, l);
	ring_build(&ring, f);
	assert_true(ring.count >= 2 && ring.count <= RING_MAX_NODES);
	finding_list_free(list);
}

/* ---- frames ---- */

static struct frame program_frame = { .function = "work", .module = "/srv/app" };
static struct frame library_frame = { .function = "g_main_loop_run",
				      .module = "/usr/lib/x86_64-linux-gnu/libglib-2.0.so.0" };
static struct frame runtime_frame = { .function = "start_thread",
				      .module = "/lib/x86_64-linux-gnu/libc.so.6" };
static struct frame nameless_frame = { .module = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30" };
static struct frame plumbing_frame = { .function = "std::mutex::lock()",
				       .module = "/srv/app",
				       .inlined = true };

static void test_classes_of_frames(void **state)
{
	static const struct {
		const char *function, *module;
		enum frame_class class;
	} cases[] = {
		{ "main", "/srv/app", FRAME_PROGRAM },
		{ "main", "/usr/bin/app", FRAME_PROGRAM },
		{ "run", "/usr/lib/git-core/git", FRAME_PROGRAM },
		{ "run", "/home/me/libmine.so.2", FRAME_PROGRAM },
		{ "run", "/usr/lib/x86_64-linux-gnu/libevent.so.7", FRAME_LIBRARY },
		{ "__libc_start_call_main", "/lib/x86_64-linux-gnu/libc.so.6", FRAME_RUNTIME },
		{ "clone3", NULL, FRAME_RUNTIME },
		{ "cloned", "/srv/app", FRAME_PROGRAM },
		{ "void std::__invoke_impl<void, f>(f&&)", "/srv/app", FRAME_PLUMBING },
		{ "stdlike::run()", "/srv/app", FRAME_PROGRAM },
		{ "bank::lock(std::mutex&)", "/srv/app", FRAME_PROGRAM },
		{ NULL, "/srv/app", FRAME_PROGRAM },
		{ NULL, NULL, FRAME_PROGRAM },
		{ NULL, "/lib64/ld-linux-x86-64.so.2", FRAME_LIBRARY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct frame frame = { .function = cases[i].function,
					     .module = cases[i].module };

		assert_int_equal(frame_classify(&frame), cases[i].class);
	}
}

/*
 * `pattern`: p program, l library, r runtime, s plumbing, x unnamed in libstdc++; innermost first.
 */
static struct frames make_frames(const char *pattern)
{
	static struct frame frame[64];
	size_t n = 0;

	for (; *pattern; pattern++)
		frame[n++] = *pattern == 'p'   ? program_frame
			     : *pattern == 'l' ? library_frame
			     : *pattern == 'r' ? runtime_frame
			     : *pattern == 'x' ? nameless_frame
					       : plumbing_frame;
	return (struct frames){ .frame = frame, .count = n };
}

static void assert_view(const char *pattern, bool all, const char *expected)
{
	struct frames frames = make_frames(pattern);
	struct frame_view view;
	size_t shown = 0;

	frame_view_init(&view, &frames, all);
	assert_int_equal(view.count, strlen(expected));
	for (size_t i = 0; i < view.count; i++) {
		assert_int_equal(view.line[i].frame ? pattern[view.line[i].number] : '.',
				 expected[i]);
		shown += view.line[i].hidden + (view.line[i].frame != NULL);
	}
	assert_int_equal(shown + view.cut, frames.count);
	frame_view_release(&view);
}

static void test_view_folds_only_what_is_not_the_programs(void **state)
{
	(void)state;
	assert_view("pprr", false, "pp");
	assert_view("ppssssxrr", false, "pp"); /* std::thread */
	assert_view("pprr", true, "pprr");
	assert_view("rrr", false, "rrr"); /* nothing else there */
	assert_view("", false, "");
	assert_view("ssspp", false, "spp");
	assert_view("spp", false, "spp");
	assert_view("sss", false, "sss");
	assert_view("plllllp", false, "plllllp"); /* short: all of it */
	assert_view("pllllllllllp", false, "pl.lp");
	assert_view("pppppppppppppppppp", false, "pppppppppppppppppp");
	assert_view("ppppppppllpppppppp", false, "ppppppppllpppppppp");
	assert_view("ppppppppllllpr", false, "ppppppppl.lp");
	assert_view("plllllllllllll", true, "plllllllllllll");
}

/* ---- source ---- */

static void test_source_lines(void **state)
{
	char directory[] = "/tmp/thrum-source-XXXXXX", path[64];
	struct source_cache *cache = source_cache_new();
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/a.c", directory);
	file = fopen(path, "w");
	fputs("one\r\n\n\tthree\nlast", file);
	fclose(file);
	assert_string_equal(source_get_line(cache, path, 1), "one");
	assert_string_equal(source_get_line(cache, path, 2), "");
	assert_string_equal(source_get_line(cache, path, 3), "\tthree");
	assert_string_equal(source_get_line(cache, path, 4), "last");
	assert_null(source_get_line(cache, path, 5));
	assert_null(source_get_line(cache, path, 0));
	assert_null(source_get_line(cache, path, -1));
	assert_null(source_get_line(cache, NULL, 1));
	assert_null(source_get_line(NULL, path, 1));
	unlink(path);
	assert_string_equal(source_get_line(cache, path, 1), "one"); /* read once */
	source_cache_free(cache);
	rmdir(directory);
}

static void test_source_does_not_touch_what_is_no_text(void **state)
{
	char directory[] = "/tmp/thrum-source-XXXXXX", path[64];
	struct source_cache *cache = source_cache_new();

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/fifo", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(source_get_line(cache, path, 1)); /* and does not wait for a writer */
	unlink(path);
	assert_null(source_get_line(cache, directory, 1));
	assert_null(source_get_line(cache, "/dev/zero", 1));
	assert_null(source_get_line(cache, "/proc/self/exe", 1));
	assert_null(source_get_line(cache, "/no/such/file", 1));
	source_cache_free(cache);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_is_gate_level_rule_fingerprint),
		cmocka_unit_test(test_fail_on_sets_the_gate),
		cmocka_unit_test(test_rules_that_are_off_are_nowhere),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_incomplete_says_which_and_how_many),
		cmocka_unit_test(test_a_full_disk_is_an_error),
		cmocka_unit_test(test_ring_goes_round),
		cmocka_unit_test(test_ring_takes_the_reader_that_waits),
		cmocka_unit_test(test_order_ring_uses_each_acquire_once),
		cmocka_unit_test(test_no_ring_without_a_cycle),
		cmocka_unit_test(test_ring_of_a_jungle_ends),
		cmocka_unit_test(test_classes_of_frames),
		cmocka_unit_test(test_view_folds_only_what_is_not_the_programs),
		cmocka_unit_test(test_source_lines),
		cmocka_unit_test(test_source_does_not_touch_what_is_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
