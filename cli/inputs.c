/* SPDX-License-Identifier: MIT */
/*
 * inputs.c - opens traces and reports, analyses and symbolises, joins the findings.
 */
#include "inputs.h"

#include "../analyzer/checker.h"
#include "../analyzer/fingerprint.h"
#include "../analyzer/fleet/lockgraph.h"
#include "../analyzer/gate/module_filter.h"
#include "../analyzer/last_waits.h"
#include "../analyzer/report/coverage.h"
#include "../analyzer/symbolize.h"
#include "cli.h"
#include "inputs_lockgraph.h"
#include "inputs_std.h"
#include "progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t inputs_rules_off(const struct options *options)
{
	uint64_t off = 0;

	for (int rule = 0; rule < RULE_COUNT; rule++)
		off |= (uint64_t)!options->rules.on[rule] << rule;
	return off;
}

struct read_process *input_stand_for_run(struct input *input, const char *name)
{
	struct read_process *process = finding_list_alloc(input->findings, sizeof(*process));
	const char **path = finding_list_alloc(input->findings, sizeof(*path));

	process->process.name = name;
	process->process.command = finding_list_printf(input->findings, "%s", input->path);
	process->process.complete = true;
	*path = input->path;
	input->report = (struct read_report){
		.process = process,
		.process_count = 1,
		.complete = true,
		.path = path,
		.path_count = 1,
		.verdict = VERDICT_CLEAN,
	};
	return process;
}

static int input_open(const struct options *options, struct inputs *inputs, const char *path,
		      struct diag *diag)
{
	struct input *input = &inputs->input[inputs->count];
	int error;

	input->path = path;
	input->findings = finding_list_new();
	inputs->count++; /* from here on released with the others */
	if (options->from == FROM_STD)
		return input_open_std(options, inputs, input, diag);
	if (!strcmp(path, "-") || lockgraph_is_file(path))
		return input_open_lockgraph(inputs, input, diag);
	if (report_read_is_json(path))
		return report_read(path, input->findings, 0, &input->report, diag);
	error = trace_place_open(path, &input->place, diag);
	if (!error)
		error = trace_reader_open(input->place.dir, &input->reader, diag);
	if (!error) {
		const char *run_json = trace_reader_get_run_json(input->reader);

		run_json_read(run_json, &input->run);
		input->argv = run_json_read_argv(run_json, input->findings, &input->argc);
	}
	return error;
}

/* One line on standard error for each module whose frames have no names because it is not here. */
static void say_symbols(void *cookie, const char *text)
{
	(void)cookie;
	say("%s", text);
}

const char **inputs_get_directories(const struct options *options, const struct trace_place *place)
{
	const char **directories = calloc(options->symbols.count + 2, sizeof(*directories));
	size_t count = 0;

	for (size_t i = 0; directories && i < options->symbols.count; i++)
		directories[count++] = options->symbols.text[i];
	if (directories && place->symbols)
		directories[count++] = place->symbols;
	return directories;
}

/* How far the analysis of one input is. */
struct told {
	const struct trace_reader *reader;
	const struct inputs_follower *follower; /* NULL = nobody */
	struct progress line;
};

/* Over all images. */
static bool tell_progress(void *cookie, size_t process, uint64_t events, uint64_t total)
{
	struct told *told = cookie;
	uint64_t before = 0, all = 0;

	for (size_t i = 0; i < trace_reader_process_count(told->reader); i++) {
		all += trace_reader_get_process(told->reader, i)->events;
		before += i < process ? trace_reader_get_process(told->reader, i)->events : 0;
	}
	events = before + (events < total ? events : total);
	progress_tell(&told->line, events, all);
	return !told->follower || told->follower->progress(told->follower->cookie, events, all);
}

static int input_analyze(struct inputs *inputs, const struct options *given,
			 const struct inputs_follower *follower, struct input *input,
			 bool timed_out, struct diag *diag)
{
	struct analyze_options options = {
		/* To analyze_run 0 is the default, to the user it is "every hold". */
		.hold_ns = given->hold_ms ? given->hold_ms * 1000000u : 1,
		.stall_ns = given->stall_ms ? given->stall_ms * 1000000u : 1,
		.timed_out = timed_out || input->run.timed_out,
		.end_real_ns = input->run.end_real_ns,
		.end_pid = (uint32_t)input->run.pid,
		.rules_off = inputs_rules_off(given),
	};
	const char **directories = inputs_get_directories(given, &input->place);
	struct symbolize_options symbolize = { .directories = directories,
					       .say = given->quiet ? NULL : say_symbols };
	struct analyze_stats stats;
	struct told told = { .reader = input->reader, .follower = follower };
	int error;

	if (!directories)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	options.progress = tell_progress;
	options.cookie = &told;
	progress_begin(&told.line, "analysing", given->quiet);
	error = analyze_run(input->reader, &options, input->findings, &stats, diag);
	progress_end(&told.line);
	if (error)
		goto out;
	symbolize_findings(input->findings, input->reader, &symbolize);
	finding_expand_names(input->findings);
	if (options.timed_out) {
		symbolize.say = NULL;
		input->last_waits = finding_list_new();
		last_waits_collect(input->reader, input->last_waits);
		symbolize_findings(input->last_waits, input->reader, &symbolize);
	}
	inputs->timed_out |= options.timed_out;
	for (int reason = 0; reason < PRUNE_COUNT; reason++)
		inputs->pruned[reason] += stats.pruned[reason];
out:
	free(directories);
	return error;
}

