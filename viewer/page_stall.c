/* SPDX-License-Identifier: MIT */
/*
 * page_stall.c - a callback that held up its loop: what it did meanwhile, who posted it, what had to wait behind it.
 *
 * All of it is read off the timeline's rows. When a timer was due is not recorded: what ran behind the callback before the loop had
 * to wait again, and was not posted only then, is what had become ready meanwhile.
 */
#include "../analyzer/report/escape.h"
#include "../analyzer/report/words.h"
#include "page_cells.h"
#include "page_finding.h"

#include <inttypes.h>
#include <stdlib.h>

enum { DEEDS_MOST = 8, BEHIND_SHOWN = 6 };
#define WAIT_NS \
	500000u /* a look for events that comes back sooner was no wait: something was ready */

/* One kind of wait at one place, inside the callback. */
struct deed {
	uint8_t state;
	uint32_t object, stack, what;
	uint64_t count, total_ns, longest_ns;
};

struct stall {
	const struct page *page;
	uint32_t process, lane;
	struct lane_span
		span; /* the callback; state LANE_NOTHING = a turn of a loop without callbacks */
	struct deed deed[DEEDS_MOST];
	size_t deeds;
	uint64_t waited_ns, other_ns; /* in all; in what is in no deed */
};

/* ---- the callback ---- */

/* The newest place where it stood: inside the callback, whatever else the finding tells. */
static uint64_t moment_of(const struct finding *f, uint32_t *ret_thread)
{
	uint64_t ns = 0;

	*ret_thread = 0;
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].role == ROLE_BLOCKS && f->stacks[i].time_ns >= ns) {
			ns = f->stacks[i].time_ns;
			*ret_thread = f->stacks[i].thread;
		}
	return ns;
}

static const struct lane_row *next_row(const struct lanes *l, uint32_t lane,
				       const struct lane_row *row)
{
	uint32_t next = row ? row->next : l->thread[lane].first_row;

	return next ? &l->row[next - 1] : NULL;
}

/* The longest span of the thread's outermost callbacks that has the moment in it. */
static bool find_callback(struct stall *s, uint64_t ns)
{
	const struct lanes *l = s->page->lanes;
	const struct lane_row *row = NULL;
	uint64_t longest = 0;

	while ((row = next_row(l, s->lane, row))) {
		struct lane_cursor cursor;
		struct lane_span span;

		if (row->kind != LANE_ROW_RUN)
			continue;
		lane_cursor_begin(&cursor, row, ns);
		while (lane_cursor_next(&cursor, &span) && span.start_ns <= ns)
			if (span.end_ns - span.start_ns >= longest) {
				longest = span.end_ns - span.start_ns;
				s->span = span;
			}
	}
	return longest;
}

/* ---- what it did ---- */

static void add_deed(struct stall *s, const struct lane_span *span, uint64_t ns)
{
	struct deed *least = &s->deed[0];

	s->waited_ns += ns;
	for (size_t i = 0; i < s->deeds; i++) {
		struct deed *d = &s->deed[i];

		if (d->state == span->state && d->object == span->object &&
		    d->stack == span->stack && d->what == span->what) {
			d->count++;
			d->total_ns += ns;
			d->longest_ns = ns > d->longest_ns ? ns : d->longest_ns;
			return;
		}
		least = d->total_ns < least->total_ns ? d : least;
	}
	if (s->deeds < DEEDS_MOST) {
		least = &s->deed[s->deeds++];
	} else if (least->total_ns >= ns) {
		s->other_ns += ns;
		return;
	} else {
		s->other_ns += least->total_ns;
	}
	*least = (struct deed){ span->state, span->object, span->stack, span->what, 1, ns, ns };
}

static int compare_deeds(const void *left, const void *right)
{
	const struct deed *a = left, *b = right;

	return (a->total_ns < b->total_ns) - (a->total_ns > b->total_ns);
}

static void collect_deeds(struct stall *s)
{
	const struct lane_row *row = NULL;

	while ((row = next_row(s->page->lanes, s->lane, row))) {
		struct lane_cursor cursor;
		struct lane_span span;

		if (row->kind != LANE_ROW_STATE)
			continue;
		lane_cursor_begin(&cursor, row, s->span.start_ns);
		while (lane_cursor_next(&cursor, &span) && span.start_ns < s->span.end_ns) {
			uint64_t from = span.start_ns > s->span.start_ns ? span.start_ns
									 : s->span.start_ns,
				 to = span.end_ns < s->span.end_ns ? span.end_ns : s->span.end_ns;

			if (to > from)
				add_deed(s, &span, to - from);
		}
	}
	qsort(s->deed, s->deeds, sizeof(s->deed[0]), compare_deeds);
}

