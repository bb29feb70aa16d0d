/* SPDX-License-Identifier: MIT */
/*
 * timeline_page.c - a row a thread, a character a stretch of time: the worst that the thread was in then.
 */
#include "page.h"

#include "../../analyzer/report/escape.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME_COLUMNS 16u
#define LEAST_RANGE_NS UINT64_C(1000)
#define MOST_COLUMNS 1000u

struct range {
	uint64_t from_ns, to_ns;
	uint32_t *lane; /* owned; of a finding, in the order of the lanes. NULL = all lanes */
	size_t lanes;
	bool shows_all; /* none the less */
};

static bool shows_some(const struct range *r)
{
	return r->lane && !r->shows_all;
}

/* The lane of a row. */
static uint32_t lane_at(const struct tui_page *page, size_t row)
{
	const struct range *r = page->state;

	return shows_some(r) ? r->lane[row] : (uint32_t)row;
}

/* Each its own character: colours only help. */
static const struct {
	const char *wide, *plain;
	enum tui_style style;
} cells[LANE_STATES] = {
	[LANE_NOTHING] = { "\xc2\xb7", ".", TUI_FAINT },	    /* middle dot */
	[LANE_IDLE] = { "\xe2\x96\x91", ":", TUI_FAINT },	    /* light shade */
	[LANE_WAITS_SIGNAL] = { "\xe2\x96\x92", "s", TUI_NOTE },    /* medium shade */
	[LANE_RUNS_CALLBACK] = { "\xe2\x96\x84", "c", TUI_RUN },    /* lower half */
	[LANE_RUNS_TASK] = { "\xe2\x96\x82", "t", TUI_RUN },	    /* lower quarter */
	[LANE_HOLDS_SHARED] = { "\xe2\x96\x80", "r", TUI_HOLD },    /* upper half */
	[LANE_HOLDS] = { "\xe2\x96\x88", "=", TUI_HOLD },	    /* full */
	[LANE_HOLDS_WANTED] = { "\xe2\x96\x93", "#", TUI_WARNING }, /* dark shade */
	[LANE_CALLS] = { "\xe2\x96\xa0", "b", TUI_WARNING },	    /* square */
	[LANE_JOINS] = { "\xe2\x96\x9e", "j", TUI_NOTE },	    /* two quarters */
	[LANE_WAITS_LOCK] = { "X", "X", TUI_WAIT },
};

static void put_cell(const struct tui_page *page, unsigned state, FILE *out)
{
	state = state < LANE_STATES ? state : LANE_NOTHING;
	tui_style(out, cells[state].style);
	fputs(page->data->ascii ? cells[state].plain : cells[state].wide, out);
}

static void put_name(const struct tui_page *page, const struct lane_thread *lane, FILE *out)
{
	const struct trace_process *p = page->data->lanes->process[lane->process].process;
	char name[128], text[160], *clean;
	size_t used = 0;
	uint32_t c;

	lanes_thread_name(page->data->lanes, lane, name, sizeof(name));
	if (page->data->lanes->process_count > 1)
		snprintf(text, sizeof(text), "%" PRIu32 " %s", p->pid, name);
	else
		snprintf(text, sizeof(text), "%s", name);
	clean = escape_terminal_copy(text);
	for (const char *at = clean; at && used < NAME_COLUMNS - 1 && *at; used++) {
		size_t length = escape_decode(at, &c);

		fwrite(at, 1, length, out);
		at += length;
	}
	fprintf(out, "%*s", (int)(NAME_COLUMNS - used), "");
	free(clean);
}

static unsigned cell_count(unsigned width)
{
	unsigned count = width > NAME_COLUMNS + 1 ? width - NAME_COLUMNS - 1 : 1;

	return count < MOST_COLUMNS ? count : MOST_COLUMNS;
}

static void put_row(const struct tui_page *page, size_t row, unsigned width, FILE *out)
{
	const struct lanes *lanes = page->data->lanes;
	const struct lane_thread *lane = &lanes->thread[lane_at(page, row)];
	const struct range *r = page->state;
	unsigned count = cell_count(width);
	uint8_t worst[MOST_COLUMNS] = { 0 }, states[MOST_COLUMNS];
	double step = (double)(r->to_ns - r->from_ns) / count;

	put_name(page, lane, out);
	for (uint32_t next = lane->first_row; next; next = lanes->row[next - 1].next) {
		lane_row_raster(lanes, &lanes->row[next - 1], r->from_ns, r->to_ns, states, count);
		for (unsigned i = 0; i < count; i++)
			worst[i] = states[i] > worst[i] ? states[i] : worst[i];
	}
	for (unsigned i = 0; i < count; i++) {
		double at = (double)r->from_ns + step * i;
		bool lives = at + step >= (double)lane->begin_ns && at <= (double)lane->end_ns;

		if (worst[i] || lives)
			put_cell(page, worst[i], out);
		else
			fputc(' ', out);
	}
}

