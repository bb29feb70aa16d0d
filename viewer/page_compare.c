/* SPDX-License-Identifier: MIT */
/*
 * page_compare.c - the run before and this one: findings that are new, gone or in both; locks side by side.
 *
 * A lock is the same in both runs where its kind and name are; one without a name where it was first seen at the same place. All of one key
 * are summed.
 */
#include "../analyzer/report/escape.h"
#include "../analyzer/report/words.h"
#include "page_cells.h"
#include "page_screens.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- findings ---- */

static void put_state(const char *state, const char *level, FILE *out)
{
	fprintf(out,
		"<tr><td class=\"subject\">%s</td><td><span class=\"level %s\">%s</span></td><td>",
		state, level, level);
}

/* Of what a report says is suppressed nothing is news. */
static bool is_in_state(const struct finding *f, enum baseline_state state)
{
	return f->baseline == state && !(state == BASELINE_NEW && f->suppressed_by);
}

static size_t put_findings_in(const struct report *report, enum baseline_state state,
			      const char *word, FILE *out)
{
	char title[4 * WORDS_BYTES];
	size_t count = 0;

	for (size_t i = 0; i < report->finding_count; i++) {
		const struct finding *f = report->findings[i];

		if (!is_in_state(f, state))
			continue;
		count++;
		if (!out)
			continue;
		put_state(word, level_name(f->level), out);
		if (i < report->listed_count)
			fprintf(out, "<a href=\"#finding-%s\">", f->fingerprint);
		escape_html(out, words_title(f, title, sizeof(title)));
		fprintf(out, "%s</td><td><code>%s</code></td></tr>\n",
			i < report->listed_count ? "</a>" : "", rule_id(f->rule));
	}
	return count;
}

static void put_gone(const struct report *report, FILE *out)
{
	for (size_t i = 0; i < report->gone_count; i++) {
		const struct report_gone *g = &report->gone[i];

		put_state("gone", "", out);
		escape_html(out, g->title ? g->title : g->fingerprint);
		fputs("</td><td><code>", out);
		escape_html(out, g->rule);
		fputs("</code></td></tr>\n", out);
	}
}

static void put_findings(const struct report *report, FILE *out)
{
	static const struct page_column columns[] = {
		{ "State", false }, { "Level", false }, { "Finding", false }, { "Rule", false }
	};
	size_t fresh = put_findings_in(report, BASELINE_NEW, "", NULL),
	       moved = put_findings_in(report, BASELINE_UPDATED, "", NULL),
	       same = put_findings_in(report, BASELINE_UNCHANGED, "", NULL);

	fprintf(out, "<h3>Findings</h3>\n<p class=\"facts\">%zu new, %zu gone, %zu in both", fresh,
		report->gone_count, same + moved);
	if (moved)
		fprintf(out, ", %zu of them at a place where the code moved", moved);
	fputs(".</p>\n", out);
	if (!(fresh + moved + same + report->gone_count))
		return;
	page_table_begin(out, columns, sizeof(columns) / sizeof(columns[0]));
	put_findings_in(report, BASELINE_NEW, "new", out);
	put_gone(report, out);
	put_findings_in(report, BASELINE_UPDATED, "moved", out);
	put_findings_in(report, BASELINE_UNCHANGED, "in both", out);
	page_table_end(out, 0, NULL);
}

/* ---- locks ---- */

enum { BEFORE, NOW, SIDES };

struct side {
	uint64_t locks, taken, wait_ns, wait_most_ns, hold_ns, hold_most_ns;
};

struct pair {
	char *key; /* owned: kind, a zero, what it is called */
	struct side side[SIDES];
};

struct pairs {
	struct pair *pair; /* owned */
	size_t count;
};

/* "mutex" and "cache.lock", or "first seen in get cache.c:12" of one without a name; NULL = out of memory. */
static char *make_key(const struct page *page, const struct table_lock *l)
{
	char kind[WORDS_BYTES], name[WORDS_BYTES], *key = NULL;
	size_t bytes = 0;
	FILE *out;

	bool named = page_object_words(page, l->process, l->object, kind, sizeof(kind), name,
				       sizeof(name));

	out = open_memstream(&key, &bytes);
	if (!out)
		return NULL;
	escape_html(out, kind);
	fputc('\0', out);
	if (named)
		escape_html(out, name);
	else if (!page_put_place_after(
			 page, "first seen in ", l->process,
			 page->lanes->process[l->process].process->objects[l->object].stack, out))
		fputs("without a name", out);
	if (fclose(out)) {
		free(key);
		return NULL;
	}
	return key;
}

static int compare_keys(const char *a, const char *b)
{
	int order = strcmp(a, b);

	return order ? order : strcmp(a + strlen(a) + 1, b + strlen(b) + 1);
}