static void put_deed_name(const struct stall *s, const struct deed *d, FILE *out)
{
	fputs("<td>", out);
	escape_html(out,
		    d->state == LANE_CALLS ? trace_call_name(d->what) : lane_state_word(d->state));
	if (d->object) {
		fputs(d->state == LANE_CALLS ? " of " : ": ", out);
		page_put_object(s->page, s->process, d->object, out);
	} else if (d->state == LANE_JOINS) {
		fputs(": ", out);
		page_put_thread(s->page, s->process, d->what, out);
	}
	fputs("</td>", out);
}

static void put_rest(const char *what, uint64_t ns, uint64_t whole, FILE *out)
{
	if (!ns)
		return;
	fprintf(out, "<tr><td>%s</td>", what);
	page_cell_time(out, ns);
	page_cell_percent(out, ns, whole);
	fputs("<td></td><td></td><td></td></tr>\n", out);
}

static void put_deeds(struct stall *s, FILE *out)
{
	static const struct page_column columns[] = {
		{ "What", false }, { "Time", true },	{ "Of it", true },
		{ "Times", true }, { "Longest", true }, { "Where", false },
	};
	uint64_t whole = s->span.end_ns - s->span.start_ns;

	page_table_begin(out, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < s->deeds; i++) {
		const struct deed *d = &s->deed[i];

		fputs("<tr>", out);
		put_deed_name(s, d, out);
		page_cell_time(out, d->total_ns);
		page_cell_percent(out, d->total_ns, whole);
		page_cell_count(out, d->count);
		page_cell_time(out, d->longest_ns);
		fputs("<td>", out);
		page_put_place(s->page, s->process, d->stack, out);
		fputs("</td></tr>\n", out);
	}
	put_rest("other waits", s->other_ns, whole, out);
	put_rest("ran, or waited for a processor", whole > s->waited_ns ? whole - s->waited_ns : 0,
		 whole, out);
	page_table_end(out, 0, NULL);
}

/* ---- who posted it ---- */

static const struct finding_stack *find_post(const struct finding *f)
{
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].role == ROLE_SIGNALS && !f->stacks[i].beside)
			return &f->stacks[i];
	return NULL;
}

static void put_post(const struct stall *s, const struct finding *f, FILE *out)
{
	const struct finding_stack *post = find_post(f);
	const struct lanes *l = s->page->lanes;
	uint64_t start = s->span.start_ns,
		 ns = post ? post->time_ns + l->process[s->process].start_ns : s->span.from_ns;
	char words[2 * WORDS_BYTES], time[32];

	if (!post && s->span.arrow != LANE_ARROW_POSTED)
		return;
	fputs(" It was armed or posted by ", out);
	if (post)
		page_put_thread(s->page, s->process, post->thread, out);
	else
		page_put_thread(s->page, s->process, l->thread[s->span.from_lane].thread, out);
	if (ns <= start)
		fprintf(out, ", %s before it began", page_time(start - ns, time, sizeof(time)));
	if (post && *words_site(&post->frames, words, sizeof(words))) {
		fputs(", in <span class=\"site\">", out);
		escape_html(out, words);
		fputs("</span>", out);
	}
	fputc('.', out);
}

/* ---- what waited behind it ---- */

static void put_behind_one(const struct stall *s, const struct lane_span *span, FILE *out)
{
	char time[32];

	fputs("<li>", out);
	if (!page_put_place_after(s->page, "", s->process, span->stack, out))
		fputs("a callback of a library", out);
	fprintf(out, ", ready meanwhile, began %s after it",
		page_time(span->start_ns - s->span.end_ns, time, sizeof(time)));
	if (span->arrow == LANE_ARROW_POSTED && span->from_ns <= s->span.end_ns) {
		fprintf(out, ", had been armed or posted %s before it was over, by ",
			page_time(s->span.end_ns - span->from_ns, time, sizeof(time)));
		page_put_thread(s->page, s->process, s->page->lanes->thread[span->from_lane].thread,
				out);
	}
	fputs("</li>\n", out);
}

