/* SPDX-License-Identifier: MIT */
/*
 * finding_pages.c - the list of findings, and one finding: who waits for whom as a chain, stacks with their source, locks, threads.
 */
#include "../../analyzer/report/escape.h"
#include "../../analyzer/report/ring.h"
#include "../../analyzer/report/words.h"
#include "lines.h"

#include <inttypes.h>
#include <string.h>

#define TITLE_BYTES 2048

static enum tui_style level_style(enum level level)
{
	switch (level) {
	case LEVEL_NOTE:
		return TUI_NOTE;
	case LEVEL_WARNING:
		return TUI_WARNING;
	case LEVEL_ERROR:
		return TUI_ERROR;
	}
	return TUI_NOTE;
}

/* ---- the list ---- */

static void put_fact(struct tui_lines *l, const char *what, const char *text)
{
	if (text && *text)
		tui_put(tui_lines_next(l, false), "  %-11s %s", what, text);
}

static void put_verdict(struct tui_lines *l, const struct report *report)
{
	char words[WORDS_BYTES];
	FILE *out = tui_lines_next(l, true);

	switch (report->verdict) {
	case VERDICT_UNTRACED:
		fputs("not traced: nothing is known of the program", out);
		break;
	case VERDICT_TIMEOUT:
		fputs("timeout: the program was still running, and no finding explains why", out);
		break;
	case VERDICT_CLEAN:
	case VERDICT_FINDINGS:
		if (report->listed_count)
			tui_put(out, "%s", words_levels(report, words, sizeof(words)));
		else
			fputs("no findings", out);
		break;
	}
	if (report->suppressed || report->baseline)
		fprintf(out, "; %u suppressed, %u known from the baseline", report->suppressed,
			report->baseline);
}

static void put_facts(struct tui_lines *l, const struct report *report)
{
	char words[WORDS_BYTES];

	fputs("the run", tui_lines_next(l, true));
	for (size_t i = 0; i < report->process_count && i < 4; i++)
		put_fact(l, i ? "" : "program", report->processes[i].process->command);
	put_fact(l, "seen", words_seen(report, words, sizeof(words)));
	if (!report->complete)
		put_fact(l, "incomplete", report->incomplete_why);
	put_fact(l, "lost", words_lost(report, words, sizeof(words)));
	put_fact(l, "trace", report->trace_path);
}

struct tui_page *tui_findings_page(const struct tui_data *data)
{
	const struct report *report = data->report;
	struct tui_lines *l = tui_lines_new(data);
	struct tui_page *page;
	char title[TITLE_BYTES];

	put_verdict(l, report);
	for (size_t i = 0; i < report->listed_count; i++) {
		const struct finding *f = report->findings[i];
		FILE *out = tui_lines_next(l, false);

		tui_style(out, level_style(f->level));
		fprintf(out, "%-8s", level_name(f->level));
		tui_style(out, TUI_PLAIN);
		tui_put(out, "%s", words_title(f, title, sizeof(title)));
		if (f->count > 1)
			fprintf(out, " (%" PRIu64 " times)", f->count);
		tui_lines_open_finding(l, f);
	}
	put_facts(l, report);
	page = tui_lines_page(l, "Findings");
	if (page && report->listed_count)
		page->cursor = 1; /* on the first: Enter opens it */
	return page;
}

/* ---- one ---- */

static const char *node_name(const struct finding *f, const struct ring_node *node, char *buffer,
			     size_t bytes)
{
	return node->is_thread ? words_thread(f, node->id, buffer, bytes)
			       : words_lock(f, node->id, buffer, bytes);
}

static const char *edge_word(enum ring_edge_kind edge)
{
	switch (edge) {
	case RING_WAITS_FOR:
		return "waits for";
	case RING_HELD_BY:
		return "held by";
	case RING_EXPECTS:
		return "which is given by";
	case RING_THEN:
		return "then";
	}
	return "";
}

/* The ring as a chain that is indented more and more, up to where it closes. */
static void put_ring(struct tui_lines *l, const struct finding *f)
{
	enum { MOST_INDENT = 24 };
	struct ring ring;
	char words[WORDS_BYTES];

	ring_build(&ring, f);
	if (!ring.count)
		return;
	fputs(ring.node[0].is_thread ? "who waits for whom" : "the order of locks",
	      tui_lines_next(l, true));
	for (size_t i = 0; i <= ring.count; i++) {
		const struct ring_node *node = &ring.node[i % ring.count];
		FILE *out = tui_lines_next(l, false);
		unsigned indent = 2 + 2 * (unsigned)(i < MOST_INDENT / 2 ? i : MOST_INDENT / 2);

		fprintf(out, "%*s", (int)indent, "");
		if (i) {
			tui_style(out, TUI_FAINT);
			fprintf(out, "%s ", edge_word(ring.node[i - 1].edge));
		}
		tui_style(out, node->is_thread ? TUI_STRONG : TUI_HOLD);
		tui_put(out, "%s", node_name(f, node, words, sizeof(words)));
		if (i == ring.count) {
			tui_style(out, TUI_ERROR);
			fputs(" again: the ring is closed", out);
		}
	}
}

