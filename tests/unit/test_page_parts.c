/* SPDX-License-Identifier: MIT */
/*
 * test_page_parts.c - what of a trace's spans goes into a page, and where, for every size of page.
 */
#include "trace/trace_writer.h"
#include "trace_scratch.h"
#include "viewer/lanes.h"
#include "viewer/page.h"
#include "viewer/page_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAIN = 1, LOCK = 1, SPANS = 240000, FEW = 20000, KILO = 1024 };

struct scene {
	char *dir;
	struct trace_reader *reader;
	struct page *page;
	struct report report;
};

/* One thread that takes a lock again and again; the second half of it lies much closer. */
static struct scene make(unsigned spans, size_t most_bytes)
{
	struct scene s = { .dir = scratch_new(), .report = { .version = "1.2.3" } };
	struct trace_writer *w = trace_writer_new(s.dir, 1000);
	struct page_source source = { .most_bytes = most_bytes };
	struct diag diag;
	uint64_t now = 1000, random = 1;

	trace_writer_thread(w, MAIN, 0, 0);
	trace_writer_object(w, LOCK, TRACE_OBJECT_MUTEX, 0x5000, 0, MAIN);
	trace_writer_begin(w, 0, MAIN);
	for (unsigned i = 0; i < spans; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		now += (i < spans / 2 ? 1000 : 10) + (random >> 60);
		trace_writer_event(w, 0, TRACE_ACQUIRE, now, LOCK, 0, 0, 0, 0, TRACE_WRITER_AUTO);
		trace_writer_event(w, 0, TRACE_RELEASE, now + 1 + (random >> 61), LOCK, 0, 0, 0, 0,
				   0);
		now += 10;
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	s.reader = source.reader = scratch_open(s.dir);
	assert_int_equal(page_new(&source, &s.page, &diag), 0);
	s.report.view = page_get_view(s.page);
	return s;
}

static void end(struct scene *s)
{
	page_free(s->page);
	trace_reader_free(s->reader);
	scratch_remove(s->dir);
}

/* The page; NULL where it is refused. */
static char *write_page(const struct scene *s, size_t *ret_bytes, struct diag *diag)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_bytes);
	int error = sink_find("html")->write(&s->report, out, diag);

	fclose(out);
	if (!error)
		return text;
	assert_int_equal(error, THRUM_EINVAL);
	free(text);
	return NULL;
}

static size_t count_of(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)); text++)
		count++;
	return count;
}

static void test_a_small_trace_is_in_one_piece(void **state)
{
	struct scene s = make(FEW, 0);
	size_t bytes;
	struct diag diag;
	char *text = write_page(&s, &bytes, &diag);

	(void)state;
	assert_non_null(text);
	assert_int_equal(count_of(text, "class=\"thrum-part\""), 0);
	assert_int_equal(page_parts_left_out(s.page->parts), 0);
	assert_int_equal(page_parts_block_at(s.page->parts, 0, 0), 0);
	assert_true(page_parts_block_at(s.page->parts, 0, 1) > 0);
	assert_null(strstr(text, "did not fit"));
	free(text);
	end(&s);
}

static void test_what_does_not_fit_is_left_out_and_said(void **state)
{
	const size_t most = 300 * KILO;
	struct scene s = make(SPANS, most), same = make(SPANS, most);
	const struct lane_row *row = &s.page->lanes->row[0];
	size_t bytes, again;
	struct diag diag;
	char *text = write_page(&s, &bytes, &diag), *twin = write_page(&same, &again, &diag);
	uint64_t left = page_parts_left_out(s.page->parts), counted = 0;

	(void)state;
	assert_non_null(text);
	assert_in_range(left, 1, SPANS - 1);
	assert_true(page_parts_bytes(s.page->parts) <= PAGE_PARTS_SHARE(most));
	assert_true(count_of(text, "data-blocks=") >= 1);
	assert_int_equal(count_of(text, "data-far=\"0\""), 1);
	assert_non_null(strstr(text, "did not fit into this page"));
	for (uint32_t b = 0; b < row->block_count; b++)
		if (page_parts_block_at(s.page->parts, 0, b) == PAGE_LEFT_OUT)
			counted += row->block[b].count;
	assert_int_equal(counted, left);
	/* The half that takes longer is worth more. */
	assert_int_equal(page_parts_block_at(s.page->parts, 0, 0), PAGE_IN_PART);
	assert_int_equal(page_parts_block_at(s.page->parts, 0, row->block_count - 1),
			 PAGE_LEFT_OUT);
	assert_int_equal(bytes, again);
	assert_memory_equal(text, twin, bytes);
	free(text);
	free(twin);
	end(&s);
	end(&same);
}

static void test_what_no_browser_would_open_is_refused(void **state)
{
	struct scene s = make(FEW, KILO);
	size_t bytes;
	struct diag diag;

	(void)state;
	assert_null(write_page(&s, &bytes, &diag));
	assert_non_null(strstr(diag.message, "thrum view TRACE"));
	end(&s);
}

/* The script draws a finding's strip at once: its spans do not have to come first. */
static void test_spans_of_findings_come_first(void **state)
{
	struct scene s = make(SPANS, 300 * KILO);
	const struct lane_row *row = &s.page->lanes->row[0];
	uint32_t last = row->block_count - 1;
	struct finding_stack stack = { .thread = MAIN,
				       .time_ns = row->block[last].end_ns -
						  s.page->lanes->process[0].start_ns };
	struct finding finding = { .stacks = &stack, .stack_count = 1 };
	struct finding *listed[] = { &finding };

	(void)state;
	s.report.findings = listed;
	s.report.listed_count = 1;
	assert_int_equal(page_parts_make(s.page, &s.report), 0);
	assert_int_equal(page_parts_block_at(s.page->parts, 0, last), 0);
	assert_int_equal(page_parts_block_at(s.page->parts, 0, 0), PAGE_IN_PART);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_small_trace_is_in_one_piece),
		cmocka_unit_test(test_what_does_not_fit_is_left_out_and_said),
		cmocka_unit_test(test_what_no_browser_would_open_is_refused),
		cmocka_unit_test(test_spans_of_findings_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
