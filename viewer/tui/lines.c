/* SPDX-License-Identifier: MIT */
/*
 * lines.c - see lines.h.
 */
#include "lines.h"

#include "../../analyzer/report/escape.h"
#include "../../analyzer/report/frame_view.h"
#include "../../analyzer/report/words.h"
#include "../table_making.h"

#include <stdlib.h>
#include <string.h>

#define SOURCE_LINES 3

enum target { TARGET_NONE, TARGET_FINDING, TARGET_TIMELINE, TARGET_LOCK, TARGET_THREAD };

#define NO_LINE SIZE_MAX

struct line {
	char *text; /* owned */
	const char *file;
	int line;
	bool is_heading, is_folded;
	enum tui_side side;
	enum target target;
	uint32_t process, id;
	const struct finding *finding;
};

/* Lines of a row, by index: one, or on a wide terminal two; NO_LINE = nothing on that side. */
struct shown {
	size_t left, right;
};

struct tui_lines {
	const struct tui_data *data;
	struct line *line; /* owned */
	size_t count;
	struct shown *shown; /* owned; of lines that no folded heading hides */
	enum tui_side side;  /* of the lines that come */
	bool is_wide;
	FILE *out; /* of the last line */
	size_t bytes;
	char *text;
};

struct tui_lines *tui_lines_new(const struct tui_data *data)
{
	struct tui_lines *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->data = data;
	return l;
}

static void end_line(struct tui_lines *l)
{
	if (!l->out)
		return;
	fclose(l->out);
	l->out = NULL;
	l->line[l->count - 1].text = l->text;
	l->text = NULL;
}

FILE *tui_lines_next(struct tui_lines *l, bool is_heading)
{
	struct line *lines;

	end_line(l);
	lines = table_room(l->line, l->count, sizeof(*lines));
	if (!lines)
		abort();
	l->line = lines;
	l->out = open_memstream(&l->text, &l->bytes);
	if (!l->out)
		abort();
	lines[l->count++] = (struct line){ .is_heading = is_heading, .side = l->side };
	if (is_heading)
		tui_style(l->out, TUI_STRONG);
	return l->out;
}

void tui_lines_side(struct tui_lines *l, enum tui_side side)
{
	l->side = side;
}

static struct line *last(struct tui_lines *l)
{
	static struct line none;

	return l->count ? &l->line[l->count - 1] : &none;
}

void tui_lines_place(struct tui_lines *l, const char *file, int line)
{
	last(l)->file = file;
	last(l)->line = line;
}

void tui_lines_open_finding(struct tui_lines *l, const struct finding *f)
{
	last(l)->target = TARGET_FINDING;
	last(l)->finding = f;
}

void tui_lines_open_timeline(struct tui_lines *l, const struct finding *f)
{
	last(l)->target = TARGET_TIMELINE;
	last(l)->finding = f;
}

static void set_target(struct tui_lines *l, enum target target, uint32_t process, uint32_t id)
{
	last(l)->target = target;
	last(l)->process = process;
	last(l)->id = id;
}

void tui_lines_open_lock(struct tui_lines *l, uint32_t process, uint32_t object)
{
	set_target(l, TARGET_LOCK, process, object);
}

void tui_lines_open_thread(struct tui_lines *l, uint32_t process, uint32_t thread)
{
	set_target(l, TARGET_THREAD, process, thread);
}

/* ---- frames ---- */

static void put_source(struct tui_lines *l, const struct frame *frame)
{
	const char *text = source_get_line(l->data->sources, frame->file, frame->line);
	FILE *out;

	text = text ? text + strspn(text, " \t") : "";
	if (!*text)
		return;
	out = tui_lines_next(l, false);
	tui_style(out, TUI_FAINT);
	fprintf(out, "      %5d | ", frame->line);
	escape_terminal_code(out, text);
	tui_lines_place(l, frame->file, frame->line);
}

static void put_frame(struct tui_lines *l, const struct frame_line *at)
{
	char words[WORDS_BYTES];
	FILE *out = tui_lines_next(l, false);

	if (!at->frame) {
		tui_style(out, TUI_FAINT);
		tui_put(out, "    ... %zu frames of %s ...", at->hidden,
			at->module ? at->module : "libraries");
		return;
	}
	tui_style(out, at->program ? TUI_PLAIN : TUI_FAINT);
	tui_put(out, "    #%-2zu %s", at->number, words_function(at->frame, words, sizeof(words)));
	if (*words_place(at->frame, words, sizeof(words)))
		tui_put(out, "  %s", words);
	if (at->frame->inlined)
		fputs("  (inlined)", out);
	tui_lines_place(l, at->frame->file, at->frame->line);
}

