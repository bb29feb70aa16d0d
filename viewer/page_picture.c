/* SPDX-License-Identifier: MIT */
/*
 * page_picture.c - see page_picture.h.
 */
#include "page_picture.h"

#include "../analyzer/report/escape.h"
#include "../analyzer/report/html_text.h"
#include "../analyzer/report/words.h"

#include "page_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	LANES_MOST = 24, /* in the picture; the script shows all */
	ROWS_MOST = 4,	 /* of a lane */
	LABEL = 190,
	WIDTH = 900, /* pixels of time; each a bucket of lane_row_raster */
	LANE_GAP = 10,
	ROW = 12,
	AXIS = 24,
};

/* Class names of page_style, by state. */
static const char *const classes[LANE_STATES] = {
	[LANE_NOTHING] = "",
	[LANE_IDLE] = "s-idle",
	[LANE_WAITS_SIGNAL] = "s-signal",
	[LANE_RUNS_CALLBACK] = "s-callback",
	[LANE_RUNS_TASK] = "s-task",
	[LANE_HOLDS_SHARED] = "s-shared",
	[LANE_HOLDS] = "s-hold",
	[LANE_HOLDS_WANTED] = "s-wanted",
	[LANE_CALLS] = "s-call",
	[LANE_JOINS] = "s-join",
	[LANE_WAITS_LOCK] = "s-lock",
};

struct chosen {
	uint32_t lane[LANES_MOST];
	size_t count;
};

static void choose(struct chosen *c, uint32_t lane)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->lane[i] == lane)
			return;
	if (c->count < LANES_MOST)
		c->lane[c->count++] = lane;
}

