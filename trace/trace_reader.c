/* SPDX-License-Identifier: MIT */
/*
 * trace_reader.c - the API of trace_reader.h over directory, definitions and merge.
 */
#include "trace_reader.h"

#include "trace_merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trace_reader {
	struct trace_dir dir;
	struct trace_defs *defs; /* one per image, in the same order */
	size_t defs_count;
	struct trace_merge merge;
	size_t merging;	       /* index of the process that `merge` is about */
	uint64_t lost_in_gaps; /* of the pass under way */
	bool is_merging;
};

int trace_reader_open(const char *path, struct trace_reader **ret_reader, struct diag *diag)
{
	struct trace_reader *r = calloc(1, sizeof(*r));
	int error;

	if (!r) {
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	}
	error = trace_dir_open(path, &r->dir, diag);
	if (!error) {
		r->defs = calloc(r->dir.image_count, sizeof(*r->defs));
		error = r->defs ? 0 : THRUM_ENOMEM;
	}
	while (!error && r->defs_count < r->dir.image_count) {
		error = trace_defs_init(&r->defs[r->defs_count], &r->dir.images[r->defs_count]);
		r->defs_count += !error;
	}
	if (!error) {
		error = trace_reader_rewind(r, 0, diag);
	} else if (error == THRUM_ENOMEM) {
		diag_set(diag, error, "out of memory for the definitions of %s", path);
	}
	if (error) {
		trace_reader_free(r);
		return error;
	}
	diag_set(diag, 0, "%s", "");
	*ret_reader = r;
	return 0;
}

void trace_reader_free(struct trace_reader *r)
{
	if (!r) {
		return;
	}
	if (r->is_merging) {
		trace_merge_release(&r->merge);
	}
	for (size_t i = 0; i < r->defs_count; i++) {
		trace_defs_release(&r->defs[i]);
	}
	free(r->defs);
	trace_dir_release(&r->dir);
	free(r);
}

size_t trace_reader_process_count(const struct trace_reader *r)
{
	return r->defs_count;
}

const struct trace_process *trace_reader_get_process(const struct trace_reader *r, size_t index)
{
	return &r->defs[index].process;
}

int trace_reader_rewind(struct trace_reader *r, size_t index, struct diag *diag)
{
	int error;

	if (index >= r->defs_count) {
		return diag_set(diag, THRUM_EINVAL, "the trace has %zu processes, not %zu",
				r->defs_count, index + 1);
	}
	if (r->is_merging) {
		trace_merge_release(&r->merge);
		r->is_merging = false;
	}
	error = trace_merge_init(&r->merge, &r->defs[index], &r->dir.images[index]);
	if (error) {
		return diag_set(diag, error, "out of memory for the streams of process %s",
				r->dir.images[index].name);
	}
	r->is_merging = true;
	r->merging = index;
	r->lost_in_gaps = 0;
	return 0;
}

/* All records have been seen: what the counters of the files only promised is now known. */
static void settle(struct trace_reader *r)
{
	struct trace_defs *defs = &r->defs[r->merging];

	defs->process.events = r->merge.source.records;
	defs->process.lost_in_gaps = r->lost_in_gaps;
	trace_sum_judge(defs, &r->dir.images[r->merging]);
	if (r->merge.source.no_memory) {
		defs->process.complete = false;
		snprintf(defs->process.why, sizeof(defs->process.why),
			 "out of memory while reading");
	}
}

int trace_reader_next(struct trace_reader *r, struct trace_event *ret_event)
{
	if (!r->is_merging) {
		return 0;
	}
	if (__builtin_expect(trace_merge_next(&r->merge, ret_event), 1)) {
		if (__builtin_expect(ret_event->synthetic, 0)) {
			r->lost_in_gaps += ret_event->arg;
		}
		return 1;
	}
	settle(r);
	return 0;
}

/* ---- several images side by side ---- */

struct trace_pass {
	struct trace_merge merge;
	struct trace_clock clock; /* of the run */
};

