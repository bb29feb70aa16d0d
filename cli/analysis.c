/* SPDX-License-Identifier: MIT */
/*
 * analysis.c - drives the analyzer over one or more traces and hands the result to the sinks.
 */
#include "analysis.h"

#include "../analyzer/analyze.h"
#include "../analyzer/checker.h"
#include "../analyzer/fingerprint.h"
#include "../analyzer/hookable.h"
#include "../analyzer/report/report.h"
#include "../analyzer/symbolize.h"
#include "../viewer/info_tree.h"
#include "cli.h"
#include "run_json.h"
#include "trace_place.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One trace directory. Its findings keep their own list, because symbolisation goes by one reader's process numbers. */
struct trace_input {
	struct trace_place place;
	struct trace_reader *reader;   /* owns */
	struct finding_list *findings; /* owns */
	struct run_facts run;
};

/* Everything that must live until the last sink has written. */
struct check {
	const struct options *options;
	const struct analysis_input *input;
	struct trace_input *traces; /* owns */
	size_t trace_count;
	struct finding_list
		*findings; /* owns the list; the findings in it belong to their trace's own */
	uint64_t pruned[PRUNE_COUNT];
	struct report report;
	bool timed_out;
};

static int trace_open(struct check *check, const char *path, struct diag *diag)
{
	struct trace_input *trace = &check->traces[check->trace_count];
	int error = trace_place_open(path, &trace->place, diag);

	if (!error)
		error = trace_reader_open(trace->place.dir, &trace->reader, diag);
	if (error) {
		trace_place_release(&trace->place);
		return error;
	}
	trace->findings = finding_list_new();
	run_json_read(trace_reader_get_run_json(trace->reader), &trace->run);
	check->trace_count++;
	return 0;
}

static int trace_analyze(struct check *check, const struct trace_input *trace, struct diag *diag)
{
	struct analyze_options options = {
		/* To analyze_run 0 is the default, to the user it is "every hold". */
		.hold_ns = check->options->hold_ms ? check->options->hold_ms * 1000000u : 1,
		.timed_out = check->input->timed_out || trace->run.timed_out,
		.end_real_ns = trace->run.end_real_ns,
		.end_pid = (uint32_t)trace->run.pid,
	};
	const char *const directories[] = { trace->place.symbols, NULL };
	struct symbolize_options symbolize = { .directories = directories };
	struct analyze_stats stats;
	int error;

	for (int rule = 0; rule < RULE_COUNT; rule++)
		options.rules_off |= (uint64_t)!check->options->rules.on[rule] << rule;
	error = analyze_run(trace->reader, &options, trace->findings, &stats, diag);
	if (error)
		return error;
	symbolize_findings(trace->findings, trace->reader, &symbolize);
	finding_expand_names(trace->findings);
	check->timed_out |= options.timed_out;
	for (int reason = 0; reason < PRUNE_COUNT; reason++)
		check->pruned[reason] += stats.pruned[reason];
	return 0;
}

/* Puts the findings of all traces into one list, with the process numbers of the report. */
static void findings_join(struct check *check)
{
	size_t first_process = 0;

	for (size_t i = 0; i < check->trace_count; i++) {
		const struct trace_input *trace = &check->traces[i];

		for (size_t k = 0; k < finding_list_count(trace->findings); k++) {
			struct finding *f = finding_list_get(trace->findings, k);

			f->process += first_process;
			finding_commit(check->findings, f);
		}
		first_process += trace_reader_process_count(trace->reader);
	}
	findings_finish(check->findings);
}

static int analyze_all(struct check *check, struct diag *diag)
{
	size_t count = check->input->trace_count;
	int error = 0;

	check->traces = calloc(count + 1, sizeof(*check->traces));
	if (!check->traces)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	/* All are opened first: a bad name shall not cost the analysis of the ones before it. */
	for (size_t i = 0; !error && i < count; i++)
		error = trace_open(check, check->input->traces[i], diag);
	for (size_t i = 0; !error && i < count; i++)
		error = trace_analyze(check, &check->traces[i], diag);
	if (!error)
		findings_join(check);
	return error;
}

