/* SPDX-License-Identifier: MIT */
/*
 * export_timeline.c - see export_timeline.h.
 */
#include "export_timeline.h"

#include "names.h"
#include "scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Beyond the largest pid_max. */
#define FIRST_MADE_UP_TID (UINT32_C(1) << 30)

/* ---- words ---- */

/* What follows the word of a state in a label, and the group it is in. */
static const struct {
	const char *word;
	enum {
		SHOWS_NOTHING,
		SHOWS_OBJECT,
		SHOWS_CALLBACK,
		SHOWS_TASK,
		SHOWS_CALL,
		SHOWS_THREAD
	} shows;
	const char *category;
} states[LANE_STATES] = {
	[LANE_NOTHING] = { "runs", SHOWS_NOTHING, "thread" },
	[LANE_IDLE] = { "waits for events", SHOWS_NOTHING, "idle" },
	[LANE_WAITS_SIGNAL] = { "waits for ", SHOWS_OBJECT, "signal" },
	[LANE_RUNS_CALLBACK] = { "", SHOWS_CALLBACK, "callback" },
	[LANE_RUNS_TASK] = { "", SHOWS_TASK, "task" },
	[LANE_HOLDS_SHARED] = { "reads under ", SHOWS_OBJECT, "hold" },
	[LANE_HOLDS] = { "holds ", SHOWS_OBJECT, "hold" },
	[LANE_HOLDS_WANTED] = { "holds, others wait: ", SHOWS_OBJECT, "hold" },
	[LANE_CALLS] = { "in ", SHOWS_CALL, "call" },
	[LANE_JOINS] = { "joins ", SHOWS_THREAD, "join" },
	[LANE_WAITS_LOCK] = { "waits for ", SHOWS_OBJECT, "wait" },
};

const char *timeline_category(unsigned state)
{
	return state < LANE_STATES ? states[state].category : "thread";
}

bool timeline_is_of_lock(const struct lane_span *span)
{
	return span->object && (span->state == LANE_HOLDS || span->state == LANE_HOLDS_SHARED ||
				span->state == LANE_HOLDS_WANTED || span->state == LANE_WAITS_LOCK);
}

uint64_t timeline_label_key(const struct lane_span *span)
{
	uint32_t what = span->what;

	if (span->state < LANE_STATES && states[span->state].shows == SHOWS_OBJECT)
		what = span->object;
	else if (span->state == LANE_RUNS_CALLBACK)
		what = span->stack;
	return (uint64_t)span->state << 32 | what;
}

static const char *callback_name(const struct timeline *t, size_t process,
				 const struct lane_span *span, char *buffer, size_t bytes)
{
	struct frames frames = { 0 };

	if (span->stack &&
	    t->source->frames(t->source->context, process, span->stack, span->start_ns, &frames) &&
	    frames.frame[0].function)
		snprintf(buffer, bytes, "%s", frames.frame[0].function);
	else
		snprintf(buffer, bytes, "callback");
	return buffer;
}

const char *timeline_label(const struct timeline *t, uint32_t lane, const struct lane_span *span,
			   char *buffer, size_t bytes)
{
	size_t process = t->lanes->thread[lane].process, used;
	const struct trace_process *p = t->lanes->process[process].process;
	unsigned state = span->state < LANE_STATES ? span->state : LANE_NOTHING;

	snprintf(buffer, bytes, "%s", states[state].word);
	used = strlen(buffer);
	buffer += used;
	bytes -= used;
	switch (states[state].shows) {
	case SHOWS_NOTHING:
		break;
	case SHOWS_OBJECT:
		names_object(t->source, process, span->object, buffer, bytes);
		break;
	case SHOWS_CALLBACK:
		callback_name(t, process, span, buffer, bytes);
		break;
	case SHOWS_TASK:
		names_task(p, span->what, buffer, bytes);
		break;
	case SHOWS_CALL:
		snprintf(buffer, bytes, "%s", trace_call_name(span->what));
		break;
	case SHOWS_THREAD:
		names_thread(p, span->what, buffer, bytes);
		break;
	}
	return buffer - used;
}

