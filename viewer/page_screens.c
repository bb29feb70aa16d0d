/* SPDX-License-Identifier: MIT */
/*
 * page_screens.c - locks, threads and loops of a page; see page_screens.h.
 */
#include "page_screens.h"

#include "../analyzer/report/escape.h"
#include "../analyzer/report/words.h"
#include "page_cells.h"

#include <inttypes.h>
#include <stdlib.h>

#define COLUMNS(columns) columns, sizeof(columns) / sizeof(columns[0])

static void begin_section(FILE *out, const char *id, const char *title)
{
	fprintf(out, "<section class=\"screen\" id=\"%s\">\n<h2>%s</h2>\n", id, title);
}

/* Of several processes each row says whose it is. */
static void put_process(const struct page *page, size_t process, FILE *out)
{
	if (page->lanes->process_count > 1)
		fprintf(out, " <span class=\"where\">of process %" PRIu32 "</span>",
			page->lanes->process[process].process->pid);
}

/* ---- locks ---- */

static int compare_locks(const void *left, const void *right)
{
	const struct table_lock *a = *(const struct table_lock *const *)left,
				*b = *(const struct table_lock *const *)right;

	if (a->wait.total_ns != b->wait.total_ns)
		return a->wait.total_ns < b->wait.total_ns ? 1 : -1;
	if (a->taken != b->taken)
		return a->taken < b->taken ? 1 : -1;
	return (a->process > b->process) - (a->process < b->process)
		       ? (a->process > b->process) - (a->process < b->process)
		       : (a->object > b->object) - (a->object < b->object);
}

/* Heaviest first; of equal ones the first. */
static int compare_places(const void *left, const void *right)
{
	const struct table_place *a = *(const struct table_place *const *)left,
				 *b = *(const struct table_place *const *)right;

	if (a->total_ns != b->total_ns)
		return a->total_ns < b->total_ns ? 1 : -1;
	return (a > b) - (a < b); /* one array: its order */
}

static void put_places(const struct page *page, const struct table_lock *l,
		       const struct table_place *places, const char *heading, size_t most,
		       FILE *out)
{
	const struct table_place *sorted[TABLE_PLACES];
	char title[128], time[32];
	size_t count = 0;

	for (size_t i = 0; places && i < TABLE_PLACES; i++)
		if (places[i].count)
			sorted[count++] = &places[i];
	qsort(sorted, count, sizeof(*sorted), compare_places);
	for (size_t i = 0; i < count && i < most; i++) {
		const struct table_place *p = sorted[i];

		snprintf(title, sizeof(title), "%s here %" PRIu64 " %s, %s in all", heading,
			 p->count, p->count == 1 ? "time" : "times",
			 page_time(p->total_ns, time, sizeof(time)));
		page_put_stack(page, l->process, p->stack, title, out);
	}
}

static void put_lock(const struct page *page, const struct table_lock *l, FILE *out)
{
	char kind[WORDS_BYTES], name[WORDS_BYTES];

	page_object_words(page, l->process, l->object, kind, sizeof(kind), name, sizeof(name));
	fprintf(out,
		"<tr id=\"lock-%" PRIu32 "-%" PRIu32 "\"><td><details><summary class=\"subject\">",
		l->process, l->object);
	escape_html(out, name);
	fputs("</summary>\n", out);
	if (l->owner) {
		fputs("<p>At the end held by ", out);
		page_put_thread(page, l->process, l->owner, out);
		if (l->waiting)
			fprintf(out, "; <span class=\"bad\">%" PRIu32 " %s for it</span>",
				l->waiting, l->waiting == 1 ? "thread waits" : "threads wait");
		fputs(".</p>\n", out);
	}
	page_put_stack(page, l->process,
		       page->lanes->process[l->process].process->objects[l->object].stack,
		       "First seen", out);
	put_places(page, l, l->wait_place, "Waited for", 3, out);
	put_places(page, l, l->hold_place, "Held", l->wait.count ? 3 : 1, out);
	fputs("</details>", out);
	put_process(page, l->process, out);
	fputs("</td>", out);
	page_cell_text(out, kind);
	page_cell_count(out, l->taken);
	page_cell_percent(out, l->wait.count, l->taken + l->failed);
	page_cell_time(out, l->wait.total_ns);
	page_cell_time(out, l->wait.longest_ns);
	page_cell_time(out, table_times_percentile(&l->wait, 99));
	page_cell_time(out, l->hold.total_ns);
	page_cell_time(out, l->hold.longest_ns);
	page_cell_time(out, table_times_percentile(&l->hold, 99));
	page_cell_count(out, l->most_waiters);
	page_cell_count(out, l->threads);
	fputs("</tr>\n", out);
}

