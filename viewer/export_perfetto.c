/* SPDX-License-Identifier: MIT */
/*
 * export_perfetto.c - the timeline as a Perfetto trace: packets of protocol buffers.
 *
 * A track a process, a track a thread with what it waited for; below it one of callbacks and tasks where it had any, and one for each lock that
 * it held or waited for, since holds overlap without nesting and slices of a track must nest. Arrows are flows between instants: where a
 * lock was given up, a callback posted, a thread made, to where that made somebody go on. How many wait for a lock is a counter.
 *
 * Time 0 is the start of the first process. Names, places and categories are written once and named by number: memory grows with places.
 */
#include "export_timeline.h"

#include "id_table.h"
#include "names.h"
#include "proto.h"

#include <string.h>

/* Fields of the messages, as the public schema numbers them. */
enum {
	TRACE_PACKET = 1,

	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE = 10,
	PACKET_EVENT = 11,
	PACKET_INTERNED = 12,
	PACKET_FLAGS = 13,
	PACKET_TRACK = 60,

	TRACK_UUID = 1,
	TRACK_NAME = 2,
	TRACK_PROCESS = 3,
	TRACK_THREAD = 4,
	TRACK_PARENT = 5,
	TRACK_COUNTER = 8,

	PROCESS_PID = 1,
	PROCESS_NAME = 6,
	THREAD_PID = 1,
	THREAD_TID = 2,
	THREAD_NAME = 5,
	COUNTER_UNIT = 3,

	EVENT_CATEGORY_ID = 3,
	EVENT_ANNOTATION = 4,
	EVENT_TYPE = 9,
	EVENT_NAME_ID = 10,
	EVENT_TRACK = 11,
	EVENT_NAME = 23,
	EVENT_COUNTER_VALUE = 30,
	EVENT_FLOW = 47,
	EVENT_FLOW_END = 48,

	ANNOTATION_NAME_ID = 1,
	ANNOTATION_TEXT_ID = 17,

	INTERNED_CATEGORY = 1,
	INTERNED_NAME = 2,
	INTERNED_ANNOTATION = 3,
	INTERNED_TEXT = 29,
	ENTRY_ID = 1,
	ENTRY_TEXT = 2,
};
enum event_type { EVENT_BEGIN = 1, EVENT_END = 2, EVENT_INSTANT = 3, EVENT_COUNTER = 4 };
enum { FLAG_CLEARED = 1, FLAG_NEEDED = 2, UNIT_COUNT = 2, ONLY_SEQUENCE = 1, ONLY_ANNOTATION = 1 };
#define SITE_BYTES 512

/* Kinds of track, in their ids. */
enum track { OF_PROCESS = 1, OF_THREAD, OF_RUNS, OF_LOCK, OF_WAITERS };

struct perfetto {
	FILE *out;
	struct proto packet, part, inner; /* of the packet that is being made */
	struct proto interned;
	struct id_table tracks, names, places;
	uint64_t flows;
	uint32_t categories; /* bit a lane state: written */
	bool begun;
};

/* ---- packets ---- */

static void begin_packet(struct perfetto *x)
{
	proto_clear(&x->packet);
	proto_clear(&x->part);
	proto_clear(&x->interned);
}

static bool end_packet(struct perfetto *x)
{
	proto_put_number(&x->packet, PACKET_SEQUENCE, ONLY_SEQUENCE);
	proto_put_number(&x->packet, PACKET_FLAGS,
			 x->begun ? FLAG_NEEDED : FLAG_CLEARED | FLAG_NEEDED);
	x->begun = true;
	if (x->interned.used)
		proto_put_message(&x->packet, PACKET_INTERNED, &x->interned);
	return proto_write(&x->packet, TRACE_PACKET, x->out);
}

static void put_entry(struct perfetto *x, unsigned field, uint64_t id, const char *text)
{
	proto_clear(&x->inner);
	proto_put_number(&x->inner, ENTRY_ID, id);
	proto_put_text(&x->inner, ENTRY_TEXT, text);
	proto_put_message(&x->interned, field, &x->inner);
}

