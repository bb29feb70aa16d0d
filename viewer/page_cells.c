/* SPDX-License-Identifier: MIT */
/*
 * page_cells.c - see page_cells.h.
 */
#include "page_cells.h"
#include "page_screens.h"

#include "../analyzer/frame_class.h"
#include "../analyzer/report/escape.h"
#include "../analyzer/report/words.h"

#include <inttypes.h>
#include <string.h>

void page_table_begin(FILE *out, const struct page_column *column, size_t count)
{
	fputs("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table class=\"list\"><thead><tr>",
	      out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "<th scope=\"col\"%s>%s</th>",
			column[i].is_number ? " class=\"n\"" : "", column[i].title);
	fputs("</tr></thead>\n<tbody>\n", out);
}

void page_table_end(FILE *out, size_t left_out, const char *word)
{
	char words[96];

	fputs("</tbody></table></div>\n", out);
	if (left_out)
		fprintf(out, "<p class=\"facts\">%s more %s not in this page.</p>\n",
			words_count(left_out, word, NULL, words, sizeof(words)),
			left_out == 1 ? "is" : "are");
}

void page_cell_count(FILE *out, uint64_t value)
{
	char words[64];

	fprintf(out, "<td class=\"n\" data-v=\"%" PRIu64 "\">", value);
	if (value) {
		words_count(value, "", "", words, sizeof(words));
		fprintf(out, "%.*s", (int)strcspn(words, " "), words);
	}
	fputs("</td>", out);
}

void page_cell_time(FILE *out, uint64_t ns)
{
	char time[32];

	fprintf(out, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td>", ns,
		ns ? page_time(ns, time, sizeof(time)) : "");
}

/* With a bar of its size: 60 pixels are all of it. */
void page_cell_percent(FILE *out, uint64_t part, uint64_t whole)
{
	unsigned percent = whole ? (unsigned)((double)part * 100 / (double)whole + 0.5) : 0;

	fprintf(out, "<td class=\"n\" data-v=\"%u\">", percent);
	if (part && whole)
		fprintf(out,
			"%u%% <svg width=\"60\" height=\"10\" aria-hidden=\"true\"><rect class=\"bar "
			"wait\" width=\"%u\" height=\"10\"/></svg>",
			percent, percent * 60 / 100);
	fputs("</td>", out);
}

void page_cell_bars(FILE *out, const uint64_t *value, size_t count, int step, const char *label)
{
	enum { HEIGHT = 28 };
	uint64_t most = 1;

	for (size_t i = 0; i < count; i++)
		most = value[i] > most ? value[i] : most;
	fprintf(out, "<td><svg width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">",
		(int)count * step, HEIGHT, label);
	for (size_t i = 0; i < count; i++) {
		int height = 2 + (int)((double)value[i] * (HEIGHT - 2) / (double)most);

		if (value[i])
			fprintf(out,
				"<rect class=\"bar\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
				(int)i * step, HEIGHT - height, step - 1, height);
	}
	fputs("</svg></td>", out);
}

void page_cell_text(FILE *out, const char *text)
{
	fputs("<td>", out);
	escape_html(out, text);
	fputs("</td>", out);
}

static bool get_frames(const struct page *page, size_t process, uint32_t stack,
		       struct frames *ret_frames)
{
	return stack && page->source.frames &&
	       page->source.frames(page->source.context, process, stack, ret_frames);
}

/* "transfer bank.c:31": the file without its folders. */
static void put_frame(const struct frame *frame, FILE *out)
{
	char words[WORDS_BYTES];
	const char *file;

	escape_html(out, words_function(frame, words, sizeof(words)));
	fputc(' ', out);
	file = strrchr(words_place(frame, words, sizeof(words)), '/');
	escape_html(out, file ? file + 1 : words);
}

bool page_put_place_after(const struct page *page, const char *words, size_t process,
			  uint32_t stack, FILE *out)
{
	struct frames frames;
	const struct frame *frame;

	if (!get_frames(page, process, stack, &frames))
		return false;
	frame = page_frame(&frames);
	if (!frame)
		return false;
	fprintf(out, "%s<span class=\"where\">", words);
	put_frame(frame, out);
	fputs("</span>", out);
	return true;
}

void page_put_place(const struct page *page, size_t process, uint32_t stack, FILE *out)
{
	(void)page_put_place_after(page, "", process, stack, out);
}

enum { STACK_LINES = 6 };

void page_put_stack(const struct page *page, size_t process, uint32_t stack, const char *heading,
		    FILE *out)
{
	struct frames frames;
	size_t count;

	if (!get_frames(page, process, stack, &frames))
		return;
	count = frames_without_runtime(&frames);
	fprintf(out, "<h4>%s</h4>\n<ol class=\"stack\">", heading);
	for (size_t i = 0; i < count && i < STACK_LINES; i++) {
		fputs("<li>", out);
		put_frame(&frames.frame[i], out);
		fputs("</li>", out);
	}
	if (count > STACK_LINES)
		fprintf(out, "<li>and %zu more</li>", count - STACK_LINES);
	fputs("</ol>\n", out);
}

/* An <a> that leads nowhere is text. */
static void link_begin(bool is_listed, const char *kind, size_t process, uint32_t id, FILE *out)
{
	if (is_listed)
		fprintf(out, "<a href=\"#%s-%zu-%" PRIu32 "\">", kind, process, id);
	else
		fputs("<a>", out);
}

void page_put_thread(const struct page *page, size_t process, uint32_t thread, FILE *out)
{
	const struct lane_thread *lane = lanes_find(page->lanes, process, thread);
	char name[WORDS_BYTES];

	if (!lane)
		return;
	link_begin(page_lists_thread(page, process, thread), "thread", process, thread, out);
	escape_html(out, lanes_thread_name(page->lanes, lane, name, sizeof(name)));
	fputs("</a>", out);
}

void page_put_object(const struct page *page, size_t process, uint32_t object, FILE *out)
{
	char kind[WORDS_BYTES], name[WORDS_BYTES];

	page_object_words(page, process, object, kind, sizeof(kind), name, sizeof(name));
	link_begin(page_lists_lock(page, process, object), "lock", process, object, out);
	escape_html(out, kind);
	fputc(' ', out);
	escape_html(out, name);
	fputs("</a>", out);
}
