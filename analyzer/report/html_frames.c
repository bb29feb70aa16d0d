/* SPDX-License-Identifier: MIT */
/*
 * html_frames.c - frames, folds and source snippets of one stack.
 */
#include "html_frames.h"

#include "escape.h"
#include "frame_view.h"
#include "words.h"

#include <limits.h>
#include <string.h>

#define CONTEXT_LINES 2
#define CALL_LINES 2 /* callers whose line is quoted */

/*
 * How much source a frame gets: the innermost of the program with the lines around, its callers
 * only the call.
 */
enum snippet { SNIPPET_NONE, SNIPPET_CALL, SNIPPET_CONTEXT };

static void put_source_line(FILE *out, const char *text, int line, bool hit)
{
	fprintf(out, "<span%s><i>%d</i><b>", hit ? " class=\"hit\"" : "", line);
	escape_html(out, text);
	fputs("</b></span>", out);
}

static bool is_blank(const char *line)
{
	return !line || !line[strspn(line, " \t")];
}

static void put_snippet(FILE *out, const struct frame *frame, struct source_cache *sources,
			enum snippet snippet)
{
	int first = frame->line, last = frame->line;

	if (snippet == SNIPPET_NONE || is_blank(source_get_line(sources, frame->file, frame->line)))
		return;
	for (int line = frame->line - 1;
	     snippet == SNIPPET_CONTEXT && line >= frame->line - CONTEXT_LINES; line--)
		if (!is_blank(source_get_line(sources, frame->file, line)))
			first = line;
	for (int i = 1; snippet == SNIPPET_CONTEXT && i <= CONTEXT_LINES &&
			frame->line < INT_MAX - CONTEXT_LINES;
	     i++)
		if (!is_blank(source_get_line(sources, frame->file, frame->line + i)))
			last = frame->line + i;
	fprintf(out, "<pre class=\"source%s\" tabindex=\"0\"><code>",
		snippet == SNIPPET_CALL ? " call" : "");
	for (int line = first; line <= last; line++) {
		const char *text = source_get_line(sources, frame->file, line);

		put_source_line(out, text + (snippet == SNIPPET_CALL ? strspn(text, " \t") : 0),
				line, snippet == SNIPPET_CONTEXT && line == frame->line);
	}
	fputs("</code></pre>", out);
}

/* A path may break behind its slashes. */
static void put_path(FILE *out, const char *path)
{
	char part[WORDS_BYTES];

	while (*path) {
		size_t bytes = strcspn(path, "/");

		bytes += strspn(path + bytes, "/");
		snprintf(part, sizeof(part), "%.*s", (int)bytes, path);
		escape_html(out, part);
		path += bytes;
		if (*path)
			fputs("<wbr>", out);
	}
}

static void put_frame(FILE *out, const struct frame_line *line, struct source_cache *sources,
		      enum snippet snippet)
{
	char words[WORDS_BYTES];

	fprintf(out,
		"<li%s><span class=\"number\">#%zu</span><span class=\"what\"><span class=\"function\">",
		line->program ? "" : " class=\"library\"", line->number);
	escape_html(out, words_function(line->frame, words, sizeof(words)));
	fputs("</span>", out);
	if (*words_place(line->frame, words, sizeof(words))) {
		fputs(" <span class=\"place\">", out);
		put_path(out, words);
		fputs("</span>", out);
	}
	if (line->frame->inlined)
		fputs(" <span class=\"tag\">inlined</span>", out);
	if (line->hidden)
		fprintf(out, " <span class=\"tag\">and %zu inside it</span>", line->hidden);
	fputs("</span>", out);
	put_snippet(out, line->frame, sources, snippet);
	fputs("</li>\n", out);
}

static void put_fold(FILE *out, const struct frame_line *line)
{
	fprintf(out, "<li class=\"fold\"><span></span><span>%zu frames of ", line->hidden);
	escape_html(out, line->module ? line->module : "libraries");
	fputs("</span></li>\n", out);
}

static enum snippet choose_snippet(const struct frame_line *line, size_t program_frames)
{
	if (!line->program || program_frames > CALL_LINES)
		return SNIPPET_NONE;
	return program_frames ? SNIPPET_CALL : SNIPPET_CONTEXT;
}

/* Returns how many frames the view does not show. */
static size_t put_view(FILE *out, const struct frames *frames, struct source_cache *sources,
		       bool all)
{
	struct frame_view view;
	size_t program_frames = 0, hidden;

	frame_view_init(&view, frames, all);
	hidden = view.cut;
	fputs("<ol class=\"frames\">\n", out);
	for (size_t i = 0; i < view.count; i++) {
		const struct frame_line *line = &view.line[i];

		hidden += line->hidden;
		if (line->frame)
			put_frame(out, line, sources, choose_snippet(line, program_frames));
		else
			put_fold(out, line);
		program_frames += line->program;
	}
	fputs("</ol>\n", out);
	frame_view_release(&view);
	return hidden;
}

void html_frames(FILE *out, const struct frames *frames, struct source_cache *sources)
{
	if (!frames->count) {
		fputs("<p class=\"facts\">No stack was recorded.</p>\n", out);
		return;
	}
	if (!put_view(out, frames, sources, false))
		return;
	fprintf(out, "<details><summary>All %zu frames</summary>\n", frames->count);
	put_view(out, frames, NULL, true);
	fputs("</details>\n", out);
}