void tui_lines_put_frames(struct tui_lines *l, const struct frames *frames)
{
	struct frame_view view;
	size_t sources = 0;

	frame_view_init(&view, frames, false);
	for (size_t i = 0; i < view.count; i++) {
		put_frame(l, &view.line[i]);
		if (view.line[i].frame && view.line[i].program && sources++ < SOURCE_LINES)
			put_source(l, view.line[i].frame);
	}
	if (!frames->count)
		fputs("    (no stack was recorded)", tui_lines_next(l, false));
	frame_view_release(&view);
}

void tui_lines_put_stack(struct tui_lines *l, size_t process, uint32_t stack, uint64_t time_ns)
{
	const struct export_source *source = &l->data->source;
	struct frames frames = { 0 };

	if (stack)
		source->frames(source->context, process, stack, time_ns, &frames);
	tui_lines_put_frames(l, &frames);
}

void tui_lines_put_text(struct tui_lines *l, const char *text)
{
	while (*text) {
		size_t bytes = strcspn(text, "\n");

		fwrite(text, 1, bytes, tui_lines_next(l, false));
		text += bytes + (text[bytes] != '\0');
	}
}

/* ---- the page ---- */

/* The next line at or after `from` that no folded heading hides, before `end`. */
static size_t next_shown(const struct tui_lines *l, size_t from, size_t end, bool *hides)
{
	for (; from < end; from++) {
		if (l->line[from].is_heading)
			*hides = l->line[from].is_folded;
		if (!*hides || l->line[from].is_heading)
			return from;
	}
	return NO_LINE;
}

static size_t end_of_side(const struct tui_lines *l, size_t from, enum tui_side side)
{
	while (from < l->count && l->line[from].side == side)
		from++;
	return from;
}

/* Lines of both sides, row by row; returns the line behind them. */
static size_t show_sides(struct tui_page *page, size_t from)
{
	struct tui_lines *l = page->state;
	size_t middle = end_of_side(l, from, TUI_SIDE_LEFT),
	       end = end_of_side(l, middle, TUI_SIDE_RIGHT);
	bool hides_left = false, hides_right = false;
	size_t left = next_shown(l, from, middle, &hides_left),
	       right = next_shown(l, middle, end, &hides_right);

	while (left != NO_LINE || right != NO_LINE) {
		l->shown[page->rows++] = (struct shown){ left, right };
		left = left == NO_LINE ? left : next_shown(l, left + 1, middle, &hides_left);
		right = right == NO_LINE ? right : next_shown(l, right + 1, end, &hides_right);
	}
	return end;
}

static void show(struct tui_page *page)
{
	struct tui_lines *l = page->state;
	bool hides = false;
	size_t i = 0;

	page->rows = 0;
	while (i < l->count) {
		if (l->is_wide && l->line[i].side == TUI_SIDE_LEFT) {
			i = show_sides(page, i);
			hides = false;
			continue;
		}
		if (l->line[i].is_heading)
			hides = l->line[i].is_folded;
		if (!hides || l->line[i].is_heading)
			l->shown[page->rows++] = (struct shown){ i, NO_LINE };
		i++;
	}
}

static void fit(struct tui_page *page, unsigned width)
{
	struct tui_lines *l = page->state;

	if (l->is_wide == (width >= TUI_WIDE))
		return;
	l->is_wide = !l->is_wide;
	show(page);
}

static void release(struct tui_page *page)
{
	struct tui_lines *l = page->state;

	end_line(l);
	for (size_t i = 0; i < l->count; i++)
		free(l->line[i].text);
	free(l->line);
	free(l->shown);
	free(l);
}

/* What a row is about: what is on its left, if anything is. */
static struct line *line_at(const struct tui_page *page, size_t row)
{
	struct tui_lines *l = page->state;
	const struct shown *at = &l->shown[row];

	return &l->line[at->left != NO_LINE ? at->left : at->right];
}

