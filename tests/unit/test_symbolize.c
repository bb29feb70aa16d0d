/* SPDX-License-Identifier: MIT */
/*
 * test_symbolize.c - every part of a finding that names a stack, a lock or a start routine gets its words, and they
 * outlive the symbols.
 */
#include "analyzer/symbolize.h"
#include "elf_fixture.h"
#include "trace/trace_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SOURCE "symbols_c.c"

enum { STACK = 1, LOCK = 1, HEAP_LOCK = 2, THREAD = 2 };

static char *directory;

static uint64_t data_address(struct recorded *r, int index)
{
	void *(*address)(int) = (void *(*)(int))(uintptr_t)recorded_function(r, "data_address");

	return (uint64_t)(uintptr_t)address(index);
}

/* A trace with two processes that loaded the fixture at the same place. */
static struct trace_reader *write_trace(struct recorded *r)
{
	char path[600];
	struct trace_reader *reader;

	snprintf(path, sizeof(path), "%s/trace", directory);
	fixture_command("rm -rf '%s'", path);
	for (uint32_t pid = 10; pid < 12; pid++) {
		struct trace_writer *w = trace_writer_new(path, pid);

		trace_writer_module(w, r->modules[0].start, r->modules[0].end, r->modules[0].bias,
				    r->path, r->build_id, r->modules[0].build_id_bytes, false);
		trace_writer_stack(w, STACK, r->ips, 2);
		trace_writer_thread(w, 1, 0, 0);
		trace_writer_object(w, LOCK, TRACE_OBJECT_MUTEX, data_address(r, 1), STACK, 1);
		trace_writer_object(w, HEAP_LOCK, TRACE_OBJECT_MUTEX, 0x10, STACK, 1);
		trace_writer_begin(w, 0, 1);
		trace_writer_acquire(w, 0, LOCK, STACK);
		trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	}
	assert_int_equal(trace_reader_open(path, &reader, NULL), 0);
	return reader;
}

static struct finding *add_finding(struct finding_list *list, size_t process,
				   uint64_t start_routine, uint64_t lock_address)
{
	struct finding *f = finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, process);
	struct finding_thread *thread = finding_add_thread(list, f, THREAD);
	struct finding_lock *lock;

	thread->created_stack = STACK;
	thread->start_routine = start_routine;
	lock = finding_add_lock(list, f, LOCK);
	lock->address = lock_address;
	lock->first_seen_stack = STACK;
	finding_add_lock(list, f, HEAP_LOCK)->address = 0x10;
	finding_add_stack(list, f, ROLE_HOLDS, THREAD, LOCK, STACK);
	finding_add_stack(list, f, ROLE_WAITS, THREAD, LOCK, 0);
	finding_add_stack(list, f, ROLE_WAITS, THREAD, LOCK, 99);
	finding_commit(list, f);
	return f;
}

static void expect_stack(const struct frames *frames)
{
	static const char *const names[] = { "innermost", "middle", "hidden", "outermost" };

	assert_int_equal(frames->count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(frames->frame[i].function, names[i]);
		assert_int_equal(frames->frame[i].line, fixture_line(SOURCE, names[i]));
		assert_int_equal(frames->frame[i].inlined, i < 2);
		assert_string_equal(frames->frame[i].language, "c");
		assert_non_null(frames->frame[i].build_id);
	}
}

static void test_all_parts_of_a_finding_are_filled(void **state)
{
	struct finding_list *list = finding_list_new();
	struct trace_reader *reader;
	struct finding *findings[2];
	struct recorded r;
	uint64_t routine;
	char path[600];

	(void)state;
	snprintf(path, sizeof(path), "%s/fixture.so", directory);
	fixture_command("cc -shared -fPIC -pthread -O2 -g -o '%s' '%s'", path,
			fixture_source(SOURCE));
	recorded_init(&r, path);
	recorded_call(&r, "outermost");
	routine = (uint64_t)(uintptr_t)recorded_function(&r, "raise_signal");
	reader = write_trace(&r);
	for (size_t i = 0; i < 2; i++)
		findings[i] = add_finding(list, i, routine, data_address(&r, 1));
	add_finding(list, 7, routine, 0); /* of no process: left alone */

	symbolize_findings(list, reader, NULL);
	trace_reader_free(reader);
	recorded_release(&r);
	for (size_t i = 0; i < 2; i++) {
		const struct finding *f = findings[i];

		expect_stack(&f->threads[0].created_at);
		assert_string_equal(f->threads[0].start_function, "raise_signal");
		expect_stack(&f->locks[0].first_seen);
		assert_string_equal(f->locks[0].name, "accounts[3].lock");
		assert_null(f->locks[1].name);
		expect_stack(&f->stacks[0].frames);
		assert_int_equal(f->stacks[1].frames.count, 0);
		assert_int_equal(f->stacks[2].frames.count, 0);
	}
	assert_int_equal(finding_list_get(list, 2)->stacks[0].frames.count, 0);
	finding_list_free(list);
}

static void test_names_given_by_a_checker_stay(void **state)
{
	struct finding_list *list = finding_list_new();
	struct trace_reader *reader;
	struct finding *f;
	struct recorded r;
	char path[600];

	(void)state;
	snprintf(path, sizeof(path), "%s/named.so", directory);
	fixture_command("cc -shared -fPIC -pthread -O2 -g -o '%s' '%s'", path,
			fixture_source(SOURCE));
	recorded_init(&r, path);
	recorded_call(&r, "outermost");
	reader = write_trace(&r);
	f = add_finding(list, 0, 0, data_address(&r, 1));
	f->locks[0].name = "/named-semaphore";
	symbolize_findings(list, reader, NULL);
	assert_string_equal(f->locks[0].name, "/named-semaphore");
	assert_null(f->threads[0].start_function);
	trace_reader_free(reader);
	recorded_release(&r);
	finding_list_free(list);
}

static void test_modules_are_found_in_the_directories_given(void **state)
{
	const char *directories[2] = { NULL, NULL };
	struct symbolize_options options = { .directories = directories };
	struct finding_list *list = finding_list_new();
	struct trace_reader *reader;
	struct finding *f;
	struct recorded r;
	char path[600], elsewhere[600];

	(void)state;
	snprintf(path, sizeof(path), "%s/here.so", directory);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", directory);
	fixture_command("cc -shared -fPIC -pthread -O2 -g -o '%s' '%s'", path,
			fixture_source(SOURCE));
	recorded_init(&r, path);
	recorded_call(&r, "outermost");
	reader = write_trace(&r);
	fixture_command("mkdir '%s' && mv '%s' '%s'", elsewhere, path, elsewhere);
	f = add_finding(list, 0, 0, data_address(&r, 1));
	directories[0] = elsewhere;
	symbolize_findings(list, reader, &options);
	expect_stack(&f->stacks[0].frames);
	trace_reader_free(reader);
	recorded_release(&r);
	finding_list_free(list);
}

static int set_up(void **state)
{
	(void)state;
	directory = fixture_directory();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_remove(directory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_parts_of_a_finding_are_filled),
		cmocka_unit_test(test_names_given_by_a_checker_stay),
		cmocka_unit_test(test_modules_are_found_in_the_directories_given),
	};

	return cmocka_run_group_tests_name("symbolize", tests, set_up, tear_down);
}
