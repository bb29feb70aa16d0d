/* SPDX-License-Identifier: MIT */
/*
 * page_outline.c - see page_outline.h.
 */
#include "page_outline.h"

#include "../analyzer/report/escape.h"
#include "../analyzer/report/html_page.h"
#include "../analyzer/report/html_text.h"
#include "../analyzer/report/json_put.h"
#include "../analyzer/report/words.h"
#include "page_private.h"

#include <string.h>

enum {
	LANES_MOST = 40, /* in the picture; the script shows all */
	LABEL = 190,
	WIDTH = 900, /* pixels of time */
	LANE = 18,
	AXIS = 24,
	ROW_KIND = 3,
};

_Static_assert(OUTLINE_STATE + 1 == LANE_STATES, "shades come after the states");

static const char *const shade_word[OUTLINE_SHADES] = { "few events", "some", "many", "most" };

/* ---- the picture ---- */

static int height_of(const struct outline *o)
{
	size_t lanes = o->lane_count < LANES_MOST ? o->lane_count : LANES_MOST;

	return AXIS + (int)lanes * LANE + 4;
}

static void put_lane(const struct outline *o, size_t index, FILE *out)
{
	const struct outline_lane *lane = &o->lane[index];
	int y = AXIS + (int)index * LANE;
	uint8_t shade[WIDTH];

	outline_shade(o, lane, shade, WIDTH);
	fprintf(out, "<text class=\"lane\" x=\"%d\" y=\"%d\">", LABEL - 8, y + 11);
	html_short(out, lane->name, 24);
	fputs("</text>", out);
	for (int x = 0, end; x < WIDTH; x = end) {
		for (end = x; end < WIDTH && shade[end] == shade[x];)
			end++;
		if (shade[x])
			fprintf(out,
				"<rect class=\"s-shade%u\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
				shade[x], LABEL + x, y, end - x, LANE - 4);
	}
	fputc('\n', out);
}

static void put_axis(const struct outline *o, FILE *out)
{
	static const char *const anchor[] = { "start", "middle", "end" };
	char time[32];

	for (unsigned i = 0; i <= 2; i++)
		fprintf(out, "<text class=\"tick\" x=\"%u\" y=\"14\" text-anchor=\"%s\">%s</text>",
			LABEL + WIDTH * i / 2, anchor[i],
			page_time(o->end_ns / 2 * i, time, sizeof(time)));
	fputc('\n', out);
}

static void put_picture(const struct outline *o, FILE *out)
{
	fprintf(out,
		"<div class=\"picture\" id=\"timeline-picture\">\n"
		"<svg class=\"lanes\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
		"aria-label=\"How much each thread did over time\">\n",
		LABEL + WIDTH + 10, height_of(o), LABEL + WIDTH + 10, height_of(o));
	put_axis(o, out);
	for (size_t i = 0; i < o->lane_count && i < LANES_MOST; i++)
		put_lane(o, i, out);
	fputs("</svg>\n<ul class=\"legend\">", out);
	for (unsigned i = 0; i < OUTLINE_SHADES; i++)
		fprintf(out,
			"<li><svg width=\"22\" height=\"12\" aria-hidden=\"true\"><rect class=\"s-shade%u\" "
			"width=\"22\" height=\"12\"/></svg> %s</li>",
			i + 1, shade_word[i]);
	fputs("</ul>\n</div>\n", out);
}

/* ---- the page ---- */

static void put_facts(const struct outline *o, FILE *out)
{
	char events[96], threads[96], processes[96], time[32];

	if (o->process_count) {
		fputs("<p class=\"facts\">Program <code>", out);
		escape_html(out, o->process[0].command);
		fputs("</code></p>\n", out);
	}
	fprintf(out, "<p class=\"facts\">%s of %s in %s over %s.</p>\n",
		words_count(o->events, "event", NULL, events, sizeof(events)),
		words_count(o->lane_count + o->left_out, "thread", NULL, threads, sizeof(threads)),
		words_count(o->process_count, "process", "processes", processes, sizeof(processes)),
		page_time(o->end_ns, time, sizeof(time)));
}

static int put_data(void *cookie, const struct report *report, FILE *out, struct diag *diag)
{
	(void)diag;
	(void)cookie;
	(void)report;
	fputs("<script type=\"application/json\" id=\"thrum-data\" data-served=\"1\" data-outline=\"1\"></script>\n",
	      out);
	return 0;
}

