/* SPDX-License-Identifier: MIT */
/*
 * test_task_births.c - bounded mode: what the slots of tasks say comes out as the records would, and a number that was given out again is
 * not taken for its former task's.
 */
#include "trace/trace_writer.h"
#include "trace_scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TIMER = 40, LOOP = 3 };

struct slot {
	struct tf_def_task task;
	char name[24];
	struct tf_task_live live;
};

static uint64_t start; /* of the process, in ticks */

static struct slot slot_of(uint32_t task, uint64_t ticks)
{
	return (struct slot){
		.task = { .def.flags = TF_TASK_SLOT,
			  .task = task,
			  .thread = 1,
			  .stack = 1,
			  .ticks = start + ticks,
			  .bytes = 4 },
		.name = "name",
		.live = { .kind = TIMER, .loop = LOOP },
	};
}

static struct trace_writer *begin(const char *dir)
{
	static const uint64_t ip[] = { 0x10 };
	struct trace_writer *w = trace_writer_new(dir, 7);

	start = trace_writer_get_header(w)->start_ticks;
	trace_writer_get_header(w)->flags |= TF_PROCESS_BOUNDED;
	trace_writer_stack(w, 1, ip, 1);
	trace_writer_stack(w, 2, ip, 1);
	trace_writer_thread(w, 1, 0, 0);
	trace_writer_object(w, LOOP, TRACE_OBJECT_LOOP, 0x5000, 1, 1);
	trace_writer_event(w, 0, TRACE_THREAD_BEGIN, 10, 0, 0, 0, 1, 0, 0);
	return w;
}

static void add(struct trace_writer *w, struct slot slot)
{
	trace_writer_raw_def(w, TF_DEF_TASK, &slot, sizeof(slot), NULL, 0);
}

static void step(struct trace_writer *w, uint64_t ticks, uint32_t task, enum trace_task_step step)
{
	trace_writer_event(w, 0, TRACE_TASK, ticks, 0, 0, 0, task, step, 0);
}

/* Events of tasks as text: op, task, result, in order. */
static char *read_back(char *dir, struct trace_writer *w)
{
	struct trace_reader *r;
	struct trace_event *events;
	size_t count, bytes;
	char *text = NULL;
	FILE *out = open_memstream(&text, &bytes);

	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	events = scratch_events(r, 0, &count);
	for (size_t i = 0; i < count; i++) {
		const struct trace_event *e = &events[i];

		if (e->op == TRACE_TASK_NEW || e->op == TRACE_TASK_ARM || e->op == TRACE_TASK) {
			fprintf(out, "%s %u %d loop=%u stack=%u thread=%u; ", trace_op_name(e->op),
				(unsigned)e->arg, e->result, e->object, e->stack, e->thread);
		}
	}
	fclose(out);
	free(events);
	trace_reader_free(r);
	scratch_remove(dir);
	return text;
}

static void expect(char *dir, struct trace_writer *w, const char *wanted)
{
	char *text = read_back(dir, w);

	assert_string_equal(text, wanted);
	free(text);
}

static void test_what_the_rings_forgot(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = begin(dir);
	struct slot a = slot_of(1, 100), b = slot_of(2, 300), c = slot_of(3, 0);

	(void)state;
	a.live.armed_ticks = start + 200;
	a.live.armed_loop = LOOP;
	a.live.armed_stack = 2;
	a.live.armed_thread = 1;
	a.live.callback = 2 << 1;
	b.live.over_ticks = start + 400;
	b.live.over_step = TRACE_TASK_CANCELLED;
	b.live.over_thread = 1;
	c.live.kind = 0; /* it is being written */
	add(w, b);
	add(w, a);
	add(w, c);
	step(w, 350, 2, TRACE_TASK_CALLED);
	step(w, 500, 1, TRACE_TASK_CALLED);
	expect(dir, w,
	       "task-new 1 40 loop=3 stack=1 thread=1; task-arm 1 4 loop=3 stack=2 thread=1; "
	       "task-new 2 40 loop=3 stack=1 thread=1; task 2 7 loop=0 stack=0 thread=1; "
	       "task 2 5 loop=0 stack=0 thread=1; task 1 7 loop=0 stack=0 thread=1; ");
}

static void test_former_task_of_the_number(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = begin(dir);
	struct slot again = slot_of(1, 300);

	(void)state;
	again.task.def.flags |= TF_TASK_AGAIN;
	add(w, again);
	step(w, 200, 1, TRACE_TASK_CALLED);
	step(w, 250, 1, TRACE_TASK_FINISHED);
	step(w, 400, 1, TRACE_TASK_CALLED);
	expect(dir, w, "task-new 1 40 loop=3 stack=1 thread=1; task 1 7 loop=0 stack=0 thread=1; ");
}

static void test_looks_at_a_former_task(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = begin(dir);
	struct tf_def_await of_former = { .task = 1, .look = 1, .ticks = start + 200 };
	struct tf_def_await at_former = {
		.task = 2, .other = 1, .look = 1, .ticks = start + 200, .kind = TF_AWAIT_TASK
	};
	struct slot other = slot_of(2, 100), child = slot_of(3, 150), again = slot_of(1, 300);
	const struct trace_process *p;
	struct trace_reader *r;

	(void)state;
	child.task.parent = 1;
	again.task.parent = 2;
	add(w, again);
	add(w, other);
	add(w, child);
	trace_writer_raw_def(w, TF_DEF_AWAIT, &of_former, sizeof(of_former), NULL, 0);
	trace_writer_raw_def(w, TF_DEF_AWAIT, &at_former, sizeof(at_former), NULL, 0);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	r = scratch_open(dir);
	p = trace_reader_get_process(r, 0);
	assert_int_equal(p->await_count, 1);
	assert_int_equal(p->awaits[0].task, 2);
	assert_int_equal(p->awaits[0].other, 0);
	assert_int_equal(p->tasks[3].parent, 0); /* made by the former one */
	assert_int_equal(p->tasks[1].parent, 2);
	assert_string_equal(p->tasks[1].name, "name");
	trace_reader_free(r);
	scratch_remove(dir);
}

static void test_numbers_out_of_a_file(void **state)
{
	char *dir = scratch_new();
	struct trace_writer *w = begin(dir);
	struct slot bad = slot_of(1, 100);

	(void)state;
	bad.task.thread = bad.task.stack = bad.task.parent = 1u << 30;
	bad.task.bytes = UINT32_MAX;
	bad.live = (struct tf_task_live){ UINT32_MAX,	       UINT32_MAX, start + 200, UINT32_MAX,
					  UINT32_MAX,	       UINT32_MAX, UINT32_MAX,	UINT64_MAX,
					  TRACE_TASK_FINISHED, UINT32_MAX };
	add(w, bad);
	trace_writer_raw_def(w, TF_DEF_TASK, &bad, sizeof(bad.task), NULL, 0); /* cut */
	expect(dir, w,
	       "task-new 1 -1 loop=0 stack=0 thread=0; task-arm 1 -1 loop=0 stack=0 thread=0; "
	       "task 1 4 loop=0 stack=0 thread=0; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_rings_forgot),
		cmocka_unit_test(test_former_task_of_the_number),
		cmocka_unit_test(test_looks_at_a_former_task),
		cmocka_unit_test(test_numbers_out_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
