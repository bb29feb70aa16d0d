/* SPDX-License-Identifier: MIT */
/*
 * page_task_tree.c - who made whom: places at which tasks were made, below those whose tasks made them. Folds.
 */
#include "../analyzer/report/escape.h"
#include "page_cells.h"
#include "page_tasks.h"

#include <inttypes.h>

enum { DEEPEST = 12, NODES_MOST = 500 };

struct tree {
	const struct page *page;
	FILE *out;
	uint32_t path[DEEPEST];
	size_t depth, nodes;
	bool cut;
};

static uint64_t made_by(const struct table_site *s, uint32_t maker)
{
	for (int i = 0; i < TABLE_MAKERS; i++)
		if (s->maker[i].count && s->maker[i].site == maker)
			return s->maker[i].count;
	return 0;
}

/* By no task. */
static uint64_t made_alone(const struct table_site *s)
{
	uint64_t by_tasks = s->other_makers;

	for (int i = 0; i < TABLE_MAKERS; i++)
		by_tasks += s->maker[i].count;
	return s->made > by_tasks ? s->made - by_tasks : 0;
}

static bool has_children(const struct tree *t, uint32_t site)
{
	const struct tables *tables = t->page->tables;

	for (size_t i = 0; i < tables->site_count; i++)
		if (made_by(&tables->site[i], site))
			return true;
	return false;
}

static bool is_on_path(const struct tree *t, uint32_t site)
{
	for (size_t i = 0; i < t->depth; i++)
		if (t->path[i] == site)
			return true;
	return false;
}

/* "3 tasks in serve app.py:12, 2 not over" */
static void put_words(const struct tree *t, uint32_t index, uint64_t count, bool folds)
{
	const struct table_site *s = &t->page->tables->site[index];
	const struct trace_process *p = t->page->lanes->process[s->process].process;
	const char *name = s->newest_task < p->task_count ? p->tasks[s->newest_task].name : NULL;

	if (folds) /* nothing else can be pressed in what folds */
		fputs("<span class=\"subject\">", t->out);
	else
		page_tasks_link_site(t->page, index, t->out);
	escape_html(t->out, count == 1 && name ? name : trace_task_word(s->kind));
	fputs(folds ? "</span>" : "</a>", t->out);
	if (count != 1)
		fprintf(t->out, " \xc3\x97 %" PRIu64, count);
	page_put_place_after(t->page, " made in ", s->process, s->stack, t->out);
	if (s->live)
		fprintf(t->out, ", <span class=\"bad\">%" PRIu64 "%s not over</span>", s->live,
			s->made == count ? "" : " of all of this place");
}

static void put_children(struct tree *t, uint32_t site);

static void put_node(struct tree *t, uint32_t index, uint64_t count)
{
	bool again = is_on_path(t, index), deep = t->depth == DEEPEST;
	bool folds = !again && !deep && has_children(t, index);

	if (t->nodes == NODES_MOST) {
		t->cut = true;
		return;
	}
	t->nodes++;
	fputs(folds ? "<li><details open><summary>" : "<li>", t->out);
	put_words(t, index, count, folds);
	if (again)
		fputs(" (as above)", t->out);
	if (folds) {
		fputs("</summary>\n", t->out);
		t->path[t->depth++] = index;
		put_children(t, index);
		t->depth--;
		fputs("</details>", t->out);
	}
	fputs("</li>\n", t->out);
}

static void put_children(struct tree *t, uint32_t site)
{
	const struct tables *tables = t->page->tables;

	fputs("<ul>\n", t->out);
	for (size_t i = 0; i < tables->site_count; i++)
		if (made_by(&tables->site[i], site))
			put_node(t, (uint32_t)i, made_by(&tables->site[i], site));
	fputs("</ul>\n", t->out);
}

void page_tasks_put_tree(const struct page *page, FILE *out)
{
	const struct tables *tables = page->tables;
	struct tree t = { .page = page, .out = out };
	bool any = false;

	for (size_t i = 0; i < tables->site_count && !any; i++)
		any = tables->site[i].maker[0].count;
	if (!any)
		return;
	fputs("<h3 class=\"part\">By creator</h3>\n<p class=\"facts\">A place stands below the tasks that made its tasks.</p>\n"
	      "<ul class=\"tree\">\n",
	      out);
	for (size_t i = 0; i < tables->site_count; i++)
		if (made_alone(&tables->site[i]))
			put_node(&t, (uint32_t)i, made_alone(&tables->site[i]));
	fputs("</ul>\n", out);
	if (t.cut)
		fputs("<p class=\"facts\">The tree is longer; what is not in it is in the table.</p>\n",
		      out);
}
