/* SPDX-License-Identifier: MIT */
/*
 * report.c - selects, sorts, gates and counts findings; the only place that decides what a run's
 * verdict is.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

/* Rules whose observed findings say why a program did not end by itself. */
static const enum rule hang_rules[] = { RULE_DEADLOCK, RULE_SELF_DEADLOCK, RULE_STUCK_WAIT };

/* Neither accepted by a suppression nor known from the baseline. */
static bool is_news(const struct finding *f)
{
	return !f->suppressed_by && f->baseline != BASELINE_UNCHANGED &&
	       f->baseline != BASELINE_UPDATED;
}

static int compare_findings(const void *a, const void *b)
{
	const struct finding *x = *(struct finding *const *)a, *y = *(struct finding *const *)b;

	if (x->gated != y->gated)
		return x->gated ? -1 : 1;
	if (is_news(x) != is_news(y))
		return is_news(x) ? -1 : 1;
	if (x->level != y->level)
		return x->level > y->level ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return strcmp(x->fingerprint, y->fingerprint);
}

static void count_level(struct report *report, enum level level)
{
	switch (level) {
	case LEVEL_NOTE:
		report->notes++;
		break;
	case LEVEL_WARNING:
		report->warnings++;
		break;
	case LEVEL_ERROR:
		report->errors++;
		break;
	}
}

static void collect_findings(struct report *report, struct finding_list *list,
			     const struct report_options *options)
{
	size_t count = finding_list_count(list);

	report->findings = finding_list_alloc(list, (count + 1) * sizeof(*report->findings));
	for (size_t i = 0; i < count; i++) {
		struct finding *f = finding_list_get(list, i);

		if (options->rules_on && !options->rules_on[f->rule])
			continue;
		f->gated = (int)f->level >= options->fail_on && is_news(f);
		report->gated += f->gated;
		if (f->suppressed_by)
			report->suppressed++;
		else if (!is_news(f))
			report->baseline++;
		else
			count_level(report, f->level);
		report->findings[report->finding_count++] = f;
	}
	report->listed_count =
		report->verbose ? report->finding_count
				: report->finding_count - report->suppressed - report->baseline;
	if (report->finding_count)
		qsort(report->findings, report->finding_count, sizeof(*report->findings),
		      compare_findings);
}

static bool explains_hang(const struct finding *f)
{
	for (size_t i = 0; i < sizeof(hang_rules) / sizeof(hang_rules[0]); i++)
		if (f->rule == hang_rules[i] && f->confidence == CONFIDENCE_OBSERVED)
			return true;
	return false;
}

static bool is_timeout_explained(const struct report *report)
{
	for (size_t i = 0; i < report->finding_count; i++)
		if (report->findings[i]->gated || explains_hang(report->findings[i]))
			return true;
	return false;
}

static enum verdict decide(const struct report *report, const struct report_options *options)
{
	if (options->untraced)
		return VERDICT_UNTRACED;
	if (options->timed_out && !is_timeout_explained(report))
		return VERDICT_TIMEOUT;
	return report->errors + report->warnings + report->notes ? VERDICT_FINDINGS : VERDICT_CLEAN;
}

static void describe_completeness(struct report *report, struct finding_list *list,
				  const struct report_options *options)
{
	const struct trace_process *first = NULL;
	size_t incomplete = 0;

	if (!report->incomplete_why && report->untraced_count == 1)
		report->incomplete_why = report->untraced[0];
	else if (!report->incomplete_why && report->untraced_count)
		report->incomplete_why = finding_list_printf(
			list, "%s; and %zu more", report->untraced[0], report->untraced_count - 1);
	for (size_t i = 0; i < report->process_count; i++) {
		if (report->processes[i].process->complete)
			continue;
		if (!first)
			first = report->processes[i].process;
		incomplete++;
	}
	report->complete = !incomplete && !report->incomplete_why;
	if (!incomplete || report->incomplete_why)
		return;
	if (options->timed_out) {
		report->incomplete_why =
			"the program was still alive when its time was up, and was ended";
		return;
	}
	if (report->process_count == 1)
		report->incomplete_why = finding_list_printf(list, "%s", first->why);
	else if (incomplete == 1)
		report->incomplete_why =
			finding_list_printf(list, "process %u: %s", first->pid, first->why);
	else
		report->incomplete_why = finding_list_printf(list, "process %u: %s; and %zu more",
							     first->pid, first->why,
							     incomplete - 1);
}

void report_build(struct report *report, struct finding_list *list,
		  const struct report_options *options)
{
	report->finding_count = 0;
	report->gated = report->errors = report->warnings = report->notes = 0;
	report->suppressed = report->baseline = 0;
	collect_findings(report, list, options);
	describe_completeness(report, list, options);
	report->verdict = decide(report, options);
}

struct report_totals report_sum(const struct report *report)
{
	struct report_totals totals = { 0 };

	for (size_t i = 0; i < report->process_count; i++) {
		const struct report_process *p = &report->processes[i];
		const struct trace_process *process = p->process;

		totals.threads += p->threads;
		totals.locks += p->locks;
		totals.events += process->events;
		totals.lost_events += process->lost_events + process->lost_in_gaps;
		totals.lost_chunks += process->lost_chunks;
		totals.lost_defs += process->lost_defs;
		for (size_t id = 1; id < process->thread_count; id++)
			totals.threads += process->threads[id].defined;
		for (size_t id = 1; id < process->object_count; id++)
			totals.locks += trace_object_kind_is_lock(process->objects[id].kind);
	}
	return totals;
}