/* When the loop had nothing to do for the first time after the callback; no later than the callback's length after it. */
static uint64_t next_wait(const struct stall *s)
{
	uint64_t until = s->span.end_ns + (s->span.end_ns - s->span.start_ns);
	const struct lane_row *row = NULL;

	while ((row = next_row(s->page->lanes, s->lane, row))) {
		struct lane_cursor cursor;
		struct lane_span span;

		if (row->kind != LANE_ROW_STATE)
			continue;
		lane_cursor_begin(&cursor, row, s->span.end_ns);
		while (lane_cursor_next(&cursor, &span) && span.start_ns < until)
			if (span.state == LANE_IDLE && span.start_ns >= s->span.end_ns &&
			    span.end_ns - span.start_ns >= WAIT_NS)
				return span.start_ns;
	}
	return until;
}

static bool was_late(const struct stall *s, const struct lane_span *span)
{
	return span->start_ns >= s->span.end_ns && span->start_ns != s->span.start_ns &&
	       !(span->arrow == LANE_ARROW_POSTED && span->from_ns > s->span.end_ns);
}

/* Of the outermost callbacks; shows so many. Returns how many there were. */
static size_t walk_behind(const struct stall *s, const struct lane_row *row, uint64_t until,
			  size_t shown, FILE *out)
{
	struct lane_cursor cursor;
	struct lane_span span;
	size_t count = 0;

	lane_cursor_begin(&cursor, row, s->span.end_ns);
	while (lane_cursor_next(&cursor, &span) && span.start_ns < until)
		if (was_late(s, &span) && count++ < shown)
			put_behind_one(s, &span, out);
	return count;
}

static void put_behind(const struct stall *s, FILE *out)
{
	uint64_t until = next_wait(s);
	const struct lane_row *row = NULL;
	size_t count;

	while ((row = next_row(s->page->lanes, s->lane, row)) && row->kind != LANE_ROW_RUN)
		;
	if (!row || s->span.is_open)
		return;
	count = walk_behind(s, row, until, 0, out);
	if (!count) {
		fputs("<p class=\"facts\">Nothing waited behind it: when it was over, the loop had nothing else to do.</p>\n",
		      out);
		return;
	}
	fprintf(out,
		"<h4>Late because of it: %zu %s ready meanwhile, and ran behind it</h4>\n<ul>\n",
		count, count == 1 ? "callback was" : "callbacks were");
	walk_behind(s, row, until, BEHIND_SHOWN, out);
	fputs("</ul>\n", out);
	if (count > BEHIND_SHOWN)
		fprintf(out, "<p class=\"facts\">and %zu more</p>\n", count - BEHIND_SHOWN);
}

/* How long the others of the loop took: was this one usual? */
static void put_others(const struct stall *s, uint32_t thread, FILE *out)
{
	const struct tables *t = s->page->tables;
	char half[32], most[32], longest[32], count[64];

	for (size_t i = 0; i < t->loop_count; i++) {
		const struct table_loop *l = &t->loop[i];

		if (l->process != s->process || l->thread != thread || !l->call.count)
			continue;
		fprintf(out,
			"<p class=\"facts\">Of the %s of <a href=\"#loop-%" PRIu32 "-%" PRIu32
			"\">this loop</a> half took no longer than %s, 99 of 100 no longer than %s; the "
			"longest took %s.</p>\n",
			words_count(l->call.count, "callback", NULL, count, sizeof(count)),
			l->process, l->loop,
			page_time(table_times_percentile(&l->call, 50), half, sizeof(half)),
			page_time(table_times_percentile(&l->call, 99), most, sizeof(most)),
			page_time(l->call.longest_ns, longest, sizeof(longest)));
		return;
	}
}

void page_stall_put(const struct page *page, const struct finding *f, FILE *out)
{
	struct stall s = { .page = page, .process = (uint32_t)f->process };
	const struct lane_thread *lane;
	char from[32], length[32];
	uint32_t thread;
	uint64_t ns = moment_of(f, &thread) + page->lanes->process[f->process].start_ns;

	lane = lanes_find(page->lanes, f->process, thread);
	if (!lane)
		return;
	s.lane = (uint32_t)(lane - page->lanes->thread);
	if (!find_callback(&s, ns))
		return;
	collect_deeds(&s);
	fputs("<section class=\"told\"><h3>What the callback did</h3>\n<p class=\"facts\">It ran for ",
	      out);
	fprintf(out, "%s%s on ", page_time(s.span.end_ns - s.span.start_ns, length, sizeof(length)),
		s.span.is_open ? ", to the end of the records," : "");
	page_put_thread(page, f->process, thread, out);
	fprintf(out, ", from %s into the run.", page_time(s.span.start_ns, from, sizeof(from)));
	put_post(&s, f, out);
	fputs("</p>\n", out);
	put_deeds(&s, out);
	put_behind(&s, out);
	put_others(&s, thread, out);
	fputs("</section>\n", out);
}
