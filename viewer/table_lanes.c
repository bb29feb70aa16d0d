/* SPDX-License-Identifier: MIT */
/*
 * table_lanes.c - rows from the spans of the timeline: how long locks were waited for and held, what threads were in.
 *
 * Two walks: the first sums up, the second fills histograms and places of the locks that most time went into.
 */
#include "table_making.h"

#include <stdlib.h>

struct walk {
	struct tables *tables;
	const struct lanes *lanes;
	/* Owned; by process, then object: index + 1 in tables->lock, or LEFT_OUT; while `weighing`, microseconds + 1. */
	uint32_t **row;
	bool weighing, detail;
};

#define LEFT_OUT UINT32_MAX

static bool is_hold(unsigned state)
{
	return state == LANE_HOLDS || state == LANE_HOLDS_SHARED || state == LANE_HOLDS_WANTED;
}

static bool is_wait(unsigned state)
{
	return state == LANE_WAITS_LOCK || state == LANE_WAITS_SIGNAL;
}

static struct table_lock *lock_row(struct walk *w, uint32_t process, uint32_t object)
{
	uint32_t *row = &w->row[process][object];
	struct table_lock *rows;

	if (*row)
		return &w->tables->lock[*row - 1];
	rows = table_room(w->tables->lock, w->tables->lock_count, sizeof(*rows));
	if (!rows)
		return NULL;
	w->tables->lock = rows;
	rows += w->tables->lock_count++;
	*row = (uint32_t)w->tables->lock_count;
	*rows = (struct table_lock){ .process = process, .object = object };
	return rows;
}

/* When all are taken, the least one gives way to the newcomer, which inherits its sums as an estimate. */
static void add_place(struct table_place *place, const struct lane_span *span, uint32_t thread)
{
	uint64_t ns = span->end_ns - span->start_ns;
	struct table_place *p = &place[0];

	for (unsigned i = 0; i < TABLE_PLACES; i++) {
		if (place[i].stack == span->stack || !place[i].count) {
			p = &place[i];
			break;
		}
		if (place[i].total_ns < p->total_ns)
			p = &place[i];
	}
	if (p->stack != span->stack) {
		p->stack = span->stack;
		p->longest_ns = 0;
	}
	p->count++;
	p->total_ns += ns;
	if (ns >= p->longest_ns) {
		p->longest_ns = ns;
		p->thread = thread;
	}
}

static void add_detail(struct table_lock *lock, const struct lane_span *span, uint32_t thread)
{
	bool holds = is_hold(span->state);

	if (!lock->wait_place)
		return;
	add_place(holds ? lock->hold_place : lock->wait_place, span, thread);
	table_times_add(holds ? &lock->hold : &lock->wait, span->start_ns,
			span->end_ns - span->start_ns);
}

/* As weight() below, in microseconds. */
static void weigh(uint32_t *weight, unsigned state, uint64_t ns)
{
	uint64_t more = 1 + (is_wait(state) ? 8 : 1) * ns / 1000;

	*weight = more < LEFT_OUT - 1 - *weight ? (uint32_t)(*weight + more) : LEFT_OUT - 1;
}

static bool add_span(struct walk *w, uint32_t lane, const struct lane_span *span)
{
	const struct lane_thread *at = &w->lanes->thread[lane];
	uint64_t ns = span->end_ns - span->start_ns;
	struct table_lock *lock;

	if (!is_hold(span->state) && !is_wait(span->state))
		return true;
	if (!span->object || span->object >= w->tables->making->image[at->process].objects)
		return true;
	if (w->weighing) {
		weigh(&w->row[at->process][span->object], span->state, ns);
		return true;
	}
	if (w->row[at->process][span->object] == LEFT_OUT)
		return true;
	lock = lock_row(w, at->process, span->object);
	if (!lock)
		return false;
	if (w->detail) {
		add_detail(lock, span, at->thread);
		return true;
	}
	table_times_add(is_hold(span->state) ? &lock->hold : &lock->wait, span->start_ns, ns);
	lock->taken += is_hold(span->state);
	lock->taken_shared += span->state == LANE_HOLDS_SHARED;
	lock->threads += lock->last_lane != lane + 1;
	lock->last_lane = lane + 1;
	return true;
}

/* The row of a thread; NULL = it has none. */
static struct table_thread *thread_row(struct walk *w, const struct lane_thread *at)
{
	const struct table_image *image = &w->tables->making->image[at->process];
	size_t low = image->first_thread, high = image->first_thread + image->threads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->tables->thread[middle].thread < at->thread)
			low = middle + 1;
		else
			high = middle;
	}
	return low < image->first_thread + image->threads &&
			       w->tables->thread[low].thread == at->thread
		       ? &w->tables->thread[low]
		       : NULL;
}

static bool walk_lane(struct walk *w, uint32_t lane)
{
	const struct lane_thread *at = &w->lanes->thread[lane];
	struct table_thread *thread = w->detail || w->weighing ? NULL : thread_row(w, at);
	struct lane_cursor cursor;
	struct lane_span span;
	bool ok = true;

	if (thread) {
		thread->begin_ns = at->begin_ns;
		thread->end_ns = at->end_ns;
	}
	for (uint32_t row = at->first_row; ok && row; row = w->lanes->row[row - 1].next) {
		lane_cursor_begin(&cursor, &w->lanes->row[row - 1], 0);
		while (ok && lane_cursor_next(&cursor, &span)) {
			ok = add_span(w, lane, &span);
			if (!thread || span.state >= LANE_STATES)
				continue;
			thread->state_ns[span.state] += span.end_ns - span.start_ns;
			thread->taken += is_hold(span.state);
			thread->waits += is_wait(span.state);
		}
	}
	return ok;
}