int page_outline_put(const struct outline *outline, const char *version, FILE *out)
{
	const struct report_view view = {
		.script = page_script, .style = page_style, .is_served = true, .data = put_data
	};
	char left[96];

	html_page_begin(out, &view);
	fputs("Reading", out);
	if (outline->process_count) {
		fputs(" - ", out);
		escape_html(out, outline->process[0].command);
	}
	html_page_body(out, &view);
	fprintf(out,
		"<header>\n<p class=\"brand\">thrum %s</p>\n<h1>The trace is being read</h1>\n",
		version);
	put_facts(outline, out);
	fputs("<p class=\"facts\" id=\"reading\">Findings, locks, threads and tasks are here when that is over. "
	      "Without scripts: load the address again.</p>\n</header>\n<main></main>\n"
	      "<section class=\"screen\" id=\"timeline\">\n<h2>Timeline</h2>\n"
	      "<p class=\"facts\">How much was recorded of each thread. What it did comes when the trace has been read.",
	      out);
	if (outline->left_out)
		fprintf(out, " %s not in this picture.",
			words_count(outline->left_out, "short thread is", "short threads are", left,
				    sizeof(left)));
	fputs("</p>\n", out);
	put_picture(outline, out);
	fputs("</section>\n", out);
	return html_page_end(out, &view, NULL, NULL);
}

/* ---- for the script ---- */

static unsigned shift_of(const struct outline *o)
{
	unsigned shift = 6;

	while (o->end_ns >> shift >= LANE_FAR_BUCKETS)
		shift++;
	return shift;
}

void page_outline_far(const struct outline *outline, size_t lane, uint8_t *ret_state)
{
	struct outline scaled = *outline;

	/* Its buckets are powers of two: of a run that is so long. */
	scaled.end_ns = ((uint64_t)LANE_FAR_BUCKETS << shift_of(outline)) - 1;
	outline_shade(&scaled, &outline->lane[lane], ret_state, LANE_FAR_BUCKETS);
	for (size_t i = 0; i < LANE_FAR_BUCKETS; i++)
		ret_state[i] = ret_state[i] ? (uint8_t)(ret_state[i] + OUTLINE_STATE) : 0;
}

static json_t *words_of_states(void)
{
	json_t *words = json_array();

	for (unsigned i = 0; i < LANE_STATES; i++)
		json_array_append_new(words, json_text(lane_state_word(i)));
	for (unsigned i = 0; i < OUTLINE_SHADES; i++)
		json_array_append_new(words, json_text(shade_word[i]));
	return words;
}

static json_t *count_of(uint64_t value)
{
	return json_integer(value < INT64_MAX ? (json_int_t)value : INT64_MAX);
}

static json_t *lane_json(const struct outline_lane *lane, size_t index)
{
	const struct outline_piece *last = &lane->piece[lane->piece_count - 1];
	json_t *l = json_array();

	json_array_append_new(l, count_of(lane->process));
	json_array_append_new(l, count_of(lane->thread));
	json_array_append_new(l, json_text(lane->name));
	json_array_append_new(l, count_of(lane->piece[0].start_ns));
	json_array_append_new(l, count_of(last->end_ns));
	for (int i = 0; i < 3; i++) /* flags, from lane, from ns */
		json_array_append_new(l, json_integer(0));
	json_array_append_new(l, json_pack("[I]", (json_int_t)index));
	return l;
}

static json_t *row_json(const struct outline_lane *lane, size_t index)
{
	json_t *row = json_array();

	json_array_append_new(row, count_of(index));
	json_array_append_new(row, json_integer(ROW_KIND));
	json_array_append_new(row, json_integer(0));
	json_array_append_new(row, count_of(lane->events ? lane->events : 1));
	json_array_append_new(row, json_integer(0));
	json_array_append_new(row, json_array());
	return row;
}

static json_t *process_json(const struct outline_process *p)
{
	json_t *process = json_array();

	json_array_append_new(process, count_of(p->pid));
	json_array_append_new(process, json_text(p->command));
	json_array_append_new(process, count_of(p->start_ns));
	json_array_append_new(process, count_of(p->end_ns));
	return process;
}

int page_outline_model_put(const struct outline *o, FILE *out)
{
	static const char *const empty[] = { "arrows", "calls", "frames", "findings" };
	static const char *const by_process[] = { "objects", "tasks", "stacks" };
	json_t *model = json_object(), *lanes = json_array(), *rows = json_array(),
	       *processes = json_array();
	int error;

	json_put(model, "end", count_of(o->end_ns));
	json_put(model, "shift", json_integer((json_int_t)shift_of(o)));
	json_put(model, "states", words_of_states());
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		json_put(model, empty[i], json_array());
	for (size_t i = 0; i < sizeof(by_process) / sizeof(by_process[0]); i++) {
		json_t *each = json_array();

		for (size_t p = 0; p < o->process_count; p++)
			json_array_append_new(each, json_object());
		json_put(model, by_process[i], each);
	}
	for (size_t i = 0; i < o->process_count; i++)
		json_array_append_new(processes, process_json(&o->process[i]));
	for (size_t i = 0; i < o->lane_count; i++) {
		json_array_append_new(lanes, lane_json(&o->lane[i], i));
		json_array_append_new(rows, row_json(&o->lane[i], i));
	}
	json_put(model, "processes", processes);
	json_put(model, "lanes", lanes);
	json_put(model, "rows", rows);
	error = json_dumpf(model, out, JSON_COMPACT) ? THRUM_ENOMEM : 0;
	json_decref(model);
	return error;
}