/* ---- processes ---- */

static size_t process_count(const struct input *input)
{
	return input->reader ? trace_reader_process_count(input->reader)
			     : input->report.process_count;
}

/* Of argv joined with blanks, in a trace. */
#define COMMAND_CUT 255u

/* Is `command` these words? Not after an exec, for one. */
static bool is_command(const struct input *input, const char *command)
{
	bool cut = strlen(command) >= COMMAND_CUT;

	for (size_t i = 0; i < input->argc; i++) {
		size_t bytes = strlen(input->argv[i]), left;

		if (i && !*command) {
			if (bytes) /* empty ones at the end leave no trace */
				return cut;
			continue;
		}
		if (i && *command++ != ' ')
			return false;
		left = strlen(command);
		if (left < bytes)
			return cut && !strncmp(command, input->argv[i], left);
		if (strncmp(command, input->argv[i], bytes))
			return false;
		command += bytes;
	}
	return input->argc && !*command;
}

static struct report_process process_of_trace(const struct input *input, size_t index)
{
	const struct trace_process *process = trace_reader_get_process(input->reader, index);
	bool is_root = (pid_t)process->pid == input->run.pid;
	bool is_program = input->run.has_status && is_root && process->exit_kind != TRACE_EXIT_EXEC;
	bool has_argv = is_root && is_command(input, process->command);

	return (struct report_process){ .process = process,
					.argv = has_argv ? input->argv : NULL,
					.argc = has_argv ? input->argc : 0,
					.has_exit = is_program,
					.exit_status = is_program ? input->run.status : 0 };
}

static struct report_process process_of_report(const struct input *input, size_t index)
{
	const struct read_process *p = &input->report.process[index];

	return (struct report_process){ .process = &p->process,
					.has_exit = p->has_exit,
					.exit_status = p->exit_status,
					.argv = p->argv,
					.argc = p->argc,
					.threads = p->threads,
					.locks = p->locks };
}