static int compare_numbers(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* Those of findings first; then the first ones, in the order in which they began. Drawn in that order. */
static void choose_lanes(const struct page *page, const struct report *report, struct chosen *c)
{
	const struct lanes *l = page->lanes;

	for (size_t i = 0; i < report->listed_count; i++) {
		const struct finding *f = report->findings[i];

		for (size_t t = 0; t < f->thread_count && !finding_spans_processes(f); t++) {
			const struct lane_thread *lane =
				lanes_find(l, f->process, f->threads[t].id);

			if (lane)
				choose(c, (uint32_t)(lane - l->thread));
		}
	}
	for (size_t i = 0; i < l->thread_count; i++)
		choose(c, (uint32_t)i);
	qsort(c->lane, c->count, sizeof(c->lane[0]), compare_numbers);
}

static int lane_height(const struct lanes *l, uint32_t lane)
{
	int rows = 0;

	for (uint32_t next = l->thread[lane].first_row; next && rows < ROWS_MOST;
	     next = l->row[next - 1].next)
		rows++;
	return (rows ? rows : 1) * ROW + LANE_GAP;
}

static void put_row(const struct lanes *l, const struct lane_row *row, int y, FILE *out)
{
	uint8_t state[WIDTH];

	lane_row_raster(l, row, 0, l->end_ns + 1, state, WIDTH);
	for (int x = 0; x < WIDTH;) {
		int end = x;

		while (end < WIDTH && state[end] == state[x])
			end++;
		if (state[x] && state[x] < LANE_STATES)
			fprintf(out,
				"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
				classes[state[x]], LABEL + x, y, end - x, ROW - 2);
		x = end;
	}
}

static int position(const struct lanes *l, uint64_t ns)
{
	return (int)((double)ns * WIDTH / ((double)l->end_ns + 1));
}

static void put_lane(const struct page *page, uint32_t lane, int y, FILE *out)
{
	const struct lanes *l = page->lanes;
	const struct lane_thread *t = &l->thread[lane];
	char name[WORDS_BYTES];
	int height = lane_height(l, lane), from = position(l, t->begin_ns),
	    to = position(l, t->end_ns), rows = 0;

	fprintf(out, "<text class=\"lane\" x=\"%d\" y=\"%d\">", LABEL - 8, y + ROW - 2);
	lanes_thread_name(l, t, name, sizeof(name));
	html_short(out, name, 24);
	fprintf(out, "</text><rect class=\"life\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
		LABEL + from, y - 1, to > from ? to - from : 1, height - LANE_GAP);
	for (uint32_t next = t->first_row; next && rows < ROWS_MOST;
	     next = l->row[next - 1].next, rows++)
		put_row(l, &l->row[next - 1], y + rows * ROW, out);
	fputc('\n', out);
}

static void put_axis(const struct lanes *l, FILE *out)
{
	char time[32];

	for (int i = 0; i <= 4; i++) {
		page_time(l->end_ns / 4 * (uint64_t)i, time, sizeof(time));
		fprintf(out, "<text class=\"tick\" x=\"%d\" y=\"14\" text-anchor=\"%s\">%s</text>",
			LABEL + WIDTH * i / 4,
			i == 0	 ? "start"
			: i == 4 ? "end"
				 : "middle",
			time);
	}
	fputc('\n', out);
}

static void put_legend(FILE *out)
{
	static const uint8_t shown[] = { LANE_WAITS_LOCK,   LANE_HOLDS_WANTED,	LANE_HOLDS,
					 LANE_HOLDS_SHARED, LANE_WAITS_SIGNAL,	LANE_CALLS,
					 LANE_JOINS,	    LANE_RUNS_CALLBACK, LANE_RUNS_TASK,
					 LANE_IDLE };

	fputs("<ul class=\"legend\">", out);
	for (size_t i = 0; i < sizeof(shown); i++)
		fprintf(out,
			"<li><svg width=\"22\" height=\"12\" aria-hidden=\"true\"><rect class=\"%s\" "
			"width=\"22\" height=\"12\"/></svg> %s</li>",
			classes[shown[i]], lane_state_word(shown[i]));
	fputs("</ul>\n", out);
}

/* Stripes of a state: it is told by more than its colour. */
static void put_hatch(FILE *out, const char *state, int degrees)
{
	fprintf(out,
		"<pattern id=\"hatch-%s\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" "
		"patternTransform=\"rotate(%d)\"><rect class=\"ground-%s\" width=\"5\" height=\"5\"/><rect "
		"class=\"hatch-line\" width=\"2\" height=\"5\"/></pattern>",
		state, degrees, state);
}

void page_picture_put(const struct page *page, const struct report *report, FILE *out)
{
	const struct lanes *l = page->lanes;
	struct chosen chosen = { .count = 0 };
	int height = AXIS, y = AXIS;
	char spans[96], lanes[96], arrows[96], time[32];

	choose_lanes(page, report, &chosen);
	for (size_t i = 0; i < chosen.count; i++)
		height += lane_height(l, chosen.lane[i]);
	fputs("<svg class=\"markers\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>", out);
	put_hatch(out, "lock", 45);
	put_hatch(out, "call", -45);
	fputs("</defs></svg>\n", out);
	fputs("<section class=\"screen\" id=\"timeline\">\n<h2>Timeline</h2>\n", out);
	fprintf(out, "<p class=\"facts\">%s and %s of %s over %s",
		words_count(l->spans, "span", NULL, spans, sizeof(spans)),
		words_count(l->arrows, "arrow", NULL, arrows, sizeof(arrows)),
		words_count(l->thread_count, "thread", NULL, lanes, sizeof(lanes)),
		page_time(l->end_ns, time, sizeof(time)));
	if (chosen.count < l->thread_count)
		fprintf(out, "; %zu threads are in this picture", chosen.count);
	if (page->parts && page_parts_left_out(page->parts))
		fprintf(out,
			"; %s did not fit into this page, which has their picture from afar: <code>thrum view</code> shows them",
			words_count(page_parts_left_out(page->parts), "single span", NULL, spans,
				    sizeof(spans)));
	fputs("</p>\n<div class=\"picture\" id=\"timeline-picture\">\n", out);
	fprintf(out,
		"<svg class=\"lanes\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
		"aria-label=\"What each thread did over time\">\n",

		LABEL + WIDTH + 10, height, LABEL + WIDTH + 10, height);
	put_axis(l, out);
	for (size_t i = 0; i < chosen.count; i++) {
		put_lane(page, chosen.lane[i], y, out);
		y += lane_height(l, chosen.lane[i]);
	}
	fputs("</svg>\n", out);
	put_legend(out);
	fputs("</div>\n</section>\n", out);
}
