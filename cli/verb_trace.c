/* SPDX-License-Identifier: MIT */
/*
 * verb_trace.c - `thrum dump` and `thrum info`: one trace as it is, without analysis.
 */
#include "../viewer/dump.h"
#include "../viewer/info.h"
#include "cli.h"
#include "frame_source.h"
#include "options.h"
#include "trace_place.h"

#include <string.h>

/* What is written about a stack, until the next one. */
struct dump_words {
	struct frame_source source;
	char text[1024];
};

/* Adds it to the text. */
static void add_frame(struct dump_words *words, const struct frame *frame)
{
	size_t used = strlen(words->text), room = sizeof(words->text) - used;
	const char *file = frame->file ? strrchr(frame->file, '/') : NULL,
		   *before = used ? " < " : "";

	if (frame->file)
		snprintf(words->text + used, room, "%s%s %s:%d", before, frame->function,
			 file ? file + 1 : frame->file, frame->line);
	else
		snprintf(words->text + used, room, "%s%s", before, frame->function);
}

static bool is_program(const struct frame *frame)
{
	return frame->function && frame->module && !strcmp(frame->module, SYMBOLS_PYTHON);
}

/* And of an interpreter's stack the innermost line of the program: what is above it all programs have in common. */
static const char *top_frame(void *context, size_t process, uint32_t stack, uint64_t time_ns)
{
	struct dump_words *words = context;
	struct frames frames;

	words->text[0] = '\0';
	if (!frame_source_resolve(&words->source, process, stack, time_ns, &frames))
		return NULL;
	if (frames.frame[0].function)
		add_frame(words, &frames.frame[0]);
	for (size_t i = 1; i < frames.count && !is_program(&frames.frame[0]); i++)
		if (is_program(&frames.frame[i])) {
			add_frame(words, &frames.frame[i]);
			break;
		}
	return words->text[0] ? words->text : NULL;
}

static const char *all_frames(void *context, size_t process, uint32_t stack, uint64_t time_ns)
{
	struct dump_words *words = context;
	struct frames frames;

	words->text[0] = '\0';
	if (!frame_source_resolve(&words->source, process, stack, time_ns, &frames))
		return NULL;
	for (size_t i = 0; i < frames.count; i++)
		if (frames.frame[i].function)
			add_frame(words, &frames.frame[i]);
	return words->text[0] ? words->text : NULL;
}

int verb_dump(const struct options *options)
{
	struct dump_words words = { 0 };
	struct dump_options dump = { .filter = options->filter,
				     .frame = top_frame,
				     .chain = all_frames,
				     .frame_context = &words };
	struct trace_place place;
	struct trace_reader *reader;
	struct diag diag;
	int status = trace_operand_open(options, &place, &reader);

	if (status)
		return status;
	frame_source_init(&words.source, options, &place, reader);
	if (dump_write(reader, &dump, stdout, &diag)) {
		say("%s", diag.message);
		status = STATUS_INTERNAL;
	}
	frame_source_release(&words.source);
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
	status = trace_operand_open(options, &place, &reader);
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
