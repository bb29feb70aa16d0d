/* SPDX-License-Identifier: MIT */
/*
 * test_model_hostile.c - random events through the model and every checker: no input crashes,
 * loops, or makes a text that names what the finding does not list.
 */
#include "event_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void random_event(uint64_t *x, struct trace_event *e)
{
	uint64_t r = next(x);

	memset(e, 0, sizeof(*e));
	e->op = r % 61;
	e->thread = (r >> 8) % 9;
	e->stream = (r >> 12) % 9;
	e->object = 60 + (r >> 16) % 20;
	e->other = 60 + (r >> 22) % 20;
	e->stack = (r >> 28) % 7;
	e->arg = r >> 33 & 3 ? (r >> 36) % 10 : next(x);
	e->result = r >> 40 & 3 ? 0 : (int32_t)((r >> 42) % 135) - 1;
	if (e->op == TRACE_TASK || e->op == TRACE_TASK_NEW)
		e->result = (int32_t)((r >> 42) % 40); /* steps, kinds */
}

static void random_process(uint64_t *x, struct feed *f)
{
	for (uint32_t i = 0; i < FEED_OBJECTS; i++) {
		f->object[i].kind = next(x) % 17;
		f->object[i].attributes = next(x) & 7 ? (uint32_t)(next(x) % 4) : (uint32_t)next(x);
	}
	for (uint32_t i = 0; i < FEED_WAITS; i++)
		f->wait[i] = (struct trace_wait_state){ .thread = next(x) % 10,
							.wait = { .kind = next(x) % 8,
								  .mode = next(x) % 8,
								  .object = 60 + next(x) % 20,
								  .other = next(x) % 80 } };
	f->process.wait_count = FEED_WAITS;
	f->process.exit_kind = next(x) % 4;
}

static void test_random_events(void **state)
{
	uint64_t x = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 150; round++) {
		struct trace_event e;
		struct feed f;

		feed_init(&f);
		random_process(&x, &f);
		for (int i = 0; i < 40 + round * 10; i++) {
			random_event(&x, &e);
			feed_event(&f, &e);
		}
		feed_end(&f);
		finding_expand_names(f.findings);
		for (size_t i = 0; i < finding_list_count(f.findings); i++) {
			const struct finding *y = finding_list_get(f.findings, i);

			assert_non_null(y->title);
			assert_non_null(y->message);
			assert_null(strstr(y->title, "{lock:"));
			assert_null(strstr(y->title, "{thread:"));
		}
		feed_release(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