/* ---- tracks ---- */

/* Dense, and so small: 0 = out of memory. */
static uint64_t track_id(struct perfetto *x, enum track kind, uint32_t process, uint32_t thread,
			 uint32_t object, bool *ret_is_new)
{
	return id_table_get(&x->tracks, (uint64_t)kind << 32 | process,
			    (uint64_t)thread << 32 | object, ret_is_new);
}

static bool write_track(struct perfetto *x, uint64_t uuid, uint64_t parent, const char *name)
{
	proto_put_number(&x->part, TRACK_UUID, uuid);
	if (parent)
		proto_put_number(&x->part, TRACK_PARENT, parent);
	if (name)
		proto_put_text(&x->part, TRACK_NAME, name);
	proto_put_message(&x->packet, PACKET_TRACK, &x->part);
	return end_packet(x);
}

static bool on_process(void *state, const struct timeline *t, size_t process)
{
	const struct trace_process *p = t->lanes->process[process].process;
	struct perfetto *x = state;
	uint64_t uuid;
	bool is_new;

	uuid = track_id(x, OF_PROCESS, (uint32_t)process, 0, 0, &is_new);
	begin_packet(x);
	proto_clear(&x->inner);
	proto_put_number(&x->inner, PROCESS_PID, p->pid);
	proto_put_text(&x->inner, PROCESS_NAME, p->command);
	proto_put_message(&x->part, TRACK_PROCESS, &x->inner);
	return uuid && write_track(x, uuid, 0, NULL);
}

static uint64_t thread_track(struct perfetto *x, const struct timeline *t, uint32_t lane)
{
	const struct lane_thread *thread = &t->lanes->thread[lane];
	bool is_new;

	return track_id(x, OF_THREAD, thread->process, thread->thread, 0, &is_new);
}

/* The track of a lock, or of callbacks, below its thread; of a lock's counter, below its process. */
static uint64_t child_track(struct perfetto *x, uint64_t parent, enum track kind, uint32_t process,
			    uint32_t thread, uint32_t object, const char *name)
{
	bool is_new;
	uint64_t uuid = track_id(x, kind, process, thread, object, &is_new);

	if (!uuid || !is_new)
		return uuid;
	begin_packet(x);
	if (kind == OF_WAITERS) {
		proto_clear(&x->inner);
		proto_put_number(&x->inner, COUNTER_UNIT, UNIT_COUNT);
		proto_put_message(&x->part, TRACK_COUNTER, &x->inner);
	}
	return write_track(x, uuid, parent, name) ? uuid : 0;
}

/* ---- events ---- */

struct event {
	enum event_type type;
	uint64_t time_ns, track;
	uint64_t flow, flow_end;
	uint64_t name_id, place_id;
	const char *name; /* instead of name_id */
	unsigned state;	  /* its category; LANE_STATES = none */
};

static void put_category(struct perfetto *x, unsigned state)
{
	if (!(x->categories >> state & 1))
		put_entry(x, INTERNED_CATEGORY, state + 1, timeline_category(state));
	x->categories |= 1u << state;
	proto_put_number(&x->part, EVENT_CATEGORY_ID, state + 1);
}

/* After begin_packet, and after the texts of its ids were put. */
static bool write_event(struct perfetto *x, const struct event *e)
{
	proto_put_number(&x->part, EVENT_TYPE, e->type);
	proto_put_number(&x->part, EVENT_TRACK, e->track);
	if (e->state < LANE_STATES)
		put_category(x, e->state);
	if (e->name_id)
		proto_put_number(&x->part, EVENT_NAME_ID, e->name_id);
	else if (e->name)
		proto_put_text(&x->part, EVENT_NAME, e->name);
	if (e->place_id) {
		proto_clear(&x->inner);
		proto_put_number(&x->inner, ANNOTATION_NAME_ID, ONLY_ANNOTATION);
		proto_put_number(&x->inner, ANNOTATION_TEXT_ID, e->place_id);
		proto_put_message(&x->part, EVENT_ANNOTATION, &x->inner);
	}
	if (e->flow)
		proto_put_fixed64(&x->part, EVENT_FLOW, e->flow);
	if (e->flow_end)
		proto_put_fixed64(&x->part, EVENT_FLOW_END, e->flow_end);
	proto_put_number(&x->packet, PACKET_TIMESTAMP, e->time_ns);
	proto_put_message(&x->packet, PACKET_EVENT, &x->part);
	return end_packet(x);
}

