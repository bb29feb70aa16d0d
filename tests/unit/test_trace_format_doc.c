/* SPDX-License-Identifier: MIT */
/*
 * test_trace_format_doc.c - trace/FORMAT.md says what spec/ and the encoder say.
 */
#include "trace/trace_decode.h"
#include "trace/trace_ops.h"
#include "trace/trace_reader.h"
#include "trace_scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_doc(void)
{
	size_t bytes;
	char *text = scratch_read(THRUM_SOURCE_DIR "/trace", "FORMAT.md", &bytes);

	assert_non_null(text);
	text[bytes] = '\0';
	return text;
}

static size_t count_rows(const char *from, const char *to)
{
	size_t n = 0;

	for (const char *p = from; p < to; p++) {
		n += p[0] == '\n' && p[1] == '|' && p[2] == ' ' && p[3] >= '0' && p[3] <= '9';
	}
	return n;
}

static void test_every_event_has_its_row(void **state)
{
	char *doc = read_doc();
	const char *from = strstr(doc, "### Events"), *to = strstr(doc, "### Kinds of object");
	size_t ops = 0;

	(void)state;
	assert_true(from && to && from < to);
	for (unsigned op = 0; op < TF_OPS; op++) {
		const struct trace_op_info *info = trace_op_get(op);
		char row[1024];
		const char *found;

		if (!info) {
			continue;
		}
		ops++;
		snprintf(row, sizeof(row), "\n| %u | `%s` | %s | %s | %s |\n", op, info->name,
			 info->word, info->letters, info->doc);
		found = strstr(from, row);
		if (!found || found > to) {
			fail_msg("FORMAT.md lacks this row:%s", row);
		}
	}
	assert_int_equal(count_rows(from, to), ops);
	free(doc);
}

static void test_every_kind_of_object_has_its_row(void **state)
{
	static const char *const rows[] = {
#define OBJECT(num, NAME, word, is_lock, doc) \
	"\n| " #num " | `" #NAME "` | " word " | " #is_lock " | " doc " |\n",
#include "spec/objects.def"
#undef OBJECT
	};
	char *doc = read_doc();
	const char *from = strstr(doc, "### Kinds of object"),
		   *to = strstr(doc, "### Kinds of task");

	(void)state;
	assert_true(from && to && from < to);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char row[1024], *flag;

		/* the table says yes and no */
		snprintf(row, sizeof(row), "%s", rows[i]);
		flag = strstr(row, " | 1 | ");
		flag = flag ? flag : strstr(row, " | 0 | ");
		assert_non_null(flag);
		snprintf(row, sizeof(row), "%.*s | %s | %s", (int)(flag - row), rows[i],
			 flag[3] == '1' ? "yes" : "no", rows[i] + (flag - row) + 7);
		if (!strstr(from, row)) {
			fail_msg("FORMAT.md lacks this row:%s", row);
		}
	}
	assert_int_equal(count_rows(from, to), sizeof(rows) / sizeof(rows[0]));
	free(doc);
}

static void test_every_kind_of_task_has_its_row(void **state)
{
	static const char *const rows[] = {
#define TASK(number, NAME, word, library, life) \
	"\n| " #number " | `" #NAME "` | " word " | " library " | " #life " |\n",
#include "spec/tasks.def"
#undef TASK
	};
	char *doc = read_doc();
	const char *from = strstr(doc, "### Kinds of task"), *to = strstr(doc, "## 5.");

	(void)state;
	assert_true(from && to && from < to);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char row[256];
		size_t length = strlen(rows[i]);

		/* the table says it in small letters */
		memcpy(row, rows[i], length + 1);
		for (char *p = row + length - 1; strncmp(p, " | ", 3); p--) {
			*p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
		}
		if (!strstr(from, row)) {
			fail_msg("FORMAT.md lacks this row:%s", row);
		}
	}
	assert_int_equal(count_rows(from, to), sizeof(rows) / sizeof(rows[0]));
	free(doc);
}

/* The examples of the text, decoded. */
static void test_examples_decode_as_told(void **state)
{
	static const uint8_t bytes[] = { 0x0a, 0x05, 0x07, 0x84, 0x90, 0x01,
					 0x07, 0x03, 0x02, 0x4a, 0x05 };
	struct trace_layout layout;
	struct trace_decoder d;
	struct trace_record r;
	char *doc = read_doc();

	(void)state;
	assert_non_null(strstr(doc, "| `0a 05 07` | `RELEASE` 5 ticks later, object 7 |"));
	assert_non_null(
		strstr(doc, "| `84 90 01 07 03 02` | `ACQUIRE` 144 ticks later, object 7, stack 3, "
			    "and it is acquire number 2"));
	assert_non_null(strstr(doc, "| `4a 05` | `RELEASE` 5 ticks later, the same object |"));
	free(doc);
	trace_layout_init(&layout, NULL);
	trace_decoder_init(&d, &layout, bytes, sizeof(bytes), 0);
	assert_int_equal(trace_decode_next(&d, &r), TRACE_DECODE_RECORD);
	assert_int_equal(r.op, TRACE_RELEASE);
	assert_int_equal(r.ticks, 5);
	assert_int_equal(r.field[TRACE_FIELD_O], 7);
	assert_int_equal(trace_decode_next(&d, &r), TRACE_DECODE_RECORD);
	assert_int_equal(r.op, TRACE_ACQUIRE);
	assert_int_equal(r.ticks, 149);
	assert_int_equal(r.field[TRACE_FIELD_O], 7);
	assert_int_equal(r.field[TRACE_FIELD_S], 3);
	assert_true(r.has_seq);
	assert_int_equal(r.seq, 2);
	assert_int_equal(trace_decode_next(&d, &r), TRACE_DECODE_RECORD);
	assert_int_equal(r.op, TRACE_RELEASE);
	assert_int_equal(r.field[TRACE_FIELD_O], 7);
	assert_int_equal(trace_decode_next(&d, &r), TRACE_DECODE_END);
}

static void test_version_in_the_title(void **state)
{
	char *doc = read_doc(), title[64];

	(void)state;
	snprintf(title, sizeof(title), "# The trace format, version %u.%u\n", TF_MAJOR, TF_MINOR);
	assert_int_equal(strncmp(doc, title, strlen(title)), 0);
	free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_event_has_its_row),
		cmocka_unit_test(test_every_kind_of_object_has_its_row),
		cmocka_unit_test(test_every_kind_of_task_has_its_row),
		cmocka_unit_test(test_examples_decode_as_told),
		cmocka_unit_test(test_version_in_the_title),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
