/* SPDX-License-Identifier: MIT */
/*
 * sink_html.c - the findings as one page that needs nothing else: no network, opens from a file, reads
 * without scripts. Where the viewer has the trace (report->view) it adds screens and a script.
 *
 * Every string of the trace goes through escape_html.
 */
#include "escape.h"
#include "html_frames.h"
#include "html_order.h"
#include "html_page.h"
#include "html_race.h"
#include "html_ring.h"
#include "sinks.h"
#include "site.h"
#include "words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_BYTES 2048

struct page {
	FILE *out;
	const struct report *report;
	struct source_cache *sources;
};

/* ---- pieces ---- */

/* Markup around a string of the trace. */
static void put(const struct page *p, const char *before, const char *text, const char *after)
{
	fputs(before, p->out);
	escape_html(p->out, text);
	fputs(after, p->out);
}

static void put_level(const struct page *p, enum level level)
{
	/* Shapes, so that the level is not told by colour alone. */
	static const char *const shapes[] = {
		[LEVEL_NOTE] = "\xe2\x97\x8f",	  /* circle */
		[LEVEL_WARNING] = "\xe2\x96\xb2", /* triangle */
		[LEVEL_ERROR] = "\xe2\x96\xa0",	  /* square */
	};

	fprintf(p->out, "<span class=\"level %s\"><span aria-hidden=\"true\">%s</span> %s</span>",
		level_name(level), shapes[level], level_name(level));
}

/* ---- stacks, one box for each thread ---- */

static void put_stack(const struct page *p, const struct finding *f,
		      const struct finding_stack *stack)
{
	char words[2 * WORDS_BYTES];

	put(p, "<h4>", words_heading(f, stack, words, sizeof(words)), "</h4>\n");
	fputs(words_is_aside(f, stack) ? "<div class=\"aside\">" : "<div>", p->out);
	html_frames(p->out, &stack->frames, p->sources);
	fputs("</div>", p->out);
}

static void put_thread_facts(const struct page *p, const struct finding_thread *thread)
{
	char words[2 * WORDS_BYTES];

	fputs("<p class=\"facts\">", p->out);
	if (thread->tid)
		fprintf(p->out, "<span>tid %" PRIu32 "</span> ", thread->tid);
	if (thread->start_function)
		put(p, "<span>runs <code>", thread->start_function, "</code></span> ");
	if (*words_site(&thread->created_at, words, sizeof(words)))
		put(p, "<span>created in ", words, "</span>");
	fputs("</p>\n", p->out);
}

static void put_side(const struct page *p, const struct finding *f,
		     const struct finding_thread *thread)
{
	uint32_t id = thread ? thread->id : 0;
	char words[WORDS_BYTES];

	fputs("<section class=\"side\">\n", p->out);
	if (thread) {
		put(p, "<h3>", words_thread(f, id, words, sizeof(words)), "</h3>\n");
		put_thread_facts(p, thread);
	}
	for (size_t i = 0; i < f->stack_count; i++)
		if (thread ? f->stacks[i].thread == id
			   : !finding_find_thread(f, f->stacks[i].thread))
			put_stack(p, f, &f->stacks[i]);
	fputs("</section>\n", p->out);
}

static void put_sides(const struct page *p, const struct finding *f)
{
	bool strangers = false;

	fputs("<div class=\"sides\">\n", p->out);
	for (size_t i = 0; i < f->thread_count; i++)
		put_side(p, f, &f->threads[i]);
	for (size_t i = 0; i < f->stack_count; i++)
		strangers = strangers || !finding_find_thread(f, f->stacks[i].thread);
	if (strangers)
		put_side(p, f, NULL);
	fputs("</div>\n", p->out);
}

/* ---- a finding ---- */

