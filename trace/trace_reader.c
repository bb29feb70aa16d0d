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

const char *trace_reader_get_run_json(const struct trace_reader *r)
{
	return r->dir.run_json;
}