static void put_meta(struct tui_lines *l, const struct finding *f)
{
	FILE *out = tui_lines_next(l, false);

	tui_put(out, "  %s, %s [%s]", level_name(f->level), words_confidence(f), rule_id(f->rule));
	if (f->count > 1)
		fprintf(out, ", seen %" PRIu64 " times", f->count);
	if (f->fingerprint)
		tui_put(tui_lines_next(l, false), "  fingerprint %s", f->fingerprint);
}

/* Of several lines, each as wide as it is: the screen shows the rest at the side. */
static void put_message(struct tui_lines *l, const struct finding *f)
{
	const char *message = words_message(f);

	while (message && *message) {
		size_t bytes = strcspn(message, "\n");

		tui_put(tui_lines_next(l, false), "  %.*s", (int)bytes, message);
		message += bytes + (message[bytes] != '\0');
	}
}

/* Of a thread; `thread` NULL: of none that the finding lists. */
static void put_stacks_of(struct tui_lines *l, const struct finding *f,
			  const struct finding_thread *thread)
{
	char words[2 * WORDS_BYTES];

	for (size_t i = 0; i < f->stack_count; i++) {
		const struct finding_stack *stack = &f->stacks[i];
		FILE *out;

		if (thread ? stack->thread != thread->id
			   : finding_find_thread(f, stack->thread) != NULL)
			continue;
		out = tui_lines_next(l, true);
		if (stack->thread) {
			tui_put(out, "%s%s", words_thread(f, stack->thread, words, sizeof(words)),
				words_is_remark(stack) ? ", " : " ");
		}
		tui_put(out, "%s", words_heading(f, stack, words, sizeof(words)));
		tui_lines_put_frames(l, &stack->frames);
	}
}

static bool has_stacks(const struct finding *f, const struct finding_thread *thread)
{
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].thread == thread->id)
			return true;
	return false;
}

/* Two threads side by side, where there is room. */
static void put_stacks(struct tui_lines *l, const struct finding *f)
{
	const struct finding_thread *left = NULL;

	for (size_t i = 0; i < f->thread_count; i++) {
		const struct finding_thread *thread = &f->threads[i];

		if (!has_stacks(f, thread))
			continue;
		if (!left) {
			left = thread;
			continue;
		}
		tui_lines_side(l, TUI_SIDE_LEFT);
		put_stacks_of(l, f, left);
		tui_lines_side(l, TUI_SIDE_RIGHT);
		put_stacks_of(l, f, thread);
		tui_lines_side(l, TUI_SIDE_NONE);
		left = NULL;
	}
	if (left)
		put_stacks_of(l, f, left);
	put_stacks_of(l, f, NULL);
}

static void put_locks(struct tui_lines *l, const struct tui_data *data, const struct finding *f)
{
	char words[2 * WORDS_BYTES];

	for (size_t i = 0; i < f->lock_count; i++) {
		const struct finding_lock *lock = &f->locks[i];
		FILE *out;

		if (!i)
			fputs("locks", tui_lines_next(l, true));
		out = tui_lines_next(l, false);
		tui_put(out, "  %s", words_lock(f, lock->id, words, sizeof(words)));
		if (*words_declared(lock, words, sizeof(words)))
			tui_put(out, ", declared at %s", words);
		if (*words_site(&lock->first_seen, words, sizeof(words)))
			tui_put(out, ", %s in %s", words_first_seen(lock), words);
		if (lock->object && lock->process < data->process_count)
			tui_lines_open_lock(l, data->process_of[lock->process], lock->object);
	}
}

static void put_threads(struct tui_lines *l, const struct tui_data *data, const struct finding *f)
{
	char words[2 * WORDS_BYTES];

	for (size_t i = 0; i < f->thread_count; i++) {
		const struct finding_thread *thread = &f->threads[i];
		FILE *out;

		if (!i) {
			fputs("threads", tui_lines_next(l, true));
			if (data->lanes && !finding_spans_processes(f)) {
				fputs("  only these threads in the timeline, around it",
				      tui_lines_next(l, false));
				tui_lines_open_timeline(l, f);
			}
		}
		out = tui_lines_next(l, false);
		tui_put(out, "  %s", words_thread(f, thread->id, words, sizeof(words)));
		if (thread->tid)
			fprintf(out, ", tid %" PRIu32, thread->tid);
		if (thread->start_function)
			tui_put(out, ", runs %s", thread->start_function);
		if (*words_site(&thread->created_at, words, sizeof(words)))
			tui_put(out, ", created in %s", words);
		if (!finding_spans_processes(f) && thread->process < data->process_count)
			tui_lines_open_thread(l, data->process_of[thread->process], thread->id);
	}
}

struct tui_page *tui_finding_page(const struct tui_data *data, const struct finding *f)
{
	struct tui_lines *l = tui_lines_new(data);
	char title[TITLE_BYTES];
	FILE *out = tui_lines_next(l, true);

	tui_style(out, level_style(f->level));
	tui_put(out, "%s", words_title(f, title, sizeof(title)));
	put_meta(l, f);
	put_ring(l, f);
	put_message(l, f);
	put_stacks(l, f);
	put_locks(l, data, f);
	put_threads(l, data, f);
	if (f->suppression) {
		fputs("to suppress it, put this line into a suppressions file",
		      tui_lines_next(l, true));
		tui_put(tui_lines_next(l, false), "  %s", f->suppression);
	}
	return tui_lines_page(l, rule_title(f->rule));
}
