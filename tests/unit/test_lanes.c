/* SPDX-License-Identifier: MIT */
/*
 * test_lanes.c - the timeline of a trace: which spans, in which rows, with which arrows.
 */
#include "trace/trace_writer.h"
#include "trace_scratch.h"
#include "viewer/lane_rows.h"
#include "viewer/lanes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAIN = 1, WORKER = 2, LOCK = 1, OTHER = 2, SIGNAL = 3, SEM = 4 };

struct scene {
	char *dir;
	struct trace_writer *w;
	struct trace_reader *reader;
	struct lanes *lanes;
};

static struct scene begin(void)
{
	struct scene s = { .dir = scratch_new() };

	s.w = trace_writer_new(s.dir, 1000);
	trace_writer_thread(s.w, MAIN, 0, 0);
	trace_writer_thread(s.w, WORKER, MAIN, 0);
	trace_writer_object(s.w, LOCK, TRACE_OBJECT_MUTEX, 0x5000, 0, MAIN);
	trace_writer_object(s.w, OTHER, TRACE_OBJECT_MUTEX, 0x5100, 0, MAIN);
	trace_writer_object(s.w, SIGNAL, TRACE_OBJECT_COND, 0x5200, 0, MAIN);
	trace_writer_object(s.w, SEM, TRACE_OBJECT_SEM, 0x5300, 0, MAIN);
	trace_writer_begin(s.w, 0, MAIN);
	return s;
}

static void two_threads(struct scene *s)
{
	trace_writer_create(s->w, 0, WORKER, 0);
	trace_writer_begin(s->w, 1, WORKER);
}

static void build(struct scene *s, uint32_t exit_kind)
{
	struct diag diag;

	trace_writer_finish(s->w, exit_kind);
	s->reader = scratch_open(s->dir);
	assert_int_equal(lanes_new(s->reader, NULL, &s->lanes, &diag), 0);
}

static void end(struct scene *s)
{
	lanes_free(s->lanes);
	trace_reader_free(s->reader);
	scratch_remove(s->dir);
}

static const struct lane_row *find_row(const struct scene *s, uint32_t thread,
				       enum lane_row_kind kind, unsigned level)
{
	const struct lane_thread *t = lanes_find(s->lanes, 0, thread);

	assert_non_null(t);
	for (uint32_t next = t->first_row; next; next = s->lanes->row[next - 1].next) {
		const struct lane_row *row = &s->lanes->row[next - 1];

		if (row->kind == kind && row->level == level)
			return row;
	}
	return NULL;
}

/* The spans of a row, at most `most`. */
static size_t read_row(const struct lane_row *row, struct lane_span *spans, size_t most)
{
	struct lane_cursor cursor;
	size_t count = 0;

	if (!row)
		return 0;
	lane_cursor_begin(&cursor, row, 0);
	while (count < most && lane_cursor_next(&cursor, &spans[count]))
		count++;
	return count;
}