static void put_meta(const struct page *p, const struct finding *f)
{
	char words[96], place[4 * WORDS_BYTES];

	fputs("<p class=\"meta\">", p->out);
	put_level(p, f->level);
	fprintf(p->out, "<a href=\"#finding-%s\"><code>%s</code></a><span>%s</span>",
		f->fingerprint, rule_id(f->rule), words_confidence(f));
	if (f->confirmed)
		fputs("<span>confirmed</span>", p->out);
	if (f->gated)
		fputs("<span>fails the run</span>", p->out);
	if (f->baseline == BASELINE_NEW)
		fputs("<span>new</span>", p->out);
	else if (f->baseline != BASELINE_NONE)
		fputs("<span>known from before</span>", p->out);
	if (f->count > 1)
		fprintf(p->out, "<span>seen %s</span>",
			words_count(f->count, "time", NULL, words, sizeof(words)));
	if (finding_spans_processes(f)) {
		put(p, "<span>", words_processes(p->report, f, place, sizeof(place)), "</span>");
	} else if (p->report->process_count > 1 && f->process < p->report->process_count) {
		const struct trace_process *process = p->report->processes[f->process].process;

		fprintf(p->out, "<span>in process %" PRIu32 " <code>", process->pid);
		put(p, "", process->command, "</code></span>");
	}
	fputs("</p>\n", p->out);
}

static void put_story(const struct page *p, const struct finding *f)
{
	char words[4 * WORDS_BYTES];
	struct ring ring;
	size_t waits = 0;

	ring_build(&ring, f);
	for (size_t i = 0; i < f->stack_count; i++)
		waits += words_wait(f, &f->stacks[i], words, sizeof(words));
	if (ring.count < 2 && waits < 2)
		return;
	fputs("<div class=\"story\">\n", p->out);
	fprintf(p->out, "<ul class=\"waits%s\">\n",
		ring.count && ring.node[0].edge == RING_THEN ? " order" : "");
	for (size_t i = 0; i < f->stack_count; i++)
		if (words_wait(f, &f->stacks[i], words, sizeof(words)))
			put(p, "<li>", words, "</li>\n");
	fputs("</ul>\n", p->out);
	html_ring(p->out, &ring, f);
	fputs("</div>\n", p->out);
	html_order(p->out, &ring, f);
}

/* What two accesses met at is memory, and no lock. */
static bool is_memory(const struct finding *f, const struct finding_lock *lock)
{
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].role == ROLE_ACCESSES && f->stacks[i].lock == lock->id)
			return true;
	return false;
}

static void put_things(const struct page *p, const struct finding *f, const char *heading,
		       bool memory)
{
	char words[2 * WORDS_BYTES];
	bool any = false;

	for (size_t i = 0; i < f->lock_count; i++) {
		const struct finding_lock *lock = &f->locks[i];

		if (is_memory(f, lock) != memory)
			continue;
		if (!any)
			fprintf(p->out, "<section><h3>%s</h3><ul>\n", heading);
		any = true;
		put(p, "<li><strong>", words_lock(f, lock->id, words, sizeof(words)), "</strong>");
		if (lock->address)
			fprintf(p->out, " at <code>0x%" PRIx64 "</code>", lock->address);
		if (*words_declared(lock, words, sizeof(words)))
			put(p, ", declared at ", words, "");
		if (*words_site(&lock->first_seen, words, sizeof(words))) {
			fprintf(p->out, ", %s in ", words_first_seen(lock));
			put(p, "", words, "");
		}
		if (lock->value.bytes)
			fprintf(p->out,
				", before the access <code>0x%" PRIx64
				"</code>, after it <code>0x%" PRIx64 "</code>",
				lock->value.before, lock->value.after);
		fputs("</li>\n", p->out);
	}
	if (any)
		fputs("</ul></section>\n", p->out);
}

static void put_locks(const struct page *p, const struct finding *f)
{
	if (!f->lock_count)
		return;
	fputs("<div class=\"things\">", p->out);
	put_things(p, f, "Memory", true);
	put_things(p, f, "Locks", false);
	fputs("</div>\n", p->out);
}