static bool write_instant(struct perfetto *x, uint64_t track, uint64_t time_ns, const char *name,
			  uint64_t flow, uint64_t flow_end)
{
	struct event e = { .type = EVENT_INSTANT,
			   .time_ns = time_ns,
			   .track = track,
			   .name = name,
			   .flow = flow,
			   .flow_end = flow_end,
			   .state = LANE_STATES };

	begin_packet(x);
	return track && write_event(x, &e);
}

static uint64_t name_id(struct perfetto *x, const struct timeline *t, uint32_t lane,
			const struct lane_span *span)
{
	char label[NAMES_BYTES];
	bool is_new = false;
	uint64_t id = id_table_get(&x->names, t->lanes->thread[lane].process,
				   timeline_label_key(span), &is_new);

	if (is_new)
		put_entry(x, INTERNED_NAME, id,
			  timeline_label(t, lane, span, label, sizeof(label)));
	return id;
}

static uint64_t place_id(struct perfetto *x, const struct timeline *t, uint32_t lane,
			 const struct lane_span *span)
{
	uint32_t process = t->lanes->thread[lane].process;
	char site[SITE_BYTES];
	bool is_new = false;
	uint64_t id = id_table_get(&x->places, process, span->stack, &is_new);

	if (is_new && id == ONLY_ANNOTATION)
		put_entry(x, INTERNED_ANNOTATION, ONLY_ANNOTATION, "at");
	if (is_new)
		put_entry(x, INTERNED_TEXT, id,
			  names_site(t->source, process, span->stack, span->start_ns, site,
				     sizeof(site)));
	return id;
}

static uint64_t track_of(struct perfetto *x, const struct timeline *t, const struct lane_row *row,
			 const struct lane_span *span)
{
	const struct lane_thread *thread = &t->lanes->thread[row->lane];
	uint64_t parent = thread_track(x, t, row->lane);
	char name[NAMES_BYTES];

	if (row->kind == LANE_ROW_RUN)
		return child_track(x, parent, OF_RUNS, thread->process, thread->thread, 0,
				   "callbacks and tasks");
	if (!timeline_is_of_lock(span))
		return parent;
	return child_track(
		x, parent, OF_LOCK, thread->process, thread->thread, span->object,
		names_object(t->source, thread->process, span->object, name, sizeof(name)));
}

static bool write_slice(struct perfetto *x, const struct timeline *t, uint32_t lane, uint64_t track,
			const struct lane_span *span, uint64_t flow_end)
{
	struct event e = { .type = EVENT_BEGIN,
			   .time_ns = span->start_ns,
			   .track = track,
			   .flow_end = flow_end,
			   .state = span->state };

	begin_packet(x);
	e.name_id = name_id(x, t, lane, span);
	if (span->stack)
		e.place_id = place_id(x, t, lane, span);
	if (!track || !e.name_id || !write_event(x, &e))
		return false;
	begin_packet(x);
	return write_event(x, &(struct event){ .type = EVENT_END,
					       .time_ns = span->end_ns,
					       .track = track,
					       .state = LANE_STATES });
}