/* A worker waits for what main holds: the wait ends where main unlocks. */
static void test_hand_over(void **state)
{
	struct scene s = begin();
	struct lane_span span[8];

	(void)state;
	two_threads(&s);
	trace_writer_event(s.w, 0, TRACE_ACQUIRE, 1000, LOCK, 0, 5, 0, 0, TRACE_WRITER_AUTO);
	trace_writer_event(s.w, 1, TRACE_REQUEST, 2000, LOCK, MAIN, 6, 0, 0, 0);
	trace_writer_event(s.w, 0, TRACE_RELEASE, 3000, LOCK, 0, 0, 0, 0, 0);
	trace_writer_event(s.w, 1, TRACE_ACQUIRE, 3100, LOCK, 0, 6, 0, 0, TRACE_WRITER_AUTO);
	trace_writer_event(s.w, 1, TRACE_RELEASE, 4000, LOCK, 0, 0, 0, 0, 0);
	build(&s, TRACE_EXIT_DESTRUCTORS);

	assert_int_equal(read_row(find_row(&s, WORKER, LANE_ROW_STATE, 0), span, 8), 1);
	assert_int_equal(span[0].state, LANE_WAITS_LOCK);
	assert_int_equal(span[0].object, LOCK);
	assert_int_equal(span[0].end_ns - span[0].start_ns, 11000);
	assert_int_equal(span[0].arrow, LANE_ARROW_WOKEN);
	assert_ptr_equal(&s.lanes->thread[span[0].from_lane], lanes_find(s.lanes, 0, MAIN));
	assert_int_equal(span[0].end_ns - span[0].from_ns, 1000);

	assert_int_equal(read_row(find_row(&s, MAIN, LANE_ROW_HOLD, 0), span, 8), 1);
	assert_int_equal(span[0].state, LANE_HOLDS_WANTED);
	assert_int_equal(span[0].end_ns - span[0].start_ns, 20000);
	assert_int_equal(read_row(find_row(&s, WORKER, LANE_ROW_HOLD, 0), span, 8), 1);
	assert_int_equal(span[0].state, LANE_HOLDS);
	assert_false(span[0].is_open);
	assert_int_equal(lanes_find(s.lanes, 0, WORKER)->from_lane, 1);
	end(&s);
}

/* Locks held at once lie in different rows, also where they are released in the order of their acquires. */
static void test_hand_over_hand(void **state)
{
	struct scene s = begin();
	struct lane_span span[8];

	(void)state;
	trace_writer_acquire(s.w, 0, LOCK, 1);
	trace_writer_acquire(s.w, 0, OTHER, 2);
	trace_writer_release(s.w, 0, LOCK);
	trace_writer_acquire(s.w, 0, LOCK, 3);
	trace_writer_release(s.w, 0, OTHER);
	trace_writer_release(s.w, 0, LOCK);
	build(&s, TRACE_EXIT_DESTRUCTORS);

	assert_int_equal(read_row(find_row(&s, MAIN, LANE_ROW_HOLD, 0), span, 8), 2);
	assert_int_equal(span[0].object, LOCK);
	assert_int_equal(span[1].object, LOCK);
	assert_int_equal(span[1].stack, 3 < s.lanes->process[0].process->stack_count ? 3 : 0);
	assert_int_equal(read_row(find_row(&s, MAIN, LANE_ROW_HOLD, 1), span, 8), 1);
	assert_int_equal(span[0].object, OTHER);
	assert_null(find_row(&s, MAIN, LANE_ROW_HOLD, 2));
	end(&s);
}

/* What is not over when the records end is open, up to the end of the run. */
static void test_left_waiting(void **state)
{
	struct scene s = begin();
	struct trace_wait wait = { .kind = TRACE_WAIT_LOCK, .object = LOCK };
	struct lane_span span[8];

	(void)state;
	two_threads(&s);
	trace_writer_acquire(s.w, 0, LOCK, 0);
	wait.ticks = 500;
	trace_writer_wait(s.w, 1, &wait);
	trace_writer_event(s.w, 0, TRACE_NAME, 9000, 0, 0, 0, MAIN, 0, 0);
	build(&s, 0);

	assert_int_equal(read_row(find_row(&s, WORKER, LANE_ROW_STATE, 0), span, 8), 1);
	assert_true(span[0].is_open);
	assert_int_equal(span[0].end_ns, s.lanes->end_ns);
	assert_int_equal(read_row(find_row(&s, MAIN, LANE_ROW_HOLD, 0), span, 8), 1);
	assert_true(span[0].is_open);
	assert_int_equal(span[0].state, LANE_HOLDS_WANTED);
	end(&s);
}

