/* SPDX-License-Identifier: MIT */
/*
 * test_trace_roundtrip.c - what the writer is told comes out of the reader: every op, every
 * definition, every counter.
 */
#include "trace/trace_ops.h"
#include "trace/trace_writer.h"
#include "trace_scratch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool has_field(unsigned op, enum trace_field field)
{
	for (unsigned i = 0; i < trace_ops[op].count; i++) {
		if (trace_ops[op].field[i] == field) {
			return true;
		}
	}
	return false;
}

/*
 * Each op with values that need one, two, five and ten bytes, three times over: plain, same object,
 * with a number.
 */
static void test_every_op_keeps_its_fields(void **state)
{
	static const uint64_t args[] = { 0, 127, 128, 0xffffffffu, UINT64_MAX };
	static const int32_t results[] = { 0, 1, -1, INT32_MAX, INT32_MIN };
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 7);
	struct trace_reader *r;
	struct trace_event *events;
	size_t count, i = 0;
	uint64_t ticks = 0;

	(void)state;
	trace_writer_get_header(w)->objects = 4000;
	trace_writer_get_header(w)->stacks = 300;
	trace_writer_get_header(w)->threads = 200;
	trace_writer_begin(w, 0, 1);
	for (unsigned op = 1; op < TF_OPS; op++) {
		for (unsigned n = 0; trace_op_get(op) && op != TRACE_THREAD_BEGIN && n < 5; n++) {
			bool id = trace_op_arg(op) != TRACE_ARG_PLAIN;

			ticks += 1000 + 100000 * n;
			trace_writer_event(w, 0, op, ticks, n < 2 ? 4000 : 5,
					   op == TRACE_REQUEST ? 130 : 6 + n, 200 + n,
					   id ? n * 40 : args[n], results[n], n * 1000);
		}
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);

	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	assert_int_equal(events[i].op, TRACE_THREAD_BEGIN);
	ticks = 0;
	for (unsigned op = 1; op < TF_OPS; op++) {
		for (unsigned n = 0; trace_op_get(op) && op != TRACE_THREAD_BEGIN && n < 5; n++) {
			const struct trace_event *e = &events[++i];
			bool id = trace_op_arg(op) != TRACE_ARG_PLAIN;

			assert_true(i < count);
			ticks += 1000 + 100000 * n;
			assert_int_equal(e->op, op);
			assert_int_equal(e->thread, 1);
			assert_int_equal(e->stream, 0);
			assert_int_equal(e->time_ns, ticks * TRACE_WRITER_TICK_NS);
			assert_int_equal(e->object,
					 has_field(op, TRACE_FIELD_O) ? (n < 2 ? 4000 : 5) : 0);
			assert_int_equal(e->other, has_field(op, TRACE_FIELD_P)
							   ? (op == TRACE_REQUEST ? 130 : 6 + n)
							   : 0);
			assert_int_equal(e->stack, has_field(op, TRACE_FIELD_S) ? 200 + n : 0);
			assert_int_equal(
				e->arg, has_field(op, TRACE_FIELD_A) ? (id ? n * 40 : args[n]) : 0);
			assert_int_equal(e->result, has_field(op, TRACE_FIELD_R) ? results[n] : 0);
			assert_int_equal(e->has_seq, n > 0);
			assert_int_equal(e->seq, n * 1000);
			assert_false(e->synthetic);
		}
	}
	assert_int_equal(i + 1, count);
	assert_int_equal(trace_reader_get_process(r, 0)->events, count);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

