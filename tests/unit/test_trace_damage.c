/* SPDX-License-Identifier: MIT */
/*
 * test_trace_damage.c - torn, lossy, duplicated, future, hostile and still growing traces: what is
 * there comes out, in order, and what is missing is said.
 */
#include "trace/trace_clock.h"
#include "trace/trace_ops.h"
#include "trace/trace_writer.h"
#include "trace_scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MAP "3.0.map"
#define EVENTS "3.0.events"

/*
 * Three threads, some chunks sealed, some in the map only; every op but the end of the thread at
 * least once.
 */
static char *small_trace(void)
{
	static const uint64_t ip[] = { 0x10, 0x20, 0x30 };
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);

	trace_writer_command(w, "a b");
	trace_writer_stack(w, 1, ip, 3);
	trace_writer_module(w, 0, 0x1000, 0, "/bin/a", "\1\2", 2, false);
	for (uint32_t t = 1; t <= 3; t++) {
		trace_writer_thread(w, t, t - 1, 1);
		trace_writer_name(w, t, "name");
		trace_writer_object(w, t, t, 0x100 * t, 1, t);
	}
	for (int round = 0; round < 3; round++) {
		for (uint32_t t = 1; t <= 3; t++) {
			if (!round) {
				trace_writer_begin(w, t - 1, t);
			}
			trace_writer_acquire(w, t - 1, 1, 1);
			trace_writer_release(w, t - 1, 1);
			for (unsigned op = 2; op < TF_OPS && t == 2; op++) {
				if (trace_op_get(op) && op != TRACE_LOST &&
				    op != TRACE_THREAD_END) {
					trace_writer_event(w, 1, op, 0, 2, 3, 1, op % 3, 0, 0);
				}
			}
			if (round < 2 && t > 1) {
				trace_writer_seal(w, t - 1);
			}
		}
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	return dir;
}

static bool is_same(const struct trace_event *a, const struct trace_event *b)
{
	return a->op == b->op && a->stream == b->stream && a->thread == b->thread &&
	       a->object == b->object && a->other == b->other && a->stack == b->stack &&
	       a->result == b->result && a->arg == b->arg && a->has_seq == b->has_seq &&
	       a->seq == b->seq;
}

/*
 * Every recorded event of `part` is in `full`, in the order of its stream. Returns how many there
 * are.
 */
static size_t assert_subsequence(const struct trace_event *full, size_t full_count,
				 const struct trace_event *part, size_t part_count)
{
	size_t at[3] = { 0 }, found = 0;

	for (size_t i = 0; i < part_count; i++) {
		size_t *n;

		if (part[i].synthetic) {
			assert_int_equal(part[i].op, TRACE_LOST);
			continue;
		}
		assert_true(part[i].stream < 3);
		n = &at[part[i].stream];
		while (*n < full_count && !is_same(&full[*n], &part[i])) {
			(*n)++;
		}
		assert_true(*n < full_count);
		(*n)++;
		found++;
	}
	return found;
}

static unsigned count_op(const struct trace_event *events, size_t count, unsigned op)
{
	unsigned n = 0;

	for (size_t i = 0; i < count; i++) {
		n += events[i].op == op;
	}
	return n;
}

/*
 * The map is mostly zeros behind what is committed: there a cut makes the same difference at each
 * byte.
 */
static bool is_worth_a_cut(const unsigned char *bytes, size_t size, size_t at, size_t stride)
{
	size_t from = at > 8 ? at - 8 : 0, to = at + 8 < size ? at + 8 : size;

	for (size_t i = from; i < to; i++) {
		if (bytes[i]) {
			return true;
		}
	}
	return at % stride == 0;
}

