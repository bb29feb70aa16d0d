/* SPDX-License-Identifier: MIT */
/*
 * verb_trace.c - `thrum dump` and `thrum info`: one trace as it is, without analysis.
 */
#include "../analyzer/symbols.h"
#include "../analyzer/symbols_file.h"
#include "../viewer/dump.h"
#include "../viewer/info.h"
#include "cli.h"
#include "options.h"
#include "trace_place.h"

#include <stdlib.h>
#include <string.h>

/* Symbols of each process of the trace, made when its first event is printed. */
struct frame_source {
	const struct trace_reader *reader; /* borrowed */
	struct symbols_files *files;	   /* owns */
	struct symbols **processes;	   /* owns; NULL = not yet or impossible */
	char text[1024];
};

static int open_trace(const struct options *options, struct trace_place *ret_place,
		      struct trace_reader **ret_reader)
{
	struct diag diag;
	int error = trace_place_open(options->operand_count ? options->operands[0] : "thrum.data",
				     ret_place, &diag);

	if (!error)
		error = trace_reader_open(ret_place->dir, ret_reader, &diag);
	if (!error)
		return STATUS_OK;
	trace_place_release(ret_place);
	say("%s", diag.message);
	return status_of_error(error);
}

static bool resolve(struct frame_source *source, size_t process, uint32_t stack, uint64_t time_ns,
		    struct frames *ret_frames)
{
	if (!source->processes[process] &&
	    symbols_new_shared(trace_reader_get_process(source->reader, process), source->files,
			       &source->processes[process], NULL))
		return false;
	*ret_frames = symbols_resolve_stack(source->processes[process], stack, time_ns);
	return ret_frames->count;
}

/* Adds it to the text. */
static void add_frame(struct frame_source *source, const struct frame *frame)
{
	size_t used = strlen(source->text), room = sizeof(source->text) - used;
	const char *file = frame->file ? strrchr(frame->file, '/') : NULL,
		   *before = used ? " < " : "";

	if (frame->file)
		snprintf(source->text + used, room, "%s%s %s:%d", before, frame->function,
			 file ? file + 1 : frame->file, frame->line);
	else
		snprintf(source->text + used, room, "%s%s", before, frame->function);
}

static bool is_program(const struct frame *frame)
{
	return frame->function && frame->module && !strcmp(frame->module, SYMBOLS_PYTHON);
}

/* And of an interpreter's stack the innermost line of the program: what is above it all programs have in common. */
static const char *top_frame(void *context, size_t process, uint32_t stack, uint64_t time_ns)
{
	struct frame_source *source = context;
	struct frames frames;

	source->text[0] = '\0';
	if (!resolve(source, process, stack, time_ns, &frames))
		return NULL;
	if (frames.frame[0].function)
		add_frame(source, &frames.frame[0]);
	for (size_t i = 1; i < frames.count && !is_program(&frames.frame[0]); i++)
		if (is_program(&frames.frame[i])) {
			add_frame(source, &frames.frame[i]);
			break;
		}
	return source->text[0] ? source->text : NULL;
}

static const char *all_frames(void *context, size_t process, uint32_t stack, uint64_t time_ns)
{
	struct frame_source *source = context;
	struct frames frames;

	source->text[0] = '\0';
	if (!resolve(source, process, stack, time_ns, &frames))
		return NULL;
	for (size_t i = 0; i < frames.count; i++)
		if (frames.frame[i].function)
			add_frame(source, &frames.frame[i]);
	return source->text[0] ? source->text : NULL;
}

static void frame_source_release(struct frame_source *source)
{
	for (size_t i = 0; source->processes && i < trace_reader_process_count(source->reader); i++)
		symbols_free(source->processes[i]);
	free(source->processes);
	symbols_files_free(source->files);
}

int verb_dump(const struct options *options)
{
	struct frame_source source = { 0 };
	struct dump_options dump = { .filter = options->filter,
				     .frame = top_frame,
				     .chain = all_frames,
				     .frame_context = &source };
	struct trace_place place;
	struct trace_reader *reader;
	struct diag diag;
	int status = open_trace(options, &place, &reader);

	if (status)
		return status;
	source.reader = reader;
	source.files = symbols_files_new();
	for (size_t i = 0; i < options->symbols.count; i++)
		symbols_files_add_directory(source.files, options->symbols.text[i]);
	if (place.symbols)
		symbols_files_add_directory(source.files, place.symbols);
	source.processes = calloc(trace_reader_process_count(reader), sizeof(struct symbols *));
	if (!source.processes)
		dump.frame = NULL;
	if (dump_write(reader, &dump, stdout, &diag)) {
		say("%s", diag.message);
		status = STATUS_INTERNAL;
	}
	frame_source_release(&source);
	trace_reader_free(reader);
	trace_place_release(&place);
	return status;
}

int verb_info(const struct options *options)
{
	struct info_options info = { .modules = options->verbose };
	struct trace_place place;
	struct trace_reader *reader;
	struct diag diag;
	int status;

	info.json = !strcmp(options->format->format, "json");
	if (!info.json && strcmp(options->format->format, "text")) {
		say("--format: info has text and json, not %s", options->format->format);
		return STATUS_USAGE;
	}
	status = open_trace(options, &place, &reader);
	if (status)
		return status;
	if (info_write(reader, &info, stdout, &diag)) {
		say("%s", diag.message);
		status = STATUS_INTERNAL;
	}
	trace_reader_free(reader);
	trace_place_release(&place);
	return status;
}
