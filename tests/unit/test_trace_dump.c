/* SPDX-License-Identifier: MIT */
/*
 * test_trace_dump.c - the lines of dump, its filters, and what info says.
 */
#include "trace/trace_writer.h"
#include "trace_scratch.h"
#include "viewer/dump.h"
#include "viewer/info.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *sample(void)
{
	static const uint64_t ip[] = { 0x10 };
	struct trace_wait wait = { .kind = TRACE_WAIT_COND,
				   .object = 2,
				   .other = 1,
				   .stack = 1,
				   .mode = TRACE_MODE_TIMED };
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 9);

	trace_writer_command(w, "server -v");
	trace_writer_stack(w, 1, ip, 1);
	trace_writer_module(w, 0x1000, 0x2000, 0, "/bin/server", "\xab\xcd", 2, false);
	trace_writer_thread(w, 1, 0, 0);
	trace_writer_thread(w, 2, 1, 1);
	trace_writer_name(w, 2, "work\033er");
	trace_writer_object(w, 1, TRACE_OBJECT_MUTEX, 1, 1, 1);
	trace_writer_object(w, 2, TRACE_OBJECT_COND, 2, 1, 1);
	trace_writer_begin(w, 0, 1);
	trace_writer_create(w, 0, 2, 1);
	trace_writer_begin(w, 1, 2);
	trace_writer_event(w, 1, TRACE_REQUEST, 0, 1, 1, 1, TRACE_MODE_SHARED | TRACE_MODE_TIMED, 0,
			   0);
	trace_writer_event(w, 1, TRACE_ACQUIRE_FAIL, 0, 1, 0, 1, TRACE_MODE_TRY, EBUSY, 0);
	trace_writer_acquire(w, 1, 1, 1);
	trace_writer_event(w, 1, TRACE_RELEASE_ODD, 0, 1, 0, 0, UINT64_MAX, EPERM, 0);
	trace_writer_event(w, 1, TRACE_RELEASE_ODD, 0, 1, 0, 0, 2, 0, 0);
	trace_writer_event(w, 1, TRACE_GONE, 0, 1, 0, 0, TRACE_GONE_FREED, 0, 0);
	trace_writer_event(w, 1, TRACE_BARRIER_LEAVE, 0, 7, 0, 0, 0, -1, 0);
	trace_writer_event(w, 1, TRACE_COND_WAIT, 0, 2, 1, 1, TRACE_MODE_TIMED, 0, 0);
	trace_writer_get_header(w)->objects = 7;
	trace_writer_wait(w, 1, &wait);
	trace_writer_finish(w, 0);
	return dir;
}

static char *dump(const char *dir, const struct dump_options *options)
{
	struct trace_reader *r = scratch_open(dir);
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	struct diag diag;

	assert_int_equal(dump_write(r, options, out, &diag), 0);
	fclose(out);
	trace_reader_free(r);
	return text;
}

static const char *frame(void *context, size_t process, uint32_t stack, uint64_t time_ns)
{
	(void)time_ns;
	assert_int_equal(process, 0);
	return stack == 1 ? context : NULL;
}

static void test_one_line_per_event(void **state)
{
	struct dump_options options = { .frame = NULL };
	char *dir = sample();
	char *text = dump(dir, &options);

	(void)state;
	assert_string_equal(
		text,
		"# process 9.0: server -v\n"
		"    0.000001000  1  thread-begin thread=1\n"
		"    0.000002000  1  create thread=2 work\\x1ber stack=1 = 0\n"
		"    0.000003000  2 work\\x1ber  thread-begin thread=2 work\\x1ber\n"
		"    0.000004000  2 work\\x1ber  request  mutex#1 stack=1 mode=shared|timed holder=1\n"
		"    0.000005000  2 work\\x1ber  acquire-fail  mutex#1 stack=1 mode=try = EBUSY\n"
		"    0.000006000  2 work\\x1ber  acquire  mutex#1 stack=1 seq=1\n"
		"    0.000007000  2 work\\x1ber  release-odd  mutex#1 owner=never-seen-locked = EPERM\n"
		"    0.000008000  2 work\\x1ber  release-odd  mutex#1 owner=2 work\\x1ber = 0\n"
		"    0.000009000  2 work\\x1ber  gone  mutex#1 why=freed\n"
		"    0.000010000  2 work\\x1ber  barrier-leave  object#7 = serial-thread\n"
		"    0.000011000  2 work\\x1ber  cond-wait  condition-variable#2 mutex#1 stack=1 mode=timed\n"
		"# thread 2 work\\x1ber waits on condition-variable#2 with mutex#1 since 0.000011000 mode=timed stack=1\n"
		"# incomplete: the process was killed or still runs\n");
	free(text);
	options = (struct dump_options){ .frame = frame,
					 .frame_context = (void *)(uintptr_t) "f\n a.c:3" };
	text = dump(dir, &options);
	assert_non_null(strstr(text, "create thread=2 work\\x1ber stack=1 (f\\n a.c:3) = 0\n"));
	free(text);
	scratch_remove(dir);
}

