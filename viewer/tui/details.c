/* SPDX-License-Identifier: MIT */
/*
 * details.c - pages of one lock, thread, place of tasks, loop, or pair of locks.
 */
#include "../names.h"
#include "lines.h"

#include <inttypes.h>

static const char *object_name(const struct tui_data *data, uint32_t process, uint32_t object,
			       char *buffer)
{
	return names_object(&data->source, process, object, buffer, NAMES_BYTES);
}

static const char *thread_name(const struct tui_data *data, uint32_t process, uint32_t thread,
			       char *buffer)
{
	return names_thread(trace_reader_get_process(data->reader, process), thread, buffer,
			    NAMES_BYTES);
}

static void put_thread_line(struct tui_lines *l, const struct tui_data *data, const char *what,
			    uint32_t process, uint32_t thread)
{
	char name[NAMES_BYTES];

	tui_put(tui_lines_next(l, false), "  %s%s", what, thread_name(data, process, thread, name));
	tui_lines_open_thread(l, process, thread);
}

static void put_lock_line(struct tui_lines *l, const struct tui_data *data, const char *what,
			  uint32_t process, uint32_t object)
{
	char name[NAMES_BYTES];

	tui_put(tui_lines_next(l, false), "  %s%s", what, object_name(data, process, object, name));
	tui_lines_open_lock(l, process, object);
}

/* "  waited  12 times, 1.20 s in all, 310 ms at most, 99 of 100 within 280 ms" */
static void put_times(struct tui_lines *l, const char *what, const struct table_times *times)
{
	FILE *out = tui_lines_next(l, false);

	tui_put(out, "  %-8s", what);
	if (!times->count) {
		fputs("never", out);
		return;
	}
	tui_put_amount(out, times->count, "time, ", "times, ");
	tui_put_time(out, times->total_ns);
	fputs(" in all, ", out);
	tui_put_time(out, times->longest_ns);
	fputs(" at most", out);
	if (!times->bucket || times->count < 2)
		return;
	fputs(", half within ", out);
	tui_put_time(out, table_times_percentile(times, 50));
	fputs(", 99 of 100 within ", out);
	tui_put_time(out, table_times_percentile(times, 99));
}

static void put_when(struct tui_lines *l, const char *what, uint64_t time_ns)
{
	FILE *out = tui_lines_next(l, false);

	fprintf(out, "  %s%.6f s after the start", what, (double)time_ns / 1e9);
}

/* ---- a lock ---- */

static void put_places(struct tui_lines *l, const struct tui_data *data,
		       const struct table_lock *lock, const struct table_place *places,
		       const char *what)
{
	char name[NAMES_BYTES];

	for (unsigned i = 0; places && i < TABLE_PLACES && places[i].count; i++) {
		FILE *out = tui_lines_next(l, true);

		fprintf(out, "%s here: ", what);
		tui_put_time(out, places[i].total_ns);
		fputs(" in ", out);
		tui_put_amount(out, places[i].count, "time, ", "times, ");
		tui_put_time(out, places[i].longest_ns);
		tui_put(out, " at most by %s",
			thread_name(data, lock->process, places[i].thread, name));
		tui_lines_put_stack(l, lock->process, places[i].stack, UINT64_MAX);
	}
}

struct tui_page *tui_lock_page(const struct tui_data *data, const struct table_lock *lock)
{
	const struct trace_process *p = trace_reader_get_process(data->reader, lock->process);
	const struct trace_object *o = &p->objects[lock->object];
	struct tui_lines *l = tui_lines_new(data);
	char name[NAMES_BYTES];
	FILE *out;

	tui_put(tui_lines_next(l, true), "%s",
		object_name(data, lock->process, lock->object, name));
	out = tui_lines_next(l, false);
	fputs("  taken   ", out);
	tui_put_amount(out, lock->taken, "time", "times");
	fputs(" by ", out);
	tui_put_amount(out, lock->threads, "thread, ", "threads, ");
	tui_put_count(out, lock->taken_shared);
	fputs(" for reading; ", out);
	tui_put_amount(out, lock->failed, "try failed", "tries failed");
	put_times(l, "held", &lock->hold);
	put_times(l, "waited", &lock->wait);
	out = tui_lines_next(l, false);
	fputs("  at most ", out);
	tui_put_amount(out, lock->most_waiters, "thread waited at once", "threads waited at once");
	if (lock->waiting) {
		out = tui_lines_next(l, false);
		fputs("  at the end ", out);
		tui_put_amount(out, lock->waiting, "thread waits for it", "threads wait for it");
	}
	if (lock->owner)
		put_thread_line(l, data, "held at the end by ", lock->process, lock->owner);
	put_places(l, data, lock, lock->wait_place, "waited for");
	put_places(l, data, lock, lock->hold_place, "taken");
	fputs("first seen", tui_lines_next(l, true));
	tui_lines_put_stack(l, lock->process, o->stack, o->time_ns);
	return tui_lines_page(l, name);
}

