/* SPDX-License-Identifier: MIT */
/*
 * page_tasks.c - tasks of a page: by the place that made them, each with those that live.
 */
#include "page_tasks.h"
#include "../analyzer/model/model_loops.h"
#include "../analyzer/report/escape.h"
#include "../analyzer/report/words.h"
#include "page_cells.h"
#include "page_screens.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LIVE_SHOWN = 30, DEEPEST = 12 };

static const char *state_word(unsigned state)
{
	static const char *const words[] = {
		[MODEL_JOB_MADE] = "made, not armed",
		[MODEL_JOB_ARMED] = "waits to run",
		[MODEL_JOB_CALLED] = "runs",
		[MODEL_JOB_STOPPED] = "stopped",
		[MODEL_JOB_CLOSING] = "closing",
		[MODEL_JOB_WORKED] = "worked, its loop's part follows",
	};

	return state < sizeof(words) / sizeof(words[0]) ? words[state] : "unknown";
}

static void put_task_name(const struct page *page, uint32_t process, uint32_t id, FILE *out)
{
	const struct trace_process *p = page->lanes->process[process].process;
	const struct trace_task *task = id < p->task_count ? &p->tasks[id] : NULL;
	char context[WORDS_BYTES] = "";

	if (task && task->name)
		escape_html(out, task->name);
	else
		fprintf(out, "#%" PRIu32, id);
	if (task &&
	    trace_context_text(task->context, task->context_count, context, sizeof(context))) {
		fputs(" (", out);
		escape_html(out, context);
		fputc(')', out);
	}
}

/* ---- who waits for whom ---- */

static const struct table_task *find_task(const struct tables *t, uint32_t process, uint32_t id)
{
	for (size_t i = 0; id && i < t->task_count; i++)
		if (t->task[i].process == process && t->task[i].task == id)
			return &t->task[i];
	return NULL;
}

static void put_task(const struct page *page, const struct table_task *t, FILE *out)
{
	const struct table_task *first = t;

	fprintf(out, "<li id=\"task-%" PRIu32 "-%" PRIu32 "\"><span class=\"subject\">", t->process,
		t->task);
	put_task_name(page, t->process, t->task, out);
	fprintf(out, "</span> %s", state_word(t->state));
	page_put_place_after(page, ", calls ", t->process, t->callback_stack, out);
	page_put_place_after(page, ", stands at ", t->process, t->await_stack, out);
	for (unsigned i = 0; t->awaits && i < DEEPEST; i++) {
		const struct table_task *next = find_task(page->tables, t->process, t->awaits);

		if (!next)
			break;
		if (next == first) {
			fputs(" \xe2\x86\x92 <span class=\"bad\">itself: they wait for each other</span>",
			      out);
			break;
		}
		fputs(" \xe2\x86\x92 ", out);
		fprintf(out, "<a href=\"#task-%" PRIu32 "-%" PRIu32 "\">", next->process,
			next->task);
		put_task_name(page, next->process, next->task, out);
		fputs("</a>", out);
		t = next;
	}
	fputs("</li>\n", out);
}

static bool is_of_site(const struct table_task *t, const struct table_site *site)
{
	return t->process == site->process && t->kind == site->kind && t->made_stack == site->stack;
}

void page_tasks_put_live(const struct page *page, const struct table_site *site, size_t most,
			 FILE *out)
{
	size_t shown = 0, all = 0;

	for (size_t i = 0; i < page->tables->task_count; i++) {
		if (!is_of_site(&page->tables->task[i], site))
			continue;
		if (!all++)
			fputs("<h4>Not over at the end</h4>\n<ul>\n", out);
		if (shown < most) {
			put_task(page, &page->tables->task[i], out);
			shown++;
		}
	}
	if (all)
		fputs("</ul>\n", out);
	if (all > shown)
		fprintf(out, "<p class=\"facts\">and %zu more</p>\n", all - shown);
}

void page_tasks_link_site(const struct page *page, size_t site, FILE *out)
{
	if (page->tables->site_count <= PAGE_ROWS)
		fprintf(out, "<a class=\"subject\" href=\"#site-%zu\">", site);
	else
		fputs("<a class=\"subject\">", out);
}

