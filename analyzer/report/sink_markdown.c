/* SPDX-License-Identifier: MIT */
/*
 * sink_markdown.c - a comment for a pull request: the verdict, a table of what fails, details
 * folded.
 *
 * GitHub and GitLab flavour. Text of the recorded program is escaped so that it can make no markup,
 * link or mention.
 */
#include "escape.h"
#include "frame_view.h"
#include "sinks.h"
#include "site.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

/* Comments have an end (65,536 characters): so many findings get their details. */
#define DETAILED_FINDINGS 20u
#define LINES_OF_A_STACK 12u

static const char *const icons[] = {
	[LEVEL_NOTE] = "note",
	[LEVEL_WARNING] = "warning",
	[LEVEL_ERROR] = "**error**",
};

static void put_text(FILE *out, const char *text)
{
	char *valid = escape_utf8(text);

	for (const char *p = valid ? valid : ""; *p; p++) {
		if (strchr("\\`*_{}[]()#+-.!|~", *p))
			fprintf(out, "\\%c", *p);
		else if (strchr("<>&@", *p))
			fprintf(out, "&#%d;", *p);
		else if ((unsigned char)*p < ' ')
			fputc(' ', out);
		else
			fputc(*p, out);
	}
	free(valid);
}

/* Within an HTML block, where markdown means nothing but a mention still does. */
static void put_html(FILE *out, const char *text)
{
	char *valid = escape_utf8(text);

	for (const char *p = valid ? valid : ""; *p; p++) {
		if (strchr("<>&@", *p))
			fprintf(out, "&#%d;", *p);
		else
			fputc((unsigned char)*p < ' ' ? ' ' : *p, out);
	}
	free(valid);
}

static void put_place(const struct report *report, FILE *out, const struct finding *f)
{
	const struct frame *site = site_find(f);
	char number[32];

	if (!site)
		return;
	put_text(out, site_path(report->source_root, site->file, NULL));
	snprintf(number, sizeof(number), ":%d", site->line);
	fputs(number, out);
}

static const char *baseline_note(const struct finding *f)
{
	switch (f->baseline) {
	case BASELINE_NEW:
		return " (new)";
	case BASELINE_UPDATED:
		return " (moved)";
	case BASELINE_UNCHANGED:
		return " (known)";
	case BASELINE_NONE:
		break;
	}
	return "";
}

static void put_row(const struct report *report, FILE *out, const struct finding *f)
{
	char title[WORDS_BYTES];

	fprintf(out, "| %s%s | `%s` | ", icons[f->level], f->gated ? ", fails" : "",
		rule_id(f->rule));
	put_text(out, words_title(f, title, sizeof(title)));
	fprintf(out, "%s | ", baseline_note(f));
	put_place(report, out, f);
	fputs(" |\n", out);
}

/* Inside a fenced block: only the fence itself could end it. */
static void put_code(FILE *out, const char *text)
{
	char *valid = escape_utf8(text);

	for (const char *p = valid ? valid : ""; *p; p++)
		fputc(*p == '`' ? '\'' : (unsigned char)*p < ' ' ? ' ' : *p, out);
	free(valid);
}

/* Paths of the project as in the table: nobody who reads a pull request has the build machine's folders. */
static void put_frame(const struct report *report, FILE *out, const struct frame_line *line)
{
	struct frame frame = *line->frame;
	char words[WORDS_BYTES];

	if (frame.file)
		frame.file = site_path(report->source_root, frame.file, NULL);
	fprintf(out, "  #%zu ", line->number);
	put_code(out, words_function(&frame, words, sizeof(words)));
	if (*words_place(&frame, words, sizeof(words))) {
		fputc(' ', out);
		put_code(out, words);
	}
	fputc('\n', out);
}

