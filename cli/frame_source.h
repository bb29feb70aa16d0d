/* SPDX-License-Identifier: MIT */
/*
 * frame_source.h - what the stacks of a trace are in words, for verbs that show a trace as it is.
 */
#ifndef THRUM_CLI_FRAME_SOURCE_H
#define THRUM_CLI_FRAME_SOURCE_H

#include "../analyzer/symbols.h"
#include "../trace/trace_reader.h"
#include "options.h"
#include "trace_place.h"

/* Symbols of each process of the trace, made when its first stack is asked for. */
struct frame_source {
	const struct trace_reader *reader; /* borrowed */
	struct symbols_files *files;	   /* owns */
	struct symbols **processes;	   /* owns; NULL = not yet or impossible */
};

/* The trace that is the operand of a verb, opened; says why not. Returns the exit status; on STATUS_OK release both. */
int trace_operand_open(const struct options *options, struct trace_place *ret_place,
		       struct trace_reader **ret_reader);

/* The folders of --symbols, and those of a pack. */
void frame_source_init(struct frame_source *source, const struct options *options,
		       const struct trace_place *place, const struct trace_reader *reader);
void frame_source_release(struct frame_source *source);

/* `context` is a frame_source. False = nothing is known. Borrowed until the next call. */
bool frame_source_resolve(void *context, size_t process, uint32_t stack, uint64_t time_ns,
			  struct frames *ret_frames);

/* The same of the name of a data address; NULL = unknown. */
const char *frame_source_data(void *context, size_t process, uint64_t address, uint64_t time_ns);

#endif
