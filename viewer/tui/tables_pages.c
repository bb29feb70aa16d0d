/* SPDX-License-Identifier: MIT */
/*
 * tables_pages.c - the pages of locks, threads, tasks, loops and lock orders: their columns.
 */
#include "../names.h"
#include "table.h"

#include <inttypes.h>

#define COLUMNS(array) .column = array, .columns = sizeof(array) / sizeof(array[0])

static const struct trace_process *process_of(const struct tui_data *data, uint32_t process)
{
	return trace_reader_get_process(data->reader, process);
}

/* Which process, where there are several. */
static void put_process(const struct tui_data *data, uint32_t process, FILE *out)
{
	if (trace_reader_process_count(data->reader) > 1)
		fprintf(out, " (process %" PRIu32 ")", process_of(data, process)->pid);
}

static void put_object(const struct tui_data *data, uint32_t process, uint32_t object, FILE *out)
{
	char name[NAMES_BYTES];

	tui_put(out, "%s", names_object(&data->source, process, object, name, sizeof(name)));
}

static void put_thread(const struct tui_data *data, uint32_t process, uint32_t thread, FILE *out)
{
	char name[NAMES_BYTES];

	tui_put(out, "%s", names_thread(process_of(data, process), thread, name, sizeof(name)));
}

static void put_site(const struct tui_data *data, uint32_t process, uint32_t stack,
		     uint64_t time_ns, FILE *out)
{
	char site[2 * NAMES_BYTES];

	names_site(&data->source, process, stack, time_ns, site, sizeof(site));
	tui_put(out, "%s", *site ? site : "a place that is not known");
}

/* Values of columns: VALUE(function, array, expression over `row`). */
#define VALUE(name, array, expression)                                                     \
	static uint64_t name(const struct tui_data *data, size_t index)                    \
	{                                                                                  \
		const __typeof__(*data->tables->array) *row = &data->tables->array[index]; \
                                                                                           \
		return expression;                                                         \
	}
#define ROWS(name, array)                               \
	static size_t name(const struct tui_data *data) \
	{                                               \
		return data->tables->array##_count;     \
	}

/* ---- locks ---- */

VALUE(lock_waits, lock, row->wait.count)
VALUE(lock_waited, lock, row->wait.total_ns)
VALUE(lock_longest_wait, lock, row->wait.longest_ns)
VALUE(lock_held, lock, row->hold.total_ns)
VALUE(lock_taken, lock, row->taken)
ROWS(lock_rows, lock)

static void put_lock(const struct tui_data *data, size_t index, FILE *out)
{
	const struct table_lock *lock = &data->tables->lock[index];

	put_object(data, lock->process, lock->object, out);
	if (lock->waiting)
		tui_put(out,
			lock->waiting == 1 ? ", one thread still waits"
					   : ", %" PRIu32 " threads still wait",
			lock->waiting);
	put_process(data, lock->process, out);
}

static enum tui_style lock_style(const struct tui_data *data, size_t index)
{
	const struct table_lock *lock = &data->tables->lock[index];

	return lock->waiting && lock->owner ? TUI_WAIT : lock->wait.count ? TUI_PLAIN : TUI_FAINT;
}

static struct tui_page *open_lock(const struct tui_data *data, size_t index)
{
	return tui_lock_page(data, &data->tables->lock[index]);
}

static const struct tui_column lock_columns[] = {
	{ "waits", 6, TUI_COUNT, lock_waits, NULL, false },
	{ "waited", 8, TUI_TIME, lock_waited, NULL, false },
	{ "longest", 8, TUI_TIME, lock_longest_wait, NULL, false },
	{ "held", 8, TUI_TIME, lock_held, NULL, false },
	{ "taken", 6, TUI_COUNT, lock_taken, NULL, false },
	{ "lock", 0, TUI_TEXT, NULL, put_lock, false },
};
static const struct tui_table lock_table = { .title = "Locks",
					     .empty = "no lock was taken",
					     COLUMNS(lock_columns),
					     .sorted_by = 1,
					     .rows = lock_rows,
					     .open = open_lock,
					     .style = lock_style };

struct tui_page *tui_locks_page(const struct tui_data *data)
{
	struct tui_page *page = tui_table_page(data, &lock_table);

	tui_page_left_out(page, data->tables->locks_left_out, "less time went into them");
	return page;
}