static int compare_counts(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Both forms: of a trace, and of a report, which has only the numbers. */
static uint64_t count_threads(const struct report_process *p)
{
	uint64_t count = p->threads;

	for (size_t id = 1; id < p->process->thread_count; id++)
		count += p->process->threads[id].defined;
	return count;
}

static uint64_t count_locks(const struct report_process *p)
{
	uint64_t count = p->locks;

	for (size_t id = 1; id < p->process->object_count; id++)
		count += trace_object_kind_is_lock(p->process->objects[id].kind);
	return count;
}

/* Processes of containers: the same pid, command and number of events on every machine. */
static int compare_details(const struct report_process *x, const struct report_process *y)
{
	const struct trace_process *a = x->process, *b = y->process;
	int order =
		compare_counts(a->lost_events + a->lost_in_gaps, b->lost_events + b->lost_in_gaps);

	if (!order)
		order = compare_counts(count_threads(x), count_threads(y));
	if (!order)
		order = compare_counts(count_locks(x), count_locks(y));
	if (!order)
		order = compare_counts(a->complete, b->complete);
	if (!order && !a->complete)
		order = strcmp(a->why, b->why);
	if (!order)
		order = compare_counts(x->argc, y->argc);
	for (size_t i = 0; !order && i < x->argc; i++)
		order = strcmp(x->argv[i], y->argv[i]);
	return order ? order : coverage_compare(a, b);
}

/* By what a report says of them, so that the order of the inputs does not matter. */
static int compare_processes(const void *left, const void *right)
{
	const struct input_process *x = left, *y = right;
	const struct trace_process *a = x->shown.process, *b = y->shown.process;
	int order = compare_counts(a->pid, b->pid);

	if (!order)
		order = compare_counts(a->ppid, b->ppid);
	if (!order)
		order = strcmp(a->command, b->command);
	if (!order)
		order = compare_counts(a->events, b->events);
	if (!order)
		order = compare_counts(x->shown.has_exit, y->shown.has_exit);
	if (!order)
		order = compare_counts((uint64_t)x->shown.exit_status,
				       (uint64_t)y->shown.exit_status);
	if (!order)
		order = compare_details(&x->shown, &y->shown);
	return order ? order : compare_counts(x->given, y->given);
}

/* Of one trace in its own order, the program first; of several sorted. */
static int processes_collect(struct inputs *inputs, struct diag *diag)
{
	size_t count = 0, at = 0;

	for (size_t i = 0; i < inputs->count; i++)
		count += process_count(&inputs->input[i]);
	inputs->process = calloc(count + 1, sizeof(*inputs->process));
	if (!inputs->process)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	for (size_t i = 0; i < inputs->count; i++) {
		const struct input *input = &inputs->input[i];

		for (size_t k = 0; k < process_count(input); k++, at++)
			inputs->process[at] = (struct input_process){
				.shown = input->reader ? process_of_trace(input, k)
						       : process_of_report(input, k),
				.given = at,
			};
	}
	inputs->process_count = count;
	if (inputs->count > 1)
		qsort(inputs->process, count, sizeof(*inputs->process), compare_processes);
	return 0;
}

void inputs_get_processes(const struct inputs *inputs, struct report_process **ret_process,
			  size_t *ret_count)
{
	*ret_process = finding_list_alloc(inputs->findings,
					  (inputs->process_count + 1) * sizeof(**ret_process));
	for (size_t i = 0; i < inputs->process_count; i++)
		(*ret_process)[i] = inputs->process[i].shown;
	*ret_count = inputs->process_count;
}

/* ---- findings ---- */

/* Puts the findings of all into one list, with the process numbers of the report. */
static int findings_join(struct inputs *inputs, struct diag *diag)
{
	size_t *number = calloc(inputs->process_count + 1, sizeof(*number)), first_process = 0;

	if (!number)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	for (size_t i = 0; i < inputs->process_count; i++)
		number[inputs->process[i].given] = i;
	for (size_t i = 0; i < inputs->count; i++) {
		const struct input *input = &inputs->input[i];

		for (size_t k = 0; k < finding_list_count(input->findings); k++) {
			struct finding *f = finding_list_get(input->findings, k);

			if (f->process < process_count(input))
				f->process = number[first_process + f->process];
			finding_commit(inputs->findings, f);
		}
		first_process += process_count(input);
	}
	free(number);
	findings_finish(inputs->findings);
	return 0;
}

static void findings_filter(struct inputs *inputs, const struct options *options)
{
	const struct module_filter filter = {
		.include = options->include.text,
		.include_count = options->include.count,
		.exclude = options->exclude.text,
		.exclude_count = options->exclude.count,
	};

	size_t count = finding_list_count(inputs->findings), kept = 0;

	/* Of reports, which were made with other options; analysis leaves them out of traces. */
	for (size_t i = 0; i < count; i++) {
		struct finding *f = finding_list_get(inputs->findings, i);

		if (options->rules.on[f->rule])
			finding_list_set(inputs->findings, kept++, f);
	}
	finding_list_truncate(inputs->findings, kept);
	inputs->unwanted = module_filter_apply(&filter, inputs->findings);
}

/* No reason to fail: a project's file may name folders that only some machines have. */
static void say_unreadable_symbols(const struct options *options)
{
	for (size_t i = 0; i < options->symbols.count; i++)
		if (access(options->symbols.text[i], R_OK))
			say("--symbols: cannot read %s: %s", options->symbols.text[i],
			    strerror(errno));
}

int inputs_open(const struct options *options, char **paths, size_t count, bool timed_out,
		struct inputs *ret_inputs, struct diag *diag)
{
	struct inputs *inputs = ret_inputs;
	int error = 0;

	*inputs = (struct inputs){ .findings = finding_list_new(), .timed_out = timed_out };
	inputs->input = calloc(count + 1, sizeof(*inputs->input));
	if (!inputs->input)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	if (!options->quiet)
		say_unreadable_symbols(options);
	for (size_t i = 0; !error && i < count; i++)
		error = input_open(options, inputs, paths[i], diag);
	return error;
}

int inputs_analyze(const struct options *options, const struct inputs_follower *follower,
		   struct inputs *inputs, struct diag *diag)
{
	bool timed_out = inputs->timed_out; /* told by the caller of all of them */
	int error = 0;

	for (size_t i = 0; !error && i < inputs->count; i++) {
		struct input *input = &inputs->input[i];

		if (input->reader)
			error = input_analyze(inputs, options, follower, input, timed_out, diag);
		else
			inputs->timed_out |= input->report.verdict == VERDICT_TIMEOUT;
	}
	if (!error && inputs->lockgraph)
		inputs_judge_lockgraph(options, inputs);
	if (!error)
		error = processes_collect(inputs, diag);
	if (!error)
		error = findings_join(inputs, diag);
	if (!error)
		findings_filter(inputs, options);
	return error;
}

int inputs_load(const struct options *options, char **paths, size_t count, bool timed_out,
		struct inputs *ret_inputs, struct diag *diag)
{
	int error = inputs_open(options, paths, count, timed_out, ret_inputs, diag);

	return error ? error : inputs_analyze(options, NULL, ret_inputs, diag);
}

void inputs_release(struct inputs *inputs)
{
	finding_list_free(inputs->findings);
	lockgraph_free(inputs->lockgraph);
	for (size_t i = 0; i < inputs->count; i++) {
		finding_list_free(inputs->input[i].findings);
		finding_list_free(inputs->input[i].last_waits);
		trace_reader_free(inputs->input[i].reader);
		trace_place_release(&inputs->input[i].place);
	}
	free(inputs->input);
	free(inputs->process);
}