/* Where it comes from. Returns the flow that leads to the span; 0 = none. */
static bool write_arrow(struct perfetto *x, const struct timeline *t, const struct lane_row *row,
			const struct lane_span *span, uint64_t *ret_flow)
{
	static const char *const from_words[] = {
		[LANE_ARROW_WOKEN] = "gives way",
		[LANE_ARROW_POSTED] = "posts",
		[LANE_ARROW_JOINED] = "ends",
	};
	uint64_t flow;

	*ret_flow = 0;
	if (span->arrow == LANE_ARROW_NONE || span->arrow > LANE_ARROW_JOINED)
		return true;
	flow = ++x->flows;
	if (!write_instant(x, thread_track(x, t, span->from_lane), span->from_ns,
			   from_words[span->arrow], flow, 0))
		return false;
	if (!LANE_ARROW_AT_END(span->arrow)) {
		*ret_flow = flow;
		return true;
	}
	return write_instant(x, thread_track(x, t, row->lane), span->end_ns, "goes on", 0, flow);
}

static bool on_span(void *state, const struct timeline *t, const struct lane_row *row,
		    const struct lane_span *span)
{
	struct perfetto *x = state;
	uint64_t flow_end, track = track_of(x, t, row, span);

	if (!write_arrow(x, t, row, span, &flow_end) ||
	    !write_slice(x, t, row->lane, track, span, flow_end))
		return false;
	/* A wait for a lock is part of the thread's own story too. */
	return row->kind != LANE_ROW_STATE || !timeline_is_of_lock(span) ||
	       write_slice(x, t, row->lane, thread_track(x, t, row->lane), span, 0);
}

static bool on_thread(void *state, const struct timeline *t, uint32_t lane)
{
	const struct lane_thread *thread = &t->lanes->thread[lane];
	struct perfetto *x = state;
	uint64_t uuid = thread_track(x, t, lane);
	char name[NAMES_BYTES];
	bool is_new;

	begin_packet(x);
	proto_clear(&x->inner);
	proto_put_number(&x->inner, THREAD_PID, t->lanes->process[thread->process].process->pid);
	proto_put_number(&x->inner, THREAD_TID, timeline_tid(t, lane));
	proto_put_text(&x->inner, THREAD_NAME,
		       lanes_thread_name(t->lanes, thread, name, sizeof(name)));
	proto_put_message(&x->part, TRACK_THREAD, &x->inner);
	return uuid &&
	       write_track(x, uuid, track_id(x, OF_PROCESS, thread->process, 0, 0, &is_new), NULL);
}

static bool on_made(void *state, const struct timeline *t, uint32_t lane)
{
	const struct lane_thread *thread = &t->lanes->thread[lane];
	struct perfetto *x = state;

	x->flows++;
	return write_instant(x, thread_track(x, t, thread->from_lane - 1), thread->from_ns,
			     "creates a thread", x->flows, 0) &&
	       write_instant(x, thread_track(x, t, lane), thread->begin_ns, "begins", 0, x->flows);
}

static bool on_waiters(void *state, const struct timeline *t, uint32_t process, uint32_t object,
		       uint64_t time_ns, uint32_t count)
{
	struct perfetto *x = state;
	char name[NAMES_BYTES + 32];
	bool is_new;
	uint64_t track;

	timeline_waiters_name(t, process, object, name, sizeof(name));
	track = child_track(x, track_id(x, OF_PROCESS, process, 0, 0, &is_new), OF_WAITERS, process,
			    0, object, name);
	begin_packet(x);
	proto_put_number(&x->part, EVENT_COUNTER_VALUE, count);
	return track && write_event(x, &(struct event){ .type = EVENT_COUNTER,
							.time_ns = time_ns,
							.track = track,
							.state = LANE_STATES });
}

int export_perfetto_write(const struct export_source *source, FILE *out, struct diag *diag)
{
	struct perfetto x = { .out = out };
	struct timeline_sink sink = { .state = &x,
				      .process = on_process,
				      .thread = on_thread,
				      .made = on_made,
				      .span = on_span,
				      .waiters = on_waiters };
	int error = timeline_write(source, &sink, out, diag);

	proto_release(&x.packet);
	proto_release(&x.part);
	proto_release(&x.inner);
	proto_release(&x.interned);
	id_table_release(&x.tracks);
	id_table_release(&x.names);
	id_table_release(&x.places);
	return error;
}
