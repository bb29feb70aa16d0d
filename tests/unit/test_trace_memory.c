/* SPDX-License-Identifier: MIT */
/*
 * test_trace_memory.c - files of memory accesses: what comes out of whole ones, cut ones, and ones with garbage in them.
 */
#include "memory_file.h"
#include "trace_scratch.h"

#include "trace/trace_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct trace_memory *open_file(const struct memory_file *f, char *dir, size_t bytes)
{
	struct trace_memory *m = NULL;
	struct diag diag;
	char path[512];

	scratch_write(dir, "1.1.memory", f->bytes, bytes);
	snprintf(path, sizeof(path), "%s/1.1.memory", dir);
	return trace_memory_open(path, &m, &diag) ? NULL : m;
}

static struct trace_memory_cursor *cursor(struct trace_memory *m, size_t lane)
{
	struct trace_memory_cursor *c;

	assert_int_equal(trace_memory_cursor_new(m, lane, &c), 0);
	return c;
}

static void test_the_outside_tells_how_much_there_is(void **state)
{
	struct trace_memory_look look;
	struct memory_file f;
	char *dir = scratch_new(), path[512];

	(void)state;
	memory_file_init(&f);
	memory_file_thread(&f, 1, 2, 5, 7);
	((struct tm_chunk *)(f.bytes + TM_HEADER_BYTES))->left_out = 40;
	memory_file_thread(&f, 2, 3, 6, 7);
	((struct tm_chunk *)(f.bytes + TM_HEADER_BYTES + TM_UNIT_BYTES))->left_out = 2;
	((struct tm_header *)f.bytes)->mode = TM_FULL;
	((struct tm_header *)f.bytes)->flags = TM_CUT_SIZE;
	scratch_write(dir, "1.1.memory", f.bytes, f.count);
	snprintf(path, sizeof(path), "%s/1.1.memory", dir);
	look = trace_memory_look(path);
	assert_true(look.is_there && look.mode == TM_FULL && look.flags == TM_CUT_SIZE);
	assert_int_equal(look.bytes, 2 * 2 * sizeof(struct tm_record)); /* THREAD, POSITION */
	assert_int_equal(look.left_out, 42);
	assert_false(trace_memory_look("/nowhere").is_there);
	memory_file_release(&f);
	scratch_remove(dir);
}

static void test_records_come_out_with_what_belongs_to_them(void **state)
{
	struct trace_memory_item i;
	struct trace_memory_cursor *c;
	struct memory_file f;
	char *dir = scratch_new();
	struct trace_memory *m;
	uint64_t ip[4];

	(void)state;
	memory_file_init(&f);
	memory_file_thread(&f, 1, 2, 5, 7);
	memory_file_put(&f, TM_A(TM_FRAME, 0, 0), 0x100);
	memory_file_put(&f, TM_A(TM_FRAME, 0, 1), 0x200);
	memory_file_access(&f, TM_WRITE, 0x7000, 4, 0x300);
	memory_file_put(&f, 0, 0); /* never finished */
	memory_file_put(&f, TM_A(TM_DEPTH, 0, 1), 0);
	memory_file_put(&f, TM_A(TM_LENGTH, 0, 100), 0);
	memory_file_put(&f, TM_A(TM_ACCESS | TM_READ, 0, 0x8000), TM_B(9, 0x400));
	memory_file_sync(&f, TM_ACQUIRE | TM_RELEASE | (1 + 2 + 8) << 4, 0x9000, 3, 4);
	m = open_file(&f, dir, f.count);
	assert_non_null(m);
	assert_int_equal(trace_memory_lane_count(m), 1);
	c = cursor(m, 0);
	assert_int_equal(trace_memory_next(c, &i), 1);
	assert_true(i.kind == TM_THREAD && i.address == 2 && i.bytes == 5);
	assert_int_equal(trace_memory_next(c, &i), 1);
	assert_true(i.kind == TM_POSITION && i.address == 7);
	assert_int_equal(trace_memory_next(c, &i), 1);
	assert_true(i.kind == TM_ACCESS && i.flags == TM_WRITE && i.bytes == 4 && i.pc == 0x300);
	assert_int_equal(trace_memory_stack(m, i.stack, ip, 4), 2);
	assert_true(ip[0] == 0x200 && ip[1] == 0x100);
	assert_int_equal(trace_memory_next(c, &i), 1);
	assert_true(i.kind == TM_ACCESS && i.bytes == 100 && i.generation == 9);
	assert_int_equal(trace_memory_stack(m, i.stack, ip, 4), 1);
	assert_int_equal(trace_memory_next(c, &i), 1);
	assert_true(i.kind == TM_SYNC && i.before == 3 && i.after == 4 && i.bytes == 4);
	assert_true(i.access_flags == (TM_READ | TM_WRITE | TM_ATOMIC));
	assert_int_equal(trace_memory_next(c, &i), 0);
	trace_memory_cursor_free(c);
	trace_memory_free(m);
	memory_file_release(&f);
	scratch_remove(dir);
}

