/* SPDX-License-Identifier: MIT */
/*
 * analysis.c - drives the analyzer over one or more traces and hands the result to the sinks.
 */
#include "analysis.h"

#include "before.h"
#include "cli.h"
#include "page_link.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Everything that must live until the last sink has written. */
struct check {
	const struct options *options;
	const struct analysis_input *input;
	struct inputs inputs;
	struct report report;
	struct page_link link;
	struct inputs_follower findings, page; /* who follows the two jobs: `show` */
	int shown;			       /* exit status of `show` */
};

/* ---- the report ---- */

/* The status of the program: the caller's knowledge, else that of the only input. */
static void report_fill_status(struct report *report, const struct inputs *inputs,
			       const struct analysis_input *input)
{
	const struct input *only = inputs->count == 1 ? &inputs->input[0] : NULL;

	if (input->has_program_status) {
		report->has_program_status = true;
		report->program_status = input->program_status;
	} else if (only && only->reader) {
		report->has_program_status = only->run.has_status;
		report->program_status = only->run.status;
	} else if (only) {
		report->has_program_status = only->report.has_program_status;
		report->program_status = only->report.program_status;
	}
}

static void report_fill_pruned(struct report *report, const struct inputs *inputs)
{
	report->pruned_reason =
		finding_list_alloc(inputs->findings, PRUNE_COUNT * sizeof(*report->pruned_reason));
	report->pruned_count =
		finding_list_alloc(inputs->findings, PRUNE_COUNT * sizeof(*report->pruned_count));
	for (int reason = 0; reason < PRUNE_COUNT; reason++) {
		if (!inputs->pruned[reason])
			continue;
		report->pruned_reason[report->pruned_kinds] =
			prune_reason_text((enum prune_reason)reason);
		report->pruned_count[report->pruned_kinds++] = inputs->pruned[reason];
	}
}

#define PATHS_SHOWN 4

static const char *path_words(const struct inputs *inputs, const char *const *path, size_t count)
{
	const char *words = count ? path[0] : NULL;

	for (size_t i = 1; i < count && i < PATHS_SHOWN; i++)
		words = finding_list_printf(inputs->findings, "%s %s", words, path[i]);
	if (count > PATHS_SHOWN)
		words = finding_list_printf(inputs->findings, "%s and %zu more", words,
					    count - PATHS_SHOWN);
	return words;
}

/* The folder with .git above the current one: what reviewers' tools call the root. Else the current one. */
static const char *find_source_root(const struct inputs *inputs)
{
	char *here = getcwd(NULL, 0), *path = NULL;
	const char *root = here ? finding_list_printf(inputs->findings, "%s", here) : NULL;

	for (char *slash; here && *here; *slash = '\0') {
		if (asprintf(&path, "%s/.git", here) < 0)
			break;
		if (!access(path, F_OK)) {
			root = finding_list_printf(inputs->findings, "%s", here);
			free(path);
			break;
		}
		free(path);
		slash = strrchr(here, '/');
		if (!slash)
			break;
	}
	free(here);
	return root;
}