/* ---- threads ---- */

VALUE(thread_waited, thread, row->state_ns[LANE_WAITS_LOCK])
VALUE(thread_signal, thread, row->state_ns[LANE_WAITS_SIGNAL] + row->state_ns[LANE_JOINS])
VALUE(thread_held, thread,
      row->state_ns[LANE_HOLDS] + row->state_ns[LANE_HOLDS_SHARED] +
	      row->state_ns[LANE_HOLDS_WANTED])
VALUE(thread_called, thread, row->state_ns[LANE_RUNS_CALLBACK] + row->state_ns[LANE_RUNS_TASK])
VALUE(thread_events, thread, row->events)
ROWS(thread_rows, thread)

static const char *thread_state(const struct table_thread *t)
{
	return t->wait_kind  ? "waits"
	       : !t->ended   ? "runs"
	       : t->joined   ? "joined"
	       : t->detached ? "over"
			     : "ended";
}

static void put_thread_row(const struct tui_data *data, size_t index, FILE *out)
{
	const struct table_thread *t = &data->tables->thread[index];

	put_thread(data, t->process, t->thread, out);
	fprintf(out, ", %s", thread_state(t));
	if (t->wait_object) {
		fputs(" for ", out);
		put_object(data, t->process, t->wait_object, out);
	}
	if (t->wait_holder) {
		fputs(data->ascii ? " <- " : " \xe2\x86\x90 ", out);
		put_thread(data, t->process, t->wait_holder, out);
	}
	put_process(data, t->process, out);
}

static enum tui_style thread_style(const struct tui_data *data, size_t index)
{
	const struct table_thread *t = &data->tables->thread[index];

	return t->wait_holder ? TUI_WAIT : t->ended ? TUI_FAINT : TUI_PLAIN;
}

static struct tui_page *open_thread(const struct tui_data *data, size_t index)
{
	return tui_thread_page(data, &data->tables->thread[index]);
}

static const struct tui_column thread_columns[] = {
	{ "locks", 8, TUI_TIME, thread_waited, NULL, false },
	{ "signals", 8, TUI_TIME, thread_signal, NULL, false },
	{ "held", 8, TUI_TIME, thread_held, NULL, false },
	{ "called", 8, TUI_TIME, thread_called, NULL, false },
	{ "events", 7, TUI_COUNT, thread_events, NULL, false },
	{ "thread", 0, TUI_TEXT, NULL, put_thread_row, false },
};
static const struct tui_table thread_table = { .title = "Threads",
					       .empty = "no thread was seen",
					       COLUMNS(thread_columns),
					       .sorted_by = 5,
					       .rows = thread_rows,
					       .open = open_thread,
					       .style = thread_style };

struct tui_page *tui_threads_page(const struct tui_data *data)
{
	return tui_table_page(data, &thread_table);
}

/* ---- tasks, by the place that made them ---- */

VALUE(site_live, site, row->live)
VALUE(site_made, site, row->made)
VALUE(site_called, site, row->call.count)
VALUE(site_busy, site, row->call.total_ns)
VALUE(site_longest, site, row->call.longest_ns)
ROWS(site_rows, site)

static void put_site_row(const struct tui_data *data, size_t index, FILE *out)
{
	const struct table_site *site = &data->tables->site[index];

	tui_put(out, "%s (%s) ", trace_task_word(site->kind), trace_task_library(site->kind));
	put_site(data, site->process, site->stack, SIZE_MAX, out);
	put_process(data, site->process, out);
}

static struct tui_page *open_site(const struct tui_data *data, size_t index)
{
	return tui_site_page(data, &data->tables->site[index]);
}

static const struct tui_column site_columns[] = {
	{ "alive", 6, TUI_COUNT, site_live, NULL, false },
	{ "made", 6, TUI_COUNT, site_made, NULL, false },
	{ "calls", 6, TUI_COUNT, site_called, NULL, false },
	{ "busy", 8, TUI_TIME, site_busy, NULL, false },
	{ "longest", 8, TUI_TIME, site_longest, NULL, false },
	{ "kind and place", 0, TUI_TEXT, NULL, put_site_row, false },
};
static const struct tui_table site_table = {
	.title = "Tasks",
	.empty = "no task of a loop, pool or coroutine was seen",
	COLUMNS(site_columns),
	.sorted_by = 0,
	.rows = site_rows,
	.open = open_site
};

