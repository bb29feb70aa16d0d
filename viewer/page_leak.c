/* SPDX-License-Identifier: MIT */
/*
 * page_leak.c - what was made at one place and not ended: how many of it there were over time, who made the maker, and
 * what those that are left wait for.
 */
#include "../analyzer/report/words.h"
#include "page_cells.h"
#include "page_finding.h"
#include "page_tasks.h"

#include <inttypes.h>

enum {
	SLICES = 8,
	WIDTH = 480,
	HEIGHT = 110,
	HEAD = 18,
	FOOT = 18,
	LIVE_SHOWN = 6,
	THREADS_SHOWN = 30
};

/* How many were alive, at the end of each of equal stretches. */
struct growth {
	uint64_t live[TABLE_POSTS];
	int count;
	uint64_t from_ns, to_ns;
};

static void put_curve(const struct growth *g, FILE *out)
{
	uint64_t most = 1;
	char from[32], to[32];
	int step = WIDTH / g->count;
	bool any = false;

	for (int i = 0; i < g->count; i++) {
		most = g->live[i] > most ? g->live[i] : most;
		any = any || g->live[i];
	}
	if (!any)
		return; /* they came and went between two looks */
	fprintf(out,
		"<svg class=\"growth\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Alive, one after the other:",
		WIDTH, HEAD + HEIGHT + FOOT, WIDTH, HEAD + HEIGHT + FOOT);
	for (int i = 0; i < g->count; i++)
		fprintf(out, " %" PRIu64, g->live[i]);
	fputs("\">", out);
	for (int i = 0; i < g->count; i++) {
		int height = (int)((double)g->live[i] * HEIGHT / (double)most),
		    top = HEAD + HEIGHT - height;

		fprintf(out,
			"<rect class=\"bar\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/><text class=\"tick\" "
			"text-anchor=\"middle\" x=\"%d\" y=\"%d\">%" PRIu64 "</text>",
			i * step + 1, top, step - 2, height, i * step + step / 2, top - 4,
			g->live[i]);
	}
	fprintf(out,
		"<text class=\"tick\" x=\"0\" y=\"%d\">%s</text><text class=\"tick\" text-anchor=\"end\" x=\"%d\" y=\"%d\">%s</text></svg>\n",
		HEAD + HEIGHT + FOOT - 4,
		g->from_ns ? page_time(g->from_ns, from, sizeof(from)) : "start", step * g->count,
		HEAD + HEIGHT + FOOT - 4, page_time(g->to_ns, to, sizeof(to)));
}

/* The stack at which they were made; 0 = not told. */
static uint32_t made_at(const struct finding *f)
{
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].role == ROLE_CREATES)
			return f->stacks[i].stack;
	return 0;
}

/* ---- tasks ---- */

static const struct table_site *find_site(const struct page *page, const struct finding *f,
					  uint32_t stack)
{
	const struct tables *t = page->tables;
	const struct table_site *best = NULL;

	for (size_t i = 0; stack && i < t->site_count; i++)
		if (t->site[i].process == f->process && t->site[i].stack == stack &&
		    (!best || t->site[i].live > best->live))
			best = &t->site[i];
	return best;
}

/* Over the run; where they came and went in a small part of it, over that. */
static void fill_growth(const struct page *page, const struct table_site *s, struct growth *ret_g)
{
	uint64_t most = 0;

	*ret_g = (struct growth){ .count = SLICES, .to_ns = page->lanes->end_ns };
	for (int i = 0; i < SLICES; i++) {
		ret_g->live[i] = s->live_at[i];
		most = s->live_at[i] > most ? s->live_at[i] : most;
	}
	if (most * 2 >= s->most_live || s->post_count < SLICES)
		return;
	ret_g->count = (int)s->post_count;
	ret_g->from_ns = s->first_ns;
	ret_g->to_ns = s->first_ns + s->post_step_ns * s->post_count;
	for (int i = 0; i < ret_g->count; i++)
		ret_g->live[i] = s->post_at[i];
}