/* ---- the report ---- */

static void report_fill_processes(struct check *check)
{
	struct report *report = &check->report;
	size_t count = 0;

	for (size_t i = 0; i < check->trace_count; i++)
		count += trace_reader_process_count(check->traces[i].reader);
	report->processes =
		finding_list_alloc(check->findings, (count + 1) * sizeof(*report->processes));
	for (size_t i = 0; i < check->trace_count; i++) {
		const struct trace_input *trace = &check->traces[i];

		for (size_t k = 0; k < trace_reader_process_count(trace->reader); k++) {
			const struct trace_process *process =
				trace_reader_get_process(trace->reader, k);
			bool is_program = trace->run.has_status &&
					  (pid_t)process->pid == trace->run.pid &&
					  process->exit_kind != TRACE_EXIT_EXEC;

			report->processes[report->process_count++] = (struct report_process){
				.process = process,
				.has_exit = is_program,
				.exit_status = is_program ? trace->run.status : 0,
			};
		}
	}
}

/* Why the program of a file could not record itself, as far as the file says. */
static const char *why_unrecorded(struct check *check, const char *path)
{
	struct hookable hookable;
	struct diag diag = { 0 };

	if (hookable_check(path, &hookable, &diag) || hookable.verdict == HOOKABLE_TRACEABLE ||
	    hookable.verdict == HOOKABLE_NOT_FOUND || hookable.verdict == HOOKABLE_NOT_EXECUTABLE)
		return NULL;
	return finding_list_printf(check->findings, "%s", hookable.why);
}

static void report_fill_unrecorded(struct check *check)
{
	struct report *report = &check->report;
	size_t count = 0;

	for (size_t i = 0; i < report->process_count; i++)
		count += report->processes[i].process->exec_count;
	report->unrecorded =
		finding_list_alloc(check->findings, (count + 1) * sizeof(*report->unrecorded));
	for (size_t i = 0; i < check->trace_count; i++) {
		const struct trace_reader *reader = check->traces[i].reader;

		for (size_t k = 0; k < trace_reader_process_count(reader); k++) {
			const struct trace_process *p = trace_reader_get_process(reader, k);

			for (size_t e = 0; e < p->exec_count; e++)
				if (!info_exec_is_recorded(reader, k, e))
					report->unrecorded[report->unrecorded_count++] =
						(struct report_unrecorded){
							.pid = p->execs[e].pid,
							.path = p->execs[e].path,
							.why = why_unrecorded(check,
									      p->execs[e].path),
						};
		}
	}
}

/* The status of the program: the caller's knowledge, else that of the only trace. */
static void report_fill_status(struct check *check)
{
	const struct analysis_input *input = check->input;
	struct report *report = &check->report;

	if (input->has_program_status) {
		report->has_program_status = true;
		report->program_status = input->program_status;
	} else if (check->trace_count == 1) {
		report->has_program_status = check->traces[0].run.has_status;
		report->program_status = check->traces[0].run.status;
	}
}

static void report_fill_pruned(struct check *check)
{
	struct report *report = &check->report;

	report->pruned_reason =
		finding_list_alloc(check->findings, PRUNE_COUNT * sizeof(*report->pruned_reason));
	report->pruned_count =
		finding_list_alloc(check->findings, PRUNE_COUNT * sizeof(*report->pruned_count));
	for (int reason = 0; reason < PRUNE_COUNT; reason++) {
		if (!check->pruned[reason])
			continue;
		report->pruned_reason[report->pruned_kinds] =
			prune_reason_text((enum prune_reason)reason);
		report->pruned_count[report->pruned_kinds++] = check->pruned[reason];
	}
}

static const char *trace_paths(struct check *check)
{
	const char *paths = check->input->trace_count ? check->input->traces[0] : NULL;

	for (size_t i = 1; i < check->input->trace_count; i++)
		paths = finding_list_printf(check->findings, "%s %s", paths,
					    check->input->traces[i]);
	return paths;
}