static void put_finding(const struct page *p, const struct finding *f)
{
	char title[TITLE_BYTES];

	fprintf(p->out, "<article class=\"%s\" id=\"finding-%s\">\n", level_name(f->level),
		f->fingerprint);
	put(p, "<h2>", words_title(f, title, sizeof(title)), "</h2>\n");
	put_meta(p, f);
	if (words_message(f))
		put(p, "<p class=\"message\">", words_message(f), "</p>\n");
	put_story(p, f);
	if (html_race_is(f)) {
		fputs("<div class=\"story\">\n", p->out);
		html_race(p->out, f);
		fputs("</div>\n", p->out);
		html_race_table(p->out, f);
	}
	html_witness(p->out, f);
	if (p->report->view)
		p->report->view->finding(p->report->view->cookie, p->report, f, p->out);
	put_sides(p, f);
	put_locks(p, f);
	if (f->suppression) {
		fputs("<section class=\"suppress\"><h3>To suppress it</h3>\n", p->out);
		put(p, "<pre class=\"paste\" tabindex=\"0\">", f->suppression, "</pre>\n");
		fprintf(p->out,
			"<p>What it means and how to mend it: <code>thrum help %s</code></p></section>\n",
			rule_id(f->rule));
	}
	fputs("</article>\n", p->out);
}

/* ---- the page ---- */

static const char *headline(const struct report *report, char *buffer, size_t bytes)
{
	char levels[96], count[96];

	if (report->listed_count)
		snprintf(buffer, bytes, "%s: %s",
			 words_count(report->listed_count, "finding", NULL, count, sizeof(count)),
			 words_levels(report, levels, sizeof(levels)));
	else if (report->verdict == VERDICT_UNTRACED)
		snprintf(buffer, bytes, "The program could not be recorded");
	else if (report->verdict == VERDICT_TIMEOUT)
		snprintf(buffer, bytes,
			 "The program did not end in time, and no finding explains why");
	else
		snprintf(buffer, bytes, "No findings");
	return buffer;
}

static const char *command_of(const struct report *report)
{
	return report->process_count ? report->processes[0].process->command : NULL;
}

static void put_head(const struct page *p)
{
	char words[WORDS_BYTES];

	html_page_begin(p->out, p->report->view);
	put(p, "", headline(p->report, words, sizeof(words)), "");
	if (p->report->trace_path_count > 1)
		fprintf(p->out, " - %zu traces", p->report->trace_path_count);
	else if (command_of(p->report))
		put(p, " - ", command_of(p->report), "");
	html_page_body(p->out, p->report->view);
}

static void put_banner(const struct page *p, const char *what, const char *text)
{
	if (!text || !*text)
		return;
	fprintf(p->out, "<div class=\"banner\"><p><strong>%s</strong> ", what);
	put(p, "", text, "</p></div>\n");
}

static void put_top(const struct page *p)
{
	const struct report *report = p->report;
	char words[WORDS_BYTES], unrecorded[UNRECORDED_BYTES];

	put(p, "<header>\n<p class=\"brand\">thrum ", report->version, "</p>\n");
	put(p, "<h1>", headline(report, words, sizeof(words)), "</h1>\n");
	if (report->trace_path_count > 1) { /* one command would be any of many */
		fprintf(p->out, "<p class=\"facts\">Of %zu traces</p>\n", report->trace_path_count);
	} else if (command_of(report)) {
		put(p, "<p class=\"facts\">Program <code>", command_of(report), "</code>");
		if (report->has_program_status)
			fprintf(p->out, ", status %d", report->program_status);
		fputs("</p>\n", p->out);
	}
	fprintf(p->out, "<p class=\"facts\">Seen: %s", words_seen(report, words, sizeof(words)));
	if (report->listed_count && !report->is_ungated)
		fprintf(p->out, "; %u of %zu %s the run", report->gated, report->listed_count,
			report->gated == 1 ? "fails" : "fail");
	if (report->suppressed || report->baseline)
		fprintf(p->out, "; %u suppressed, %u known from the baseline", report->suppressed,
			report->baseline);
	fputs("</p>\n", p->out);
	put_banner(p, "Stale:", words_stale(report, words, sizeof(words)));
	put_banner(p, report->verdict == VERDICT_UNTRACED ? "Why:" : "Incomplete:",
		   report->complete ? NULL : report->incomplete_why);
	put_banner(p, "Lost:", words_lost(report, words, sizeof(words)));
	for (size_t i = 0; words_unrecorded(report, i, unrecorded, sizeof(unrecorded)); i++)
		put_banner(p, "Not seen:", unrecorded);
	if (report->listed_count && report->verdict == VERDICT_TIMEOUT)
		put_banner(
			p, "Timeout:",
			"the program did not end in time, and none of these findings explains why");
	fputs("</header>\n", p->out);
}

