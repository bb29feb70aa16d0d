/* SPDX-License-Identifier: MIT */
/*
 * last_waits_text.c - see last_waits_text.h: from the stacks of last_waits.h to lines.
 */
#include "last_waits_text.h"

#include "../frame_class.h"
#include "escape.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

enum { LINES = 24 };

struct line {
	const char *text;
	const struct finding_stack *stack;
	size_t alike; /* later ones that say the same of the same place */
	bool is_told, has_program;
};

static bool has_program(const struct frames *frames)
{
	for (size_t i = 0; i < frames_without_runtime(frames); i++)
		if (frame_classify(&frames->frame[i]) == FRAME_PROGRAM)
			return true;
	return false;
}

static const char *make_text(struct finding_list *list, const struct finding *f,
			     const struct finding_stack *s)
{
	char lock[WORDS_BYTES] = "", site[WORDS_BYTES];

	if (s->lock)
		words_lock(f, s->lock, lock, sizeof(lock));
	words_site(&s->frames, site, sizeof(site));
	return finding_list_printf(list, "%s%s%s%s%s", s->note, s->lock ? " " : "", lock,
				   *site ? ": " : "", site);
}

/* Threads of a pool, tasks of a crowd: the same stack and the same wait, whoever it is. */
static bool is_alike(const struct finding_stack *a, const struct finding_stack *b)
{
	const char *in_a = strchr(a->note, ' '), *in_b = strchr(b->note, ' ');

	return a->stack && a->stack == b->stack && a->lock == b->lock && in_a && in_b &&
	       a->note[0] == b->note[0];
}

static void put_line(const struct line *line, FILE *out)
{
	fputs("    ", out);
	escape_terminal(out, line->text);
	if (line->alike)
		fprintf(out, "; and %zu more there", line->alike);
	fputc('\n', out);
}

static void put_process(struct finding_list *list, const struct finding *f, bool is_named,
			FILE *out)
{
	struct line *line = calloc(f->stack_count + 1, sizeof(*line));
	size_t shown = 0, left = 0;

	if (!line)
		abort();
	for (size_t i = 0; i < f->stack_count; i++) {
		line[i].text = make_text(list, f, &f->stacks[i]);
		line[i].stack = &f->stacks[i];
		line[i].has_program = has_program(&f->stacks[i].frames);
		for (size_t k = 0; k < i && !line[i].is_told; k++) {
			if (!line[k].is_told && is_alike(line[k].stack, line[i].stack)) {
				line[k].alike++;
				line[i].is_told = true;
			}
		}
	}
	if (is_named) {
		fputs("  ", out);
		escape_terminal(out, f->title);
		fputc('\n', out);
	}
	for (int own = 1; own >= 0; own--)
		for (size_t i = 0; i < f->stack_count; i++) {
			if (line[i].is_told || line[i].has_program != own)
				continue;
			if (shown++ < LINES)
				put_line(&line[i], out);
			else
				left++;
		}
	if (left)
		fprintf(out, "    and %zu more: thrum dump ends with all of them\n", left);
	free(line);
}

void last_waits_write(const struct report *report, FILE *out)
{
	size_t count = report->last_waits ? finding_list_count(report->last_waits) : 0;

	if (count)
		fputs("\nWhere it stood then\n", out);
	for (size_t i = 0; i < count; i++)
		put_process(report->last_waits, finding_list_get(report->last_waits, i), count > 1,
			    out);
	if (count)
		fputc('\n', out);
}