static bool walk_lanes(struct walk *w)
{
	bool ok = true;

	for (uint32_t lane = 0; ok && lane < w->lanes->thread_count; lane++)
		ok = walk_lane(w, lane);
	return ok;
}

/* ---- the locks that get details ---- */

static uint64_t weight(const struct table_lock *lock)
{
	return 8 * lock->wait.total_ns + lock->hold.total_ns;
}

static int compare_weights(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return *a > *b ? -1 : *a < *b;
}

/* What a lock must weigh to be among the heaviest; UINT64_MAX = out of memory. */
static uint64_t least_weight(const struct tables *t)
{
	uint64_t *weights = calloc(t->lock_count + 1, sizeof(*weights)), least = 0;

	if (!weights)
		return UINT64_MAX;
	for (size_t i = 0; i < t->lock_count; i++)
		weights[i] = weight(&t->lock[i]);
	if (t->lock_count > TABLE_DETAILED) {
		qsort(weights, t->lock_count, sizeof(*weights), compare_weights);
		least = weights[TABLE_DETAILED - 1];
	}
	free(weights);
	return least;
}

static bool detail_times(struct table_times *times)
{
	*times = (struct table_times){ 0 };
	return table_times_detail(times);
}

static bool choose_details(struct tables *t)
{
	uint64_t least = least_weight(t);
	size_t chosen = 0;

	for (size_t i = 0; i < t->lock_count && chosen < TABLE_DETAILED; i++) {
		struct table_lock *lock = &t->lock[i];

		if (weight(lock) < least)
			continue;
		chosen++;
		lock->wait_place = calloc(TABLE_PLACES, sizeof(*lock->wait_place));
		lock->hold_place = calloc(TABLE_PLACES, sizeof(*lock->hold_place));
		if (!lock->wait_place || !lock->hold_place || !detail_times(&lock->wait) ||
		    !detail_times(&lock->hold))
			return false;
	}
	return least != UINT64_MAX;
}

static int compare_places(const void *x, const void *y)
{
	const struct table_place *a = x, *b = y;

	if (a->total_ns != b->total_ns)
		return a->total_ns > b->total_ns ? -1 : 1;
	return a->stack < b->stack ? -1 : a->stack > b->stack;
}

static int compare_locks(const void *x, const void *y)
{
	const struct table_lock *a = x, *b = y;

	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	return a->object < b->object ? -1 : a->object > b->object;
}

static void finish_locks(struct tables *t)
{
	for (size_t i = 0; i < t->lock_count; i++) {
		struct table_lock *lock = &t->lock[i];
		const struct table_lock_facts *fact =
			&t->making->image[lock->process].fact[lock->object];

		lock->most_waiters = fact->most_waiters;
		lock->failed = fact->failed;
		lock->owner = fact->owner;
		lock->waiting = fact->waiting;
		if (!lock->wait_place)
			continue;
		qsort(lock->wait_place, TABLE_PLACES, sizeof(*lock->wait_place), compare_places);
		qsort(lock->hold_place, TABLE_PLACES, sizeof(*lock->hold_place), compare_places);
	}
	if (t->lock_count)
		qsort(t->lock, t->lock_count, sizeof(*t->lock), compare_locks);
}

static bool make_rows(struct walk *w)
{
	const struct table_making *making = w->tables->making;

	w->row = calloc(making->images + 1, sizeof(*w->row));
	for (size_t i = 0; w->row && i < making->images; i++) {
		w->row[i] = calloc(making->image[i].objects + 1, sizeof(**w->row));
		if (!w->row[i])
			return false;
	}
	return w->row;
}

/*
 * Where more locks were used than there is room for, which ones get rows: those that most time went into, of equal ones the first.
 */
static bool choose_rows(struct walk *w)
{
	const struct table_making *making = w->tables->making;
	size_t of_bits[33] = { 0 }, all = 0, above = 0, level = 0;
	unsigned bits = 32;

	w->weighing = true;
	if (!walk_lanes(w))
		return false;
	w->weighing = false;
	for (size_t i = 0; i < making->images; i++)
		for (size_t k = 0; k < making->image[i].objects; k++)
			if (w->row[i][k]) {
				of_bits[32 - __builtin_clz(w->row[i][k])]++;
				all++;
			}
	while (bits && above + of_bits[bits] <= TABLE_MOST_LOCKS)
		above += of_bits[bits--];
	for (size_t i = 0; i < making->images; i++)
		for (size_t k = 0; k < making->image[i].objects; k++) {
			unsigned of = w->row[i][k] ? 32 - (unsigned)__builtin_clz(w->row[i][k]) : 0;
			bool kept = of > bits || (of && of == bits &&
						  above + level < TABLE_MOST_LOCKS && ++level);

			w->row[i][k] = of && !kept ? LEFT_OUT : 0;
		}
	w->tables->locks_left_out = all - above - level;
	return true;
}

static size_t count_objects(const struct table_making *making)
{
	size_t count = 0;

	for (size_t i = 0; i < making->images; i++)
		count += making->image[i].objects;
	return count;
}

int tables_take_lanes(struct tables *tables, const struct lanes *lanes, struct diag *diag)
{
	struct walk w = { .tables = tables, .lanes = lanes };
	bool ok = make_rows(&w);

	if (ok && count_objects(tables->making) > TABLE_MOST_LOCKS)
		ok = choose_rows(&w);
	ok = ok && walk_lanes(&w) && choose_details(tables);

	w.detail = true;
	ok = ok && walk_lanes(&w);
	if (ok)
		finish_locks(tables);
	for (size_t i = 0; w.row && i < tables->making->images; i++)
		free(w.row[i]);
	free(w.row);
	table_making_free(tables);
	return ok ? 0 : diag_set(diag, THRUM_ENOMEM, "out of memory");
}