void page_tasks_put_makers(const struct page *page, const struct table_site *site, FILE *out)
{
	const struct trace_process *p = page->lanes->process[site->process].process;
	uint32_t chain[DEEPEST], id = site->newest_task;
	size_t count = 0;

	while (id && id < p->task_count && count < DEEPEST && p->tasks[id].parent) {
		id = p->tasks[id].parent;
		chain[count++] = id;
	}
	if (!count)
		return;
	fputs("<p class=\"facts\">Made by task ", out);
	for (size_t i = count; i-- > 0;) {
		put_task_name(page, site->process, chain[i], out);
		fputs(i ? " \xe2\x86\x92 " : "", out);
	}
	fputs(", of the newest.</p>\n", out);
}

/* How many lived at the end of each eighth of the time: a leak climbs. */
static void put_growth(const struct table_site *s, FILE *out)
{
	char label[96];

	snprintf(label, sizeof(label), "Live over time: from %" PRIu64 " to %" PRIu64,
		 s->live_at[0], s->live_at[7]);
	page_cell_bars(out, s->live_at, 8, 8, label);
}

static void put_site(const struct page *page, const struct table_site *s, FILE *out)
{
	fprintf(out, "<tr id=\"site-%zu\"><td><details><summary class=\"subject\">",
		(size_t)(s - page->tables->site));
	escape_html(out, trace_task_word(s->kind));
	fputs("</summary>\n", out);
	page_put_stack(page, s->process, s->stack, "Made", out);
	page_tasks_put_makers(page, s, out);
	page_tasks_put_live(page, s, LIVE_SHOWN, out);
	fputs("</details></td><td>", out);
	escape_html(out, trace_task_library(s->kind));
	fputs("</td><td>", out);
	page_put_place(page, s->process, s->stack, out);
	fputs("</td>", out);
	page_cell_count(out, s->made);
	page_cell_count(out, s->ended);
	page_cell_count(out, s->live);
	put_growth(s, out);
	page_cell_count(out, s->called);
	page_cell_time(out, s->call.total_ns);
	page_cell_time(out, s->call.longest_ns);
	fputs("</tr>\n", out);
}

static int compare_sites(const void *left, const void *right)
{
	const struct table_site *a = *(const struct table_site *const *)left,
				*b = *(const struct table_site *const *)right;

	if (a->live != b->live)
		return a->live < b->live ? 1 : -1;
	if (a->made != b->made)
		return a->made < b->made ? 1 : -1;
	return (a > b) - (a < b); /* one array: its order */
}

void page_tasks_put(const struct page *page, FILE *out)
{
	static const struct page_column columns[] = {
		{ "Task", false },
		{ "Library", false },
		{ "Made in", false },
		{ "Made", true },
		{ "Ended", true },
		{ "Live", true },
		{ "Live over time", false },
		{ "Calls", true },
		{ "Busy", true },
		{ "Longest call", true },
	};
	const struct tables *t = page->tables;
	const struct table_site **sorted = calloc(t->site_count + 1, sizeof(*sorted));

	if (!t->site_count || !sorted) {
		free(sorted);
		return;
	}
	for (size_t i = 0; i < t->site_count; i++)
		sorted[i] = &t->site[i];
	qsort(sorted, t->site_count, sizeof(*sorted), compare_sites);
	fputs("<section class=\"screen\" id=\"tasks\">\n<h2>Tasks</h2>\n"
	      "<p class=\"facts\">By the place that made them; where most are left comes first. Open a place for "
	      "the tasks that were not over at the end, and what they wait for.</p>\n",
	      out);
	page_table_begin(out, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < t->site_count && i < PAGE_ROWS; i++)
		put_site(page, sorted[i], out);
	page_table_end(out, t->site_count > PAGE_ROWS ? t->site_count - PAGE_ROWS : 0, "place");
	page_tasks_put_tree(page, out);
	fputs("</section>\n", out);
	free(sorted);
}