static void test_a_missing_chunk_ends_its_lane(void **state)
{
	struct trace_memory_item i;
	struct trace_memory_cursor *c;
	struct memory_file f;
	char *dir = scratch_new();
	struct trace_memory *m;

	(void)state;
	memory_file_init(&f);
	memory_file_chunk(&f, 3, 2);
	memory_file_access(&f, TM_READ, 0x3000, 1, 1);
	memory_file_chunk(&f, 3, 0);
	memory_file_access(&f, TM_READ, 0x1000, 1, 1);
	m = open_file(&f, dir, f.count);
	c = cursor(m, 0);
	assert_int_equal(trace_memory_next(c, &i), 1);
	assert_int_equal(i.address, 0x1000);
	assert_int_equal(trace_memory_next(c, &i), 0);
	trace_memory_cursor_free(c);
	trace_memory_free(m);
	memory_file_release(&f);
	scratch_remove(dir);
}

/* Cut at each record: what comes out is a prefix of what came out of the whole. */
static void test_a_cut_file_gives_a_prefix(void **state)
{
	struct trace_memory_item i;
	struct memory_file f;
	char *dir = scratch_new();

	(void)state;
	memory_file_init(&f);
	memory_file_thread(&f, 1, 1, 1, 0);
	for (unsigned n = 0; n < 20; n++)
		memory_file_access(&f, TM_READ, 0x1000 + n, 1, 1);
	for (size_t bytes = 0; bytes <= TM_HEADER_BYTES + 64 + 24 * 16; bytes += 8) {
		struct trace_memory *m = open_file(&f, dir, bytes);
		struct trace_memory_cursor *c;
		unsigned n = 0;

		if (bytes < TM_HEADER_BYTES) {
			if (bytes < sizeof(struct tm_header))
				assert_null(m);
			trace_memory_free(m);
			continue;
		}
		assert_non_null(m);
		c = cursor(m, 0);
		while (trace_memory_next(c, &i) == 1)
			if (i.kind == TM_ACCESS)
				assert_int_equal(i.address, 0x1000 + n++);
		if (bytes >= TM_HEADER_BYTES + 64 + 2 * 16)
			assert_int_equal(n, (bytes - TM_HEADER_BYTES - 64 - 2 * 16) / 16 < 20
						    ? (bytes - TM_HEADER_BYTES - 64 - 2 * 16) / 16
						    : 20);
		trace_memory_cursor_free(c);
		trace_memory_free(m);
	}
	memory_file_release(&f);
	scratch_remove(dir);
}

static void test_another_major_version_is_refused(void **state)
{
	struct memory_file f;
	char *dir = scratch_new();

	(void)state;
	memory_file_init(&f);
	((struct tm_header *)(void *)f.bytes)->major = TM_MAJOR + 1;
	assert_null(open_file(&f, dir, f.count));
	memory_file_release(&f);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_outside_tells_how_much_there_is),
		cmocka_unit_test(test_records_come_out_with_what_belongs_to_them),
		cmocka_unit_test(test_a_missing_chunk_ends_its_lane),
		cmocka_unit_test(test_a_cut_file_gives_a_prefix),
		cmocka_unit_test(test_another_major_version_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
