/* SPDX-License-Identifier: MIT */
/*
 * fuzz_std.c - a trace in STD form of any bytes: the reader stays inside and names the line where it stops; what it took is a sequence
 * that could have been, every prediction about it ends and plays, and those made while events come in are the same.
 */
#include "fuzz_check.h"

#include "analyzer/predict/predict.h"
#include "analyzer/predict/races.h"
#include "analyzer/predict/std_reader.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* What was found, kept or not. */
struct found {
	struct predict_counts deadlocks;
	struct races_counts shb;
	size_t count;
};

static void finish(struct predictor *predictor, const struct predict_sequence *s,
		   struct found *ret_found)
{
	struct predict_result r;
	struct diag diag;

	check(!predictor_finish(predictor, s, &r, &diag));
	check(!r.counts.refused && r.counts.proven <= r.counts.reachable);
	check(r.count <= r.counts.patterns && r.counts.ordered <= r.counts.patterns);
	ret_found->deadlocks = r.counts;
	ret_found->count = r.count;
	predict_result_release(&r);
}

static const struct predict_options options = { .budget = 1000000 };

static void check_predictions(const struct predict_sequence *s, struct found *ret_found)
{
	struct predictor *predictor = predictor_new(&options);
	struct races_counts hb;

	predictor_hear(predictor, s, s->event, s->count, 0);
	finish(predictor, s, ret_found);
	predictor_free(predictor);
	races_find(s, RACES_HB, NULL, NULL, &hb);
	races_find(s, RACES_SHB, NULL, NULL, &ret_found->shb);
	check(ret_found->shb.events <= hb.events && hb.events <= s->count);
	check(!hb.events == !ret_found->shb.events);
}

/* Nothing is kept: threads, locks and variables come while others have been seen. */
static void check_heard(const char *text, size_t size, const struct found *kept)
{
	struct predictor *predictor = predictor_new(&options);
	struct races *races = races_new(RACES_SHB, NULL, NULL);
	struct predict_sequence s = { .window = 3 };
	struct races_counts shb;
	struct found found;
	struct diag diag;

	predict_sequence_hear(&s, (struct predict_listener){ predictor_hear, predictor });
	predict_sequence_hear(&s, (struct predict_listener){ races_hear, races });
	if (std_read_text(text, size, &s, &diag)) {
		predict_sequence_end(&s);
	}
	finish(predictor, &s, &found);
	check(found.deadlocks.edges == kept->deadlocks.edges &&
	      found.deadlocks.patterns == kept->deadlocks.patterns &&
	      found.deadlocks.ordered == kept->deadlocks.ordered &&
	      found.deadlocks.reachable == kept->deadlocks.reachable &&
	      found.deadlocks.proven == kept->deadlocks.proven &&
	      found.deadlocks.observed == kept->deadlocks.observed);
	check(found.count == kept->count);
	shb = races_count(races);
	check(shb.events == kept->shb.events && shb.places == kept->shb.places &&
	      shb.variables == kept->shb.variables);
	predictor_free(predictor);
	races_free(races);
	predict_sequence_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_text input = fuzz_text_new(data, size);
	struct predict_sequence sequence = { 0 };
	struct diag diag = { "" };
	struct found found;

	if (std_read_text(input.text, size, &sequence, &diag)) {
		check(!strncmp(diag.message, "line ", 5));
		predict_sequence_end(&sequence);
	}
	check_sequence(&sequence, size);
	check_predictions(&sequence, &found);
	check_heard(input.text, size, &found);
	predict_sequence_release(&sequence);
	free(input.memory);
	return 0;
}
