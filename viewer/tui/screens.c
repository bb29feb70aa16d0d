/* SPDX-License-Identifier: MIT */
/*
 * screens.c - the table of screens, the pages of the trace and of help, and all of it as text for pipes.
 */
#include "../info.h"
#include "lines.h"

#include <stdlib.h>

const struct tui_screen tui_screens[] = {
	{ 'f', "Findings", tui_findings_page, false }, { 't', "Timeline", tui_timeline_page, true },
	{ 'l', "Locks", tui_locks_page, true },	       { 'h', "tHreads", tui_threads_page, true },
	{ 'k', "tasKs", tui_tasks_page, true },	       { 'o', "lOops", tui_loops_page, true },
	{ 'r', "gRaph", tui_orders_page, true },       { 'c', "traCe", tui_trace_page, true },
};
const size_t tui_screen_count = sizeof(tui_screens) / sizeof(tui_screens[0]);

struct tui_page *tui_trace_page(const struct tui_data *data)
{
	struct tui_lines *l = tui_lines_new(data);
	struct info_options options = { .modules = true };
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	fputs("what was recorded, and what was not", tui_lines_next(l, true));
	if (out) {
		info_write(data->reader, &options, out, NULL);
		fclose(out);
		tui_lines_put_text(l, text ? text : "");
	}
	free(text);
	return tui_lines_page(l, "Trace");
}

struct tui_page *tui_help_page(const struct tui_data *data)
{
	static const char *const keys[] = {
		"Up Down j k           the row before and after; PageUp PageDown Home End",
		"Enter                 open what the row is about; fold and open a heading",
		"Esc Backspace Left    back",
		"Tab, 1 to 8           the screens; also g and the letter that is large in a name",
		"/ n N                 search; the next and the one before",
		"< > r                 sort a table by the column before, after; turn the order",
		"c e                   fold all, open all",
		"z                     the row to the middle of the screen",
		"w s + -               timeline: closer, farther",
		"a d Left Right 0      timeline: earlier, later, all of it",
		"o                     timeline of a finding: all threads, only its own",
		"O                     the source line in $VISUAL or $EDITOR",
		"? h                   this help",
		"q                     quit",
	};
	struct tui_lines *l = tui_lines_new(data);

	fputs("keys", tui_lines_next(l, true));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		tui_put(tui_lines_next(l, false), "  %s", keys[i]);
	fputs("the timeline: each column shows the worst that a thread was in",
	      tui_lines_next(l, true));
	fputs("  X waits for a lock   # holds what others wait for   = holds",
	      tui_lines_next(l, false));
	fputs("  r holds for reading  s waits for a signal   j joins   b in a blocking call",
	      tui_lines_next(l, false));
	fputs("  c callback   t step of a task   : waits for events   . alive",
	      tui_lines_next(l, false));
	fputs("  (blocks of different shades stand for these where the terminal has UTF-8)",
	      tui_lines_next(l, false));
	return tui_lines_page(l, "Help");
}

/* ---- for pipes ---- */

/* A row without styles, and without blanks at its end. */
static void put_plain(const char *text, FILE *out)
{
	size_t kept = 0;

	for (size_t i = 0; text[i]; i++)
		if (text[i] != ' ' &&
		    (text[i] < TUI_STYLE_FIRST || text[i] >= TUI_STYLE_FIRST + TUI_STYLES))
			kept = i + 1;
	for (size_t i = 0; i < kept; i++)
		if ((unsigned char)text[i] < TUI_STYLE_FIRST ||
		    (unsigned char)text[i] >= TUI_STYLE_FIRST + TUI_STYLES)
			fputc(text[i], out);
	fputc('\n', out);
}

#define TEXT_COLUMNS 100u

static void write_row(const struct tui_page *page, size_t row, bool is_head, FILE *out)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *memory = open_memstream(&text, &bytes);

	if (!memory)
		return;
	if (is_head)
		page->ops->head(page, TEXT_COLUMNS, memory);
	else
		page->ops->row(page, row, TEXT_COLUMNS, memory);
	fclose(memory);
	if (text)
		put_plain(text, out);
	free(text);
}

void tui_write_text(const struct tui_data *data, size_t most, FILE *out)
{
	/* The report has the findings, info the trace. */
	for (size_t i = 1; i + 1 < tui_screen_count; i++) {
		struct tui_page *page = tui_screens[i].make(data);

		if (!page)
			continue;
		if (page->rows) {
			fprintf(out, "\n%s\n", page->title);
			write_row(page, 0, true, out);
		}
		for (size_t row = 0; row < page->rows && row < most; row++)
			write_row(page, row, false, out);
		if (page->rows > most)
			fprintf(out, "... and %zu more\n", page->rows - most);
		tui_page_free(page);
	}
}