/* Heaviest first; NULL = out of memory. The caller frees it. */
static const struct table_lock **sorted_locks(const struct tables *t)
{
	const struct table_lock **sorted = calloc(t->lock_count + 1, sizeof(*sorted));

	for (size_t i = 0; sorted && i < t->lock_count; i++)
		sorted[i] = &t->lock[i];
	if (sorted && t->lock_count)
		qsort(sorted, t->lock_count, sizeof(*sorted), compare_locks);
	return sorted;
}

void page_locks_limit(struct page *page)
{
	const struct tables *t = page->tables;
	const struct table_lock **sorted = t->lock_count > PAGE_ROWS ? sorted_locks(t) : NULL;

	if (sorted)
		page->last_lock = sorted[PAGE_ROWS - 1];
	free(sorted);
}

bool page_lists_lock(const struct page *page, size_t process, uint32_t object)
{
	const struct tables *t = page->tables;
	size_t low = 0, high = t->lock_count;

	while (low < high) { /* by process, then object */
		size_t middle = low + (high - low) / 2;
		const struct table_lock *l = &t->lock[middle];

		if (l->process < process || (l->process == process && l->object < object))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == t->lock_count || t->lock[low].process != process ||
	    t->lock[low].object != object)
		return false;
	return !page->last_lock || compare_locks(&(const struct table_lock *const){ &t->lock[low] },
						 &page->last_lock) <= 0;
}

bool page_lists_thread(const struct page *page, size_t process, uint32_t thread)
{
	const struct tables *t = page->tables;

	for (size_t i = 0; i < t->thread_count && i < PAGE_ROWS; i++)
		if (t->thread[i].process == process && t->thread[i].thread == thread)
			return true;
	return false;
}

void page_locks_put(const struct page *page, FILE *out)
{
	static const struct page_column columns[] = {
		{ "Lock", false },     { "Kind", false },	 { "Taken", true },
		{ "Contended", true }, { "Wait total", true },	 { "Wait max", true },
		{ "Wait p99", true },  { "Hold total", true },	 { "Hold max", true },
		{ "Hold p99", true },  { "Most waiting", true }, { "Threads", true },
	};
	const struct tables *t = page->tables;
	const struct table_lock **sorted = sorted_locks(t);

	if (!t->lock_count || !sorted) {
		free(sorted);
		return;
	}
	begin_section(out, "locks", "Locks");
	fputs("<p class=\"facts\">What threads waited for longest comes first. Open a lock for the places where it "
	      "was waited for and held.</p>\n",
	      out);
	page_table_begin(out, COLUMNS(columns));
	for (size_t i = 0; i < t->lock_count && i < PAGE_ROWS; i++)
		put_lock(page, sorted[i], out);
	page_table_end(out,
		       (t->lock_count > PAGE_ROWS ? t->lock_count - PAGE_ROWS : 0) +
			       t->locks_left_out,
		       "lock");
	fputs("</section>\n", out);
	free(sorted);
}

/* ---- threads ---- */

static void put_last_wait(const struct page *page, const struct table_thread *t, FILE *out)
{
	if (!t->wait_kind) {
		fputs(t->joined	 ? "joined"
		      : t->ended ? t->detached ? "ended, detached" : "ended, never joined"
				 : "ran",
		      out);
		return;
	}
	fputs("<span class=\"bad\">waits</span> ", out);
	if (t->wait_object) {
		fputs("for ", out);
		page_put_object(page, t->process, t->wait_object, out);
	} else if (t->wait_kind == TRACE_WAIT_JOIN) {
		fputs("for the end of ", out);
		page_put_thread(page, t->process, t->wait_other, out);
	} else if (t->wait_kind == TRACE_WAIT_CALL) {
		fprintf(out, "in %s", trace_call_name(t->wait_other));
	}
	if (t->wait_holder) {
		fputs(", which ", out);
		page_put_thread(page, t->process, t->wait_holder, out);
		fputs(" has", out);
	}
}

static void put_thread(const struct page *page, const struct table_thread *t, FILE *out)
{
	const struct lane_thread *lane = lanes_find(page->lanes, t->process, t->thread);
	uint64_t life = t->end_ns - t->begin_ns;
	char name[WORDS_BYTES];

	fprintf(out,
		"<tr id=\"thread-%" PRIu32 "-%" PRIu32
		"\"><td><details><summary class=\"subject\">",
		t->process, t->thread);
	if (lane)
		escape_html(out, lanes_thread_name(page->lanes, lane, name, sizeof(name)));
	else
		fprintf(out, "thread %" PRIu32, t->thread);
	fputs("</summary>\n", out);
	page_put_stack(page, t->process, t->created_stack, "Created", out);
	page_put_stack(page, t->process, t->wait_stack, "Waits at the end", out);
	fputs("</details>", out);
	put_process(page, t->process, out);
	fputs("</td><td>", out);
	put_last_wait(page, t, out);
	fputs("</td><td>", out);
	page_put_place(page, t->process, t->created_stack, out);
	fputs("</td>", out);
	page_cell_time(out, life);
	page_cell_percent(out, t->state_ns[LANE_WAITS_LOCK], life);
	page_cell_time(out, t->state_ns[LANE_WAITS_LOCK]);
	page_cell_time(out, t->state_ns[LANE_WAITS_SIGNAL]);
	page_cell_time(out, t->state_ns[LANE_CALLS]);
	page_cell_time(out, t->state_ns[LANE_IDLE]);
	page_cell_time(out, t->state_ns[LANE_HOLDS] + t->state_ns[LANE_HOLDS_WANTED] +
				    t->state_ns[LANE_HOLDS_SHARED]);
	page_cell_count(out, t->held);
	page_cell_count(out, t->events);
	fputs("</tr>\n", out);
}