static void test_definitions_come_back(void **state)
{
	static const uint64_t ip[] = { 0x1000, 0x2000, 0xffffffff81000000 };
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new_image(dir, 41, 2, 40, 1);
	const struct trace_process *p;
	struct trace_reader *r;

	(void)state;
	trace_writer_command(w, "server --port 80");
	trace_writer_stack(w, 3, ip, 3);
	trace_writer_thread(w, 1, 0, 0);
	trace_writer_thread_full(w, 2, 1, 3, TF_THREAD_DETACHED, 0xabc, 0x7fff);
	trace_writer_name(w, 2, "old");
	trace_writer_name(w, 2, "worker");
	trace_writer_object_full(w, 9, TRACE_OBJECT_RWLOCK, 0x5000, 3, 2, 2, TF_WHERE_STACK);
	trace_writer_module(w, 0x400000, 0x500000, 0x400000, "/bin/server", "\1\2\3", 3, false);
	trace_writer_module(w, 0x40000, 0x700000, 0x40000, "/lib/plugin.so", "", 0, false);
	trace_writer_unload(w, 0x40000, 5000);
	trace_writer_module(w, 0x40000, 0x700000, 0x40000, "/lib/other.so", "", 0, true);
	trace_writer_begin(w, 0, 1);
	trace_writer_tid(w, 0, 4141);
	trace_writer_event(w, 0, TRACE_EXIT, 9000, 0, 0, 0, 0, 0, 0);
	trace_writer_finish(w, TRACE_EXIT_QUICK);

	r = scratch_open(dir);
	p = trace_reader_get_process(r, 0);
	assert_int_equal(trace_reader_process_count(r), 1);
	assert_string_equal(p->name, "41.2");
	assert_int_equal(p->pid, 41);
	assert_int_equal(p->image, 2);
	assert_int_equal(p->ppid, 40);
	assert_int_equal(p->parent_image, 1);
	assert_string_equal(p->command, "server --port 80");
	assert_true(p->complete);
	assert_string_equal(p->why, "");
	assert_int_equal(p->exit_kind, TRACE_EXIT_QUICK);
	assert_int_equal(p->end_ns, 90000);
	assert_int_equal(p->stack_count, 4);
	assert_int_equal(p->stacks[1].frames, 0);
	assert_int_equal(p->stacks[3].frames, 3);
	assert_memory_equal(p->stacks[3].ip, ip, sizeof(ip));
	assert_int_equal(p->object_count, 10);
	assert_int_equal(p->objects[9].kind, TRACE_OBJECT_RWLOCK);
	assert_int_equal(p->objects[9].address, 0x5000);
	assert_int_equal(p->objects[9].where, TF_WHERE_STACK);
	assert_int_equal(p->objects[9].thread, 2);
	assert_int_equal(p->thread_count, 3);
	assert_true(p->threads[1].defined);
	assert_int_equal(p->threads[1].tid, 4141);
	assert_int_equal(p->threads[2].parent, 1);
	assert_int_equal(p->threads[2].flags, TF_THREAD_DETACHED);
	assert_int_equal(p->threads[2].start_routine, 0xabc);
	assert_string_equal(p->threads[2].name, "worker");
	assert_null(p->threads[1].name);
	assert_int_equal(p->module_count, 3);
	assert_int_equal(p->modules[0].unloaded_ns, UINT64_MAX);
	assert_int_equal(p->modules[0].build_id_bytes, 3);
	assert_memory_equal(p->modules[0].build_id, "\1\2\3", 3);
	assert_string_equal(p->modules[1].path, "/lib/plugin.so");
	assert_int_equal(p->modules[1].unloaded_ns, 50000);
	assert_int_equal(p->modules[2].unloaded_ns, UINT64_MAX);
	assert_true(p->modules[2].is_thrum);
	trace_reader_free(r);
	scratch_remove(dir);
}

static void test_wait_slot_of_a_killed_process(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 5);
	struct trace_wait wait = {
		.kind = TRACE_WAIT_COND, .object = 1, .other = 2, .stack = 1, .ticks = 700
	};
	const struct trace_process *p;
	struct trace_reader *r;
	uint64_t ip = 0x1234;

	(void)state;
	trace_writer_stack(w, 1, &ip, 1);
	trace_writer_thread(w, 1, 0, 0);
	trace_writer_thread(w, 2, 1, 1);
	trace_writer_object(w, 1, TRACE_OBJECT_COND, 0x10, 1, 1);
	trace_writer_object(w, 2, TRACE_OBJECT_MUTEX, 0x20, 1, 1);
	trace_writer_begin(w, 0, 1);
	trace_writer_create(w, 0, 2, 1);
	trace_writer_begin(w, 1, 2);
	trace_writer_wait(w, 1, &wait);
	wait = (struct trace_wait){ .kind = TRACE_WAIT_JOIN, .other = 2 };
	trace_writer_wait(w, 0, &wait);
	trace_writer_begin(w, 2, 1);
	trace_writer_end(w, 2);
	trace_writer_finish(w, 0);

	r = scratch_open(dir);
	p = trace_reader_get_process(r, 0);
	assert_false(p->complete);
	assert_non_null(strstr(p->why, "killed"));
	assert_int_equal(p->wait_count, 2);
	assert_int_equal(p->waits[0].thread, 1);
	assert_int_equal(p->waits[0].wait.kind, TRACE_WAIT_JOIN);
	assert_int_equal(p->waits[0].wait.other, 2);
	assert_int_equal(p->waits[0].since_ns, 2000); /* of the last record of that stream */
	assert_int_equal(p->waits[1].thread, 2);
	assert_int_equal(p->waits[1].wait.kind, TRACE_WAIT_COND);
	assert_int_equal(p->waits[1].wait.object, 1);
	assert_int_equal(p->waits[1].wait.other, 2);
	assert_int_equal(p->waits[1].wait.thread, 2);
	assert_int_equal(p->waits[1].since_ns, 7000);
	trace_reader_free(r);
	scratch_remove(dir);
}