static void cut_everywhere(const char *name, size_t stride)
{
	char *dir = small_trace();
	struct trace_reader *r = scratch_open(dir);
	size_t full_count, size, last = SIZE_MAX;
	struct trace_event *full = scratch_events(r, 0, &full_count);
	unsigned char *bytes = scratch_read(dir, name, &size);
	struct diag diag;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	trace_reader_free(r);
	for (size_t at = size; at-- > 0;) {
		struct trace_event *part;
		size_t count, found;

		if (!is_worth_a_cut(bytes, size, at, stride)) {
			continue;
		}
		assert_int_equal(truncate(path, (off_t)at), 0);
		if (trace_reader_open(dir, &r, &diag)) {
			assert_true(!strcmp(name, MAP) &&
				    at < 24); /* not even the magic and the version */
			assert_true(strlen(diag.message) > 0);
			continue;
		}
		part = scratch_events(r, 0, &count);
		found = assert_subsequence(full, full_count, part, count);
		assert_true(found <= last); /* less file, fewer events */
		last = found;
		if (found < full_count) {
			assert_false(trace_reader_get_process(r, 0)->complete);
			assert_true(count_op(part, count, TRACE_LOST) > 0 || !strcmp(name, MAP));
		}
		free(part);
		trace_reader_free(r);
	}
	assert_true(last < full_count);
	free(bytes);
	free(full);
	scratch_remove(dir);
}

static void test_cut_at_every_byte_of_events(void **state)
{
	(void)state;
	cut_everywhere(EVENTS, 1);
}

static void test_cut_at_every_byte_of_map(void **state)
{
	(void)state;
	cut_everywhere(MAP, 509);
}

/* Any single byte of either file changed: no crash, an end, and a verdict. */
static void test_flipped_bytes(void **state)
{
	static const char *const names[] = { MAP, EVENTS };
	char *dir = small_trace();

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		size_t size;
		unsigned char *bytes = scratch_read(dir, names[n], &size);

		for (size_t at = 0; at < size; at++) {
			struct trace_reader *r;
			struct trace_event e;

			if (!is_worth_a_cut(bytes, size, at, 4099)) {
				continue;
			}
			bytes[at] ^= (unsigned char)(0xff >> at % 3);
			scratch_write(dir, names[n], bytes, size);
			bytes[at] ^= (unsigned char)(0xff >> at % 3);
			if (!trace_reader_open(dir, &r, NULL)) {
				size_t events = 0;

				while (trace_reader_next(r, &e)) {
					events++;
				}
				assert_true(events < 2000);
				trace_reader_free(r);
			}
		}
		scratch_write(dir, names[n], bytes, size);
		free(bytes);
	}
	scratch_remove(dir);
}

static void test_missing_chunk_is_a_lost_event(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	const struct trace_process *p;
	struct trace_reader *r;
	struct trace_event *events;
	size_t count;

	(void)state;
	trace_writer_thread(w, 1, 0, 0);
	trace_writer_thread(w, 2, 0, 0);
	trace_writer_object(w, 1, TRACE_OBJECT_MUTEX, 1, 0, 1);
	trace_writer_begin(w, 0, 1);
	trace_writer_acquire(w, 0, 1, 0);
	trace_writer_seal(w, 0);
	for (int i = 0; i < 5; i++) {
		trace_writer_release(w, 0, 1);
	}
	trace_writer_drop_chunk(w, 0);
	trace_writer_release(w, 0, 1);
	trace_writer_begin(w, 0, 2); /* also lost, with the chunk */
	trace_writer_drop_chunk(w, 0);
	trace_writer_release(w, 0, 1);
	trace_writer_release(w, 0, 1);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);

	r = scratch_open(dir);
	p = trace_reader_get_process(r, 0);
	events = scratch_events(r, 0, &count);
	assert_int_equal(count, 6);
	assert_int_equal(events[1].op, TRACE_ACQUIRE);
	assert_int_equal(events[2].op, TRACE_LOST);
	assert_true(events[2].synthetic);
	assert_int_equal(events[2].thread, 1);
	assert_int_equal(events[2].arg, 7);
	assert_int_equal(events[2].time_ns, events[1].time_ns);
	assert_int_equal(events[3].op, TRACE_LOST); /* for the new owner of the stream too */
	assert_int_equal(events[3].thread, 2);
	assert_int_equal(events[4].op, TRACE_RELEASE);
	assert_int_equal(events[4].thread, 2);
	assert_int_equal(p->lost_chunks, 2);
	assert_int_equal(p->events, 4);
	assert_false(p->complete);
	assert_non_null(strstr(p->why, "2 chunks are missing"));
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