void page_threads_put(const struct page *page, FILE *out)
{
	static const struct page_column columns[] = {
		{ "Thread", false }, { "At the end", false }, { "Created in", false },
		{ "Lived", true },   { "Waits", true },	      { "Locks", true },
		{ "Signals", true }, { "Calls", true },	      { "Events", true },
		{ "Holds", true },   { "Held at end", true }, { "Records", true },
	};
	const struct tables *t = page->tables;

	if (!t->thread_count)
		return;
	begin_section(out, "threads", "Threads");
	fputs("<p class=\"facts\">Waits: the share of its life that a thread waited for locks; then how long it waited "
	      "for locks, for signals, in blocking calls and for events, and held locks.</p>\n",
	      out);
	page_table_begin(out, COLUMNS(columns));
	for (size_t i = 0; i < t->thread_count && i < PAGE_ROWS; i++)
		put_thread(page, &t->thread[i], out);
	page_table_end(out, t->thread_count > PAGE_ROWS ? t->thread_count - PAGE_ROWS : 0,
		       "thread");
	fputs("</section>\n", out);
}

/* ---- loops ---- */

/* How often callbacks took up to 1, 2, 4 … microseconds. */
static void put_histogram(const struct table_loop *l, FILE *out)
{
	char time[32], label[64];
	int last = 0;

	for (int i = 0; i < TABLE_CALLS; i++)
		last = l->call_in[i] ? i : last;
	snprintf(label, sizeof(label), "Lengths of callbacks, up to %s",
		 page_time((UINT64_C(1) << last) * 1000, time, sizeof(time)));
	page_cell_bars(out, l->call_in, (size_t)last + 1, 7, label);
}

static void put_loop(const struct page *page, const struct table_loop *l, FILE *out)
{
	char kind[WORDS_BYTES], name[WORDS_BYTES];
	uint64_t both = l->idle_ns + l->call.total_ns;

	fprintf(out, "<tr id=\"loop-%" PRIu32 "-%" PRIu32 "\"><td class=\"subject\">", l->process,
		l->loop);
	if (l->loop) {
		page_object_words(page, l->process, l->loop, kind, sizeof(kind), name,
				  sizeof(name));
		escape_html(out, kind);
		fputc(' ', out);
		escape_html(out, name);
	} else {
		fputs("a loop of the program's own", out);
	}
	put_process(page, l->process, out);
	fputs("</td><td>", out);
	page_put_thread(page, l->process, l->thread, out);
	fputs("</td>", out);
	page_cell_count(out, l->turns);
	page_cell_count(out, l->call.count);
	page_cell_percent(out, l->call.total_ns, both);
	page_cell_time(out, l->call.longest_ns);
	fputs("<td>", out);
	if (l->longest_stack && l->call.longest_ns) {
		fprintf(out, "<a href=\"#timeline?from=%" PRIu64 "&amp;to=%" PRIu64 "\">",
			l->call.longest_at_ns, l->call.longest_at_ns + l->call.longest_ns);
		page_put_place(page, l->process, l->longest_stack, out);
		fputs("</a>", out);
	}
	fputs("</td>", out);
	page_cell_time(out, table_times_percentile(&l->call, 99));
	put_histogram(l, out);
	page_cell_count(out, l->live);
	fputs("</tr>\n", out);
}

void page_loops_put(const struct page *page, FILE *out)
{
	static const struct page_column columns[] = {
		{ "Loop", false },
		{ "Thread", false },
		{ "Turns", true },
		{ "Callbacks", true },
		{ "Busy", true },
		{ "Longest", true },
		{ "in", false },
		{ "p99", true },
		{ "Lengths, 1 \xc2\xb5s and on", false },
		{ "Live tasks", true },
	};
	const struct tables *t = page->tables;

	if (!t->loop_count)
		return;
	begin_section(out, "loops", "Loops");
	page_table_begin(out, COLUMNS(columns));
	for (size_t i = 0; i < t->loop_count && i < PAGE_ROWS; i++)
		put_loop(page, &t->loop[i], out);
	page_table_end(out, t->loop_count > PAGE_ROWS ? t->loop_count - PAGE_ROWS : 0, "loop");
	fputs("</section>\n", out);
}
