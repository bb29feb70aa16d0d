/* SPDX-License-Identifier: MIT */
/*
 * sink_junit.c - JUnit XML: a test suite a run, a test case a rule.
 *
 * Every rule that can gate is a test case, so that a clean run shows what was looked for; a case
 * fails where a finding of it gates. Findings that do not gate are in the case's system-out. Text
 * is the text report's, without colour.
 */
#include "escape.h"
#include "frame_view.h"
#include "sinks.h"
#include "site.h"
#include "words.h"

#include <stdlib.h>

static void put_frames(FILE *out, const struct frames *frames)
{
	char words[WORDS_BYTES];
	struct frame_view view;

	frame_view_init(&view, frames, false);
	for (size_t i = 0; i < view.count; i++) {
		const struct frame_line *line = &view.line[i];

		if (!line->frame) {
			fprintf(out, "    ... %zu frames of ", line->hidden);
			escape_html(out, line->module ? line->module : "libraries");
			fputs(" ...\n", out);
			continue;
		}
		fprintf(out, "    #%zu ", line->number);
		escape_html(out, words_function(line->frame, words, sizeof(words)));
		if (*words_place(line->frame, words, sizeof(words))) {
			fputc(' ', out);
			escape_html(out, words);
		}
		fputc('\n', out);
	}
	frame_view_release(&view);
}

static void put_body(FILE *out, const struct finding *f)
{
	char title[WORDS_BYTES], thread[WORDS_BYTES], what[WORDS_BYTES];
	const char *more = words_message(f);

	escape_html(out, words_title(f, title, sizeof(title)));
	fprintf(out, "\n  %s, fingerprint %s\n", confidence_name(f->confidence), f->fingerprint);
	if (more) {
		fputs("  ", out);
		escape_html(out, more);
		fputc('\n', out);
	}
	for (size_t i = 0; i < f->stack_count; i++) {
		const struct finding_stack *stack = &f->stacks[i];

		fputs("  ", out);
		escape_html(out, words_thread(f, stack->thread, thread, sizeof(thread)));
		fputs(words_is_remark(stack) ? ", " : " ", out);
		escape_html(out, words_heading(f, stack, what, sizeof(what)));
		fputs(":\n", out);
		put_frames(out, &stack->frames);
	}
	if (f->suppression) {
		fputs("  To suppress it: ", out);
		escape_html(out, f->suppression);
		fprintf(out, "\n  What it means and how to mend it: thrum help %s\n",
			rule_id(f->rule));
	}
}

static void put_failure(FILE *out, const struct finding *f)
{
	char title[WORDS_BYTES];

	fputs("      <failure type=\"", out);
	escape_html(out, rule_id(f->rule));
	fputs("\" message=\"", out);
	escape_html(out, words_title(f, title, sizeof(title)));
	fputs("\">", out);
	put_body(out, f);
	fputs("</failure>\n", out);
}

static unsigned count_of(const struct report *report, enum rule rule, bool gated)
{
	unsigned count = 0;

	for (size_t i = 0; i < report->listed_count; i++)
		count += report->findings[i]->rule == rule && report->findings[i]->gated == gated;
	return count;
}

static void put_case(const struct report *report, FILE *out, enum rule rule)
{
	unsigned failed = count_of(report, rule, true), told = count_of(report, rule, false);

	fprintf(out, "    <testcase classname=\"thrum\" name=\"%s\" time=\"0\"", rule_id(rule));
	if (!failed && !told) {
		fputs("/>\n", out);
		return;
	}
	fputs(">\n", out);
	/* The common schema allows one failure a case: the first speaks, the others follow in it. */
	for (size_t i = 0; i < report->listed_count && failed; i++) {
		if (report->findings[i]->rule != rule || !report->findings[i]->gated)
			continue;
		put_failure(out, report->findings[i]);
		failed = 0;
		for (size_t k = i + 1; k < report->listed_count; k++)
			if (report->findings[k]->rule == rule && report->findings[k]->gated)
				told++;
	}
	if (told) {
		bool first = true;

		fputs("      <system-out>", out);
		for (size_t i = 0; i < report->listed_count; i++) {
			const struct finding *f = report->findings[i];

			if (f->rule != rule)
				continue;
			if (f->gated && first)
				first = false; /* it is the failure */
			else
				put_body(out, f);
		}
		fputs("</system-out>\n", out);
	}
	fputs("    </testcase>\n", out);
}

static unsigned count_failed_cases(const struct report *report)
{
	unsigned count = 0;

	for (unsigned rule = 0; rule < RULE_COUNT; rule++)
		count += count_of(report, rule, true) > 0;
	return count;
}

/* Of the run: suppressions that rot, where that fails it. Where there is an error of it, that speaks. */
static bool run_case_fails(const struct report *report)
{
	return report->stale && report->verdict != VERDICT_UNTRACED &&
	       report->verdict != VERDICT_TIMEOUT;
}

/* A run that could not be traced, or did not end, is an error of the suite and not a failure. */
static void put_run_case(const struct report *report, FILE *out)
{
	char stale[WORDS_BYTES];

	fputs("    <testcase classname=\"thrum\" name=\"run\" time=\"0\"", out);
	if (run_case_fails(report)) {
		fprintf(out,
			">\n      <failure type=\"suppressions\" message=\"%s\"/>\n    </testcase>\n",
			words_stale(report, stale, sizeof(stale)));
		return;
	}
	if (report->verdict != VERDICT_UNTRACED && report->verdict != VERDICT_TIMEOUT) {
		fputs("/>\n", out);
		return;
	}
	fputs(">\n      <error type=\"run\" message=\"", out);
	escape_html(out, report->verdict == VERDICT_TIMEOUT
				 ? "the program did not end in time and no finding explains it"
				 : "the program could not be traced");
	fputs("\">", out);
	escape_html(out, report->incomplete_why ? report->incomplete_why : "");
	fputs("</error>\n    </testcase>\n", out);
}

static int write_junit(const struct report *report, FILE *out, struct diag *diag)
{
	unsigned failed = count_failed_cases(report) + run_case_fails(report);
	unsigned broken = report->verdict == VERDICT_UNTRACED || report->verdict == VERDICT_TIMEOUT;
	const char *name = report->process_count && report->processes[0].process->command
				   ? report->processes[0].process->command
				   : "thrum";
	char traces[64];

	if (report->trace_path_count > 1) { /* one command would be any of many */
		snprintf(traces, sizeof(traces), "%zu traces", report->trace_path_count);
		name = traces;
	}

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
	fprintf(out, "<testsuites tests=\"%u\" failures=\"%u\" errors=\"%u\">\n", RULE_COUNT + 1u,
		failed, broken);
	fputs("  <testsuite name=\"", out);
	escape_html(out, name);
	fprintf(out, "\" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"0\" time=\"0\">\n",
		RULE_COUNT + 1u, failed, broken);
	put_run_case(report, out);
	for (unsigned rule = 0; rule < RULE_COUNT; rule++)
		put_case(report, out, rule);
	fputs("  </testsuite>\n</testsuites>\n", out);
	return sink_finish(&sink_junit, out, diag);
}

const struct sink_ops sink_junit = {
	.format = "junit",
	.help = "JUnit XML: a test case a rule",
	.write = write_junit,
};
