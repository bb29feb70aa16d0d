/* SPDX-License-Identifier: MIT */
/*
 * witness.c - from a part of a sequence to where each thread stops.
 */
#include "witness.h"

/* A thread stops behind its event of this moment. */
struct cut {
	uint32_t thread, moment;
	uint32_t *end; /* in the witness */
};

void witness_init(const struct closure *closure, const uint32_t *acquire, uint32_t count,
		  struct witness *ret_witness)
{
	uint32_t threads = closure->sequence->threads.count;

	*ret_witness =
		(struct witness){ .length = count, .end = room_new(threads, sizeof(uint32_t)) };
	memcpy(ret_witness->acquire, acquire, count * sizeof(*acquire));
	memcpy(ret_witness->end, closure->in, threads * sizeof(*closure->in));
}

void witness_release(struct witness *witness)
{
	free(witness->end);
	*witness = (struct witness){ 0 };
}

static int compare_cuts(const void *a, const void *b)
{
	const struct cut *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return (x->moment > y->moment) - (x->moment < y->moment);
}

/* Moment 1 is before all events. */
static struct cut *collect_cuts(uint32_t threads, struct witness *const *witness, size_t count,
				size_t *ret_cuts)
{
	struct cut *cut = room_new(count * threads, sizeof(*cut));
	size_t cuts = 0;

	for (size_t w = 0; w < count; w++)
		for (uint32_t t = 0; t < threads; t++) {
			uint32_t moment = witness[w]->end[t];

			witness[w]->end[t] = 0;
			if (moment > 1)
				cut[cuts++] = (struct cut){ t, moment, &witness[w]->end[t] };
		}
	qsort(cut, cuts, sizeof(*cut), compare_cuts);
	*ret_cuts = cuts;
	return cut;
}

struct cutter {
	const struct cut **next; /* owns; by thread */
	const struct cut *end;
	uint32_t *moment; /* owns; by thread */
	size_t left;
};

static void tick(struct cutter *c, uint32_t thread, size_t event)
{
	uint32_t moment = ++c->moment[thread];

	while (c->next[thread] < c->end && c->next[thread]->thread == thread &&
	       c->next[thread]->moment == moment) {
		*c->next[thread]++->end = (uint32_t)event + 1;
		c->left--;
	}
}

void witnesses_cut(const struct predict_sequence *sequence, const struct acquires *acquires,
		   struct witness *const *witness, size_t count)
{
	uint32_t threads = sequence->threads.count;
	size_t cuts;
	struct cut *cut = collect_cuts(threads, witness, count, &cuts);
	struct cutter c = { .next = room_new(threads, sizeof(*c.next)),
			    .end = cut + cuts,
			    .moment = room_new(threads, sizeof(*c.moment)),
			    .left = cuts };

	for (uint32_t t = 0; t < threads; t++) {
		c.next[t] = c.end;
		c.moment[t] = 1;
	}
	for (size_t i = cuts; i-- > 0;)
		c.next[cut[i].thread] = &cut[i];
	for (size_t i = 0; c.left && i < sequence->count; i++) {
		const struct predict_event *e = &sequence->event[i];

		if (order_ticks((enum predict_op)e->op))
			tick(&c, e->thread, i);
		else if (e->op == PREDICT_JOIN)
			tick(&c, e->object, i);
	}
	/* What a thread of the ring reads right before its acquire is in, too. */
	for (size_t w = 0; w < count; w++)
		for (uint32_t i = 0; i < witness[w]->length; i++) {
			const struct acquire *a = &acquires->acquire[witness[w]->acquire[i]];

			witness[w]->end[a->thread] = a->event;
		}
	free(cut);
	free(c.next);
	free(c.moment);
}
