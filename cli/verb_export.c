/* SPDX-License-Identifier: MIT */
/*
 * verb_export.c - `thrum export`: a trace in the form that another program reads.
 */
#include "../viewer/export.h"
#include "cli.h"
#include "frame_source.h"

#include <errno.h>
#include <string.h>

/* A row for each of spec/exports.def. */
static export_writer *const writers[EXPORT_COUNT] = {
	[EXPORT_STD] = export_std_write,
};

/* Standard output, or the file of --output, which is not left half written. */
static int write_to(const struct options *options, const struct export_source *source)
{
	FILE *out = options->export_file ? fopen(options->export_file, "we") : stdout;
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
	if (out != stdout)
		remove(options->export_file);
	return STATUS_INTERNAL;
}

int verb_export(const struct options *options)
{
	struct frame_source frames;
	struct export_source source = { .frames = frame_source_resolve, .context = &frames };
	struct trace_place place;
	int status;

	if (!options->given.to) {
		say("export needs --to=FORM; `thrum export --help` lists the forms");
		return STATUS_USAGE;
	}
	status = trace_operand_open(options, &place, &source.reader);
	if (status)
		return status;
	frame_source_init(&frames, options, &place, source.reader);
	status = write_to(options, &source);
	frame_source_release(&frames);
	trace_reader_free(source.reader);
	trace_place_release(&place);
	return status;
}