uint32_t timeline_tid(const struct timeline *t, uint32_t lane)
{
	const struct lane_thread *thread = &t->lanes->thread[lane];
	const struct trace_process *p = t->lanes->process[thread->process].process;
	uint32_t tid = p->threads[thread->thread].tid;

	if (!tid && (thread->thread == 1 || p->threads[thread->thread].flags & TF_THREAD_MAIN))
		tid = p->pid;
	return tid ? tid : FIRST_MADE_UP_TID + lane;
}

/* ---- how many wait ---- */

/*
 * A thread waits for one thing at a time, so that its waits are a line of beginnings and ends. All lines are merged by a heap with one
 * entry a thread: what comes next of it.
 */
struct waiting {
	struct lane_cursor cursor;
	struct lane_span span;
	uint64_t next_ns;
	uint32_t lane;
	bool inside;
};

struct merge {
	const struct timeline *t;
	struct waiting *waiting; /* owned; a heap by next_ns, then lane */
	size_t count;
	uint32_t **now; /* owned; by process, then object: threads that wait */
};

static bool comes_before(const struct waiting *a, const struct waiting *b)
{
	if (a->next_ns != b->next_ns)
		return a->next_ns < b->next_ns;
	return a->lane < b->lane;
}

static void sink_down(struct merge *m, size_t at)
{
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < m->count; child++)
			if (comes_before(&m->waiting[child], &m->waiting[least]))
				least = child;
		if (least == at)
			return;

		struct waiting moved = m->waiting[at];

		m->waiting[at] = m->waiting[least];
		m->waiting[least] = moved;
		at = least;
	}
}

/* To the next wait for a lock; false = there is none. */
static bool next_wait(struct waiting *w)
{
	while (lane_cursor_next(&w->cursor, &w->span))
		if (w->span.object && w->span.state == LANE_WAITS_LOCK) {
			w->inside = false;
			w->next_ns = w->span.start_ns;
			return true;
		}
	return false;
}

static void add_lane(struct merge *m, uint32_t lane)
{
	const struct lanes *lanes = m->t->lanes;

	for (uint32_t row = lanes->thread[lane].first_row; row; row = lanes->row[row - 1].next) {
		struct waiting *w = &m->waiting[m->count];

		if (lanes->row[row - 1].kind != LANE_ROW_STATE)
			continue;
		*w = (struct waiting){ .lane = lane };
		lane_cursor_begin(&w->cursor, &lanes->row[row - 1], 0);
		m->count += next_wait(w);
		return;
	}
}

static bool step(struct merge *m, const struct timeline_sink *sink)
{
	struct waiting *w = &m->waiting[0];
	uint32_t process = m->t->lanes->thread[w->lane].process, object = w->span.object;
	uint32_t *now = &m->now[process][object];
	uint64_t time_ns = w->next_ns;
	bool more = true;

	if (w->inside) {
		*now -= 1;
		more = next_wait(w);
	} else {
		*now += 1;
		w->inside = true;
		w->next_ns = w->span.end_ns;
	}
	if (!more)
		m->waiting[0] = m->waiting[--m->count];
	sink_down(m, 0);
	return sink->waiters(sink->state, m->t, process, object, time_ns, *now);
}

static bool merge_waiters(const struct timeline *t, const struct timeline_sink *sink)
{
	struct merge m = { .t = t };
	bool ok;

	m.waiting = calloc(t->lanes->thread_count + 1, sizeof(*m.waiting));
	m.now = calloc(t->lanes->process_count + 1, sizeof(*m.now));
	ok = m.waiting && m.now;
	for (size_t i = 0; ok && i < t->lanes->process_count; i++) {
		m.now[i] = calloc(t->lanes->process[i].process->object_count + 1, sizeof(**m.now));
		ok = m.now[i];
	}
	for (uint32_t lane = 0; ok && lane < t->lanes->thread_count; lane++)
		add_lane(&m, lane);
	for (size_t i = m.count / 2; i-- > 0;)
		sink_down(&m, i);
	while (ok && m.count)
		ok = step(&m, sink);
	for (size_t i = 0; m.now && i < t->lanes->process_count; i++)
		free(m.now[i]);
	free(m.now);
	free(m.waiting);
	return ok;
}

