/* SPDX-License-Identifier: MIT */
/*
 * frame_source.c - opens a trace, and symbols of its processes as they are needed.
 */
#include "frame_source.h"

#include "../analyzer/symbols_file.h"
#include "cli.h"

#include <stdlib.h>

int trace_operand_open(const struct options *options, struct trace_place *ret_place,
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

void frame_source_init(struct frame_source *source, const struct options *options,
		       const struct trace_place *place, const struct trace_reader *reader)
{
	*source = (struct frame_source){ .reader = reader, .files = symbols_files_new() };
	for (size_t i = 0; i < options->symbols.count; i++)
		symbols_files_add_directory(source->files, options->symbols.text[i]);
	if (place->symbols)
		symbols_files_add_directory(source->files, place->symbols);
	source->processes = calloc(trace_reader_process_count(reader), sizeof(struct symbols *));
}

void frame_source_release(struct frame_source *source)
{
	for (size_t i = 0; source->processes && i < trace_reader_process_count(source->reader); i++)
		symbols_free(source->processes[i]);
	free(source->processes);
	symbols_files_free(source->files);
}

/* NULL = impossible. */
static struct symbols *symbols_of(struct frame_source *source, size_t process)
{
	if (!source->processes)
		return NULL;
	if (!source->processes[process])
		symbols_new_shared(trace_reader_get_process(source->reader, process), source->files,
				   &source->processes[process], NULL);
	return source->processes[process];
}

bool frame_source_resolve(void *context, size_t process, uint32_t stack, uint64_t time_ns,
			  struct frames *ret_frames)
{
	struct symbols *symbols = symbols_of(context, process);

	if (!symbols)
		return false;
	*ret_frames = symbols_resolve_stack(symbols, stack, time_ns);
	return ret_frames->count;
}

const char *frame_source_data(void *context, size_t process, uint64_t address, uint64_t time_ns)
{
	struct symbols *symbols = symbols_of(context, process);

	return symbols ? symbols_resolve_data(symbols, address, time_ns) : NULL;
}