static void test_chunk_that_is_in_both_files_counts_once(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	struct trace_reader *r;
	struct trace_event *events;
	size_t count, bytes;
	char *map;

	(void)state;
	trace_writer_thread(w, 1, 0, 0);
	trace_writer_object(w, 1, TRACE_OBJECT_MUTEX, 1, 0, 1);
	trace_writer_begin(w, 0, 1);
	for (int i = 0; i < 10; i++) {
		trace_writer_acquire(w, 0, 1, 0);
		trace_writer_release(w, 0, 1);
	}
	trace_writer_sync(w);
	map = scratch_read(dir, MAP, &bytes); /* chunk 0, as the map has it before it is sealed */
	trace_writer_acquire(w, 0, 1, 0);
	trace_writer_seal(w, 0);
	trace_writer_duplicate(w, 0, 20);
	trace_writer_duplicate(w, 0, 0);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	scratch_write(dir, MAP, map, bytes);
	free(map);

	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	assert_int_equal(count, 22); /* the sealed one has one record more than the map's */
	assert_int_equal(count_op(events, count, TRACE_LOST), 0);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

static void test_garbage_between_chunks_is_skipped(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	struct trace_reader *r;
	struct trace_event *events;
	unsigned char garbage[5000];
	size_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(garbage); i++) {
		garbage[i] = i % 7 ? (unsigned char)(i * 31) : 1;
	}
	trace_writer_thread(w, 1, 0, 0);
	trace_writer_object(w, 1, TRACE_OBJECT_MUTEX, 1, 0, 1);
	trace_writer_begin(w, 0, 1);
	trace_writer_raw_events(w, garbage, 13);
	for (int i = 0; i < 3; i++) {
		trace_writer_acquire(w, 0, 1, 0);
		trace_writer_release(w, 0, 1);
		trace_writer_seal(w, 0);
		trace_writer_raw_events(w, garbage, sizeof(garbage));
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	assert_int_equal(count, 7);
	assert_int_equal(count_op(events, count, TRACE_RELEASE), 3);
	assert_false(trace_reader_get_process(r, 0)->complete);
	assert_non_null(
		strstr(trace_reader_get_process(r, 0)->why, "no chunk at byte 0 of .events"));
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

/*
 * Places in .events are handed out before they are written: a hole is no damage, what is missing in
 * it is a gap.
 */
static void test_hole_in_events_is_no_damage(void **state)
{
	static const unsigned char zeros[70000];
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	struct trace_reader *r;
	struct trace_event *events;
	size_t count;

	(void)state;
	trace_writer_thread(w, 1, 0, 0);
	trace_writer_begin(w, 0, 1);
	trace_writer_raw_events(w, zeros, 1);
	for (int i = 0; i < 3; i++) {
		trace_writer_event(w, 0, TRACE_EXIT, 0, 0, 0, 0, 0, 0, 0);
		trace_writer_seal(w, 0);
		trace_writer_raw_events(w, zeros, sizeof(zeros) / (size_t)(i + 1));
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	assert_int_equal(count, 4);
	assert_true(trace_reader_get_process(r, 0)->complete);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

/*
 * A later minor version: one op more (with an object), one field more on ACQUIRE, a new kind of
 * definition.
 */
static void test_unknown_ops_and_fields_are_skipped(void **state)
{
	/*
	 * ACQUIRE: delta 1, O, S, new field of two bytes; then op 63: delta 2, O, one more; RELEASE
	 * same object.
	 */
	static const uint8_t records[] = {
		TRACE_ACQUIRE, 1, 4, 1, 0x80, 1, 63, 2, 5, 9, TRACE_RELEASE | TF_REC_SAME_OBJECT, 3
	};
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	struct tf_process *h = trace_writer_get_header(w);
	uint64_t ip = 0x10;
	struct trace_reader *r;
	struct trace_event *events;
	size_t count;

	(void)state;
	h->minor = TF_MINOR + 1;
	h->op_fields[TRACE_ACQUIRE]++;
	h->op_fields[63] = TRACE_OP_FIELDS_OBJECT | 2;
	h->objects = 5;
	trace_writer_stack(w, 1, &ip, 1);
	trace_writer_begin(w, 0, 1);
	trace_writer_raw_record(w, 0, records, sizeof(records));
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	assert_int_equal(count, 3);
	assert_int_equal(events[1].op, TRACE_ACQUIRE);
	assert_int_equal(events[1].object, 4);
	assert_int_equal(events[1].stack, 1);
	assert_int_equal(events[2].op, TRACE_RELEASE);
	assert_int_equal(events[2].object, 5); /* of the record that we cannot read */
	assert_int_equal(events[2].time_ns, events[0].time_ns + 6 * TRACE_WRITER_TICK_NS);
	assert_true(trace_reader_get_process(r, 0)->complete);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

/* An earlier minor version wrote fewer fields: the missing ones are 0. */
static void test_missing_fields_are_zero(void **state)
{
	static const uint8_t records[] = {
		TRACE_ACQUIRE, 1, 4, TRACE_ACQUIRE | TF_REC_HAS_SEQ, 1, 3, 77
	};
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	struct trace_reader *r;
	struct trace_event *events;
	size_t count;

	(void)state;
	trace_writer_get_header(w)->op_fields[TRACE_ACQUIRE] = 1;
	trace_writer_get_header(w)->objects = 5;
	trace_writer_begin(w, 0, 1);
	trace_writer_raw_record(w, 0, records, sizeof(records));
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	assert_int_equal(count, 3);
	assert_int_equal(events[1].object, 4);
	assert_int_equal(events[1].stack, 0);
	assert_int_equal(events[2].object, 3);
	assert_int_equal(events[2].seq, 77);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

static void test_refusals(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w;
	struct trace_reader *r = NULL;
	struct diag diag = { "" };

	(void)state;
	assert_int_equal(trace_reader_open(dir, &r, &diag), THRUM_EFORMAT);
	assert_non_null(strstr(diag.message, "holds no trace"));
	assert_int_equal(trace_reader_open("/nonexistent/x", &r, &diag), THRUM_EIO);
	scratch_write(dir, "8.0.map", "hello", 5);
	assert_int_equal(trace_reader_open(dir, &r, &diag), THRUM_EFORMAT);
	assert_non_null(strstr(diag.message, "not a trace file"));
	w = trace_writer_new(dir, 3);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(trace_reader_open(dir, &r, &diag), 0); /* the other one is left out */
	assert_int_equal(trace_reader_rewind(r, 1, &diag), THRUM_EINVAL);
	trace_reader_free(r);
	w = trace_writer_new(dir, 4);
	trace_writer_get_header(w)->major = TF_MAJOR + 1;
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(trace_reader_open(dir, &r, &diag), THRUM_EVERSION);
	assert_non_null(strstr(diag.message, "newer thrum"));
	scratch_remove(dir);
}

static void test_ids_beyond_the_tables_become_zero(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	struct trace_wait wait = { .kind = TRACE_WAIT_LOCK,
				   .object = 4000000000u,
				   .stack = 4000000000u };
	struct tf_process *h = trace_writer_get_header(w);
	const struct trace_process *p;
	struct trace_reader *r;
	struct trace_event *events;
	size_t count;

	(void)state;
	h->objects = h->stacks = h->threads = UINT32_MAX;
	trace_writer_begin(w, 0, 1);
	trace_writer_event(w, 0, TRACE_ACQUIRE, 0, 4000000000u, 0, 4000000000u, 0, 0, 3);
	trace_writer_event(w, 0, TRACE_COND_WAIT, 0, 1, 4000000000u, 0, 0, 0, 0);
	trace_writer_event(w, 0, TRACE_RELEASE_ODD, 0, 1, 0, 0, UINT32_MAX, 0, 0);
	trace_writer_event(w, 0, TRACE_JOIN, 0, 0, 0, 0, UINT64_MAX, 0, 0);
	trace_writer_wait(w, 0, &wait);
	trace_writer_begin(w, 1, 4000000000u);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	p = trace_reader_get_process(r, 0);
	assert_true(p->object_count < 10000 && p->stack_count < 10000 && p->thread_count < 10000);
	events = scratch_events(r, 0, &count);
	assert_int_equal(count, 6);
	for (size_t i = 0; i < count; i++) {
		assert_true(events[i].object < p->object_count &&
			    events[i].other < p->object_count);
		assert_true(events[i].stack < p->stack_count && events[i].thread < p->thread_count);
		assert_true(events[i].op != TRACE_JOIN || events[i].arg == 0);
		assert_true(events[i].op != TRACE_RELEASE_ODD || events[i].arg == UINT64_MAX);
	}
	assert_int_equal(p->waits[0].wait.object, 0);
	assert_int_equal(p->waits[0].wait.stack, 0);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

/* Definitions were lost but ids given out: entries exist, empty. */
static void test_lost_definitions_leave_empty_entries(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	const struct trace_process *p;
	struct trace_reader *r;
	struct trace_event *events;
	size_t count;

	(void)state;
	trace_writer_get_header(w)->objects = 9;
	trace_writer_get_header(w)->lost_defs = 1;
	trace_writer_begin(w, 0, 1);
	trace_writer_acquire(w, 0, 9, 0);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	p = trace_reader_get_process(r, 0);
	assert_int_equal(p->object_count, 10);
	assert_int_equal(p->objects[9].kind, 0);
	assert_non_null(strstr(p->why, "1 definitions were lost"));
	events = scratch_events(r, 0, &count);
	assert_int_equal(events[1].object, 9);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

/* At any moment of a running process the reader sees a prefix of each stream, without a gap. */
static void test_growing_trace_is_read_at_any_moment(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	unsigned written = 0;

	(void)state;
	for (uint32_t t = 1; t <= 3; t++) {
		trace_writer_thread(w, t, 0, 0);
		trace_writer_object(w, t, TRACE_OBJECT_MUTEX, t, 0, t);
		trace_writer_begin(w, t - 1, t);
		written++;
	}
	for (int round = 0; round < 20; round++) {
		struct trace_reader *r;
		struct trace_event *events;
		size_t count;

		for (int i = 0; i < 7919; i++) {
			trace_writer_acquire(w, (uint32_t)i % 3, 1 + (uint32_t)(i + round) % 3, 0);
			trace_writer_release(w, (uint32_t)i % 3, 1 + (uint32_t)(i + round) % 3);
			written += 2;
		}
		trace_writer_sync(w);
		r = scratch_open(dir);
		assert_int_equal(trace_reader_get_process(r, 0)->events, written);
		events = scratch_events(r, 0, &count);
		assert_int_equal(count, written);
		assert_int_equal(count_op(events, count, TRACE_LOST), 0);
		assert_false(trace_reader_get_process(r, 0)->complete);
		free(events);
		trace_reader_free(r);
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	scratch_remove(dir);
}

/* The file shrinks under an open reader: a torn end, not a signal. */
static void test_file_cut_while_it_is_read(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	struct trace_reader *r;
	struct trace_event e;
	char path[4096];
	size_t count = 0;
	bool lost = false;

	(void)state;
	trace_writer_begin(w, 0, 1);
	for (int i = 0; i < 100000; i++) {
		trace_writer_acquire(w, 0, 1, 0);
		trace_writer_release(w, 0, 1);
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	while (count < 1000 && trace_reader_next(r, &e)) {
		count++;
	}
	snprintf(path, sizeof(path), "%s/%s", dir, EVENTS);
	assert_int_equal(truncate(path, 200000), 0);
	snprintf(path, sizeof(path), "%s/%s", dir, MAP);
	assert_int_equal(truncate(path, 0), 0);
	while (trace_reader_next(r, &e)) {
		count++;
		lost |= e.op == TRACE_LOST;
	}
	assert_true(count > 1000 && count < 200001);
	assert_true(lost);
	trace_reader_free(r);
	scratch_remove(dir);
}

static void test_absurd_calibration_falls_back(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	struct trace_reader *r;
	struct trace_event *events;
	struct tf_process *h;
	size_t count, bytes;
	char *map;

	(void)state;
	trace_writer_begin(w, 0, 1);
	trace_writer_event(w, 0, TRACE_EXIT, 1000000, 0, 0, 0, 0, 0, 0);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	map = scratch_read(dir, MAP, &bytes);
	h = (struct tf_process *)(void *)map;
	h->last_mono_ns = 1; /* before the start */
	scratch_write(dir, MAP, map, bytes);
	free(map);
	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	assert_int_equal(events[count - 1].time_ns,
			 1000000 * 10); /* from the chunk's pair: still 10 ns */
	free(events);
	trace_reader_free(r);

	map = scratch_read(dir, MAP, &bytes);
	h = (struct tf_process *)(void *)map;
	h->start_mono_ns = UINT64_MAX - 5;
	scratch_write(dir, MAP, map, bytes);
	free(map);
	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	assert_int_equal(events[count - 1].time_ns, 1000000 * 6);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

/* Found by fuzz_directory: times of ticks around a start near the end of the number range. */
static void test_time_never_goes_back(void **state)
{
	static const uint64_t ticks[] = {
		0, 50, 1ull << 62, 1ull << 63, UINT64_MAX - 200, UINT64_MAX - 99, UINT64_MAX
	};
	static const uint64_t starts[] = { 0, 1, 1ull << 63, UINT64_MAX - 100, UINT64_MAX };

	(void)state;
	for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
		struct trace_clock clock = { .start_ticks = starts[s], .scale = 6ull << 32 };
		uint64_t last = 0;

		for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
			uint64_t ns = trace_clock_ns(&clock, ticks[i]);

			assert_true(ns >= last && ns < UINT64_MAX);
			assert_true(ticks[i] > starts[s] || !ns);
			last = ns;
		}
	}
}

/* Found by fuzz_directory: damage that only reading brings to light must not change the second pass. */
static void test_two_passes_agree(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 3);
	struct trace_event *first, *second;
	size_t first_count, second_count;
	struct trace_reader *r;

	(void)state;
	trace_writer_object(w, 1, TRACE_OBJECT_MUTEX, 1, 0, 1);
	for (uint32_t t = 1; t <= 3; t++) {
		trace_writer_thread(w, t, 0, 0);
		trace_writer_begin(w, t - 1, t);
	}
	trace_writer_event(w, 1, TRACE_ACQUIRE, 0, 1, 0, 0, 0, 0, 5); /* waits for number 4 */
	for (uint64_t i = 1; i < 50; i++) {
		trace_writer_event(w, 2, TRACE_EXIT, i * 100000000, 0, 0, 0, 0, 0, 0);
	}
	trace_writer_event(w, 0, TRACE_EXIT, 0, 0, 0, 0, 0, 0, 0);
	trace_writer_raw_record(w, 0, "\x3f\x01", 2); /* no such op: the chunk ends here */
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	first = scratch_events(r, 0, &first_count);
	assert_false(trace_reader_get_process(r, 0)->complete);
	second = scratch_events(r, 0, &second_count);
	assert_int_equal(first_count, second_count);
	for (size_t i = 0; i < first_count; i++) {
		assert_true(is_same(&first[i], &second[i]));
	}
	free(first);
	free(second);
	trace_reader_free(r);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_at_every_byte_of_events),
		cmocka_unit_test(test_cut_at_every_byte_of_map),
		cmocka_unit_test(test_flipped_bytes),
		cmocka_unit_test(test_missing_chunk_is_a_lost_event),
		cmocka_unit_test(test_chunk_that_is_in_both_files_counts_once),
		cmocka_unit_test(test_garbage_between_chunks_is_skipped),
		cmocka_unit_test(test_hole_in_events_is_no_damage),
		cmocka_unit_test(test_unknown_ops_and_fields_are_skipped),
		cmocka_unit_test(test_missing_fields_are_zero),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_ids_beyond_the_tables_become_zero),
		cmocka_unit_test(test_lost_definitions_leave_empty_entries),
		cmocka_unit_test(test_growing_trace_is_read_at_any_moment),
		cmocka_unit_test(test_file_cut_while_it_is_read),
		cmocka_unit_test(test_absurd_calibration_falls_back),
		cmocka_unit_test(test_time_never_goes_back),
		cmocka_unit_test(test_two_passes_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
