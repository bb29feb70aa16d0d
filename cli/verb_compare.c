/* SPDX-License-Identifier: MIT */
/*
 * verb_compare.c - `thrum baseline`, `thrum diff` and `thrum merge`: findings of several runs against each other.
 */
#include "../analyzer/fleet/lockgraph.h"
#include "../analyzer/report/coverage.h"
#include "../analyzer/report/report.h"
#include "analysis.h"
#include "before.h"
#include "cli.h"
#include "gate.h"
#include "inputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(int error, const struct diag *diag)
{
	say("%s", diag->message);
	return status_of_error(error);
}

int verb_baseline(const struct options *options)
{
	struct inputs inputs = { 0 };
	struct gate gate;
	struct diag diag;
	size_t count;
	char **paths = inputs_of_options(options, &count);
	int error = gate_load(options, &gate, &diag), status;

	if (!error)
		error = inputs_load(options, paths, count, false, &inputs, &diag);
	if (!error) {
		gate_apply(&gate, inputs.findings);
		error = baseline_write(inputs.findings, stdout, &diag);
	}
	status = error ? fail(error, &diag) : STATUS_OK;
	inputs_release(&inputs);
	gate_release(&gate);
	return status;
}

/* ---- diff ---- */

/* Of what a report says is suppressed nothing is news. */
static bool is_in_state(const struct finding *f, enum baseline_state state)
{
	return f->baseline == state && !(state == BASELINE_NEW && f->suppressed_by);
}

static unsigned count_state(const struct finding_list *findings, enum baseline_state state)
{
	unsigned count = 0;

	for (size_t i = 0; i < finding_list_count(findings); i++)
		count += is_in_state(finding_list_get(findings, i), state);
	return count;
}

static void print_state(const struct finding_list *findings, enum baseline_state state,
			const char *word)
{
	for (size_t i = 0; i < finding_list_count(findings); i++) {
		const struct finding *f = finding_list_get(findings, i);

		if (is_in_state(f, state))
			printf("%-9s  %-7s  %s  %s  [%s]\n", word, level_name(f->level),
			       f->fingerprint, f->title, rule_id(f->rule));
	}
}

static unsigned print_gone(const struct baseline *before)
{
	unsigned gone = 0;

	for (size_t i = 0; i < before->count; i++) {
		const struct baseline_entry *entry = &before->entry[i];

		if (entry->matched)
			continue;
		gone++;
		printf("%-9s  %-7s  %s  %s  [%s]\n", "gone", "", entry->fingerprint,
		       entry->title ? entry->title : "", entry->rule);
	}
	return gone;
}

/* What is not looked at has no findings: said where one of the two looked at memory, or could not. */
static void print_coverage(const char *key, const struct inputs *inputs)
{
	struct report_process *process;
	char words[512];
	size_t count;

	if (!inputs->process_count)
		return;
	inputs_get_processes(inputs, &process, &count);
	if (*coverage_words(process, count, words, sizeof(words)))
		printf("%s: %s\n", key, words);
}

/* `old`: what `before` was made of, where that was no baseline. The counts are the last line. */
static int print_diff(const struct options *options, const struct inputs *old,
		      struct baseline *before, const struct inputs *new)
{
	struct finding_list *now = new->findings;
	unsigned fresh, gone, gating = 0;

	baseline_apply(before, now);
	for (size_t i = 0; i < finding_list_count(now); i++) {
		const struct finding *f = finding_list_get(now, i);

		gating += is_in_state(f, BASELINE_NEW) && (int)f->level >= options->fail_on;
	}
	print_state(now, BASELINE_NEW, "new");
	gone = print_gone(before);
	if (options->verbose) {
		print_state(now, BASELINE_UPDATED, "moved");
		print_state(now, BASELINE_UNCHANGED, "unchanged");
	}
	print_coverage("before", old);
	print_coverage("after", new);
	fresh = count_state(now, BASELINE_NEW);
	printf("%u new, %u gone, %u moved, %u unchanged\n", fresh, gone,
	       count_state(now, BASELINE_UPDATED), count_state(now, BASELINE_UNCHANGED));
	return gating ? options->error_exitcode : STATUS_OK;
}

int verb_diff(const struct options *options)
{
	struct before before = { 0 };
	struct inputs now = { 0 };
	struct diag diag;
	int error, status;

	if (options->operand_count != 2) {
		say("diff compares two: thrum diff BEFORE AFTER, each a trace, a report or, for BEFORE, a baseline");
		return STATUS_USAGE;
	}
	error = before_load(options, options->operands, &before, &diag);
	if (!error)
		error = inputs_load(options, options->operands + 1, 1, false, &now, &diag);
	status = error ? fail(error, &diag)
		       : print_diff(options, &before.inputs, &before.baseline, &now);
	before_release(&before);
	inputs_release(&now);
	return status;
}

/* ---- merge ---- */

static bool is_lockgraph(const char *path)
{
	return !strcmp(path, "-") || lockgraph_is_file(path);
}

static bool has_lockgraph(char **paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_lockgraph(paths[i]))
			return true;
	return false;
}

/* Lock graphs are merged with their like: what they would be in a report is judged from all of them, at the end. */
static int merge_lockgraphs(const struct options *options, char **paths, size_t count)
{
	bool to_stdout = !strcmp(options->merged_file, "-");
	struct lockgraph *g = lockgraph_new();
	struct diag diag;
	FILE *out = NULL;
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		error = is_lockgraph(paths[i])
				? lockgraph_read(g, paths[i], &diag)
				: diag_set(
					  &diag, THRUM_EINVAL,
					  "%s is no lock graph: merge them alone, then `thrum check` takes all together",
					  paths[i]);
	if (!error) {
		out = to_stdout ? stdout : fopen(options->merged_file, "we");
		error = out ? lockgraph_write(g, out, &diag)
			    : diag_set(&diag, THRUM_EINVAL, "cannot write %s: %s",
				       options->merged_file, strerror(errno));
	}
	if (out && !to_stdout && fclose(out) && !error)
		error = diag_set(&diag, THRUM_EINVAL, "cannot write %s: %s", options->merged_file,
				 strerror(errno));
	lockgraph_free(g);
	return error ? fail(error, &diag) : STATUS_OK;
}

int verb_merge(const struct options *options)
{
	const struct sink_ops *json = sink_find("json");
	struct analysis_input input = { 0 };
	struct inputs inputs = { 0 };
	struct report report;
	struct diag diag;
	size_t count;
	char **paths = inputs_of_options(options, &count);
	FILE *out = NULL;
	int error, status;

	if (!options->merged_file) {
		say("merge needs a file to write: thrum merge -o FILE TRACE-OR-REPORT...");
		return STATUS_USAGE;
	}
	if (options->from != FROM_STD && has_lockgraph(paths, count))
		return merge_lockgraphs(options, paths, count);
	error = inputs_load(options, paths, count, false, &inputs, &diag);
	if (!error) {
		analysis_make_report(options, &inputs, &input, &report);
		out = fopen(options->merged_file, "we");
		error = out ? json->write(&report, out, &diag)
			    : diag_set(&diag, THRUM_EINVAL, "cannot write %s: %s",
				       options->merged_file, strerror(errno));
	}
	if (out && fclose(out) && !error)
		error = diag_set(&diag, THRUM_EINVAL, "cannot write %s: %s", options->merged_file,
				 strerror(errno));
	status = error ? fail(error, &diag) : STATUS_OK;
	inputs_release(&inputs);
	return status;
}