/* What no finding means. */
static void put_looked_for(const struct page *p)
{
	fputs("<p class=\"facts\">Looked for: ", p->out);
	for (int rule = 0; rule < RULE_COUNT; rule++)
		put(p, rule ? ", " : "", rule_title((enum rule)rule), "");
	fputs(".</p>\n", p->out);
}

/* The stack that says most: the one that the finding's own place is of. */
static const struct finding_stack *telling_stack(const struct finding *f)
{
	const struct frame *site = site_find(f);

	for (size_t i = 0; i < f->stack_count; i++) {
		const struct frames *frames = &f->stacks[i].frames;

		if (site >= frames->frame && site < frames->frame + frames->count)
			return &f->stacks[i];
	}
	return f->stack_count ? &f->stacks[0] : NULL;
}

static void put_contents(const struct page *p)
{
	char title[TITLE_BYTES], site[2 * WORDS_BYTES];

	if (p->report->listed_count < 2 && !(p->report->view && p->report->listed_count))
		return;
	fputs("<nav aria-label=\"Findings\"><ol>\n", p->out);
	for (size_t i = 0; i < p->report->listed_count; i++) {
		const struct finding *f = p->report->findings[i];

		fprintf(p->out,
			"<li data-level=\"%s\" data-rule=\"%s\" data-finding=\"finding-%s\"><a href=\"#finding-%s\">",
			level_name(f->level), rule_id(f->rule), f->fingerprint, f->fingerprint);
		put_level(p, f->level);
		put(p, "<span class=\"title\">", words_title(f, title, sizeof(title)), "</span>");
		if (p->report->view && telling_stack(f) &&
		    *words_site(&telling_stack(f)->frames, site, sizeof(site))) {
			put(p, "<span class=\"place\">", site, "");
			if (f->count > 1)
				fprintf(p->out, ", seen %" PRIu64 " times", f->count);
			fputs("</span>", p->out);
		}
		fputs("</a></li>\n", p->out);
	}
	fputs("</ol></nav>\n", p->out);
}

static void put_foot(const struct page *p)
{
	const struct report *report = p->report;
	char words[96];

	fputs("<footer>\n", p->out);
	if (report->pruned_kinds && report->verbose) {
		fputs("<h2>Lock cycles that are no finding of their own</h2>\n<ul>\n", p->out);
		for (size_t i = 0; i < report->pruned_kinds; i++) {
			fprintf(p->out, "<li>%s: ",
				words_count(report->pruned_count[i], "cycle", NULL, words,
					    sizeof(words)));
			put(p, "", report->pruned_reason[i], "</li>\n");
		}
		fputs("</ul>\n", p->out);
	}
	if (report->trace_path)
		put(p, "<p>Trace: <code>", report->trace_path, "</code></p>\n");
	fputs("</footer>\n", p->out);
}

static int write_html(const struct report *report, FILE *out, struct diag *diag)
{
	struct page p = { .out = out, .report = report, .sources = source_cache_new() };
	int error;

	put_head(&p);
	html_ring_markers(out);
	put_top(&p);
	put_contents(&p);
	if (report->view && report->verdict == VERDICT_CLEAN)
		put_looked_for(&p);
	fputs("<main>\n", out);
	for (size_t i = 0; i < report->listed_count; i++)
		put_finding(&p, report->findings[i]);
	fputs("</main>\n", out);
	if (report->view)
		report->view->screens(report->view->cookie, report, out);
	put_foot(&p);
	source_cache_free(p.sources);
	error = html_page_end(out, report->view, report, diag);
	if (error)
		return error;
	return sink_finish(&sink_html, out, diag);
}

const struct sink_ops sink_html = {
	.format = "html",
	.help = "one page for a browser: findings, timeline, locks, threads, tasks; no network",
	.write = write_html,
};
