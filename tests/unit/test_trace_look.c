/* SPDX-License-Identifier: MIT */
/*
 * test_trace_look.c - glances at running traces: what is in them, what is left out, and files that are none.
 */
#include "trace/trace_look.h"

#include "trace/trace_writer.h"
#include "trace_scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define STRANGE_PID 4194303u /* the highest that a kernel gives out: not there */

static void make_image(const char *dir, uint32_t pid, uint32_t image, uint32_t waits_for)
{
	struct trace_wait wait = { .kind = TRACE_WAIT_LOCK, .object = waits_for, .thread = 2 };
	struct trace_writer *w = trace_writer_new_image(dir, pid, image, 0, 0);

	trace_writer_object(w, 1, TRACE_OBJECT_MUTEX, 0x10, 0, 1);
	trace_writer_begin(w, 0, 1);
	trace_writer_tid(w, 0, pid);
	trace_writer_begin(w, 1, 2);
	trace_writer_tid(w, 1, pid + 1);
	trace_writer_wait(w, 1, &wait);
	trace_writer_finish(w, 0);
}

static void test_entries_of_live_processes_only(void **state)
{
	uint32_t pid = (uint32_t)getpid();
	struct trace_look look = { 0 };
	char *dir = scratch_new();
	struct diag diag;

	(void)state;
	make_image(dir, pid, 1, 7); /* replaced by exec */
	make_image(dir, pid, 2, 8);
	make_image(dir, STRANGE_PID, 1, 9);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(trace_look_take(&look, dir, &diag), 0);
		assert_int_equal(look.count, 2);
		assert_int_equal(look.over_count, 2);
		assert_int_equal(look.entries[0].image, 2);
		assert_int_equal(look.entries[0].wait.kind, TRACE_WAIT_NONE);
		assert_int_equal(look.entries[1].wait.kind, TRACE_WAIT_LOCK);
		assert_int_equal(look.entries[1].wait.object, 8);
	}
	assert_ptr_equal(trace_look_find(&look, pid, pid + 1), &look.entries[1]);
	assert_null(trace_look_find(&look, pid, pid + 2));
	assert_null(trace_look_find(&look, STRANGE_PID, STRANGE_PID));
	assert_null(trace_look_find(&look, pid, 0));
	trace_look_release(&look);
	scratch_remove(dir);
}

static void test_every_step_makes_a_difference(void **state)
{
	const struct trace_look_entry entry = { .pid = 1,
						.image = 1,
						.stream = 3,
						.thread = 4,
						.tid = 5,
						.committed = 6,
						.chunk = 7,
						.events = 8,
						.wait = { .kind = TRACE_WAIT_LOCK, .ticks = 9 } };
	struct trace_look_entry other = entry;

	(void)state;
	assert_true(trace_look_is_same(&entry, &other));
	other.committed++;
	assert_false(trace_look_is_same(&entry, &other));
	other = entry;
	other.events++;
	assert_false(trace_look_is_same(&entry, &other));
	other = entry;
	other.wait.ticks++;
	assert_false(trace_look_is_same(&entry, &other));
	other = entry;
	other.image++;
	assert_false(trace_look_is_same(&entry, &other));
	other = entry;
	other.tid++;
	assert_false(trace_look_is_same(&entry, &other));
}

/* Whatever stands in the map: no crash, no endless loop, and what can be read is. */
static void test_damaged_maps(void **state)
{
	char *dir = scratch_new(), name[40];
	struct trace_look look = { 0 };
	struct tf_process *header;
	struct diag diag;
	size_t bytes;
	uint8_t *map;

	(void)state;
	make_image(dir, (uint32_t)getpid(), 1, 8);
	snprintf(name, sizeof(name), "%d.1.map", (int)getpid());
	map = scratch_read(dir, name, &bytes);
	for (size_t cut = 0; cut < bytes; cut += cut < 8192 ? 37 : 9973) {
		scratch_write(dir, name, map, cut);
		assert_int_equal(trace_look_take(&look, dir, &diag), 0);
		assert_true(look.count <= 2);
	}
	header = (struct tf_process *)map;
	header->segments = UINT32_MAX;
	scratch_write(dir, name, map, bytes);
	assert_int_equal(trace_look_take(&look, dir, &diag), 0);
	assert_int_equal(look.count, 2);
	assert_true(trace_look_has_room(dir));
	header->major = TF_MAJOR + 1;
	scratch_write(dir, name, map, bytes);
	assert_int_equal(trace_look_take(&look, dir, &diag), 0);
	assert_int_equal(look.count, 0);
	assert_false(trace_look_has_room(dir));
	free(map);
	trace_look_release(&look);
	scratch_remove(dir);
}

static void test_no_directory(void **state)
{
	struct trace_look look = { 0 };
	struct diag diag;

	(void)state;
	assert_int_equal(trace_look_take(&look, "/absent", &diag), THRUM_EIO);
	assert_false(trace_look_has_room("/absent"));
	trace_look_release(&look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_of_live_processes_only),
		cmocka_unit_test(test_every_step_makes_a_difference),
		cmocka_unit_test(test_damaged_maps),
		cmocka_unit_test(test_no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
