/* SPDX-License-Identifier: MIT */
/*
 * export_chrome.c - the timeline as Chrome's trace events, in JSON: what chrome://tracing and many others read.
 *
 * Waits, callbacks and tasks are complete events (X) of their thread; holds are asynchronous ones (b, e) with the lock as their id, since they
 * overlap without nesting; arrows are flows (s, f); how many wait for a lock is a counter (C). Times are microseconds with three
 * decimals since the first process began. One event a line; nothing is kept.
 */
#include "export_timeline.h"

#include "../analyzer/report/escape.h"
#include "names.h"

#include <inttypes.h>
#include <stdlib.h>

#define SITE_BYTES 512

struct chrome {
	FILE *out;
	uint64_t flows, events;
};

/* A string of JSON, of any bytes. */
static void put_text(struct chrome *x, const char *text)
{
	uint32_t c;

	fputc('"', x->out);
	for (size_t bytes; (bytes = escape_decode(text, &c)) > 0; text += bytes) {
		if (c == 0xfffd)
			fputs("\\ufffd", x->out);
		else if (c < 0x20 || c == 0x7f || c == 0x2028 || c == 0x2029)
			fprintf(x->out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			fprintf(x->out, "\\%c", (int)c);
		else
			fwrite(text, 1, bytes, x->out);
	}
	fputc('"', x->out);
}

static void put_time(struct chrome *x, const char *key, uint64_t ns)
{
	fprintf(x->out, ",\"%s\":%" PRIu64 ".%03" PRIu64, key, ns / 1000, ns % 1000);
}

/* The members that all events have. */
static void begin_event(struct chrome *x, const struct timeline *t, uint32_t lane, char phase,
			uint64_t time_ns)
{
	const struct lane_process *p = &t->lanes->process[t->lanes->thread[lane].process];

	fprintf(x->out, "%s{\"ph\":\"%c\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32,
		x->events++ ? ",\n" : "", phase, p->process->pid, timeline_tid(t, lane));
	put_time(x, "ts", time_ns);
}

static bool end_event(struct chrome *x)
{
	fputc('}', x->out);
	return !ferror(x->out);
}

static void put_name(struct chrome *x, const char *name, const char *category)
{
	fputs(",\"name\":", x->out);
	put_text(x, name);
	fprintf(x->out, ",\"cat\":\"%s\"", category);
}

static void put_place(struct chrome *x, const struct timeline *t, uint32_t lane,
		      const struct lane_span *span)
{
	char site[SITE_BYTES];

	if (!span->stack)
		return;
	fputs(",\"args\":{\"at\":", x->out);
	put_text(x, names_site(t->source, t->lanes->thread[lane].process, span->stack,
			       span->start_ns, site, sizeof(site)));
	fputc('}', x->out);
}

/* ---- what is there ---- */

static bool on_process(void *state, const struct timeline *t, size_t process)
{
	const struct trace_process *p = t->lanes->process[process].process;
	struct chrome *x = state;

	fprintf(x->out,
		"%s{\"ph\":\"M\",\"pid\":%" PRIu32
		",\"tid\":0,\"ts\":0,\"name\":\"process_name\",\"args\":{\"name\":",
		x->events++ ? ",\n" : "", p->pid);
	put_text(x, p->command);
	fputc('}', x->out);
	return end_event(x);
}

static bool put_flow(struct chrome *x, const struct timeline *t, uint32_t lane, char phase,
		     uint64_t time_ns, const char *name, uint64_t flow)
{
	begin_event(x, t, lane, phase, time_ns);
	put_name(x, name, "flow");
	fprintf(x->out, ",\"id\":%" PRIu64 "%s", flow, phase == 'f' ? ",\"bp\":\"e\"" : "");
	return end_event(x);
}

static bool put_arrow(struct chrome *x, const struct timeline *t, uint32_t from_lane,
		      uint64_t from_ns, uint32_t to_lane, uint64_t to_ns, unsigned arrow)
{
	static const char *const words[] = {
		[LANE_ARROW_NONE] = "",
		[LANE_ARROW_WOKEN] = "gives way",
		[LANE_ARROW_POSTED] = "posts",
		[LANE_ARROW_JOINED] = "ends",
		[LANE_ARROW_CREATED] = "creates a thread",
	};

	if (arrow == LANE_ARROW_NONE || arrow > LANE_ARROW_CREATED)
		return true;
	x->flows++;
	return put_flow(x, t, from_lane, 's', from_ns, words[arrow], x->flows) &&
	       put_flow(x, t, to_lane, 'f', to_ns, words[arrow], x->flows);
}

static bool on_thread(void *state, const struct timeline *t, uint32_t lane)
{
	const struct lane_thread *thread = &t->lanes->thread[lane];
	struct chrome *x = state;
	char name[NAMES_BYTES];

	begin_event(x, t, lane, 'M', 0);
	fputs(",\"name\":\"thread_name\",\"args\":{\"name\":", x->out);
	put_text(x, lanes_thread_name(t->lanes, thread, name, sizeof(name)));
	fputc('}', x->out);
	return end_event(x);
}

static bool on_made(void *state, const struct timeline *t, uint32_t lane)
{
	const struct lane_thread *thread = &t->lanes->thread[lane];

	return put_arrow(state, t, thread->from_lane - 1, thread->from_ns, lane, thread->begin_ns,
			 LANE_ARROW_CREATED);
}

/* The two ends of a hold. A lock is one in its process. */
static bool put_hold(struct chrome *x, const struct timeline *t, uint32_t lane,
		     const struct lane_span *span, const char *label)
{
	for (unsigned end = 0; end < 2; end++) {
		begin_event(x, t, lane, end ? 'e' : 'b', end ? span->end_ns : span->start_ns);
		put_name(x, label, "hold");
		fprintf(x->out, ",\"id\":\"0x%" PRIx32 "%08" PRIx32 "\"",
			t->lanes->thread[lane].process + 1, span->object);
		if (!end)
			put_place(x, t, lane, span);
		if (!end_event(x))
			return false;
	}
	return true;
}

static bool on_span(void *state, const struct timeline *t, const struct lane_row *row,
		    const struct lane_span *span)
{
	struct chrome *x = state;
	char label[NAMES_BYTES];

	timeline_label(t, row->lane, span, label, sizeof(label));
	if (row->kind == LANE_ROW_HOLD)
		return put_hold(x, t, row->lane, span, label);
	begin_event(x, t, row->lane, 'X', span->start_ns);
	put_time(x, "dur", span->end_ns - span->start_ns);
	put_name(x, label, timeline_category(span->state));
	put_place(x, t, row->lane, span);
	return end_event(x) &&
	       put_arrow(x, t, span->from_lane, span->from_ns, row->lane,
			 LANE_ARROW_AT_END(span->arrow) ? span->end_ns : span->start_ns,
			 span->arrow);
}

static bool on_waiters(void *state, const struct timeline *t, uint32_t process, uint32_t object,
		       uint64_t time_ns, uint32_t count)
{
	struct chrome *x = state;
	char name[NAMES_BYTES + 32];

	timeline_waiters_name(t, process, object, name, sizeof(name));
	fprintf(x->out, "%s{\"ph\":\"C\",\"pid\":%" PRIu32, x->events++ ? ",\n" : "",
		t->lanes->process[process].process->pid);
	put_time(x, "ts", time_ns);
	put_name(x, name, "waiters");
	fprintf(x->out, ",\"args\":{\"waiters\":%" PRIu32 "}", count);
	return end_event(x);
}

int export_chrome_write(const struct export_source *source, FILE *out, struct diag *diag)
{
	struct chrome x = { .out = out };
	struct timeline_sink sink = { .state = &x,
				      .process = on_process,
				      .thread = on_thread,
				      .made = on_made,
				      .span = on_span,
				      .waiters = on_waiters };
	int error;

	fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"made_by\":\"thrum\"},\"traceEvents\":[\n",
	      out);
	error = timeline_write(source, &sink, out, diag);
	fputs("\n]}\n", out);
	return error;
}