static void put_frames(const struct report *report, FILE *out, const struct frames *frames)
{
	struct frame_view view;

	frame_view_init(&view, frames, false);
	for (size_t i = 0; i < view.count && i < LINES_OF_A_STACK; i++) {
		const struct frame_line *line = &view.line[i];

		if (line->frame) {
			put_frame(report, out, line);
			continue;
		}
		fprintf(out, "  ... %zu frames of ", line->hidden);
		put_code(out, line->module ? line->module : "libraries");
		fputs(" ...\n", out);
	}
	if (view.count > LINES_OF_A_STACK)
		fprintf(out, "  ... %zu more\n",
			frames->count - view.cut - view.line[LINES_OF_A_STACK].number);
	frame_view_release(&view);
}

static void put_stack(const struct report *report, FILE *out, const struct finding *f,
		      const struct finding_stack *stack)
{
	char thread[WORDS_BYTES], what[WORDS_BYTES];

	put_code(out, words_thread(f, stack->thread, thread, sizeof(thread)));
	fputs(words_is_remark(stack) ? ", " : " ", out);
	put_code(out, words_heading(f, stack, what, sizeof(what)));
	fputc('\n', out);
	put_frames(report, out, &stack->frames);
}

static void put_details(const struct report *report, FILE *out, const struct finding *f)
{
	char title[WORDS_BYTES];
	const char *more = words_message(f);

	/* An empty line would end the HTML block, and what follows would be markdown: there is none. */
	fprintf(out, "\n<details><summary><code>%s</code> ", rule_id(f->rule));
	put_html(out, words_title(f, title, sizeof(title)));
	fputs("</summary>\n\n", out);
	if (more) {
		put_text(out, more);
		fputs("\n\n", out);
	}
	fputs("```\n", out);
	for (size_t i = 0; i < f->stack_count; i++)
		put_stack(report, out, f, &f->stacks[i]);
	fputs("```\n\nTo suppress it: `", out);
	put_code(out, f->suppression ? f->suppression : "");
	fprintf(out, "`. What it means: `thrum help %s`. Fingerprint `%s`.\n\n</details>\n",
		rule_id(f->rule), f->fingerprint);
}

static void put_verdict(const struct report *report, FILE *out)
{
	char words[WORDS_BYTES], amount[64];

	fputs("### thrum: ", out);
	if (report->verdict == VERDICT_UNTRACED) {
		fputs("the program could not be traced", out);
	} else if (report->verdict == VERDICT_TIMEOUT) {
		fputs("the program did not end in time", out);
	} else if (!report->listed_count) {
		fputs("nothing found", out);
	} else {
		fprintf(out, "%s", words_levels(report, words, sizeof(words)));
		if (report->gated)
			fprintf(out, ", %s the check",
				words_count(report->gated, "fails", "fail", amount,
					    sizeof(amount)));
	}
	fputs("\n\n", out);
}

static int write_markdown(const struct report *report, FILE *out, struct diag *diag)
{
	unsigned listed = 0;
	char words[WORDS_BYTES];

	put_verdict(report, out);
	for (size_t i = 0; i < report->listed_count; i++) {
		if (!listed++)
			fputs("| level | rule | what | where |\n|---|---|---|---|\n", out);
		put_row(report, out, report->findings[i]);
	}
	if (*words_stale(report, words, sizeof(words)))
		fprintf(out, "%s**%s.**\n", listed ? "\n" : "", words);
	listed = 0;
	for (size_t i = 0; i < report->listed_count && listed < DETAILED_FINDINGS; i++) {
		put_details(report, out, report->findings[i]);
		listed++;
	}
	fputs("\n", out);
	put_text(out, words_seen(report, words, sizeof(words)));
	if (report->suppressed || report->baseline)
		fprintf(out, "; %u suppressed, %u known from the baseline", report->suppressed,
			report->baseline);
	if (!report->complete && report->incomplete_why) {
		fputs("\n\nThe trace is incomplete: ", out);
		put_text(out, report->incomplete_why);
	}
	fputc('\n', out);
	return sink_finish(&sink_markdown, out, diag);
}

const struct sink_ops sink_markdown = {
	.format = "markdown",
	.help = "a comment for a pull request",
	.write = write_markdown,
};
