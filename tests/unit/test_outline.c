/* SPDX-License-Identifier: MIT */
/*
 * test_outline.c - a trace from the headers of its pieces: who was there, when, how much went on.
 */
#include "trace/trace_writer.h"
#include "trace_scratch.h"
#include "viewer/outline.h"
#include "viewer/page_outline.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAIN = 1, WORKER = 2, LOCK = 1, BUSY = 400 };

struct scene {
	char *dir;
	struct trace_reader *reader;
	struct outline *outline;
};

/* Main does little all the time; the worker comes in the middle and does much, in three pieces. */
static struct scene make(void)
{
	struct scene s = { .dir = scratch_new() };
	struct trace_writer *w = trace_writer_new(s.dir, 1000);
	struct diag diag;

	trace_writer_thread(w, MAIN, 0, 0);
	trace_writer_thread(w, WORKER, MAIN, 0);
	trace_writer_name(w, WORKER, "<worker>");
	trace_writer_object(w, LOCK, TRACE_OBJECT_MUTEX, 0x5000, 0, MAIN);
	trace_writer_begin(w, 0, MAIN);
	trace_writer_event(w, 0, TRACE_ACQUIRE, 1000, LOCK, 0, 0, 0, 0, TRACE_WRITER_AUTO);
	trace_writer_event(w, 0, TRACE_RELEASE, 100000, LOCK, 0, 0, 0, 0, 0);
	trace_writer_begin(w, 1, WORKER);
	for (unsigned piece = 0; piece < 3; piece++) {
		for (unsigned i = 0; i < BUSY; i++) {
			trace_writer_acquire(w, 1, LOCK, 0);
			trace_writer_release(w, 1, LOCK);
		}
		trace_writer_seal(w, 1);
	}
	trace_writer_event(w, 0, TRACE_ACQUIRE, 1000000, LOCK, 0, 0, 0, 0, TRACE_WRITER_AUTO);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	s.reader = scratch_open(s.dir);
	assert_int_equal(outline_new(s.reader, &s.outline, &diag), 0);
	return s;
}

static void end(struct scene *s)
{
	outline_free(s->outline);
	trace_reader_free(s->reader);
	scratch_remove(s->dir);
}

static void test_lanes_of_all_threads(void **state)
{
	struct scene s = make();
	const struct outline *o = s.outline;

	(void)state;
	assert_int_equal(o->lane_count, 2);
	assert_int_equal(o->left_out, 0);
	assert_int_equal(o->lane[0].thread, MAIN);
	assert_string_equal(o->lane[0].name, "main");
	assert_string_equal(o->lane[1].name, "<worker>");
	assert_int_equal(o->end_ns, trace_reader_get_process(s.reader, 0)->end_ns);
	assert_in_range(o->lane[1].events, 3 * 2 * BUSY, 3 * 2 * BUSY + 4);
	assert_true(o->lane[1].piece_count >= 3);
	for (size_t i = 1; i < o->lane[1].piece_count; i++)
		assert_true(o->lane[1].piece[i - 1].end_ns <= o->lane[1].piece[i].start_ns);
	end(&s);
}

static void test_busier_is_darker(void **state)
{
	struct scene s = make();
	uint8_t quiet[100], busy[100], most = 0;

	(void)state;
	outline_shade(s.outline, &s.outline->lane[0], quiet, 100);
	outline_shade(s.outline, &s.outline->lane[1], busy, 100);
	assert_int_equal(quiet[50], 1); /* all its life, hardly anything */
	assert_int_equal(busy[5], 0);	/* not there yet: it comes at a tenth of the run */
	for (unsigned i = 0; i < 100; i++)
		most = busy[i] > most ? busy[i] : most;
	assert_int_equal(most, OUTLINE_SHADES);
	end(&s);
}

static void test_page_escapes_names(void **state)
{
	struct scene s = make();
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_int_equal(page_outline_put(s.outline, "1.2.3", out), 0);
	fclose(out);
	assert_non_null(strstr(text, "&lt;worker&gt;"));
	assert_null(strstr(text, "<worker>"));
	assert_non_null(strstr(text, "default-src 'none'"));
	assert_non_null(strstr(text, "data-outline"));
	free(text);
	end(&s);
}

static void test_model_has_a_row_of_shades_a_lane(void **state)
{
	struct scene s = make();
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	json_t *model, *row;
	uint8_t *far = malloc(LANE_FAR_BUCKETS);

	(void)state;
	assert_int_equal(page_outline_model_put(s.outline, out), 0);
	fclose(out);
	model = json_loads(text, 0, NULL);
	assert_non_null(model);
	assert_int_equal(json_array_size(json_object_get(model, "lanes")), 2);
	row = json_array_get(json_object_get(model, "rows"), 1);
	assert_int_equal(json_integer_value(json_array_get(row, 0)), 1);
	assert_int_equal(json_integer_value(json_array_get(row, 1)), 3);
	assert_int_equal(json_array_size(json_array_get(row, 5)), 0);
	page_outline_far(s.outline, 0, far);
	assert_int_equal(
		far[s.outline->end_ns / 2 >> json_integer_value(json_object_get(model, "shift"))],
		OUTLINE_STATE + 1);
	json_decref(model);
	free(far);
	free(text);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lanes_of_all_threads),
		cmocka_unit_test(test_busier_is_darker),
		cmocka_unit_test(test_page_escapes_names),
		cmocka_unit_test(test_model_has_a_row_of_shades_a_lane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