/* ---- a thread ---- */

static void put_states(struct tui_lines *l, const struct table_thread *t)
{
	uint64_t life_ns = t->end_ns > t->begin_ns ? t->end_ns - t->begin_ns : 1;

	for (unsigned state = LANE_NOTHING + 1; state < LANE_STATES; state++) {
		FILE *out;

		if (!t->state_ns[state])
			continue;
		out = tui_lines_next(l, false);
		tui_put(out, "  %-22s", lane_state_word(state));
		tui_put_time(out, t->state_ns[state]);
		fprintf(out, ", %.0f %% of its life",
			100.0 * (double)t->state_ns[state] / (double)life_ns);
	}
}

static void put_wait(struct tui_lines *l, const struct tui_data *data, const struct table_thread *t)
{
	FILE *out;

	if (!t->wait_kind)
		return;
	out = tui_lines_next(l, true);
	fputs("at the end it waits, for ", out);
	tui_put_time(out, data->tables->end_ns > t->wait_since_ns
				  ? data->tables->end_ns - t->wait_since_ns
				  : 0);
	if (t->wait_kind == TRACE_WAIT_JOIN)
		put_thread_line(l, data, "for the end of ", t->process, t->wait_other);
	else if (t->wait_object)
		put_lock_line(l, data, "for ", t->process, t->wait_object);
	else if (t->wait_kind == TRACE_WAIT_CALL)
		tui_put(tui_lines_next(l, false), "  in %s", trace_call_name(t->wait_other));
	if (t->wait_holder)
		put_thread_line(l, data, "which is held by ", t->process, t->wait_holder);
	tui_lines_put_stack(l, t->process, t->wait_stack, t->wait_since_ns);
}

struct tui_page *tui_thread_page(const struct tui_data *data, const struct table_thread *t)
{
	const struct trace_process *p = trace_reader_get_process(data->reader, t->process);
	struct tui_lines *l = tui_lines_new(data);
	char name[NAMES_BYTES];
	FILE *out;

	out = tui_lines_next(l, true);
	tui_put(out, "%s", thread_name(data, t->process, t->thread, name));
	if (p->threads[t->thread].tid)
		tui_put(out, ", tid %" PRIu32, p->threads[t->thread].tid);
	tui_put(out, ", process %" PRIu32, p->pid);
	put_when(l, "began   ", t->begin_ns);
	put_when(l, t->ended ? "ended   " : "alive   ", t->end_ns);
	if (t->ended)
		fputs(t->joined	    ? "  joined"
		      : t->detached ? "  detached"
				    : "  neither joined nor detached",
		      tui_lines_next(l, false));
	tui_put(tui_lines_next(l, false),
		"  locks taken %" PRIu64 " times, %" PRIu64 " waits, %" PRIu32 " held at the end",
		t->taken, t->waits, t->held);
	put_states(l, t);
	put_wait(l, data, t);
	if (t->created_by || t->created_stack) {
		fputs("created", tui_lines_next(l, true));
		if (t->created_by)
			put_thread_line(l, data, "by ", t->process, t->created_by);
		tui_lines_put_stack(l, t->process, t->created_stack, UINT64_MAX);
	}
	return tui_lines_page(l, name);
}

/* ---- tasks ---- */

static const char *job_state_word(uint32_t state)
{
	static const char *const words[] = { "made",	"waits for its turn", "is called",
					     "stopped", "is being closed",    "done by the pool" };

	return state < sizeof(words) / sizeof(words[0]) ? words[state] : "?";
}

enum { MOST_TASKS_SHOWN = 50 };

static void put_live_tasks(struct tui_lines *l, const struct tui_data *data,
			   const struct table_site *site)
{
	const struct trace_process *p = trace_reader_get_process(data->reader, site->process);
	char name[NAMES_BYTES];
	unsigned shown = 0;

	for (size_t i = 0; i < data->tables->task_count && shown < MOST_TASKS_SHOWN; i++) {
		const struct table_task *task = &data->tables->task[i];
		FILE *out;

		if (task->process != site->process || task->kind != site->kind ||
		    (task->made_stack != site->stack && site->stack))
			continue;
		shown++;
		out = tui_lines_next(l, true);
		tui_put(out, "%s, %s, called %" PRIu64 " times",
			names_task(p, task->task, name, sizeof(name)), job_state_word(task->state),
			task->calls);
		put_when(l, "made    ", task->made_ns);
		if (task->called_ns)
			put_when(l, "called  ", task->called_ns);
		if (task->parent)
			tui_put(tui_lines_next(l, false), "  made by %s",
				names_task(p, task->parent, name, sizeof(name)));
		if (task->awaits)
			tui_put(tui_lines_next(l, false), "  awaits %s",
				names_task(p, task->awaits, name, sizeof(name)));
		if (task->await_stack)
			tui_lines_put_stack(l, task->process, task->await_stack, UINT64_MAX);
	}
	if (site->live > shown)
		tui_put(tui_lines_next(l, false), "and %" PRIu64 " more that live",
			site->live - shown);
}