static void report_make(struct check *check)
{
	const struct analysis_input *input = check->input;
	struct report *report = &check->report;
	struct report_options options = {
		.fail_on = check->options->fail_on,
		.rules_on = check->options->rules.on,
		.timed_out = check->timed_out || input->timed_out,
		.untraced = input->untraced_why != NULL,
	};

	report->version = THRUM_VERSION;
	report->trace_path = trace_paths(check);
	report->incomplete_why = input->untraced_why;
	report->verbose = check->options->verbose;
	report->quiet = check->options->quiet;
	report_fill_processes(check);
	report_fill_unrecorded(check);
	report_fill_pruned(check);
	report_fill_status(check);
	report_build(report, check->findings, &options);
}

/* ---- where it goes ---- */

bool color_is_wanted(enum color mode, FILE *out)
{
	const char *off = getenv("NO_COLOR"), *term = getenv("TERM");

	if (mode != COLOR_AUTO)
		return mode == COLOR_ALWAYS;
	return isatty(fileno(out)) && !(off && *off) && !(term && !strcmp(term, "dumb"));
}

static int write_file(struct report *report, const struct report_target *target, struct diag *diag)
{
	FILE *out = fopen(target->file, "we");
	int error;

	if (!out)
		return diag_set(diag, THRUM_EIO, "cannot write %s: %s", target->file,
				strerror(errno));
	report->color = false;
	error = target->sink->write(report, out, diag);
	if (fclose(out) && !error)
		error = diag_set(diag, THRUM_EIO, "cannot write %s: %s", target->file,
				 strerror(errno));
	return error;
}

static int write_reports(struct check *check, struct diag *diag)
{
	const struct options *options = check->options;
	FILE *out = options->given.format || !check->input->text_out ? stdout
								     : check->input->text_out;
	int error = 0, failed;

	/* Files first: a reader of standard output that closes early must not cost a report. */
	for (size_t i = 0; i < options->reports.count; i++) {
		failed = write_file(&check->report, &options->reports.target[i], diag);
		error = error ? error : failed;
	}
	check->report.color = color_is_wanted(options->color, out);
	failed = options->format->write(&check->report, out, error ? NULL : diag);
	return error ? error : failed;
}

int analysis_check_targets(const struct options *options)
{
	for (size_t i = 0; i < options->reports.count; i++) {
		const char *file = options->reports.target[i].file;
		char *copy = strdup(file);
		bool writable = copy && (!access(file, W_OK) ||
					 (errno == ENOENT && !access(dirname(copy), W_OK)));

		free(copy);
		if (!writable) {
			say("--report: cannot write %s: %s", file, strerror(errno));
			return STATUS_USAGE;
		}
	}
	return STATUS_OK;
}

/* ---- all of it ---- */

static void check_release(struct check *check)
{
	finding_list_free(check->findings);
	for (size_t i = 0; i < check->trace_count; i++) {
		finding_list_free(check->traces[i].findings);
		trace_reader_free(check->traces[i].reader);
		trace_place_release(&check->traces[i].place);
	}
	free(check->traces);
}

static int outcome(const struct check *check)
{
	const struct report *report = &check->report;
	const struct analysis_input *input = check->input;

	if (report->verdict == VERDICT_UNTRACED && check->options->fail_on != FAIL_ON_NEVER)
		return STATUS_UNTRACED;
	if (report->gated)
		return check->options->error_exitcode;
	if (report->verdict == VERDICT_TIMEOUT && input->has_program_status)
		return STATUS_TIMEOUT;
	return input->has_program_status ? input->program_status : STATUS_OK;
}

int analysis_run(const struct options *options, const struct analysis_input *input)
{
	struct check check = { .options = options, .input = input, .findings = finding_list_new() };
	struct diag diag = { "" };
	int error = analyze_all(&check, &diag), status;

	if (error) {
		status = status_of_error(error);
	} else {
		report_make(&check);
		error = write_reports(&check, &diag);
		status = error ? STATUS_INTERNAL : outcome(&check);
	}
	if (error)
		say("%s", diag.message);
	check_release(&check);
	return status;
}