struct tui_page *tui_tasks_page(const struct tui_data *data)
{
	return tui_table_page(data, &site_table);
}

/* ---- loops ---- */

VALUE(loop_turns, loop, row->turns)
VALUE(loop_called, loop, row->call.count)
VALUE(loop_busy, loop, row->call.total_ns)
VALUE(loop_idle, loop, row->idle_ns)
VALUE(loop_longest, loop, row->call.longest_ns)
VALUE(loop_live, loop, row->live)
ROWS(loop_rows, loop)

static void put_loop_row(const struct tui_data *data, size_t index, FILE *out)
{
	const struct table_loop *loop = &data->tables->loop[index];

	if (loop->loop)
		put_object(data, loop->process, loop->loop, out);
	else
		fputs("a loop of its own", out);
	fputs(", ", out);
	put_thread(data, loop->process, loop->thread, out);
	put_process(data, loop->process, out);
}

static struct tui_page *open_loop(const struct tui_data *data, size_t index)
{
	return tui_loop_page(data, &data->tables->loop[index]);
}

static const struct tui_column loop_columns[] = {
	{ "turns", 6, TUI_COUNT, loop_turns, NULL, false },
	{ "calls", 6, TUI_COUNT, loop_called, NULL, false },
	{ "busy", 8, TUI_TIME, loop_busy, NULL, false },
	{ "idle", 8, TUI_TIME, loop_idle, NULL, false },
	{ "longest", 8, TUI_TIME, loop_longest, NULL, false },
	{ "alive", 6, TUI_COUNT, loop_live, NULL, false },
	{ "loop", 0, TUI_TEXT, NULL, put_loop_row, false },
};
static const struct tui_table loop_table = { .title = "Loops",
					     .empty = "no event loop was seen",
					     COLUMNS(loop_columns),
					     .sorted_by = 4,
					     .rows = loop_rows,
					     .open = open_loop };

struct tui_page *tui_loops_page(const struct tui_data *data)
{
	return tui_table_page(data, &loop_table);
}

/* ---- the order of locks ---- */

VALUE(order_ring, order, row->edge.cycle == ORDER_NO_CYCLE ? UINT64_MAX : row->edge.cycle)
VALUE(order_count, order, row->edge.count)
ROWS(order_rows, order)

static void put_ring(const struct tui_data *data, size_t index, FILE *out)
{
	const struct order_edge *e = &data->tables->order[index].edge;

	if (e->cycle == ORDER_NO_CYCLE)
		fputc('-', out);
	else
		fprintf(out, "ring %" PRIu32, e->cycle + 1);
}

static void put_order_row(const struct tui_data *data, size_t index, FILE *out)
{
	const struct table_order *order = &data->tables->order[index];

	put_object(data, order->process, order->edge.from, out);
	fputs(data->ascii ? " -> " : " \xe2\x86\x92 ", out);
	put_object(data, order->process, order->edge.to, out);
	if (order->edge.only_tries)
		fputs(" (only tried)", out);
	if (order->edge.thread == ORDER_MANY_THREADS) {
		fputs(", several threads", out);
	} else {
		fputs(", ", out);
		put_thread(data, order->process, order->edge.thread, out);
	}
	put_process(data, order->process, out);
}

static enum tui_style order_style(const struct tui_data *data, size_t index)
{
	return data->tables->order[index].edge.cycle == ORDER_NO_CYCLE ? TUI_PLAIN : TUI_WAIT;
}

static struct tui_page *open_order(const struct tui_data *data, size_t index)
{
	return tui_order_page(data, &data->tables->order[index]);
}

static const struct tui_column order_columns[] = {
	{ "ring", 7, TUI_TEXT, order_ring, put_ring, true },
	{ "count", 6, TUI_COUNT, order_count, NULL, false },
	{ "held, then taken", 0, TUI_TEXT, NULL, put_order_row, false },
};
static const struct tui_table order_table = { .title = "Order of locks",
					      .empty = "no lock was taken while another was held",
					      COLUMNS(order_columns),
					      .sorted_by = 0,
					      .rows = order_rows,
					      .open = open_order,
					      .style = order_style };

struct tui_page *tui_orders_page(const struct tui_data *data)
{
	return tui_table_page(data, &order_table);
}
