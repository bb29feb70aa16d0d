/* SPDX-License-Identifier: MIT */
/*
 * export_folded.c - where the time went, as folded stacks: "main;work;lock_account;[waits for mutex g_a] 1500", for flame graphs.
 *
 * A line is a stack, outermost function first, the thing it was about in brackets, and nanoseconds. Which time: of waits, of holds, counted
 * where the lock was taken; or of callbacks that kept their loop for longer than the threshold, as what they waited for meanwhile and a
 * rest. Lines are sorted and each is there once. Grows with places.
 */
#include "export_timeline.h"

#include "../analyzer/report/escape.h"
#include "id_table.h"
#include "names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct sum {
	uint32_t lane;
	uint32_t callback;     /* stack of the callback it is told under; 0 = none */
	struct lane_span span; /* the first of them */
	bool is_rest;
	uint64_t ns;
};

struct folded {
	const struct export_source *source;
	struct id_table ids;
	struct sum *sum; /* owned; of number i + 1 */
	size_t capacity;
};

/* ---- sums ---- */

static bool add(struct folded *x, const struct timeline *t, const struct sum *what)
{
	uint64_t process = t->lanes->thread[what->lane].process;
	bool is_new;
	uint32_t id = id_table_get(
		&x->ids, process << 33 | (uint64_t)what->is_rest << 32 | what->callback,
		timeline_label_key(&what->span) ^ (uint64_t)what->span.stack << 36, &is_new);

	if (!id)
		return false;
	if (id > x->capacity) {
		size_t capacity = x->capacity ? x->capacity * 2 : 64;
		struct sum *sum = realloc(x->sum, capacity * sizeof(*sum));

		if (!sum)
			return false;
		x->sum = sum;
		x->capacity = capacity;
	}
	if (is_new)
		x->sum[id - 1] = *what;
	else
		x->sum[id - 1].ns += what->ns;
	return true;
}

static bool is_wanted(enum export_time time, const struct lane_row *row,
		      const struct lane_span *span)
{
	if (time == EXPORT_TIME_HOLD)
		return row->kind == LANE_ROW_HOLD;
	return row->kind == LANE_ROW_STATE && span->state != LANE_IDLE &&
	       span->state != LANE_NOTHING;
}

/* What the thread waited for inside a callback that took too long, and the rest of it. */
static bool add_stall(struct folded *x, const struct timeline *t, uint32_t lane,
		      const struct lane_span *callback)
{
	uint64_t rest_ns = callback->end_ns - callback->start_ns;
	struct sum what = { .lane = lane, .callback = callback->stack };
	struct lane_cursor cursor;

	for (uint32_t row = t->lanes->thread[lane].first_row; row;
	     row = t->lanes->row[row - 1].next) {
		if (t->lanes->row[row - 1].kind != LANE_ROW_STATE)
			continue;
		lane_cursor_begin(&cursor, &t->lanes->row[row - 1], callback->start_ns);
		while (lane_cursor_next(&cursor, &what.span) &&
		       what.span.start_ns < callback->end_ns) {
			uint64_t end_ns = what.span.end_ns < callback->end_ns ? what.span.end_ns
									      : callback->end_ns;

			if (what.span.start_ns < callback->start_ns)
				continue;
			what.ns = end_ns - what.span.start_ns;
			rest_ns -= what.ns < rest_ns ? what.ns : rest_ns;
			if (!add(x, t, &what))
				return false;
		}
	}
	what.span = *callback;
	what.is_rest = true;
	what.ns = rest_ns;
	return add(x, t, &what);
}

static bool on_span(void *state, const struct timeline *t, const struct lane_row *row,
		    const struct lane_span *span)
{
	struct folded *x = state;
	struct sum what = { .lane = row->lane, .span = *span, .ns = span->end_ns - span->start_ns };

	if (x->source->time != EXPORT_TIME_STALL)
		return !is_wanted(x->source->time, row, span) || add(x, t, &what);
	return row->kind != LANE_ROW_RUN || row->level ||
	       what.ns <= (x->source->stall_ns ? x->source->stall_ns : UINT64_C(100000000)) ||
	       add_stall(x, t, row->lane, span);
}

/* ---- lines ---- */