/* Many chunks, sealed and open, successive owners of one stream. */
static void test_stream_is_reused_by_threads(void **state)
{
	enum { THREADS = 20, PAIRS = 5000 };
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 5);
	struct trace_reader *r;
	struct trace_event *events;
	size_t count, i = 0;

	(void)state;
	trace_writer_object(w, 1, TRACE_OBJECT_MUTEX, 0x10, 0, 1);
	for (uint32_t t = 1; t <= THREADS; t++) {
		trace_writer_thread(w, t, 0, 0);
		trace_writer_begin(w, 0, t);
		for (int n = 0; n < PAIRS; n++) {
			trace_writer_acquire(w, 0, 1, 0);
			trace_writer_release(w, 0, 1);
		}
		trace_writer_end(w, 0);
	}
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);

	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	assert_int_equal(count, THREADS * (2 + 2 * PAIRS));
	for (uint32_t t = 1; t <= THREADS; t++) {
		assert_int_equal(events[i++].op, TRACE_THREAD_BEGIN);
		for (int n = 0; n < 2 * PAIRS; n++, i++) {
			assert_int_equal(events[i].op, n % 2 ? TRACE_RELEASE : TRACE_ACQUIRE);
			assert_int_equal(events[i].thread, t);
			assert_true(events[i].time_ns > events[i - 1].time_ns);
		}
		assert_int_equal(events[i].op, TRACE_THREAD_END);
		assert_int_equal(events[i++].thread, t);
	}
	assert_true(trace_reader_get_process(r, 0)->complete);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
}

static void test_processes_come_in_order_of_their_start(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 9);
	struct trace_reader *r;

	(void)state;
	trace_writer_begin(w, 0, 1);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	w = trace_writer_new(dir, 12);
	trace_writer_get_header(w)->start_mono_ns -= 1000;
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	scratch_write(dir, "run.json", "{}", 2);
	scratch_write(dir, "13.0.map.tmp", "xx", 2);
	scratch_write(dir, "014.0.map", "xx", 2);
	r = scratch_open(dir);
	assert_int_equal(trace_reader_process_count(r), 2);
	assert_string_equal(trace_reader_get_process(r, 0)->name, "12.0");
	assert_string_equal(trace_reader_get_process(r, 1)->name, "9.0");
	assert_string_equal(trace_reader_get_run_json(r), "{}");
	trace_reader_free(r);
	scratch_remove(dir);
}

static void test_names_of_the_tables(void **state)
{
	(void)state;
	assert_string_equal(trace_op_name(TRACE_ACQUIRE_TRY), "try-acquire");
	assert_string_equal(trace_op_name(0), "unknown-event");
	assert_string_equal(trace_op_name(4000), "unknown-event");
	assert_int_equal(trace_op_find("try-acquire"), TRACE_ACQUIRE_TRY);
	assert_int_equal(trace_op_find("nothing"), 0);
	assert_string_equal(trace_object_kind_name(TRACE_OBJECT_COND), "condition variable");
	assert_string_equal(trace_object_kind_name(77), "object");
	assert_true(trace_object_kind_is_lock(TRACE_OBJECT_ONCE));
	assert_false(trace_object_kind_is_lock(TRACE_OBJECT_SEM));
	assert_false(trace_object_kind_is_lock(77));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_op_keeps_its_fields),
		cmocka_unit_test(test_definitions_come_back),
		cmocka_unit_test(test_wait_slot_of_a_killed_process),
		cmocka_unit_test(test_stream_is_reused_by_threads),
		cmocka_unit_test(test_processes_come_in_order_of_their_start),
		cmocka_unit_test(test_names_of_the_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
