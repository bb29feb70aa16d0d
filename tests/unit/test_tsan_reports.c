/* SPDX-License-Identifier: MIT */
/*
 * test_tsan_reports.c - ThreadSanitizer's reports out of definitions, out of a log, and out of both: what the reader makes of them,
 * and which of them are findings.
 */
#include "analyzer/analyze.h"
#include "analyzer/finding.h"
#include "trace/trace_writer.h"
#include "trace_scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOG_HEAD "==================\nWARNING: ThreadSanitizer: "
#define LOG_RACE                                                              \
	LOG_HEAD "data race (pid=100)\n"                                      \
		 "  Write of size 8 at 0x5000 by thread T1:\n"                \
		 "    #0 one a.c:1 (a+0x1000)\n"                              \
		 "\n"                                                         \
		 "  Previous write of size 8 at 0x5000 by thread T2 "         \
		 "(mutexes: write M7):\n"                                     \
		 "    #0 0x402001 two a.c:2 (a+0x2000)\n"                     \
		 "\n"                                                         \
		 "  Mutex M7 (0x6000) created at:\n"                          \
		 "    #0 0x402002 two a.c:3 (a+0x2001)\n"                     \
		 "\n"                                                         \
		 "  Thread T1 (tid=51, running) created by main thread at:\n" \
		 "    #0 0x403001 main a.c:4 (a+0x3000)\n"                    \
		 "\n"                                                         \
		 "  Thread T2 (tid=52, running) created by main thread at:\n" \
		 "    #0 0x403002 main a.c:5 (a+0x3001)\n"                    \
		 "\n==================\n"
#define LOG_INVERSION(first, second)                                                      \
	LOG_HEAD "lock-order-inversion (potential deadlock) (pid=100)\n"                  \
		 "  Cycle in lock order graph: M1 (" first ") => M2 (" second ") => M1\n" \
		 "\n"                                                                     \
		 "  Mutex M2 acquired here while holding mutex M1 in thread T1:\n"        \
		 "    #0 0x402001 f a.c:2 (a+0x2000)\n"                                   \
		 "\n==================\n"

/* A process 100 with a program at 0x400000, a mutex at 0x6000, threads of kernel ids 50 to 52. */
static struct trace_writer *begin(const char *dir)
{
	struct trace_writer *w = trace_writer_new(dir, 100);
	static const uint64_t ip[] = { 0x401500, 0x403500 };

	trace_writer_module(w, 0x400000, 0x500000, 0x400000, "/bin/a", "\1\2\3\4", 4, false);
	trace_writer_stack(w, 1, ip, 2);
	trace_writer_object(w, 1, TRACE_OBJECT_MUTEX, 0x6000, 1, 1);
	trace_writer_thread(w, 1, 0, 0);
	trace_writer_thread(w, 2, 1, 1);
	trace_writer_thread(w, 3, 1, 1);
	for (uint32_t t = 1; t <= 3; t++) {
		struct tf_def_tid tid = { .thread = t, .tid = 49 + t };

		trace_writer_raw_def(w, TF_DEF_TID, &tid, sizeof(tid), NULL, 0);
		trace_writer_event(w, t - 1, TRACE_THREAD_BEGIN, 0, 0, 0, 0, t, 0, 0);
	}
	return w;
}

static void tell_race(struct trace_writer *w, uint32_t number, uint32_t stack)
{
	struct tf_report_part parts[] = {
		{ .kind = TF_PART_ACCESS,
		  .flags = TF_PART_WRITE,
		  .number = 1,
		  .stack = stack,
		  .address = 0x5000,
		  .bytes = 8 },
		{ .kind = TF_PART_ACCESS,
		  .flags = TF_PART_WRITE,
		  .number = 2,
		  .stack = 1,
		  .address = 0x5000,
		  .bytes = 8 },
		{ .kind = TF_PART_THREAD, .number = 1, .tid = 51 },
		{ .kind = TF_PART_THREAD, .number = 2, .tid = 52 },
	};
	struct tf_def_report report = {
		.report = number, .kind = TF_REPORT_RACE, .thread = 2, .parts = 4, .ticks = 500
	};

	trace_writer_raw_def(w, TF_DEF_REPORT, &report, sizeof(report), parts, sizeof(parts));
}

static struct trace_reader *finish(struct trace_writer *w, const char *dir, const char *log)
{
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	if (log) {
		scratch_write(dir, "tsan.100", log, strlen(log));
	}
	return scratch_open(dir);
}

static struct finding_list *analyse(struct trace_reader *reader)
{
	struct finding_list *list = finding_list_new();
	struct analyze_stats stats;
	struct diag diag;

	assert_int_equal(analyze_run(reader, NULL, list, &stats, &diag), 0);
	return list;
}

static size_t count_rule(const struct finding_list *list, enum rule rule)
{
	size_t count = 0;

	for (size_t i = 0; i < finding_list_count(list); i++) {
		count += finding_list_get(list, i)->rule == rule;
	}
	return count;
}

static const struct finding *first_of(const struct finding_list *list, enum rule rule)
{
	size_t i = 0;

	while (i < finding_list_count(list) && finding_list_get(list, i)->rule != rule) {
		i++;
	}
	assert_true(i < finding_list_count(list));
	return finding_list_get(list, i);
}

