/* SPDX-License-Identifier: MIT */
/*
 * test_baseline.c - new, known, moved and gone; what is written can be read; reports read back are
 * the reports that were written.
 */
#include "analyzer/fingerprint.h"
#include "analyzer/gate/baseline.h"
#include "analyzer/report/report.h"
#include "analyzer/report/report_read.h"
#include "trace_scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct frames one_frame(struct finding_list *list, const char *function)
{
	struct frame *frame = finding_list_alloc(list, sizeof(*frame));

	*frame = (struct frame){
		.function = function, .file = "bank.c", .line = 3, .module = "bank"
	};
	return (struct frames){ .frame = frame, .count = 1 };
}

/* A lock named `lock`, waited for in `function`. */
static struct finding *add(struct finding_list *list, const char *lock, const char *function)
{
	struct finding *f = finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, 0);

	finding_add_thread(list, f, 2)->start_function = "worker";
	finding_add_lock(list, f, 1)->name = lock;
	finding_add_stack(list, f, ROLE_WAITS, 2, 1, 0)->frames = one_frame(list, function);
	f->title = finding_list_printf(list, "%s in %s", lock, function);
	f->message = f->title;
	finding_commit(list, f);
	return f;
}

static char *write_baseline(const struct finding_list *list, size_t *ret_bytes)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_bytes);
	struct diag diag;

	assert_int_equal(baseline_write(list, out, &diag), 0);
	fclose(out);
	return text;
}

static void test_states(void **state)
{
	struct finding_list *old = finding_list_new(), *now = finding_list_new();
	struct finding *known, *moved, *new_one;
	struct baseline b;
	struct diag diag;
	size_t bytes;
	char *text;

	(void)state;
	add(old, "known", "f");
	add(old, "moved", "before");
	add(old, "gone", "f");
	findings_finish(old);
	text = write_baseline(old, &bytes);
	assert_int_equal(baseline_parse("b.json", text, bytes, &b, &diag), 0);
	assert_int_equal(b.count, 3);
	known = add(now, "known", "f");
	moved = add(now, "moved", "after");
	new_one = add(now, "fresh", "f");
	findings_finish(now);
	baseline_apply(&b, now);
	assert_int_equal(known->baseline, BASELINE_UNCHANGED);
	assert_int_equal(moved->baseline, BASELINE_UPDATED);
	assert_int_equal(new_one->baseline, BASELINE_NEW);
	for (size_t i = 0; i < b.count; i++)
		assert_int_equal(b.entry[i].matched, strncmp(b.entry[i].title, "gone", 4) != 0);
	baseline_release(&b);
	free(text);
	finding_list_free(old);
	finding_list_free(now);
}

/* Two findings at the place of one old entry: one moved, the other is new. */
static void test_one_entry_for_one_finding(void **state)
{
	struct finding_list *old = finding_list_new(), *now = finding_list_new();
	struct finding *a, *b;
	struct baseline baseline;
	struct diag diag;
	size_t bytes;
	char *text;

	(void)state;
	add(old, "lock", "before");
	findings_finish(old);
	text = write_baseline(old, &bytes);
	assert_int_equal(baseline_parse("b.json", text, bytes, &baseline, &diag), 0);
	a = add(now, "lock", "here");
	b = add(now, "lock", "there");
	findings_finish(now);
	baseline_apply(&baseline, now);
	assert_int_equal((a->baseline == BASELINE_UPDATED) + (b->baseline == BASELINE_UPDATED), 1);
	assert_int_equal((a->baseline == BASELINE_NEW) + (b->baseline == BASELINE_NEW), 1);
	baseline_release(&baseline);
	free(text);
	finding_list_free(old);
	finding_list_free(now);
}

/* Two at the place of one that is gone: which of them moved does not depend on the order of the inputs. */
static void test_order_of_the_inputs_does_not_matter(void **state)
{
	static const char *const functions[] = { "one", "other" };
	const char *moved[2] = { NULL, NULL };

	(void)state;
	for (size_t turn = 0; turn < 2; turn++) {
		struct finding_list *old = finding_list_new(), *now = finding_list_new();
		struct baseline b;

		add(old, "lock", "before");
		findings_finish(old);
		baseline_take(old, &b);
		for (size_t i = 0; i < 2; i++)
			add(now, "lock", functions[(i + turn) % 2]);
		findings_finish(now);
		baseline_apply(&b, now);
		for (size_t i = 0; i < 2; i++)
			if (finding_list_get(now, i)->baseline == BASELINE_UPDATED)
				moved[turn] = functions[(i + turn) % 2];
		baseline_release(&b);
		finding_list_free(old);
		finding_list_free(now);
	}
	assert_non_null(moved[0]);
	assert_ptr_equal(moved[0], moved[1]);
}