static void test_signals(void **state)
{
	struct scene s = begin();
	struct lane_span span[8];

	(void)state;
	two_threads(&s);
	trace_writer_acquire(s.w, 1, LOCK, 0);
	trace_writer_event(s.w, 1, TRACE_COND_WAIT, 1000, SIGNAL, LOCK, 0, 0, 0, 0);
	trace_writer_event(s.w, 0, TRACE_COND_SIGNAL, 2000, SIGNAL, 0, 0, 1, 0, 0);
	trace_writer_event(s.w, 1, TRACE_COND_WAKE, 2500, SIGNAL, LOCK, 0, 0, 0, TRACE_WRITER_AUTO);
	trace_writer_event(s.w, 1, TRACE_REQUEST, 3000, SEM, 0, 0, 0, 0, 0);
	trace_writer_event(s.w, 0, TRACE_POST, 4000, SEM, 0, 0, 0, 0, 0);
	trace_writer_event(s.w, 1, TRACE_ACQUIRE, 4500, SEM, 0, 0, 0, 0, 0);
	build(&s, TRACE_EXIT_DESTRUCTORS);

	assert_int_equal(read_row(find_row(&s, WORKER, LANE_ROW_STATE, 0), span, 8), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(span[i].state, LANE_WAITS_SIGNAL);
		assert_int_equal(span[i].arrow, LANE_ARROW_WOKEN);
		assert_int_equal(span[i].end_ns - span[i].from_ns, 5000);
	}
	end(&s);
}

/* Over the border of blocks: the same spans from wherever one begins, and the same picture from afar. */
static void test_many_spans(void **state)
{
	enum { SPANS = 3 * LANE_BLOCK_SPANS + 7, PIXELS = 64 };
	struct scene s = begin();
	struct lane_cursor cursor;
	struct lane_span span;
	const struct lane_row *row;
	uint8_t near[PIXELS], far[PIXELS], *kept;
	uint64_t before = 0, count = 0;

	(void)state;
	for (unsigned i = 0; i < SPANS; i++) {
		trace_writer_event(s.w, 0, TRACE_ACQUIRE, 1000 + i * 100, LOCK, 0, 0, 0, 0,
				   TRACE_WRITER_AUTO);
		trace_writer_event(s.w, 0, TRACE_RELEASE, 1000 + i * 100 + 1 + i % 40, LOCK, 0, 0,
				   0, 0, 0);
	}
	build(&s, TRACE_EXIT_DESTRUCTORS);
	row = find_row(&s, MAIN, LANE_ROW_HOLD, 0);
	assert_int_equal(row->count, SPANS);
	lane_cursor_begin(&cursor, row, 0);
	while (lane_cursor_next(&cursor, &span)) {
		assert_true(span.start_ns >= before);
		assert_int_equal(span.end_ns - span.start_ns, 10 * (1 + count % 40));
		before = span.end_ns;
		count++;
	}
	assert_int_equal(count, SPANS);
	for (unsigned i = 1; i < SPANS; i += 997) {
		lane_cursor_begin(&cursor, row, span.end_ns - i * 1000);
		assert_true(lane_cursor_next(&cursor, &span));
		assert_true(span.end_ns >= before - i * 1000);
		lane_cursor_begin(&cursor, row, before);
		assert_true(lane_cursor_next(&cursor, &span));
		assert_int_equal(span.end_ns, before);
		assert_false(lane_cursor_next(&cursor, &span));
	}
	assert_non_null(row->far);
	lane_row_raster(s.lanes, row, 0, s.lanes->end_ns, far, PIXELS);
	kept = row->far;
	s.lanes->row[row - s.lanes->row].far = NULL;
	lane_row_raster(s.lanes, row, 0, s.lanes->end_ns, near, PIXELS);
	s.lanes->row[row - s.lanes->row].far = kept;
	assert_memory_equal(near, far, PIXELS);
	assert_int_equal(far[PIXELS / 2], LANE_HOLDS);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hand_over),    cmocka_unit_test(test_hand_over_hand),
		cmocka_unit_test(test_left_waiting), cmocka_unit_test(test_signals),
		cmocka_unit_test(test_many_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
