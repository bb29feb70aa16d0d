/* SPDX-License-Identifier: MIT */
/*
 * test_task_context.c - what the trace says of whose work a task does: which of several words counts, what is cut or false, how it reads.
 */
#include "analyzer/checker.h"
#include "trace/trace_reader.h"
#include "trace/trace_writer.h"
#include "trace_scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct trace {
	char *dir;
	struct trace_writer *w;
	struct trace_reader *reader;
};

static void begin(struct trace *t)
{
	t->dir = scratch_new();
	t->w = trace_writer_new(t->dir, 0);
	trace_writer_begin(t->w, 0, 1);
	trace_writer_event(t->w, 0, TRACE_TASK_NEW, 0, 0, 0, 0, 1, 150, 0);
}

static void say(struct trace *t, uint32_t task, uint32_t look, unsigned flags, const char *text,
		uint32_t bytes)
{
	struct tf_def_task_context def = {
		.def.flags = (uint16_t)flags, .task = task, .look = look, .bytes = bytes
	};

	trace_writer_raw_def(t->w, TF_DEF_TASK_CONTEXT, &def, sizeof(def), text, bytes);
}

static const struct trace_task *get(struct trace *t, uint32_t task)
{
	const struct trace_process *p;
	struct diag diag;

	trace_writer_finish(t->w, TRACE_EXIT_DESTRUCTORS);
	assert_int_equal(trace_reader_open(t->dir, &t->reader, &diag), 0);
	p = trace_reader_get_process(t->reader, 0);
	assert_true(task < p->task_count);
	return &p->tasks[task];
}

static void expect(struct trace *t, uint32_t task, const char *words)
{
	const struct trace_task *is = get(t, task);
	char text[512];

	trace_context_text(is->context, is->context_count, text, sizeof(text));
	assert_string_equal(text, words);
	trace_reader_free(t->reader);
	scratch_remove(t->dir);
}

#define SAY(t, task, look, flags, text) say(t, task, look, flags, text, sizeof(text) - 1)

static void test_last_word_of_the_newest_look_counts(void **state)
{
	struct trace t;

	(void)state;
	begin(&t);
	SAY(&t, 1, 3, 0,
	    "request_id\0"
	    "42\0");
	SAY(&t, 1, 4, 0,
	    "request_id\0"
	    "43\0"
	    "user\0"
	    "anna b\0");
	SAY(&t, 1, 2, 0,
	    "request_id\0"
	    "41\0"); /* bounded mode: they are in no order */
	expect(&t, 1, "request_id=43, user=anna b");
	begin(&t);
	SAY(&t, 2, 1, 0,
	    "a\0"
	    "1\0");
	SAY(&t, 2, 1, 0,
	    "a\0"
	    "2\0");
	expect(&t, 2, "a=2");
}

static void test_redacted_values_are_not_there(void **state)
{
	struct trace t;

	(void)state;
	begin(&t);
	SAY(&t, 1, 1, TF_CONTEXT_REDACTED,
	    "request_id\0"
	    "\0"
	    "user\0"
	    "anna\0");
	expect(&t, 1, "request_id, user");
}

static void test_what_is_cut_or_false_is_left_out(void **state)
{
	struct trace t;

	(void)state;
	begin(&t);
	SAY(&t, 1, 1, 0,
	    "a\0"
	    "1\0"
	    "b\0"
	    "no end");
	expect(&t, 1, "a=1");
	begin(&t);
	SAY(&t, 1, 1, 0,
	    "\0"
	    "1\0"
	    "b\0"
	    "2\0"); /* no name */
	expect(&t, 1, "");
	begin(&t);
	SAY(&t, 1, 1, 0,
	    "a\0"
	    "1\0"
	    "b\0"
	    "2\0"
	    "c\0"
	    "3\0"
	    "d\0"
	    "4\0"
	    "e\0"
	    "5\0");
	expect(&t, 1, "a=1, b=2, c=3, d=4");
	begin(&t);
	say(&t, 1, 1, 0,
	    "a\0"
	    "1\0",
	    4);
	SAY(&t, 0, 1, 0,
	    "a\0"
	    "2\0");
	SAY(&t, UINT32_MAX, 1, 0,
	    "a\0"
	    "3\0");
	expect(&t, 1, "a=1");
}

static void test_text_that_does_not_fit_is_cut(void **state)
{
	const struct trace_context_pair pair[] = { { "request_id", "42" }, { "user", "anna" } };
	char text[16];

	(void)state;
	assert_int_equal(trace_context_text(pair, 2, text, sizeof(text)), sizeof(text) - 1);
	assert_string_equal(text, "request_id=42, ");
	assert_int_equal(trace_context_text(NULL, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

/* The title is the same in each run; a message says it once of each task. */
static void test_message_and_note_say_it_where_they_name_the_task_first(void **state)
{
	const struct trace_context_pair pair[] = { { "id", "7{task:1}" } };
	struct finding_list *list = finding_list_new();
	struct finding *f = finding_begin(list, RULE_LEAKED_TASK, CONFIDENCE_OBSERVED, 0);
	struct finding_task *task = finding_add_task(list, f, 1);

	(void)state;
	task->kind = "task";
	task->library = "asyncio";
	task->callback = "work";
	task->context = pair;
	task->context_count = 1;
	task = finding_add_task(list, f, 2);
	task->kind = "task";
	task->library = "asyncio";
	task->context = pair;
	task->context_count = 1;
	f->title = f->message = "{task:1} awaits {task:1}";
	finding_add_stack(list, f, ROLE_AWAITS, 0, 0, 0)->note =
		"{task:1} was here, {task:2} there";
	finding_commit(list, f);
	finding_expand_names(list);
	f = finding_list_get(list, 0);
	assert_string_equal(f->title, "task work awaits task work");
	assert_string_equal(f->message, "task work (id=7{task:1}) awaits task work");
	assert_string_equal(f->stacks[0].note, "task work was here, task #2 (id=7{task:1}) there");
	finding_list_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_word_of_the_newest_look_counts),
		cmocka_unit_test(test_redacted_values_are_not_there),
		cmocka_unit_test(test_what_is_cut_or_false_is_left_out),
		cmocka_unit_test(test_text_that_does_not_fit_is_cut),
		cmocka_unit_test(test_message_and_note_say_it_where_they_name_the_task_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