/* The range, and what the characters mean. */
static void put_head(const struct tui_page *page, unsigned width, FILE *out)
{
	const struct range *r = page->state;
	static const uint8_t told[] = { LANE_WAITS_LOCK, LANE_HOLDS, LANE_HOLDS_WANTED,
					LANE_WAITS_SIGNAL, LANE_RUNS_CALLBACK };
	static const char *const words[] = { "waits", "holds", "wanted", "signal", "callback" };

	if (r->from_ns)
		tui_put_time(out, r->from_ns);
	else
		fputc('0', out);
	fputs(" to ", out);
	tui_put_time(out, r->to_ns);
	fputs(", ", out);
	tui_put_time(out, (r->to_ns - r->from_ns) / cell_count(width));
	fputs(" a column ", out);
	if (r->lane)
		fprintf(out, " %s ",
			shows_some(r) ? "(o: all threads)" : "(o: only the finding's)");
	for (unsigned i = 0; i < sizeof(told); i++) {
		fputs("  ", out);
		put_cell(page, told[i], out);
		tui_style(out, TUI_PLAIN);
		fprintf(out, " %s", words[i]);
	}
}

/* ---- keys ---- */

static void move(const struct tui_page *page, struct range *r, double from, double length)
{
	double end = (double)page->data->lanes->end_ns;

	if (length > end)
		length = end;
	if (length < (double)LEAST_RANGE_NS)
		length = (double)LEAST_RANGE_NS;
	if (from + length > end)
		from = end - length;
	if (from < 0)
		from = 0;
	r->from_ns = (uint64_t)from;
	r->to_ns = (uint64_t)(from + length);
}

/* As in the page: w s zoom, a d move, 0 all; o the threads of the finding, or all. */
static bool on_key(struct tui_page *page, int key, size_t row, unsigned width)
{
	struct range *r = page->state;
	double from = (double)r->from_ns, length = (double)(r->to_ns - r->from_ns);

	(void)row;
	(void)width;
	switch (key) {
	case 'w':
	case '+':
		move(page, r, from + length / 4, length / 2);
		return true;
	case 's':
	case '-':
		move(page, r, from - length / 2, length * 2);
		return true;
	case 'a':
	case TUI_KEY_LEFT:
		move(page, r, from - length / 4, length);
		return true;
	case 'd':
	case TUI_KEY_RIGHT:
		move(page, r, from + length / 4, length);
		return true;
	case 'o':
		if (!r->lane)
			return false;
		r->shows_all = !r->shows_all;
		page->rows = shows_some(r) ? r->lanes : page->data->lanes->thread_count;
		return true;
	case '0':
		move(page, r, 0, (double)page->data->lanes->end_ns);
		return true;
	default:
		return false;
	}
}

static struct tui_page *open_row(struct tui_page *page, size_t row)
{
	const struct lane_thread *lane = &page->data->lanes->thread[lane_at(page, row)];
	const struct tables *t = page->data->tables;

	for (size_t i = 0; i < t->thread_count; i++)
		if (t->thread[i].process == lane->process && t->thread[i].thread == lane->thread)
			return tui_thread_page(page->data, &t->thread[i]);
	return NULL;
}

static void release(struct tui_page *page)
{
	struct range *r = page->state;

	free(r->lane);
	free(r);
}

static const struct tui_ops timeline_ops = {
	.release = release, .head = put_head, .row = put_row, .open = open_row, .key = on_key
};

struct tui_page *tui_timeline_page(const struct tui_data *data)
{
	struct range *r = calloc(1, sizeof(*r));
	struct tui_page *page =
		r ? tui_page_new(data, &timeline_ops, r, data->lanes->thread_count, "Timeline")
		  : NULL;

	if (page)
		move(page, r, 0, (double)data->lanes->end_ns);
	else
		free(r);
	return page;
}

/* ---- of a finding ---- */

static int compare_numbers(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static uint32_t process_in_trace(const struct tui_data *data, size_t process)
{
	return process < data->process_count ? data->process_of[process] : UINT32_MAX;
}

static void find_lanes(struct range *r, const struct tui_data *data, const struct finding *f,
		       uint32_t process)
{
	for (size_t i = 0; i < f->thread_count; i++) {
		const struct lane_thread *lane = lanes_find(data->lanes, process, f->threads[i].id);

		if (lane)
			r->lane[r->lanes++] = (uint32_t)(lane - data->lanes->thread);
	}
	qsort(r->lane, r->lanes, sizeof(*r->lane), compare_numbers);
}

/* From its first place to its last, and half as much on both sides. */
static void find_range(struct tui_page *page, const struct finding *f, uint32_t process)
{
	const struct lanes *lanes = page->data->lanes;
	double first = (double)lanes->end_ns, last = 0;

	for (size_t i = 0; i < f->stack_count; i++) {
		double at = (double)(f->stacks[i].time_ns + lanes->process[process].start_ns);

		if (!f->stacks[i].time_ns)
			continue;
		first = at < first ? at : first;
		last = at > last ? at : last;
	}
	if (last < first)
		move(page, page->state, 0, (double)lanes->end_ns);
	else
		move(page, page->state, first - (last - first) / 2 - (double)LEAST_RANGE_NS,
		     (last - first) * 2 + 2 * (double)LEAST_RANGE_NS);
}

struct tui_page *tui_finding_timeline_page(const struct tui_data *data, const struct finding *f)
{
	uint32_t process = process_in_trace(data, f->process);
	struct range *r = calloc(1, sizeof(*r));
	struct tui_page *page = NULL;

	if (!r || process >= data->lanes->process_count)
		goto out;
	r->lane = calloc(f->thread_count + 1, sizeof(*r->lane));
	if (!r->lane)
		goto out;
	find_lanes(r, data, f, process);
	if (r->lanes)
		page = tui_page_new(data, &timeline_ops, r, r->lanes,
				    "Timeline of the finding's threads");
	if (page)
		find_range(page, f, process);
out:
	if (!page && r)
		free(r->lane);
	if (!page)
		free(r);
	return page;
}