/* Starts with the first image; the scale of the longest one is the best. */
static struct trace_clock run_clock(const struct trace_reader *r)
{
	struct trace_clock clock = { UINT64_MAX, r->defs[0].clock.scale };
	uint64_t longest = 0;

	for (size_t i = 0; i < r->defs_count; i++) {
		const struct trace_clock *c = &r->defs[i].clock;

		if (c->start_ticks && c->start_ticks < clock.start_ticks)
			clock.start_ticks = c->start_ticks;
		if (r->defs[i].process.end_ns > longest) {
			longest = r->defs[i].process.end_ns;
			clock.scale = c->scale;
		}
	}
	if (clock.start_ticks == UINT64_MAX)
		clock.start_ticks = 0;
	return clock;
}

int trace_pass_new(struct trace_reader *r, size_t index, struct trace_pass **ret_pass,
		   struct diag *diag)
{
	struct trace_pass *pass = calloc(1, sizeof(*pass));
	int error = pass ? trace_merge_init(&pass->merge, &r->defs[index], &r->dir.images[index])
			 : THRUM_ENOMEM;

	if (error) {
		free(pass);
		return diag_set(diag, error, "out of memory for the streams of process %s",
				r->dir.images[index].name);
	}
	pass->clock = run_clock(r);
	pass->merge.clock = &pass->clock;
	*ret_pass = pass;
	return 0;
}

void trace_pass_free(struct trace_pass *pass)
{
	if (!pass)
		return;
	trace_merge_release(&pass->merge);
	free(pass);
}

int trace_pass_next(struct trace_pass *pass, struct trace_event *ret_event)
{
	return trace_merge_next(&pass->merge, ret_event);
}

/* ---- pieces ---- */

size_t trace_reader_piece_count(const struct trace_reader *r, size_t index)
{
	return r->dir.images[index].chunk_count;
}

/* When the last record of a stream was: known of those that were in use to the end. */
static uint64_t end_of_stream(const struct trace_reader *r, size_t index, uint32_t stream)
{
	const struct trace_live *live = trace_image_find_live(&r->dir.images[index], stream);

	return live && live->end_ticks ? trace_clock_ns(&r->defs[index].clock, live->end_ticks)
				       : r->defs[index].process.end_ns;
}

struct trace_piece trace_reader_get_piece(const struct trace_reader *r, size_t index, size_t piece)
{
	const struct trace_image *image = &r->dir.images[index];
	const struct trace_process *p = &r->defs[index].process;
	const struct trace_chunk *c = &image->chunks[piece];
	bool is_first = !piece || c[-1].stream != c->stream;
	/* One that is being taken into use has no time yet. */
	bool is_last = piece + 1 == image->chunk_count || c[1].stream != c->stream ||
		       c[1].base_ticks < c->base_ticks;
	uint64_t before = is_first ? 0 : c[-1].events;
	struct trace_piece result = {
		.thread = c->thread < p->thread_count && c->events > before ? c->thread : 0,
		.start_ns = trace_clock_ns(&r->defs[index].clock, c->base_ticks),
		.end_ns = is_last ? end_of_stream(r, index, c->stream)
				  : trace_clock_ns(&r->defs[index].clock, c[1].base_ticks),
		.events = c->events > before ? c->events - before : 0,
	};

	if (result.start_ns > p->end_ns)
		result.start_ns = p->end_ns;
	if (result.end_ns > p->end_ns)
		result.end_ns = p->end_ns;
	if (result.end_ns < result.start_ns)
		result.end_ns = result.start_ns;
	return result;
}

uint64_t trace_reader_get_start_ns(const struct trace_reader *r, size_t index)
{
	struct trace_clock clock = run_clock(r);

	return trace_clock_ns(&clock, r->defs[index].clock.start_ticks);
}

const char *trace_reader_get_run_json(const struct trace_reader *r)
{
	return r->dir.run_json;
}