static size_t lines(const char *dir, const char *filter, const char *more)
{
	struct dump_options options = { .frame = NULL };
	struct dump_filter *f = NULL;
	struct diag diag;
	char *text;
	size_t n = 0;

	assert_int_equal(dump_filter_add(&f, filter, &diag), 0);
	if (more) {
		assert_int_equal(dump_filter_add(&f, more, &diag), 0);
	}
	options.filter = f;
	text = dump(dir, &options);
	for (char *line = text; *line; line = strchr(line, '\n') + 1) {
		n += *line == ' ';
	}
	free(text);
	dump_filter_free(f);
	return n;
}

static void test_filters(void **state)
{
	char *dir = sample();
	struct dump_filter *f = NULL;
	struct diag diag;

	(void)state;
	assert_int_equal(lines(dir, "thread=1", NULL), 2);
	assert_int_equal(lines(dir, "thread=1,thread=2", NULL), 11);
	assert_int_equal(lines(dir, "thread=w*r", NULL), 9);
	assert_int_equal(lines(dir, "op=acquire", NULL), 1);
	assert_int_equal(lines(dir, "op=acquire*,op=gone", NULL), 3);
	assert_int_equal(lines(dir, "object=1", NULL), 7); /* as P of the condition wait too */
	assert_int_equal(lines(dir, "object=1", "op=release-odd"), 2);
	assert_int_equal(lines(dir, "kind=mutex", NULL), 6);
	assert_int_equal(lines(dir, "stack=1,thread=2", NULL), 4);
	assert_int_equal(lines(dir, "process=9", NULL), 11);
	assert_int_equal(lines(dir, "process=9.0", NULL), 11);
	assert_int_equal(lines(dir, "process=8", NULL), 0);
	assert_int_equal(dump_filter_add(&f, "op=gone", &diag), 0);
	assert_int_equal(dump_filter_add(&f, "thread=2,op=nonsense", &diag), THRUM_EINVAL);
	assert_non_null(strstr(diag.message, "nonsense"));
	assert_int_equal(dump_filter_add(&f, "colour=red", &diag), THRUM_EINVAL);
	assert_int_equal(dump_filter_add(&f, "object=x", &diag), THRUM_EINVAL);
	assert_int_equal(dump_filter_add(&f, "kind=x", &diag), THRUM_EINVAL);
	assert_int_equal(dump_filter_add(&f, "thread", &diag), THRUM_EINVAL);
	assert_int_equal(dump_filter_add(&f, "", &diag), THRUM_EINVAL);
	assert_non_null(f); /* as it was */
	dump_filter_free(f);
	dump_filter_free(NULL);
	scratch_remove(dir);
}

static void test_write_errors_are_told(void **state)
{
	struct dump_options options = { .frame = NULL };
	struct info_options info = { .json = false };
	char *dir = sample();
	struct trace_reader *r = scratch_open(dir);
	struct diag diag = { "" };
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(dump_write(r, &options, full, &diag), THRUM_EIO);
	assert_non_null(strstr(diag.message, "No space left"));
	assert_int_equal(info_write(r, &info, full, &diag), THRUM_EIO);
	fclose(full);
	trace_reader_free(r);
	scratch_remove(dir);
}

static char *info(const char *dir, bool json)
{
	struct info_options options = { .json = json, .modules = true };
	struct trace_reader *r = scratch_open(dir);
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_int_equal(info_write(r, &options, out, NULL), 0);
	fclose(out);
	trace_reader_free(r);
	return text;
}

static void test_info_as_text(void **state)
{
	char *dir = sample();
	char *text = info(dir, false);

	(void)state;
	assert_non_null(strstr(text, "process 9.0\n"));
	assert_non_null(strstr(text, "command     server -v\n"));
	assert_non_null(strstr(text, "threads     2, 1 blocked in a recorded call at the end\n"));
	assert_non_null(strstr(
		text, "objects     1 mutex, 1 condition variable, 5 without a definition\n"));
	assert_non_null(strstr(text, "complete    no: the process was killed or still runs\n"));
	assert_non_null(strstr(text, "events      11\n"));
	assert_non_null(strstr(text, "           2   18.2 %  release-odd\n"));
	assert_non_null(strstr(text, "0x1000-0x2000  /bin/server  abcd\n"));
	free(text);
	scratch_remove(dir);
}

