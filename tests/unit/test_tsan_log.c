/* SPDX-License-Identifier: MIT */
/*
 * test_tsan_log.c - logs as ThreadSanitizer's run times write them come out as the parts of their reports; what is cut stays inside.
 */
#include "trace/trace_diag.h"
#include "trace/trace_tsan_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char race[] =
	"==================\n"
	"WARNING: ThreadSanitizer: data race (pid=7)\n"
	"  Atomic write of size 8 at 0x55d7a94402a8 by thread T1:\n"
	"    #0 0x55d7a809a1f0 add a.h:5 (prog+0xd01ef) (BuildId: 3b123f)\n"
	"    #1 0x55d7a809a1f0 worker a.c:9 (prog+0xd01ef) (BuildId: 3b123f)\n"
	"    #2 0x55d7a809a2f0 <null> <null> (prog+0xd02ef)\n"
	"\n"
	"  Previous read of size 4 at 0x55d7a94402ac by main thread (mutexes: write M1, read M23):\n"
	"    #0 main a.c:20:3 (prog (deleted)+0x10)\n"
	"\n"
	"  As if synchronized via sleep:\n"
	"    #0 0x1 sleep <null> (libtsan.so.2+0x1)\n"
	"\n"
	"  Location is global 'g' of size 16 at 0x55d7a94402a8 (prog+0x14762a8)\n"
	"\n"
	"  Mutex M1 (0x55d7a9440258) created at:\n"
	"    #0 0x2 pthread_mutex_lock <null> (prog+0x1)\n"
	"\n"
	"  Mutex M23 is already destroyed.\n"
	"\n"
	"  Thread T1 'a (b)' (tid=12, running) created by thread T4 at:\n"
	"    #0 0x3 pthread_create <null> (prog+0x2)\n"
	"\n"
	"SUMMARY: ThreadSanitizer: data race a.h:5 in add\n"
	"==================\n"
	"==================\n"
	"WARNING: ThreadSanitizer: unlock of an unlocked mutex (or by a wrong thread) (pid=7)\n"
	"    #0 0x4 pthread_mutex_unlock <null> (prog+0x3)\n"
	"    #1 0x5 main a.c:3 (prog+0x4)\n"
	"\n"
	"  Location is heap block of size 40 at 0x7b0c00000000 allocated by thread T3:\n"
	"    #0 0x6 malloc <null> (prog+0x5)\n";

static void check_access(const struct trace_log_part *part, uint32_t flags, uint32_t thread,
			 uint64_t address, uint64_t bytes, size_t frames)
{
	assert_int_equal(part->part.kind, TF_PART_ACCESS);
	assert_int_equal(part->part.flags, flags);
	assert_int_equal(part->part.number, thread);
	assert_int_equal(part->part.address, address);
	assert_int_equal(part->part.bytes, bytes);
	assert_int_equal(part->frames, frames);
}

static void test_race_has_its_accesses_locks_and_threads(void **state)
{
	struct trace_log log;
	const struct trace_log_part *p;

	(void)state;
	assert_int_equal(trace_log_parse(race, sizeof(race) - 1, &log), 0);
	assert_int_equal(log.report_count, 2);
	assert_int_equal(log.reports[0].kind, TF_REPORT_RACE);
	assert_int_equal(log.reports[0].parts, 8);
	p = log.parts;
	/* An inlined function has the address of the one around it: one frame. */
	check_access(&p[0], TF_PART_WRITE | TF_PART_ATOMIC, 1, 0x55d7a94402a8, 8, 2);
	assert_int_equal(log.frames[p[0].first_frame].ip, 0x55d7a809a1f0);
	check_access(&p[1], 0, 0, 0x55d7a94402ac, 4, 1);
	assert_int_equal(log.frames[p[1].first_frame].ip, 0);
	assert_int_equal(log.frames[p[1].first_frame].offset, 0x10);
	assert_memory_equal(log.frames[p[1].first_frame].module, "prog (deleted)", 14);
	assert_int_equal(p[2].part.kind, TF_PART_HELD);
	assert_int_equal(p[2].part.flags, TF_PART_WRITE);
	assert_int_equal(p[3].part.number, 23);
	assert_int_equal(p[3].part.flags, 0);
	assert_int_equal(p[4].part.kind, TF_PART_LOCATION);
	assert_int_equal(p[4].part.flags, TF_PART_GLOBAL);
	assert_int_equal(p[4].part.bytes, 16);
	assert_int_equal(p[5].part.address, 0x55d7a9440258);
	assert_int_equal(p[6].part.flags, TF_PART_DESTROYED);
	assert_int_equal(p[7].part.kind, TF_PART_THREAD);
	assert_int_equal(p[7].part.tid, 12);
	assert_int_equal(p[7].part.other, 4);
	trace_log_release(&log);
}

static void test_misuse_has_a_stack_without_a_section(void **state)
{
	struct trace_log log;
	const struct trace_log_part *p;

	(void)state;
	assert_int_equal(trace_log_parse(race, sizeof(race) - 1, &log), 0);
	assert_int_equal(log.reports[1].kind, TF_REPORT_BAD_UNLOCK);
	assert_int_equal(log.reports[1].parts, 2);
	p = &log.parts[log.reports[1].first_part];
	assert_int_equal(p[0].part.kind, TF_PART_STACK);
	assert_int_equal(p[0].frames, 2);
	assert_int_equal(p[1].part.flags, TF_PART_HEAP);
	assert_int_equal(p[1].part.number, 3);
	assert_int_equal(p[1].part.address, 0x7b0c00000000);
	trace_log_release(&log);
}

static void test_each_kind_is_told_by_its_title(void **state)
{
	static const struct {
		uint32_t kind;
		const char *text;
	} kinds[] = {
#define REPORT(num, NAME, word, log_text) { num, log_text },
#include "../../spec/reports.def"
#undef REPORT
		{ TF_REPORT_OTHER, "something new" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char text[200];
		struct trace_log log;

		snprintf(text, sizeof(text), "WARNING: ThreadSanitizer: %s (or so) (pid=3)\n",
			 kinds[i].text);
		assert_int_equal(trace_log_parse(text, strlen(text), &log), 0);
		assert_int_equal(log.report_count, 1);
		assert_int_equal(log.reports[0].kind, kinds[i].kind);
		trace_log_release(&log);
	}
}

static void test_any_cut_keeps_what_came_before(void **state)
{
	(void)state;
	for (size_t bytes = 0; bytes < sizeof(race); bytes++) {
		char *text = malloc(bytes + 1); /* so that a sanitizer sees one byte too many */
		struct trace_log log;

		assert_non_null(text);
		memcpy(text, race, bytes);
		assert_int_equal(trace_log_parse(text, bytes, &log), 0);
		assert_in_range(log.report_count, 0, 2);
		if (log.report_count == 2) {
			assert_int_equal(log.reports[0].parts, 8);
		}
		trace_log_release(&log);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_race_has_its_accesses_locks_and_threads),
		cmocka_unit_test(test_misuse_has_a_stack_without_a_section),
		cmocka_unit_test(test_each_kind_is_told_by_its_title),
		cmocka_unit_test(test_any_cut_keeps_what_came_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