struct tui_page *tui_site_page(const struct tui_data *data, const struct table_site *site)
{
	struct tui_lines *l = tui_lines_new(data);
	FILE *out = tui_lines_next(l, true);

	tui_put(out, "%s (%s)", trace_task_word(site->kind), trace_task_library(site->kind));
	tui_put(tui_lines_next(l, false),
		"  made %" PRIu64 ", ended %" PRIu64 ", alive %" PRIu64 ", at most %" PRIu64
		" at once%s",
		site->made, site->ended, site->live, site->most_live,
		site->lost ? ", some were lost" : "");
	put_times(l, "called", &site->call);
	out = tui_lines_next(l, false);
	fputs("  alive at each eighth of the time:", out);
	for (unsigned i = 0; i < 8; i++)
		fprintf(out, " %" PRIu64, site->live_at[i]);
	if (site->loop)
		put_lock_line(l, data, "of ", site->process, site->loop);
	fputs("made here", tui_lines_next(l, true));
	tui_lines_put_stack(l, site->process, site->stack, UINT64_MAX);
	put_live_tasks(l, data, site);
	return tui_lines_page(l, "Tasks made at one place");
}

/* ---- a loop ---- */

#define BAR_COLUMNS 40u

static void put_histogram(struct tui_lines *l, const struct table_loop *loop)
{
	uint64_t most = 1;

	for (unsigned i = 0; i < TABLE_CALLS; i++)
		most = loop->call_in[i] > most ? loop->call_in[i] : most;
	fputs("callbacks by how long they took", tui_lines_next(l, true));
	for (unsigned i = 0; i < TABLE_CALLS; i++) {
		unsigned bar = (unsigned)((double)loop->call_in[i] / (double)most * BAR_COLUMNS);
		FILE *out;

		if (!loop->call_in[i])
			continue;
		out = tui_lines_next(l, false);
		fputs("  up to ", out);
		tui_put_time(out, UINT64_C(1000) << i);
		fputs("  ", out);
		tui_style(out, TUI_RUN);
		for (unsigned k = 0; k < bar || k == 0; k++)
			fputc('#', out);
		tui_style(out, TUI_PLAIN);
		fputc(' ', out);
		tui_put_count(out, loop->call_in[i]);
	}
}

struct tui_page *tui_loop_page(const struct tui_data *data, const struct table_loop *loop)
{
	struct tui_lines *l = tui_lines_new(data);
	char name[NAMES_BYTES];
	FILE *out = tui_lines_next(l, true);

	tui_put(out, "%s",
		loop->loop ? object_name(data, loop->process, loop->loop, name)
			   : "a loop of the program's own");
	put_thread_line(l, data, "driven by ", loop->process, loop->thread);
	out = tui_lines_next(l, false);
	fputs("  turns   ", out);
	tui_put_count(out, loop->turns);
	fputs(", idle for ", out);
	tui_put_time(out, loop->idle_ns);
	put_times(l, "called", &loop->call);
	if (loop->call.count)
		put_when(l, "longest ", loop->call.longest_at_ns);
	if (loop->longest_stack) {
		fputs("the longest callback", tui_lines_next(l, true));
		tui_lines_put_stack(l, loop->process, loop->longest_stack, UINT64_MAX);
	}
	if (loop->call.count)
		put_histogram(l, loop);
	return tui_lines_page(l, "Loop");
}

/* ---- a pair of locks ---- */

struct tui_page *tui_order_page(const struct tui_data *data, const struct table_order *order)
{
	const struct order_edge *e = &order->edge;
	struct tui_lines *l = tui_lines_new(data);
	char from[NAMES_BYTES], to[NAMES_BYTES];
	FILE *out;

	object_name(data, order->process, e->from, from);
	object_name(data, order->process, e->to, to);
	out = tui_lines_next(l, true);
	tui_put(out, "%s was taken ", to);
	tui_put_amount(out, e->count, "time", "times");
	tui_put(out, " while %s was held", from);
	if (e->cycle != ORDER_NO_CYCLE)
		tui_put(tui_lines_next(l, false),
			"  in ring %" PRIu32
			": some thread takes them the other way round, directly or through others",
			e->cycle + 1);
	put_thread_line(l, data, "first by ", order->process, e->first_thread);
	put_lock_line(l, data, "held     ", order->process, e->from);
	put_lock_line(l, data, "taken    ", order->process, e->to);
	put_when(l, "first    ", e->first_ns);
	put_when(l, "last     ", e->last_ns);
	tui_put(tui_lines_next(l, true), "%s was taken here", from);
	tui_lines_put_stack(l, order->process, e->hold_stack, UINT64_MAX);
	tui_put(tui_lines_next(l, true), "%s was asked for here", to);
	tui_lines_put_stack(l, order->process, e->request_stack, UINT64_MAX);
	return tui_lines_page(l, "Order of two locks");
}
