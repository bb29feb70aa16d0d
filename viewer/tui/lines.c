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

enum target { TARGET_NONE, TARGET_FINDING, TARGET_LOCK, TARGET_THREAD };

struct line {
	char *text; /* owned */
	const char *file;
	int line;
	bool is_heading, is_folded;
	enum target target;
	uint32_t process, id;
	const struct finding *finding;
};

struct tui_lines {
	const struct tui_data *data;
	struct line *line; /* owned */
	size_t count;
	size_t *shown; /* owned; indexes of lines that no folded heading hides */
	FILE *out;     /* of the last line */
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
	lines[l->count++] = (struct line){ .is_heading = is_heading };
	if (is_heading)
		tui_style(l->out, TUI_STRONG);
	return l->out;
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

static void show(struct tui_page *page)
{
	struct tui_lines *l = page->state;
	bool hides = false;

	page->rows = 0;
	for (size_t i = 0; i < l->count; i++) {
		if (l->line[i].is_heading)
			hides = l->line[i].is_folded;
		if (!hides || l->line[i].is_heading)
			l->shown[page->rows++] = i;
	}
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

static const struct line *line_at(const struct tui_page *page, size_t row)
{
	const struct tui_lines *l = page->state;

	return &l->line[l->shown[row]];
}

static void put_row(const struct tui_page *page, size_t row, unsigned width, FILE *out)
{
	const struct line *line = line_at(page, row);

	(void)width;
	if (line->is_heading)
		fputs(line->is_folded ? "+ " : "- ", out);
	if (line->text)
		fputs(line->text, out);
}

static struct tui_page *open_target(const struct tui_data *data, const struct line *line)
{
	const struct tables *t = data->tables;

	switch (line->target) {
	case TARGET_NONE:
		return NULL;
	case TARGET_FINDING:
		return tui_finding_page(data, line->finding);
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
	struct line *line = &l->line[l->shown[row]];

	if (!line->is_heading)
		return open_target(page->data, line);
	line->is_folded = !line->is_folded;
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
	.release = release, .row = put_row, .open = open_row, .key = on_key, .place = place_of
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