/* A thread of a team keeps apart by barriers what it shares, and ThreadSanitizer sees none of them. */
static void test_a_race_on_a_thread_of_openmp_is_potential(void **state)
{
	static const uint64_t team[] = { 0x401500, 0x700100 };

	(void)state;
	for (uint32_t stack = 0; stack <= 2; stack++) { /* 0: lost */
		char *dir = scratch_new();
		struct trace_writer *w = begin(dir);
		struct trace_reader *reader;
		struct finding_list *list;

		trace_writer_module(w, 0x700000, 0x710000, 0x700000, "/usr/lib/libgomp.so.1.0.0",
				    "\1\2\3\5", 4, false);
		trace_writer_stack(w, 2, team, 2);
		tell_race(w, 1, stack);
		reader = finish(w, dir, NULL);
		list = analyse(reader);
		assert_int_equal(first_of(list, RULE_DATA_RACE)->confidence,
				 stack == 1 ? CONFIDENCE_OBSERVED : CONFIDENCE_POTENTIAL);
		finding_list_free(list);
		trace_reader_free(reader);
		scratch_remove(dir);
	}
}

static void test_definition_and_log_are_one_report(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = begin(dir);
	struct trace_reader *reader;
	const struct trace_process *p;
	const struct trace_report *r;
	struct finding_list *list;
	const struct finding *f;

	(void)state;
	tell_race(w, 1, 1);
	reader = finish(w, dir, LOG_RACE);
	p = trace_reader_get_process(reader, 0);
	assert_int_equal(p->report_count, 1);
	r = &p->reports[0];
	assert_true(r->is_logged);
	assert_int_equal(r->thread, 2);
	assert_string_equal(r->title, "data race");
	assert_int_equal(r->parts[0].stack, 1);		  /* the definition's */
	assert_int_equal(r->parts[2].kind, TF_PART_HELD); /* the log's */
	assert_true(r->parts[3].stack >= 2);		  /* of the mutex: the log's */
	assert_int_equal(p->stacks[r->parts[3].stack].ip[0], 0x402002);
	list = analyse(reader);
	assert_int_equal(count_rule(list, RULE_DATA_RACE), 1);
	f = first_of(list, RULE_DATA_RACE);
	assert_int_equal(f->confidence, CONFIDENCE_OBSERVED);
	assert_int_equal(f->stacks[0].thread, 2);
	assert_int_equal(f->stacks[1].thread, 3);
	assert_int_equal(f->stacks[1].held_count, 1);
	assert_int_equal(f->stacks[1].held[0], 1); /* the trace's own mutex, by its address */
	finding_list_free(list);
	trace_reader_free(reader);
	scratch_remove(dir);
}

static void test_log_alone_gives_stacks_by_module_and_offset(void **state)
{
	char *dir = scratch_new();
	struct trace_reader *reader = finish(begin(dir), dir, LOG_RACE LOG_RACE);
	const struct trace_process *p = trace_reader_get_process(reader, 0);

	(void)state;
	assert_int_equal(p->report_count, 2);
	assert_int_equal(p->reports[1].number, 2);
	assert_int_equal(p->reports[1].thread, 0);
	/* "(a+0x1000)" is a byte of the call; a stack holds return addresses. */
	assert_int_equal(p->stacks[p->reports[0].parts[0].stack].ip[0], 0x401001);
	trace_reader_free(reader);
	scratch_remove(dir);
}

static void test_definition_alone_has_stacks_that_there_are(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = begin(dir);
	struct trace_reader *reader;
	const struct trace_process *p;

	(void)state;
	tell_race(w, 3, 70000);
	reader = finish(w, dir, NULL);
	p = trace_reader_get_process(reader, 0);
	assert_int_equal(p->report_count, 1);
	assert_int_equal(p->reports[0].parts[0].stack, 0);
	assert_int_equal(p->reports[0].parts[1].stack, 1);
	assert_false(p->reports[0].is_logged);
	trace_reader_free(reader);
	scratch_remove(dir);
}

static void test_cut_log_does_not_take_from_a_definition(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = begin(dir);
	struct trace_reader *reader;

	(void)state;
	tell_race(w, 1, 1);
	reader = finish(w, dir, LOG_HEAD "data race (pid=100)\n  Write of size 8 at 0x50");
	assert_int_equal(trace_reader_get_process(reader, 0)->reports[0].part_count, 4);
	trace_reader_free(reader);
	scratch_remove(dir);
}

static void test_orders_of_known_locks_are_left_to_our_own_checker(void **state)
{
	char *dir = scratch_new();
	struct trace_reader *reader = finish(begin(dir), dir,
					     LOG_INVERSION("0x6000", "0x6000")
						     LOG_INVERSION("0x7000", "0x7100"));
	struct finding_list *list = analyse(reader);

	(void)state;
	assert_int_equal(trace_reader_get_process(reader, 0)->report_count, 2);
	assert_int_equal(count_rule(list, RULE_LOCK_ORDER_INVERSION), 1);
	assert_int_equal(first_of(list, RULE_LOCK_ORDER_INVERSION)->locks[0].address, 0x7000);
	finding_list_free(list);
	trace_reader_free(reader);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_race_on_a_thread_of_openmp_is_potential),
		cmocka_unit_test(test_definition_and_log_are_one_report),
		cmocka_unit_test(test_log_alone_gives_stacks_by_module_and_offset),
		cmocka_unit_test(test_definition_alone_has_stacks_that_there_are),
		cmocka_unit_test(test_cut_log_does_not_take_from_a_definition),
		cmocka_unit_test(test_orders_of_known_locks_are_left_to_our_own_checker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