/* One frame: no semicolon, no line break, no control character. */
static void put_frame(FILE *out, const char *text)
{
	char *clean = escape_terminal_copy(text);

	for (const char *p = clean; p && *p; p++)
		fputc(*p == ';' ? ':' : *p, out);
	free(clean);
}

static void put_function(FILE *out, const struct frame *frame)
{
	const char *module = frame->module ? strrchr(frame->module, '/') : NULL;

	if (frame->function) {
		put_frame(out, frame->function);
		return;
	}
	fputc('[', out);
	put_frame(out, module ? module + 1 : frame->module ? frame->module : "unknown");
	fprintf(out, "+0x%" PRIx64 "]", frame->offset);
}

/* Frames of the innermost so many; of a wait in a callback those inside it. */
static size_t frames_inside(const struct frames *frames, const char *callback)
{
	for (size_t i = 0; callback && i < frames->count; i++)
		if (frames->frame[i].function && !strcmp(frames->frame[i].function, callback))
			return i;
	return frames->count;
}

static bool frames_of(const struct folded *x, const struct timeline *t, const struct sum *what,
		      uint32_t stack, struct frames *ret_frames)
{
	*ret_frames = (struct frames){ 0 };
	return stack && x->source->frames(x->source->context, t->lanes->thread[what->lane].process,
					  stack, what->span.start_ns, ret_frames);
}

static void put_stack(const struct folded *x, const struct timeline *t, const struct sum *what,
		      FILE *out)
{
	struct frames frames;
	char *callback = NULL;

	if (what->callback) {
		if (frames_of(x, t, what, what->callback, &frames) && frames.frame[0].function)
			callback = strdup(frames.frame[0].function);
		put_frame(out, callback ? callback : "callback");
		fputc(';', out);
	}
	if (!what->is_rest && frames_of(x, t, what, what->span.stack, &frames))
		for (size_t i = frames_inside(&frames, callback); i-- > 0;) {
			put_function(out, &frames.frame[i]);
			fputc(';', out);
		}
	free(callback);
}

static char *line_of(const struct folded *x, const struct timeline *t, const struct sum *what)
{
	char label[NAMES_BYTES], *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	if (t->lanes->process_count > 1)
		fprintf(out, "process %" PRIu32 ";",
			t->lanes->process[t->lanes->thread[what->lane].process].process->pid);
	put_stack(x, t, what, out);
	fputc('[', out);
	put_frame(out, what->is_rest
			       ? "ran, or did what is not recorded"
			       : timeline_label(t, what->lane, &what->span, label, sizeof(label)));
	fputc(']', out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

struct line {
	char *text; /* owned */
	uint64_t ns;
};

static int compare_lines(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

static bool put_lines(const struct folded *x, const struct timeline *t, FILE *out)
{
	struct line *line = calloc(x->ids.count + 1, sizeof(*line));
	bool ok = line != NULL;

	for (size_t i = 0; ok && i < x->ids.count; i++) {
		line[i] = (struct line){ line_of(x, t, &x->sum[i]), x->sum[i].ns };
		ok = line[i].text;
	}
	if (ok && x->ids.count)
		qsort(line, x->ids.count, sizeof(*line), compare_lines);
	for (size_t i = 0; ok && i < x->ids.count; i++) {
		bool repeats = i + 1 < x->ids.count && !strcmp(line[i].text, line[i + 1].text);

		if (repeats)
			line[i + 1].ns += line[i].ns;
		else if (line[i].ns)
			fprintf(out, "%s %" PRIu64 "\n", line[i].text, line[i].ns);
	}
	for (size_t i = 0; line && i < x->ids.count; i++)
		free(line[i].text);
	free(line);
	return ok && !ferror(out);
}

static bool sum_up(void *state, const struct timeline *t, FILE *out)
{
	struct folded *x = state;
	struct timeline_sink sink = { .state = x, .span = on_span };

	return timeline_walk(t, &sink) && put_lines(x, t, out);
}

int export_folded_write(const struct export_source *source, FILE *out, struct diag *diag)
{
	struct folded x = { .source = source };
	int error = timeline_run(source, sum_up, &x, out, diag);

	id_table_release(&x.ids);
	free(x.sum);
	return error;
}
