/* SPDX-License-Identifier: MIT */
/*
 * view_terminal.c - analyses a trace, makes its tables, and hands both to the pages for terminals.
 */
#include "view_terminal.h"

#include "../viewer/lock_labels.h"
#include "../viewer/scan.h"
#include "../viewer/tui/screen.h"
#include "analysis.h"
#include "cli.h"
#include "frame_source.h"
#include "progress.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_ROWS 20 /* of each table */

struct view {
	const struct options *options;
	struct gate gate;
	struct inputs inputs;
	struct report report;
	struct frame_source frames;
	bool has_frames;
	struct tables *tables;
	struct lanes *lanes;
	uint32_t *process_of; /* owns */
	struct lock_labels labels;
	struct tui_data data;
};

/* The trace's timeline and tables; of a report there is neither. */
static int load_trace(struct view *v, struct diag *diag)
{
	struct input *input = &v->inputs.input[0];
	struct progress progress;
	struct scan_options scan = { .end_real_ns = input->run.end_real_ns,
				     .progress = progress_tell_on,
				     .cookie = &progress };
	int error;

	if (v->inputs.count != 1 || !input->reader)
		return 0;
	progress_begin(&progress, "making the tables", v->options->quiet);
	error = tables_new(input->reader, &scan, &v->tables, &v->lanes, diag);
	progress_end(&progress);
	if (error)
		return error;
	frame_source_init(&v->frames, v->options, &input->place, input->reader);
	v->has_frames = true;
	v->process_of = calloc(v->inputs.process_count + 1, sizeof(*v->process_of));
	for (size_t i = 0; v->process_of && i < v->inputs.process_count; i++)
		v->process_of[i] = (uint32_t)v->inputs.process[i].given;
	v->data.process_count = v->process_of ? v->inputs.process_count : 0;
	v->data.process_of = v->process_of;
	v->data.reader = input->reader;
	v->data.tables = v->tables;
	v->data.lanes = v->lanes;
	v->data.source = (struct export_source){ .reader = input->reader,
						 .frames = frame_source_resolve,
						 .data = frame_source_data,
						 .context = &v->frames };
	return 0;
}

static int load(struct view *v, struct diag *diag)
{
	struct analysis_input input = { .gate = &v->gate };
	int error;

	input.traces = inputs_of_options(v->options, &input.trace_count);
	error = inputs_load(v->options, input.traces, input.trace_count, false, &v->inputs, diag);
	if (!error)
		error = load_trace(v, diag);
	if (error)
		return error;
	gate_apply(&v->gate, v->inputs.findings);
	analysis_make_report(v->options, &v->inputs, &input, &v->report);
	v->data.report = &v->report;
	v->data.sources = source_cache_new();
	v->data.source.labels = &v->labels;
	return v->data.process_of ? lock_labels_make(&v->labels, &v->report, v->data.process_of,
						     v->data.process_count)
				  : 0;
}

static void release(struct view *v)
{
	source_cache_free(v->data.sources);
	tables_free(v->tables);
	lanes_free(v->lanes);
	free(v->process_of);
	lock_labels_release(&v->labels);
	if (v->has_frames)
		frame_source_release(&v->frames);
	inputs_release(&v->inputs);
}

static bool is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

static int write_text(struct view *v, struct diag *diag)
{
	int error;

	v->report.color = false;
	error = sink_find("text")->write(&v->report, stdout, diag);
	v->data.ascii = true;
	if (!error && v->tables)
		tui_write_text(&v->data, TEXT_ROWS, stdout);
	return error;
}

/* As if the signal had not been held back. */
static int end_by(int number)
{
	signal(number, SIG_DFL);
	raise(number);
	return STATUS_SIGNAL + number;
}

static int show(struct view *v, bool tui, struct diag *diag)
{
	int ended = -1;

	if (tui && is_terminal())
		ended = tui_run(&v->data, color_is_wanted(COLOR_AUTO, stdout));
	if (ended > 0)
		return end_by(ended);
	if (ended == 0)
		return STATUS_OK;
	return write_text(v, diag) ? STATUS_INTERNAL : STATUS_OK;
}

int view_terminal(const struct options *options, bool tui)
{
	struct options seen = *options;
	struct view v = { .options = &seen };
	struct diag diag = { "" };
	int status, error;

	seen.fail_on = LEVEL_ERROR; /* what check would say */
	status = analysis_open_files(&seen, &v.gate);

	/* Only what is a character: numbers are written as everywhere else. */
	setlocale(LC_CTYPE, "");
	if (!status) {
		error = load(&v, &diag);
		status = error ? (int)status_of_error(error) : show(&v, tui, &diag);
		if (*diag.message)
			say("%s", diag.message);
		release(&v);
	}
	gate_release(&v.gate);
	return status;
}