/* The pages that were installed with this program; NULL = none, or in a folder that a URI cannot name as it is. */
static const char *find_rules_uri(const struct inputs *inputs)
{
	static const char safe[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+~";
	char program[PATH_MAX], *found, *path = NULL;
	ssize_t bytes = readlink("/proc/self/exe", program, sizeof(program) - 1);
	const char *uri = NULL;

	if (bytes < 0)
		return NULL;
	program[bytes] = '\0';
	if (asprintf(&path, "%s/../share/doc/thrum/rules", dirname(program)) < 0)
		return NULL;
	found = realpath(path, NULL);
	if (found && strspn(found, safe) == strlen(found))
		uri = finding_list_printf(inputs->findings, "file://%s/", found);
	free(found);
	free(path);
	return uri;
}

void analysis_make_report(const struct options *options, const struct inputs *inputs,
			  const struct analysis_input *input, struct report *ret_report)
{
	struct report_options build = {
		.fail_on = options->fail_on,
		.rules_on = options->rules.on,
		.timed_out = inputs->timed_out,
	};

	*ret_report = (struct report){ .version = THRUM_VERSION,
				       .source_root = find_source_root(inputs),
				       .verbose = options->verbose,
				       .is_ungated = options->fail_on == FAIL_ON_NEVER,
				       .quiet = options->quiet };
	if (!strncmp(THRUM_RULES_URI, "file:", 5))
		ret_report->rules_uri = find_rules_uri(inputs);
	inputs_get_processes(inputs, &ret_report->processes, &ret_report->process_count);
	inputs_get_paths(inputs, &ret_report->trace_paths, &ret_report->trace_path_count);
	ret_report->trace_path =
		path_words(inputs, ret_report->trace_paths, ret_report->trace_path_count);
	inputs_get_untraced(inputs, input->untraced_why, &ret_report->untraced,
			    &ret_report->untraced_count);
	build.untraced = ret_report->untraced_count && !ret_report->process_count;
	inputs_get_unrecorded(inputs, &ret_report->unrecorded, &ret_report->unrecorded_count);
	report_fill_pruned(ret_report, inputs);
	report_fill_status(ret_report, inputs, input);
	if (inputs->count == 1)
		ret_report->last_waits = inputs->input[0].last_waits;
	report_build(ret_report, inputs->findings, &build);
}

/* What the findings' states are against, and what of it is gone. Either list outlives the report. */
static void report_fill_gone(struct report *report, const struct inputs *inputs,
			     const struct analysis_input *input)
{
	const struct baseline *b = input->before ? &input->before->baseline
						 : &input->gate->baseline;
	struct report_gone *gone;

	report->compared_with = input->before ? input->before->path
					      : input->gate->options->baseline;
	if (!report->compared_with)
		return;
	gone = finding_list_alloc(inputs->findings, (b->count + 1) * sizeof(*gone));
	for (size_t i = 0; i < b->count; i++)
		if (!b->entry[i].matched)
			gone[report->gone_count++] = (struct report_gone){ b->entry[i].rule,
									   b->entry[i].fingerprint,
									   b->entry[i].title };
	report->gone = gone;
}

/* ---- where it goes ---- */

bool color_is_wanted(enum color mode, FILE *out)
{
	const char *off = getenv("NO_COLOR"), *term = getenv("TERM");

	if (mode != COLOR_AUTO)
		return mode == COLOR_ALWAYS;
	return isatty(fileno(out)) && !(off && *off) && !(term && !strcmp(term, "dumb"));
}

/* Half a report looks like one. What is no file, a pipe or a terminal, stays. */
static void remove_part(const char *file)
{
	struct stat st;

	if (!lstat(file, &st) && S_ISREG(st.st_mode))
		unlink(file);
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
	if (error)
		remove_part(target->file);
	return error;
}

/* Is one of the reports a page? Drawing the trace takes a pass over it. */
static bool page_is_wanted(const struct options *options)
{
	const struct sink_ops *html = sink_find("html");
	bool wanted = options->format == html;

	for (size_t i = 0; i < options->reports.count; i++)
		wanted = wanted || options->reports.target[i].sink == html;
	return wanted;
}

static int write_reports(struct check *check, struct diag *diag)
{
	const struct options *options = check->options;
	const struct analysis_show *show = check->input->show;
	FILE *out = options->given.format || !check->input->text_out ? stdout
								     : check->input->text_out;
	int error = page_link_finish(&check->link, options, diag), failed;

	check->report.view = page_link_view(&check->link);
	if (check->link.page && check->input->before)
		page_compare(check->link.page, check->input->before->link.page);
	/* Files first: a reader of standard output that closes early must not cost a report. */
	for (size_t i = 0; i < options->reports.count; i++) {
		failed = write_file(&check->report, &options->reports.target[i], diag);
		error = error ? error : failed;
	}
	check->report.color = color_is_wanted(options->color, out);
	if (options->format) {
		failed = options->format->write(&check->report, out, error ? NULL : diag);
		error = error ? error : failed;
	}
	if (!error && show)
		check->shown = show->show(show->cookie, check->link.page, &check->report);
	return error;
}

int analysis_open_files(const struct options *options, struct gate *ret_gate)
{
	struct diag diag;
	int error = gate_load(options, ret_gate, &diag);

	if (error) {
		say("%s", diag.message);
		return STATUS_USAGE;
	}
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

static int outcome(const struct check *check)
{
	const struct report *report = &check->report;
	const struct analysis_input *input = check->input;

	if (input->show)
		return check->shown;
	if (report->verdict == VERDICT_UNTRACED && check->options->fail_on != FAIL_ON_NEVER)
		return STATUS_UNTRACED;
	if (report->gated || report->stale)
		return check->options->error_exitcode;
	if (report->verdict == VERDICT_TIMEOUT && input->has_program_status)
		return STATUS_TIMEOUT;
	return input->has_program_status ? input->program_status : STATUS_OK;
}

/* ---- who follows ---- */

static bool tell_findings(void *cookie, uint64_t done, uint64_t total)
{
	const struct analysis_show *show = cookie;

	return show->progress(show->cookie, ANALYSIS_FINDINGS, done, total);
}

static bool tell_page(void *cookie, uint64_t done, uint64_t total)
{
	const struct analysis_show *show = cookie;

	return show->progress(show->cookie, ANALYSIS_PAGE, done, total);
}

/* Reads all there is to read: for findings and for the page, at once where somebody looks on. */
static int read_inputs(struct check *check, struct diag *diag)
{
	const struct analysis_show *show = check->input->show;
	const struct inputs *in = &check->inputs;
	int error = 0;

	check->findings = (struct inputs_follower){ tell_findings, (void *)(uintptr_t)show };
	check->page = (struct inputs_follower){ tell_page, (void *)(uintptr_t)show };
	if (show && (in->count != 1 || !in->input[0].reader))
		return diag_set(diag, THRUM_EINVAL, "only one trace can be shown, and no report");
	if (show)
		error = show->opened(show->cookie, in->input[0].reader, diag);
	if (!error && show)
		error = page_link_start(&check->link, check->options, in, &check->page, diag);
	if (!error)
		error = inputs_analyze(check->options, show ? &check->findings : NULL,
				       &check->inputs, diag);
	if (!error && !show && page_is_wanted(check->options))
		error = page_link_start(&check->link, check->options, in, NULL, diag);
	return error;
}

int analysis_run(const struct options *options, const struct analysis_input *input)
{
	struct check check = { .options = options, .input = input };
	struct diag diag = { "" };
	int error = inputs_open(options, input->traces, input->trace_count, input->timed_out,
				&check.inputs, &diag);
	int status;

	if (!error)
		error = read_inputs(&check, &diag);
	if (error) {
		status = status_of_error(error);
	} else {
		if (check.inputs.unwanted && !options->quiet)
			say("%zu findings are of modules that --include and --exclude leave out",
			    check.inputs.unwanted);
		if (input->mark)
			input->mark(input->cookie, check.inputs.findings);
		gate_apply(input->gate, check.inputs.findings);
		if (input->before)
			baseline_apply(&input->before->baseline, check.inputs.findings);
		analysis_make_report(options, &check.inputs, input, &check.report);
		report_fill_gone(&check.report, &check.inputs, input);
		check.report.stale = gate_count_stale(input->gate);
		error = write_reports(&check, &diag);
		gate_tell(input->gate);
		status = error ? STATUS_INTERNAL : outcome(&check);
	}
	if (error && error != THRUM_ESTOPPED)
		say("%s", diag.message);
	page_link_release(&check.link);
	inputs_release(&check.inputs);
	return status;
}
