/* SPDX-License-Identifier: MIT */
/*
 * fuzz_tsan_log.c - a log of ThreadSanitizer of any bytes: the parser stays inside, ends, and what it says of parts and frames holds
 * together; what comes before a cut is not changed by it, but for the report that is cut.
 */
#include "fuzz_check.h"

#include "trace/trace_diag.h"
#include "trace/trace_tsan_log.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_log(const struct trace_log *log, const char *text, size_t size)
{
	size_t parts = 0, frames = 0;

	check(log->report_count <= size && log->part_count <= size && log->frame_count <= size);
	for (size_t i = 0; i < log->report_count; i++) {
		const struct trace_log_report *r = &log->reports[i];

		check(r->first_part == parts && r->parts <= log->part_count - parts);
		check(r->title >= text && r->title + r->title_bytes <= text + size);
		parts += r->parts;
	}
	check(parts == log->part_count);
	for (size_t i = 0; i < log->part_count; i++) {
		const struct trace_log_part *p = &log->parts[i];

		check(p->part.kind >= TF_PART_ACCESS && p->part.kind <= TF_PART_STACK);
		check(p->frames <= TF_MAX_FRAMES);
		check(!p->frames || p->first_frame + p->frames <= log->frame_count);
		frames += p->frames;
	}
	check(frames == log->frame_count);
	for (size_t i = 0; i < log->frame_count; i++) {
		const struct trace_log_frame *f = &log->frames[i];

		check(f->ip || f->module);
		check(!f->module ||
		      (f->module >= text && f->module + f->module_bytes <= text + size));
	}
}

static bool is_same(const struct trace_log *whole, const struct trace_log *cut, size_t reports)
{
	for (size_t i = 0; i < reports; i++) {
		const struct trace_log_report *a = &whole->reports[i], *b = &cut->reports[i];

		if (a->kind != b->kind || a->first_part != b->first_part || a->parts != b->parts) {
			return false;
		}
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_text input = fuzz_text_new(data, size);
	struct trace_log whole, cut;
	size_t at = size ? data[size / 2] * size / 256 : 0;

	check(!trace_log_parse(input.text, size, &whole));
	check_log(&whole, input.text, size);
	check(!trace_log_parse(input.text, at, &cut));
	check_log(&cut, input.text, at);
	check(cut.report_count <= whole.report_count);
	check(!cut.report_count || is_same(&whole, &cut, cut.report_count - 1));
	trace_log_release(&whole);
	trace_log_release(&cut);
	free(input.memory);
	return 0;
}