static void put_site(const struct page *page, const struct table_site *s, FILE *out)
{
	struct growth g;
	char made[64], first[32], last[32];

	fill_growth(page, s, &g);
	fputs("<section class=\"told\"><h3>How many there were</h3>\n", out);
	put_curve(&g, out);
	fprintf(out,
		"<p class=\"facts\">%s made here, the first after %s, the last after %s; %" PRIu64
		" are over, finished or not, %" PRIu64 " alive at the end, at most %" PRIu64
		" at once. They were called or resumed %" PRIu64 " times. ",
		words_count(s->made, trace_task_word(s->kind), NULL, made, sizeof(made)),
		page_time(s->first_ns, first, sizeof(first)),
		page_time(s->last_ns, last, sizeof(last)), s->ended, s->live, s->most_live,
		s->called);
	page_tasks_link_site(page, (size_t)(s - page->tables->site), out);
	fputs("The place among all tasks</a></p>\n", out);
	page_tasks_put_makers(page, s, out);
	page_tasks_put_live(page, s, LIVE_SHOWN, out);
	fputs("</section>\n", out);
}

/* ---- threads ---- */

static const char *end_word(const struct table_thread *t)
{
	return t->joined     ? "joined"
	       : !t->ended   ? t->wait_kind ? "waits" : "runs"
	       : t->detached ? "ended, detached"
			     : "ended, never joined";
}

static void put_thread_row(const struct page *page, const struct table_thread *t, FILE *out)
{
	fputs("<tr><td>", out);
	page_put_thread(page, t->process, t->thread, out);
	fputs("</td>", out);
	page_cell_time(out, t->begin_ns);
	page_cell_time(out, t->end_ns - t->begin_ns);
	fprintf(out, "<td>%s</td></tr>\n", end_word(t));
}

/* A thread that was not joined is there as long as one that runs. */
static bool is_there(const struct page *page, const struct table_thread *t, int slice)
{
	uint64_t ns = page->lanes->end_ns / SLICES * (uint64_t)(slice + 1);

	return t->begin_ns <= ns && !((t->joined || t->detached) && t->ended && t->end_ns < ns);
}

static void put_threads(const struct page *page, const struct finding *f, uint32_t stack, FILE *out)
{
	static const struct page_column columns[] = {
		{ "Thread", false }, { "From", true }, { "Lived", true }, { "At the end", false }
	};
	const struct tables *t = page->tables;
	struct growth g = { .count = SLICES, .to_ns = page->lanes->end_ns };
	size_t count = 0;

	for (size_t i = 0; stack && i < t->thread_count; i++) {
		if (t->thread[i].process != f->process || t->thread[i].created_stack != stack)
			continue;
		count++;
		for (int slice = 0; slice < SLICES; slice++)
			g.live[slice] += is_there(page, &t->thread[i], slice);
	}
	if (!count)
		return;
	fputs("<section class=\"told\"><h3>Threads made at this place, not yet joined</h3>\n", out);
	put_curve(&g, out);
	page_table_begin(out, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0, shown = 0; i < t->thread_count && shown < THREADS_SHOWN; i++)
		if (t->thread[i].process == f->process && t->thread[i].created_stack == stack) {
			put_thread_row(page, &t->thread[i], out);
			shown++;
		}
	page_table_end(out, count > THREADS_SHOWN ? count - THREADS_SHOWN : 0, "thread");
	fputs("</section>\n", out);
}

void page_leak_put(const struct page *page, const struct finding *f, FILE *out)
{
	uint32_t stack = made_at(f);
	const struct table_site *site = find_site(page, f, stack);

	if (f->rule == RULE_LEAKED_THREAD)
		put_threads(page, f, stack, out);
	else if (site)
		put_site(page, site, out);
}
