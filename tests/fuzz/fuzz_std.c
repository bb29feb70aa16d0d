/* SPDX-License-Identifier: MIT */
/*
 * fuzz_std.c - a trace in STD form of any bytes: the reader stays inside and names the line where it stops; what it took is a sequence
 * that could have been, and every prediction about it ends and plays.
 */
#include "analyzer/predict/predict.h"
#include "analyzer/predict/races.h"
#include "analyzer/predict/std_reader.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define check(condition) check_line((condition), #condition, __LINE__)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(bool ok, const char *condition, int line)
{
	if (!ok) {
		fprintf(stderr, "line %d: %s is false\n", line, condition);
		abort();
	}
}

static uint32_t objects(const struct predict_sequence *s, unsigned op)
{
	if (op == PREDICT_READ || op == PREDICT_WRITE) {
		return s->variables.count;
	}
	return op == PREDICT_FORK || op == PREDICT_JOIN ? s->threads.count : s->locks.count;
}

static void check_sequence(const struct predict_sequence *s, size_t size)
{
	uint32_t *owner = calloc(s->locks.count + 1, sizeof(*owner));

	check(owner != NULL && s->count <= size);
	for (size_t i = 0; i < s->count; i++) {
		const struct predict_event *e = &s->event[i];

		check(e->thread < s->threads.count && e->place < s->places.count);
		check(e->object < objects(s, e->op));
		if (e->op == PREDICT_ACQUIRE) {
			check(!owner[e->object]);
			owner[e->object] = e->thread + 1;
		} else if (e->op == PREDICT_RELEASE) {
			check(owner[e->object] == e->thread + 1);
			owner[e->object] = 0;
		}
	}
	free(owner);
}

static void check_predictions(const struct predict_sequence *s)
{
	struct predict_options options = { .budget = 1000000 };
	struct races_counts hb, shb;
	struct predict_result r;
	struct diag diag;

	check(!predict_deadlocks(s, &options, &r, &diag));
	check(!r.counts.refused && r.counts.proven <= r.counts.reachable);
	check(r.count <= r.counts.patterns && r.counts.ordered <= r.counts.patterns);
	predict_result_release(&r);
	races_find(s, RACES_HB, NULL, NULL, &hb);
	races_find(s, RACES_SHB, NULL, NULL, &shb);
	check(shb.events <= hb.events && hb.events <= s->count);
	check(!hb.events == !shb.events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* At the end of its allocation, so that a sanitizer sees one byte too many. */
	char *text = malloc(size + 1);
	struct predict_sequence sequence = { 0 };
	struct diag diag = { "" };

	check(text != NULL);
	if (size) {
		memcpy(text + 1, data, size);
	}
	if (std_read_text(text + 1, size, &sequence, &diag)) {
		check(!strncmp(diag.message, "line ", 5));
		predict_sequence_end(&sequence);
	}
	check_sequence(&sequence, size);
	check_predictions(&sequence);
	predict_sequence_release(&sequence);
	free(text);
	return 0;
}
