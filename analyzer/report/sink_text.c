/* SPDX-License-Identifier: MIT */
/*
 * sink_text.c - the report a tired engineer reads: what is wrong, who waits for what, where, what
 * to do next.
 *
 * ASCII but for names. Every string of the trace goes through escape_terminal: a thread's name
 * cannot move the cursor. One finding reads top down: title, confidence, the waits in one line
 * each, stacks with source lines, locks, threads, the suppression line. With several findings a
 * verdict line comes first and a summary last.
 */
#include "../frame_class.h"
#include "escape.h"
#include "frame_view.h"
#include "last_waits_text.h"
#include "sinks.h"
#include "source.h"
#include "words.h"

#include <inttypes.h>
#include <string.h>

/* The innermost frames of the program get their source line; further out it is only noise. */
#define SOURCE_LINES 3
#define TITLE_BYTES 2048

enum paint {
	PAINT_TITLE_NOTE,
	PAINT_TITLE_WARNING,
	PAINT_TITLE_ERROR,
	PAINT_GOOD,
	PAINT_STRONG,
	PAINT_FAINT
};

static const char *const paint_codes[] = {
	[PAINT_TITLE_NOTE] = "\x1b[1;36m",  [PAINT_TITLE_WARNING] = "\x1b[1;33m",
	[PAINT_TITLE_ERROR] = "\x1b[1;31m", [PAINT_GOOD] = "\x1b[1;32m",
	[PAINT_STRONG] = "\x1b[1m",	    [PAINT_FAINT] = "\x1b[2m",
};

struct text {
	FILE *out;
	const struct report *report;
	struct source_cache *sources;
};

/* ---- pieces ---- */

static void begin_paint(const struct text *t, enum paint paint)
{
	if (t->report->color)
		fputs(paint_codes[paint], t->out);
}

static void end_paint(const struct text *t)
{
	if (t->report->color)
		fputs("\x1b[0m", t->out);
}

static void put_painted(const struct text *t, enum paint paint, const char *text)
{
	begin_paint(t, paint);
	escape_terminal(t->out, text);
	end_paint(t);
}

static enum paint title_paint(enum level level)
{
	switch (level) {
	case LEVEL_NOTE:
		return PAINT_TITLE_NOTE;
	case LEVEL_WARNING:
		return PAINT_TITLE_WARNING;
	case LEVEL_ERROR:
		return PAINT_TITLE_ERROR;
	}
	return PAINT_TITLE_NOTE;
}

/* ---- stacks ---- */

static void put_source_line(const struct text *t, const struct frame *frame)
{
	const char *line = source_get_line(t->sources, frame->file, frame->line);

	if (!line)
		return;
	line += strspn(line, " \t");
	if (!*line)
		return;
	fputs("      ", t->out);
	begin_paint(t, PAINT_FAINT);
	fprintf(t->out, "%5d | ", frame->line);
	escape_terminal_code(t->out, line);
	end_paint(t);
	fputc('\n', t->out);
}

static void put_frame(const struct text *t, const struct frame_line *line)
{
	char buffer[WORDS_BYTES];

	fprintf(t->out, "    #%-2zu ", line->number);
	begin_paint(t, line->program ? PAINT_STRONG : PAINT_FAINT);
	escape_terminal(t->out, words_function(line->frame, buffer, sizeof(buffer)));
	end_paint(t);
	if (*words_place(line->frame, buffer, sizeof(buffer))) {
		fputs("  ", t->out);
		escape_terminal(t->out, buffer);
	}
	if (line->frame->inlined)
		fputs("  (inlined)", t->out);
	if (line->hidden)
		fprintf(t->out, "  (and %zu inside it)", line->hidden);
	fputc('\n', t->out);
}

static void put_fold(const struct text *t, const struct frame_line *line)
{
	fprintf(t->out, "    ... %zu frames of ", line->hidden);
	escape_terminal(t->out, line->module ? line->module : "libraries");
	fputs(" ...\n", t->out);
}