static int compare_pairs(const void *left, const void *right)
{
	return compare_keys(((const struct pair *)left)->key, ((const struct pair *)right)->key);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t change_of(uint64_t before, uint64_t now)
{
	return now > before ? now - before : before - now;
}

/* What changed most comes first. */
static int compare_changes(const void *left, const void *right)
{
	const struct side *a = ((const struct pair *)left)->side,
			  *b = ((const struct pair *)right)->side;
	uint64_t x = change_of(a[BEFORE].wait_ns, a[NOW].wait_ns),
		 y = change_of(b[BEFORE].wait_ns, b[NOW].wait_ns);

	if (x == y) {
		x = change_of(a[BEFORE].hold_ns, a[NOW].hold_ns);
		y = change_of(b[BEFORE].hold_ns, b[NOW].hold_ns);
	}
	return x != y ? (x < y) - (x > y) : compare_pairs(left, right);
}

static void add_side(struct side *to, const struct side *from)
{
	to->locks += from->locks;
	to->taken += from->taken;
	to->wait_ns += from->wait_ns;
	to->hold_ns += from->hold_ns;
	to->wait_most_ns = larger(to->wait_most_ns, from->wait_most_ns);
	to->hold_most_ns = larger(to->hold_most_ns, from->hold_most_ns);
}

static bool add_locks(struct pairs *p, const struct page *page, int side)
{
	for (size_t i = 0; i < page->tables->lock_count; i++) {
		const struct table_lock *l = &page->tables->lock[i];
		struct pair *pair = &p->pair[p->count];

		pair->key = make_key(page, l);
		if (!pair->key)
			return false;
		p->count++;
		pair->side[side] = (struct side){ .locks = 1,
						  .taken = l->taken,
						  .wait_ns = l->wait.total_ns,
						  .wait_most_ns = l->wait.longest_ns,
						  .hold_ns = l->hold.total_ns,
						  .hold_most_ns = l->hold.longest_ns };
	}
	return true;
}

static void join_equal(struct pairs *p)
{
	size_t kept = 0;

	qsort(p->pair, p->count, sizeof(*p->pair), compare_pairs);
	for (size_t i = 0; i < p->count; i++) {
		if (kept && !compare_pairs(&p->pair[kept - 1], &p->pair[i])) {
			for (int side = 0; side < SIDES; side++)
				add_side(&p->pair[kept - 1].side[side], &p->pair[i].side[side]);
			free(p->pair[i].key);
		} else {
			p->pair[kept++] = p->pair[i];
		}
	}
	p->count = kept;
}

static void put_change(uint64_t before, uint64_t now, FILE *out)
{
	char time[32];

	fprintf(out, "<td class=\"n %s\" data-v=\"%s%" PRIu64 "\">", now > before ? "more" : "less",
		now < before ? "-" : "", change_of(before, now));
	if (now != before)
		fprintf(out, "%s%s", now > before ? "+" : "\xe2\x88\x92",
			page_time(change_of(before, now), time, sizeof(time)));
	fputs("</td>", out);
}

static void put_pair(const struct pair *p, FILE *out)
{
	const struct side *before = &p->side[BEFORE], *now = &p->side[NOW];

	fprintf(out, "<tr><td class=\"subject\">%s</td><td>%s</td><td>%s</td>",
		p->key + strlen(p->key) + 1, p->key,
		!before->locks ? "only now"
		: !now->locks  ? "only before"
			       : "both");
	page_cell_count(out, before->taken);
	page_cell_count(out, now->taken);
	page_cell_time(out, before->wait_ns);
	page_cell_time(out, now->wait_ns);
	put_change(before->wait_ns, now->wait_ns, out);
	page_cell_time(out, before->wait_most_ns);
	page_cell_time(out, now->wait_most_ns);
	page_cell_time(out, before->hold_ns);
	page_cell_time(out, now->hold_ns);
	put_change(before->hold_ns, now->hold_ns, out);
	page_cell_time(out, before->hold_most_ns);
	page_cell_time(out, now->hold_most_ns);
	fputs("</tr>\n", out);
}

static void put_pairs(struct pairs *p, size_t left_out, FILE *out)
{
	static const struct page_column columns[] = {
		{ "Lock", false },     { "Kind", false },    { "In", false },
		{ "Taken was", true }, { "now", true },	     { "Wait was", true },
		{ "now", true },       { "Change", true },   { "Max was", true },
		{ "now", true },       { "Hold was", true }, { "now", true },
		{ "Change", true },    { "Max was", true },  { "now", true },
	};

	qsort(p->pair, p->count, sizeof(*p->pair), compare_changes);
	page_table_begin(out, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < p->count && i < PAGE_ROWS; i++)
		put_pair(&p->pair[i], out);
	page_table_end(out, left_out + (p->count > PAGE_ROWS ? p->count - PAGE_ROWS : 0), "lock");
}

static void put_locks(const struct page *page, FILE *out)
{
	const struct page *before = page->before;
	struct pairs p = { .count = 0 };
	char was[32], is[32];

	fprintf(out,
		"<h3 class=\"part\">Locks</h3>\n<p class=\"facts\">The run took %s before, %s now. Where waits changed most comes "
		"first, then holds. A lock is the same where its kind and name are, or where it was first seen.</p>\n",
		page_time(before->lanes->end_ns, was, sizeof(was)),
		page_time(page->lanes->end_ns, is, sizeof(is)));
	p.pair = calloc(before->tables->lock_count + page->tables->lock_count + 1, sizeof(*p.pair));
	if (p.pair && add_locks(&p, before, BEFORE) && add_locks(&p, page, NOW)) {
		join_equal(&p);
		put_pairs(&p, before->tables->locks_left_out + page->tables->locks_left_out, out);
	}
	for (size_t i = 0; i < p.count; i++)
		free(p.pair[i].key);
	free(p.pair);
}

void page_compare_put(const struct page *page, const struct report *report, FILE *out)
{
	if (!report->compared_with)
		return;
	fputs("<section class=\"screen\" id=\"compare\">\n<h2>Compare</h2>\n<p class=\"facts\">Before: <code>",
	      out);
	escape_html(out, report->compared_with);
	fputs("</code>", out);
	if (report->trace_path) {
		fputs("; now: <code>", out);
		escape_html(out, report->trace_path);
		fputs("</code>", out);
	}
	fputs("</p>\n", out);
	put_findings(report, out);
	if (page->before)
		put_locks(page, out);
	else
		fputs("<p class=\"facts\">What came before is no trace: it has no locks to compare.</p>\n",
		      out);
	fputs("</section>\n", out);
}
