/* SPDX-License-Identifier: MIT */
/*
 * verb_export.c - `thrum export`: a trace in the form that another program reads.
 */
#include "../viewer/export.h"
#include "../viewer/scan.h"
#include "cli.h"
#include "frame_source.h"
#include "inputs.h"
#include "progress.h"
#include "run_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A row for each of spec/exports.def. */
static export_writer *const writers[EXPORT_COUNT] = {
	[EXPORT_STD] = export_std_write,       [EXPORT_DOT] = export_dot_write,
	[EXPORT_FOLDED] = export_folded_write, [EXPORT_PERFETTO] = export_perfetto_write,
	[EXPORT_CHROME] = export_chrome_write, [EXPORT_LOCKGRAPH] = export_lockgraph_write,
};

/* Standard output, or the file of --output, which is not left half written. */
static int write_to(const struct options *options, const struct export_source *source)
{
	FILE *out = options->export_file ? fopen(options->export_file, "we") : stdout;
	struct stat made;
	struct diag diag;
	int error;

	if (!out) {
		say("cannot write %s: %s", options->export_file, strerror(errno));
		return STATUS_INTERNAL;
	}
	error = writers[options->to](source, out, &diag);
	if (!error && fflush(out))
		error = diag_set(&diag, THRUM_EIO, "cannot write: %s", strerror(errno));
	if (out != stdout && fclose(out) && !error)
		error = diag_set(&diag, THRUM_EIO, "cannot write: %s", strerror(errno));
	if (!error)
		return STATUS_OK;
	say("%s", diag.message);
	if (out != stdout && !lstat(options->export_file, &made) && S_ISREG(made.st_mode))
		remove(options->export_file); /* never a device, nor what a link leads to */
	return STATUS_INTERNAL;
}

int verb_export(const struct options *options)
{
	struct frame_source frames;
	struct progress progress;
	struct scan_options scan = { .progress = progress_tell_on, .cookie = &progress };
	struct export_source source = {
		.frames = frame_source_resolve,
		.data = frame_source_data,
		.context = &frames,
		.scan = &scan,
		.time = options->export_time,
		.stall_ns = options->stall_ms ? options->stall_ms * 1000000u : 1,
	};
	struct symbolize_options symbolize = { 0 };
	struct trace_place place;
	struct run_facts run;
	int status;

	if (!options->given.to) {
		say("export needs --to=FORM; `thrum export --help` lists the forms");
		return STATUS_USAGE;
	}
	status = trace_operand_open(options, &place, &source.reader);
	if (status)
		return status;
	run_json_read(trace_reader_get_run_json(source.reader), &run);
	scan.end_real_ns = run.end_real_ns;
	frame_source_init(&frames, options, &place, source.reader);
	symbolize.directories = inputs_get_directories(options, &place);
	source.symbolize = &symbolize;
	progress_begin(&progress, "reading events", options->quiet);
	status = write_to(options, &source);
	progress_end(&progress);
	free((void *)symbolize.directories);
	frame_source_release(&frames);
	trace_reader_free(source.reader);
	trace_place_release(&place);
	return status;
}