static void put_frames(const struct text *t, const struct frames *frames)
{
	struct frame_view view;
	size_t sources = 0;

	frame_view_init(&view, frames, t->report->verbose);
	for (size_t i = 0; i < view.count; i++) {
		const struct frame_line *line = &view.line[i];

		if (!line->frame) {
			put_fold(t, line);
			continue;
		}
		put_frame(t, line);
		if (line->program && (sources++ < SOURCE_LINES || t->report->verbose))
			put_source_line(t, line->frame);
	}
	if (!frames->count)
		fputs("    (no stack was recorded)\n", t->out);
	frame_view_release(&view);
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool is_same_frame(const struct frame *a, const struct frame *b)
{
	return a->offset == b->offset && a->line == b->line &&
	       is_same_text(a->function, b->function) && is_same_text(a->file, b->file) &&
	       is_same_text(a->module, b->module);
}

static bool is_same_stack(const struct frames *a, const struct frames *b)
{
	if (!a->count || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!is_same_frame(&a->frame[i], &b->frame[i]))
			return false;
	return true;
}

/* Ten philosophers, two stacks: an earlier stack with the same frames, or NULL. */
static const struct finding_stack *find_same_stack(const struct finding *f,
						   const struct finding_stack *stack)
{
	for (const struct finding_stack *other = f->stacks; other < stack; other++)
		if (is_same_stack(&other->frames, &stack->frames))
			return other;
	return NULL;
}

static void put_same_stack(const struct text *t, const struct finding *f,
			   const struct finding_stack *same)
{
	char words[2 * WORDS_BYTES];

	fputs("    the same stack as ", t->out);
	escape_terminal(t->out, words_thread(f, same->thread, words, sizeof(words)));
	fprintf(t->out, " (%s) above\n", stack_role_name(same->role));
}

static void put_stack(const struct text *t, const struct finding *f,
		      const struct finding_stack *stack)
{
	const struct finding_stack *same = t->report->verbose ? NULL : find_same_stack(f, stack);
	char words[2 * WORDS_BYTES];

	fputs("\n  ", t->out);
	if (stack->thread) {
		put_painted(t, PAINT_STRONG, words_thread(f, stack->thread, words, sizeof(words)));
		fputs(words_is_remark(stack) ? ", " : " ", t->out);
	}
	escape_terminal(t->out, words_heading(f, stack, words, sizeof(words)));
	fputs(":\n", t->out);
	if (same)
		put_same_stack(t, f, same);
	else
		put_frames(t, &stack->frames);
}

/* ---- a finding ---- */

static void put_meta(const struct text *t, const struct finding *f)
{
	char words[96], place[4 * WORDS_BYTES];

	fprintf(t->out, "  %s, %s [%s]", level_name(f->level), words_confidence(f),
		rule_id(f->rule));
	if (f->confirmed)
		fputs(", confirmed", t->out);
	if (f->count > 1)
		fprintf(t->out, ", seen %s",
			words_count(f->count, "time", NULL, words, sizeof(words)));
	if (*words_processes(t->report, f, place, sizeof(place))) {
		fputs("\n  ", t->out);
		escape_terminal(t->out, place);
	}
	fputc('\n', t->out);
}

static void put_message(const struct text *t, const struct finding *f)
{
	const char *message = words_message(f);

	if (!message)
		return;
	fputs("\n  ", t->out);
	escape_terminal_lines(t->out, message, 2);
	fputc('\n', t->out);
}

/* Only where there are two sides: a single wait is told by its stack's heading. */
static void put_waits(const struct text *t, const struct finding *f)
{
	char words[4 * WORDS_BYTES];
	size_t waits = 0, shown = 0;

	for (size_t i = 0; i < f->stack_count; i++)
		waits += words_wait(f, &f->stacks[i], words, sizeof(words));
	for (size_t i = 0; i < f->stack_count && waits > 1; i++) {
		if (!words_wait(f, &f->stacks[i], words, sizeof(words)))
			continue;
		fputs(shown++ ? "  " : "\n  ", t->out);
		escape_terminal(t->out, words);
		fputc('\n', t->out);
	}
}

static void put_locks(const struct text *t, const struct finding *f)
{
	char words[2 * WORDS_BYTES];

	for (size_t i = 0; i < f->lock_count; i++) {
		const struct finding_lock *lock = &f->locks[i];

		fputs(i ? "    " : "\n  Locks\n    ", t->out);
		put_painted(t, PAINT_STRONG, words_lock(f, lock->id, words, sizeof(words)));
		if (lock->address)
			fprintf(t->out, " at 0x%" PRIx64, lock->address);
		if (*words_declared(lock, words, sizeof(words))) {
			fputs(", declared at ", t->out);
			escape_terminal(t->out, words);
		}
		if (*words_site(&lock->first_seen, words, sizeof(words))) {
			fprintf(t->out, ", %s in ", words_first_seen(lock));
			escape_terminal(t->out, words);
		}
		fputc('\n', t->out);
	}
}

static void put_threads(const struct text *t, const struct finding *f)
{
	char words[2 * WORDS_BYTES];

	for (size_t i = 0; i < f->thread_count; i++) {
		const struct finding_thread *thread = &f->threads[i];

		fputs(i ? "    " : "\n  Threads\n    ", t->out);
		put_painted(t, PAINT_STRONG, words_thread(f, thread->id, words, sizeof(words)));
		if (thread->tid)
			fprintf(t->out, ", tid %" PRIu32, thread->tid);
		if (thread->start_function) {
			fputs(", runs ", t->out);
			escape_terminal(t->out, thread->start_function);
		}
		if (*words_site(&thread->created_at, words, sizeof(words))) {
			fputs(", created in ", t->out);
			escape_terminal(t->out, words);
		}
		fputc('\n', t->out);
	}
}

static void put_finding(const struct text *t, size_t index)
{
	const struct finding *f = t->report->findings[index];
	char title[TITLE_BYTES];

	if (t->report->listed_count > 1)
		fprintf(t->out, "\n%zu of %zu: ", index + 1, t->report->listed_count);
	begin_paint(t, title_paint(f->level));
	escape_terminal(t->out, words_title(f, title, sizeof(title)));
	end_paint(t);
	fputc('\n', t->out);
	put_meta(t, f);
	put_waits(t, f);
	put_message(t, f);
	for (size_t i = 0; i < f->stack_count; i++)
		put_stack(t, f, &f->stacks[i]);
	put_locks(t, f);
	put_threads(t, f);
	if (f->suppression) {
		fputs("\n  To suppress it, put this line into a suppressions file\n    ", t->out);
		escape_terminal(t->out, f->suppression);
		fprintf(t->out, "\n  What it means and how to mend it: thrum help %s",
			rule_id(f->rule));
		fputc('\n', t->out);
	}
	if (f->rule == RULE_LOCK_ORDER_INVERSION && f->confidence == CONFIDENCE_POTENTIAL &&
	    f->fingerprint)
		fprintf(t->out, "  To see whether it can happen: thrum confirm %.12s -- CMD\n",
			f->fingerprint);
}

static void put_first_line(const struct text *t, const struct finding *f)
{
	char title[TITLE_BYTES];

	begin_paint(t, title_paint(f->level));
	fputs(level_name(f->level), t->out);
	end_paint(t);
	fputs(": ", t->out);
	escape_terminal(t->out, words_title(f, title, sizeof(title)));
	fprintf(t->out, " [%s]\n", rule_id(f->rule));
}

/* ---- the run ---- */

static void put_verdict(const struct text *t)
{
	const struct report *report = t->report;
	char words[WORDS_BYTES];

	switch (report->verdict) {
	case VERDICT_UNTRACED:
		put_painted(t, PAINT_TITLE_ERROR, "not traced");
		fputs(": the program could not be recorded; nothing is known about it\n", t->out);
		return;
	case VERDICT_TIMEOUT:
		put_painted(t, PAINT_TITLE_WARNING, "timeout");
		fputs(": the program was still running when its time was up, and no finding explains why\n",
		      t->out);
		last_waits_write(report, t->out);
		break;
	case VERDICT_CLEAN:
	case VERDICT_FINDINGS:
		break;
	}
	if (!report->listed_count) {
		put_painted(t, PAINT_GOOD, "no findings");
		fprintf(t->out, ": %s\n", words_seen(report, words, sizeof(words)));
	} else if (report->listed_count > 1) {
		fprintf(t->out, "%zu findings: %s; %u of them fail the run\n", report->listed_count,
			words_rules(report, words, sizeof(words)), report->gated);
	}
}

static void put_summary_line(const struct text *t, const char *what, const char *text)
{
	if (!text || !*text)
		return;
	fprintf(t->out, "  %-11s ", what);
	escape_terminal(t->out, text);
	fputc('\n', t->out);
}

static void put_unrecorded(const struct text *t)
{
	char words[UNRECORDED_BYTES];

	for (size_t i = 0; words_unrecorded(t->report, i, words, sizeof(words)); i++)
		put_summary_line(t, i ? "" : "not seen", words);
}

/* Modules of the program whose frames had no names, each once: what to install to read more. */
struct nameless {
	const struct frame *frame[4];
	size_t count;
};

static void note_nameless(struct nameless *n, const struct frames *frames)
{
	for (size_t i = 0; i < frames_without_runtime(frames); i++) {
		const struct frame *frame = &frames->frame[i];
		bool known = frame->function || !frame->module ||
			     frame_classify(frame) != FRAME_PROGRAM;

		for (size_t k = 0; k < n->count && !known; k++)
			known = !strcmp(n->frame[k]->module, frame->module);
		if (!known && n->count < sizeof(n->frame) / sizeof(n->frame[0]))
			n->frame[n->count++] = frame;
	}
}

static void put_nameless(const struct text *t)
{
	struct nameless n = { 0 };

	for (size_t i = 0; i < t->report->listed_count; i++)
		for (size_t k = 0; k < t->report->findings[i]->stack_count; k++)
			note_nameless(&n, &t->report->findings[i]->stacks[k].frames);
	for (size_t i = 0; i < n.count; i++) {
		fprintf(t->out, "  %-11s ", "no symbols");
		escape_terminal(t->out, n.frame[i]->module);
		if (n.frame[i]->build_id) {
			fputs(", build id ", t->out);
			escape_terminal(t->out, n.frame[i]->build_id);
		}
		fputs(": with its debug symbols installed, thrum check names its frames\n", t->out);
	}
}

static void put_pruned(const struct text *t)
{
	char words[96];

	for (size_t i = 0; i < t->report->pruned_kinds && t->report->verbose; i++) {
		if (!t->report->pruned_count[i])
			continue;
		fprintf(t->out, "  %-11s %s: ", "ruled out",
			words_count(t->report->pruned_count[i], "cycle", NULL, words,
				    sizeof(words)));
		escape_terminal(t->out, t->report->pruned_reason[i]);
		fputc('\n', t->out);
	}
}

static void put_counts(const struct text *t)
{
	const struct report *report = t->report;
	char words[WORDS_BYTES], amount[96];

	fprintf(t->out, "\nSummary: %s", words_levels(report, words, sizeof(words)));
	fprintf(t->out, "; %s the run",
		report->gated == 1 ? "1 fails"
		: report->gated ? words_count(report->gated, "fail", "fail", amount, sizeof(amount))
				: "none fails");
	if (report->suppressed)
		fprintf(t->out, "; %u suppressed", report->suppressed);
	if (report->baseline)
		fprintf(t->out, "; %u known from the baseline", report->baseline);
	fputc('\n', t->out);
	put_summary_line(t, "seen", words_seen(report, words, sizeof(words)));
}

static void put_summary(const struct text *t)
{
	const struct report *report = t->report;
	char words[WORDS_BYTES];

	if (report->listed_count)
		put_counts(t);
	else if (report->suppressed || report->baseline)
		fprintf(t->out, "  %-11s %u suppressed, %u known from the baseline\n", "left out",
			report->suppressed, report->baseline);
	put_summary_line(t, "stale", words_stale(report, words, sizeof(words)));
	if (!report->complete)
		put_summary_line(t, report->verdict == VERDICT_UNTRACED ? "why" : "incomplete",
				 report->incomplete_why);
	put_summary_line(t, "lost", words_lost(report, words, sizeof(words)));
	put_unrecorded(t);
	put_nameless(t);
	put_pruned(t);
	if (!report->listed_count)
		return;
	if (report->has_program_status && report->program_status > 128)
		fprintf(t->out, "  %-11s status %d (ended by signal %d)\n", "program",
			report->program_status, report->program_status - 128);
	else if (report->has_program_status && report->program_status)
		fprintf(t->out, "  %-11s status %d\n", "program", report->program_status);
	put_summary_line(t, "trace", report->trace_path);
}

static int write_text(const struct report *report, FILE *out, struct diag *diag)
{
	struct text t = { .out = out, .report = report };

	if (report->quiet) {
		for (size_t i = 0; i < report->listed_count; i++)
			put_first_line(&t, report->findings[i]);
		return sink_finish(&sink_text, out, diag);
	}
	t.sources = source_cache_new();
	put_verdict(&t);
	for (size_t i = 0; i < report->listed_count; i++)
		put_finding(&t, i);
	put_summary(&t);
	source_cache_free(t.sources);
	return sink_finish(&sink_text, out, diag);
}

const struct sink_ops sink_text = {
	.format = "text",
	.help = "for people, on a terminal",
	.write = write_text,
};