/* ---- all of it ---- */

/* What comes next of one row. */
struct ahead {
	const struct lane_row *row;
	struct lane_cursor cursor;
	struct lane_span span;
	bool more;
};

/* The one that begins first; NULL = all rows are at their end. */
static struct ahead *first_of(struct ahead *rows, size_t count)
{
	struct ahead *first = NULL;

	for (size_t i = 0; i < count; i++)
		if (rows[i].more && (!first || rows[i].span.start_ns < first->span.start_ns))
			first = &rows[i];
	return first;
}

static bool walk_lane(const struct timeline *t, const struct timeline_sink *sink, uint32_t lane)
{
	struct ahead *rows, *first;
	size_t count = 0;
	bool ok = true;

	for (uint32_t row = t->lanes->thread[lane].first_row; row;
	     row = t->lanes->row[row - 1].next)
		count++;
	rows = calloc(count + 1, sizeof(*rows));
	if (!rows)
		return false;
	count = 0;
	for (uint32_t row = t->lanes->thread[lane].first_row; row;
	     row = t->lanes->row[row - 1].next) {
		rows[count].row = &t->lanes->row[row - 1];
		lane_cursor_begin(&rows[count].cursor, rows[count].row, 0);
		rows[count].more = lane_cursor_next(&rows[count].cursor, &rows[count].span);
		count++;
	}
	while (ok && (first = first_of(rows, count))) {
		ok = sink->span(sink->state, t, first->row, &first->span);
		first->more = lane_cursor_next(&first->cursor, &first->span);
	}
	free(rows);
	return ok;
}

bool timeline_walk(const struct timeline *t, const struct timeline_sink *sink)
{
	bool ok = true;

	for (size_t i = 0; ok && sink->process && i < t->lanes->process_count; i++)
		ok = sink->process(sink->state, t, i);
	for (uint32_t lane = 0; ok && sink->thread && lane < t->lanes->thread_count; lane++)
		ok = sink->thread(sink->state, t, lane);
	for (uint32_t lane = 0; ok && sink->made && lane < t->lanes->thread_count; lane++)
		ok = !t->lanes->thread[lane].from_lane || sink->made(sink->state, t, lane);
	for (uint32_t lane = 0; ok && lane < t->lanes->thread_count; lane++)
		ok = walk_lane(t, sink, lane);
	return ok && (!sink->waiters || merge_waiters(t, sink));
}

int timeline_run(const struct export_source *source,
		 bool (*work)(void *state, const struct timeline *t, FILE *out), void *state,
		 FILE *out, struct diag *diag)
{
	struct timeline t = { .source = source };
	struct lanes *lanes = NULL;
	int error = lanes_new(source->reader, source->scan, &lanes, diag);

	if (error)
		return error;
	t.lanes = lanes;
	if (!work(state, &t, out))
		error = ferror(out) ? diag_set(diag, THRUM_EIO, "cannot write: %s", strerror(errno))
				    : diag_set(diag, THRUM_ENOMEM, "out of memory");
	lanes_free(lanes);
	return error;
}

static bool walk(void *state, const struct timeline *t, FILE *out)
{
	(void)out;
	return timeline_walk(t, state);
}

int timeline_write(const struct export_source *source, const struct timeline_sink *sink, FILE *out,
		   struct diag *diag)
{
	struct timeline_sink copy = *sink;

	return timeline_run(source, walk, &copy, out, diag);
}

const char *timeline_waiters_name(const struct timeline *t, uint32_t process, uint32_t object,
				  char *buffer, size_t bytes)
{
	char lock[NAMES_BYTES];

	snprintf(buffer, bytes, "waiters of %s",
		 names_object(t->source, process, object, lock, sizeof(lock)));
	return buffer;
}