static void test_known_findings_do_not_gate(void **state)
{
	struct finding_list *list = finding_list_new();
	struct finding *known = add(list, "a", "f"), *hidden = add(list, "b", "f");
	struct report report = { 0 };
	struct report_options options = { .fail_on = LEVEL_ERROR };

	(void)state;
	known->level = hidden->level = LEVEL_ERROR;
	add(list, "c", "f")->level = LEVEL_ERROR;
	findings_finish(list);
	known->baseline = BASELINE_UNCHANGED;
	hidden->suppressed_by = "x.supp:1";
	report_build(&report, list, &options);
	assert_int_equal(report.gated, 1);
	assert_int_equal(report.errors, 1);
	assert_int_equal(report.suppressed, 1);
	assert_int_equal(report.baseline, 1);
	assert_int_equal(report.finding_count, 3);
	assert_int_equal(report.listed_count, 1);
	assert_true(report.findings[0]->gated);
	finding_list_free(list);
}

static void test_wrong_files(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{\"schema\": \"other\"}",
		"{\"schema\": \"thrum-baseline/1\"}",
		"{\"schema\": \"thrum-baseline/1\", \"findings\": [{}]}",
		"{\"schema\": \"thrum-baseline/1\", \"findings\": [1]}"
	};
	struct baseline b;
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(baseline_parse("f", texts[i], strlen(texts[i]), &b, &diag),
				 THRUM_EINVAL);
}

/* ---- reports read back ---- */

static char *json_of(struct finding_list *list, const struct read_report *read, size_t *ret_bytes)
{
	struct report_options options = { .fail_on = LEVEL_ERROR };
	struct report report = { .version = "1",
				 .rules_uri = "file:///RULES/",
				 .has_program_status = read->has_program_status,
				 .program_status = read->program_status };
	struct report_process *p = calloc(read->process_count + 1, sizeof(*p));
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_bytes);
	struct diag diag;

	for (size_t i = 0; i < read->process_count; i++)
		p[i] = (struct report_process){ .process = &read->process[i].process,
						.has_exit = read->process[i].has_exit,
						.exit_status = read->process[i].exit_status,
						.argv = read->process[i].argv,
						.argc = read->process[i].argc };
	report.processes = p;
	report.process_count = read->process_count;
	report_build(&report, list, &options);
	assert_int_equal(sink_find("json")->write(&report, out, &diag), 0);
	fclose(out);
	free(p);
	return text;
}

static void check_round_trip(const char *name)
{
	struct finding_list *first = finding_list_new(), *second = finding_list_new();
	struct read_report read, again;
	struct diag diag = { 0 };
	size_t bytes, once_bytes, twice_bytes;
	char *text = scratch_read(THRUM_SOURCE_DIR "/tests/golden/expected", name, &bytes);
	char *once, *twice;

	assert_non_null(text);
	text[bytes] = '\0';
	if (report_read_text(name, text, bytes, first, 0, &read, &diag))
		fail_msg("%s", diag.message);
	once = json_of(first, &read, &once_bytes);
	assert_int_equal(report_read_text(name, once, once_bytes, second, 0, &again, &diag), 0);
	twice = json_of(second, &again, &twice_bytes);
	assert_string_equal(once, twice);
	assert_int_equal(finding_list_count(first), finding_list_count(second));
	/* And nothing of the findings was lost on the way in. */
	assert_non_null(strstr(text, "\"findings\": ["));
	assert_string_equal(strstr(text, "\"findings\": ["), strstr(once, "\"findings\": ["));
	free(once);
	free(twice);
	free(text);
	finding_list_free(first);
	finding_list_free(second);
}

static void test_reports_survive_reading(void **state)
{
	(void)state;
	check_round_trip("deadlock-2.json");
	check_round_trip("many.json");
	check_round_trip("hostile.json");
	check_round_trip("inversion-3.json");
	check_round_trip("empty.json");
}

static void test_merge_in_any_order(void **state)
{
	struct finding_list *forth = finding_list_new(), *back = finding_list_new();
	struct finding *f;

	(void)state;
	for (int i = 0; i < 6; i++) {
		f = add(forth, i % 2 ? "a" : "b", "f");
		f->count = (uint64_t)i + 1;
		f->stacks[0].time_ns = (uint64_t)(i * 7 % 5);
		f = add(back, (5 - i) % 2 ? "a" : "b", "f");
		f->count = (uint64_t)(5 - i) + 1;
		f->stacks[0].time_ns = (uint64_t)((5 - i) * 7 % 5);
	}
	findings_finish(forth);
	findings_finish(back);
	assert_int_equal(finding_list_count(forth), 2);
	assert_int_equal(finding_list_count(back), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct finding *x = finding_list_get(forth, i);
		const struct finding *y = finding_list_get(back, 0);

		if (strcmp(x->fingerprint, y->fingerprint))
			y = finding_list_get(back, 1);
		assert_string_equal(x->fingerprint, y->fingerprint);
		assert_int_equal(x->count, y->count);
		assert_int_equal(x->stacks[0].time_ns, y->stacks[0].time_ns);
	}
	finding_list_free(forth);
	finding_list_free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_one_entry_for_one_finding),
		cmocka_unit_test(test_order_of_the_inputs_does_not_matter),
		cmocka_unit_test(test_known_findings_do_not_gate),
		cmocka_unit_test(test_wrong_files),
		cmocka_unit_test(test_reports_survive_reading),
		cmocka_unit_test(test_merge_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