static void test_info_as_json(void **state)
{
	char *dir = sample();
	char *text = info(dir, true);
	json_t *root = json_loads(text, 0, NULL);
	const json_t *p = json_array_get(json_object_get(root, "processes"), 0);

	(void)state;
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "schema")), "thrum-info/1");
	assert_int_equal(json_integer_value(json_object_get(p, "events")), 11);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(p, "by_event"), "release-odd")),
		2);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(p, "objects"), "mutex")), 1);
	assert_true(json_is_false(json_object_get(p, "complete")));
	assert_null(json_object_get(p, "exit"));
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(p, "modules"), 0), "build_id")),
			    "abcd");
	json_decref(root);
	free(text);
	scratch_remove(dir);
}

/* Thread 2 waits for half of its life, while the main thread has the GIL. */
static char *sample_with_gil(uint64_t waits)
{
	struct tf_def_runtime runtime = { .version = 0x030b02 };
	struct tf_def_gil worker = {
		.thread = 2, .waits = waits, .wait_ticks = 100000000, .longest_ticks = 500000
	};
	struct tf_def_gil hog = { .thread = 1, .kept_ticks = 100000000 };
	char *dir = scratch_new();
	struct trace_writer *w = trace_writer_new(dir, 9);

	trace_writer_thread(w, 1, 0, 0);
	trace_writer_thread(w, 2, 1, 0);
	trace_writer_name(w, 2, "worker");
	trace_writer_raw_def(w, TF_DEF_RUNTIME, &runtime, sizeof(runtime), NULL, 0);
	trace_writer_raw_def(w, TF_DEF_GIL, &worker, waits ? sizeof(worker) : 16, NULL, 0);
	trace_writer_raw_def(w, TF_DEF_GIL, &hog, sizeof(hog), NULL, 0);
	trace_writer_event(w, 0, TRACE_THREAD_BEGIN, 100, 0, 0, 0, 1, 0, 0);
	trace_writer_event(w, 1, TRACE_THREAD_BEGIN, 100, 0, 0, 0, 2, 0, 0);
	trace_writer_event(w, 1, TRACE_THREAD_END, 200000100, 0, 0, 0, 0, 0, 0);
	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
	return dir;
}

static void test_info_of_the_gil(void **state)
{
	char *dir = sample_with_gil(1234), *text = info(dir, false), *json = info(dir, true);
	json_t *root = json_loads(json, 0, NULL), *gil, *thread;

	(void)state;
	assert_non_null(strstr(
		text,
		"  gil         1 thread waited 1234 times, 1.000 s together, 0.005 s at most: "
		"\"worker\" 1.000 s (50 % of its time); while it was had by the main thread 1.000 s\n"));
	gil = json_object_get(
		json_object_get(json_array_get(json_object_get(root, "processes"), 0), "python"),
		"gil");
	assert_int_equal(json_integer_value(json_object_get(gil, "waits")), 1234);
	assert_int_equal(json_integer_value(json_object_get(gil, "wait_ns")), 1000000000);
	assert_int_equal(json_array_size(json_object_get(gil, "threads")), 2);
	thread = json_array_get(json_object_get(gil, "threads"), 0);
	assert_string_equal(json_string_value(json_object_get(thread, "name")), "worker");
	thread = json_array_get(json_object_get(gil, "threads"), 1);
	assert_int_equal(json_integer_value(json_object_get(thread, "kept_ns")), 1000000000);
	json_decref(root);
	free(json);
	free(text);
	scratch_remove(dir);
}

static void test_info_without_waits_for_the_gil(void **state)
{
	char *dir = sample_with_gil(0); /* a definition that is cut */
	char *text = info(dir, false), *json = info(dir, true);

	(void)state;
	assert_null(strstr(text, "  gil "));
	assert_null(strstr(json, "\"gil\""));
	free(json);
	free(text);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_line_per_event),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_write_errors_are_told),
		cmocka_unit_test(test_info_as_text),
		cmocka_unit_test(test_info_as_json),
		cmocka_unit_test(test_info_of_the_gil),
		cmocka_unit_test(test_info_without_waits_for_the_gil),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