static void put_line(const struct line *line, FILE *out)
{
	if (line->is_heading)
		fputs(line->is_folded ? "+ " : "- ", out);
	if (line->text)
		fputs(line->text, out);
}

/* So many characters of it, whatever it has; style marks take no room. */
static void put_padded(const struct line *line, unsigned columns, FILE *out)
{
	char *text = NULL;
	size_t bytes = 0, used = 0;
	FILE *memory = open_memstream(&text, &bytes);
	uint32_t c;

	if (!memory)
		return;
	if (line)
		put_line(line, memory);
	fclose(memory);
	for (const char *at = text; at && *at && used < columns;) {
		bool is_style = *at >= TUI_STYLE_FIRST && *at < TUI_STYLE_FIRST + TUI_STYLES;
		size_t length = is_style ? 1 : escape_decode(at, &c);

		fwrite(at, 1, length, out);
		used += !is_style;
		at += length;
	}
	tui_style(out, TUI_PLAIN);
	fprintf(out, "%*s", (int)(columns - used), "");
	free(text);
}

static void put_row(const struct tui_page *page, size_t row, unsigned width, FILE *out)
{
	const struct tui_lines *l = page->state;
	const struct shown *at = &l->shown[row];

	if (at->right == NO_LINE && (!l->is_wide || l->line[at->left].side == TUI_SIDE_NONE)) {
		put_line(&l->line[at->left], out);
		return;
	}
	put_padded(at->left != NO_LINE ? &l->line[at->left] : NULL, width / 2 - 2, out);
	fputs(" | ", out);
	if (at->right != NO_LINE)
		put_padded(&l->line[at->right], width - width / 2 - 2, out);
}

static struct tui_page *open_target(const struct tui_data *data, const struct line *line)
{
	const struct tables *t = data->tables;

	switch (line->target) {
	case TARGET_NONE:
		return NULL;
	case TARGET_FINDING:
		return tui_finding_page(data, line->finding);
	case TARGET_TIMELINE:
		return data->lanes ? tui_finding_timeline_page(data, line->finding) : NULL;
	case TARGET_LOCK:
		for (size_t i = 0; t && i < t->lock_count; i++)
			if (t->lock[i].process == line->process && t->lock[i].object == line->id)
				return tui_lock_page(data, &t->lock[i]);
		return NULL;
	case TARGET_THREAD:
		for (size_t i = 0; t && i < t->thread_count; i++)
			if (t->thread[i].process == line->process &&
			    t->thread[i].thread == line->id)
				return tui_thread_page(data, &t->thread[i]);
		return NULL;
	}
	return NULL;
}

static struct tui_page *open_row(struct tui_page *page, size_t row)
{
	struct tui_lines *l = page->state;
	struct line *line = line_at(page, row);
	size_t right = l->shown[row].right;

	if (!line->is_heading)
		return open_target(page->data, line);
	line->is_folded = !line->is_folded;
	if (right != NO_LINE && l->line[right].is_heading)
		l->line[right].is_folded = line->is_folded;
	show(page);
	return NULL;
}

/* c and e: collapse, expand all. */
static bool on_key(struct tui_page *page, int key, size_t row, unsigned width)
{
	struct tui_lines *l = page->state;

	(void)row;
	(void)width;
	if (key != 'c' && key != 'e')
		return false;
	for (size_t i = 0; i < l->count; i++)
		l->line[i].is_folded = l->line[i].is_heading && key == 'c';
	show(page);
	return true;
}

static bool place_of(const struct tui_page *page, size_t row, const char **ret_file, int *ret_line)
{
	const struct line *line = line_at(page, row);

	*ret_file = line->file;
	*ret_line = line->line;
	return line->file;
}

static const struct tui_ops lines_ops = {
	.release = release,
	.fit = fit,
	.row = put_row,
	.open = open_row,
	.key = on_key,
	.place = place_of,
};

struct tui_page *tui_lines_page(struct tui_lines *l, const char *title)
{
	struct tui_page *page;

	end_line(l);
	l->shown = calloc(l->count + 1, sizeof(*l->shown));
	page = l->shown ? tui_page_new(l->data, &lines_ops, l, 0, title) : NULL;
	if (page)
		show(page);
	else
		release(&(struct tui_page){ .state = l });
	return page;
}
