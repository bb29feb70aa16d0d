/* SPDX-License-Identifier: MIT */
/*
 * witness.c - what can be told of a part of a sequence: how much it is, and its last steps.
 */
#include "witness.h"

void witness_init(const struct closure *closure, const uint32_t *acquire, uint32_t count,
		  struct witness *ret_witness)
{
	uint32_t threads = closure->sequence->threads.count;

	*ret_witness = (struct witness){ .length = count,
					 .in = room_new(threads, sizeof(uint32_t)),
					 .end = room_new(threads, sizeof(uint32_t)) };
	memcpy(ret_witness->acquire, acquire, count * sizeof(*acquire));
	memcpy(ret_witness->in, closure->in, threads * sizeof(*closure->in));
}

void witness_release(struct witness *witness)
{
	free(witness->in);
	free(witness->end);
	*witness = (struct witness){ 0 };
}

/* ---- the events that are told of, whoever has them: the sequence, or the digest ---- */

struct told {
	const struct digest *digest;
	const struct predict_sequence *sequence;
	size_t blocks;
};

static struct told told_of(const struct digest *digest, const struct predict_sequence *sequence)
{
	return (struct told){ digest, sequence,
			      predict_sequence_keeps(sequence)
				      ? (sequence->count + DIGEST_BLOCK - 1) / DIGEST_BLOCK
				      : digest_blocks(digest) };
}

/* Without what is no event of its own. */
static size_t told_read(const struct told *t, size_t block,
			struct digest_event ret_event[DIGEST_BLOCK])
{
	const struct predict_sequence *s = t->sequence;
	size_t first = block * DIGEST_BLOCK, count = 0;

	if (!predict_sequence_keeps(s)) {
		size_t all = digest_read(t->digest, block, ret_event);

		for (size_t i = 0; i < all; i++)
			if (digest_is_event(ret_event[i].op))
				ret_event[count++] = ret_event[i];
		return count;
	}
	for (; count < DIGEST_BLOCK && first + count < s->count; count++) {
		const struct predict_event *e = &s->event[first + count];

		ret_event[count] = (struct digest_event){ .event = (uint32_t)(first + count),
							  .thread = e->thread,
							  .detail = e->place };
	}
	return count;
}

/* ---- how many ---- */

/* Where a witness ends in a thread. */
struct end {
	uint32_t event, thread;
	struct witness *witness;
};

static int compare_ends(const void *a, const void *b)
{
	const struct end *x = a, *y = b;

	return (x->event > y->event) - (x->event < y->event);
}

static void count_events(const struct predict_sequence *s, struct witness *const *witness,
			 size_t count)
{
	uint32_t threads = s->threads.count;
	struct end *end = room_new(count * threads, sizeof(*end));
	size_t *done = room_new(threads, sizeof(*done)), ends = 0, event = 0;

	for (size_t w = 0; w < count; w++) {
		witness[w]->events = 0;
		for (uint32_t t = 0; t < threads; t++)
			end[ends++] = (struct end){ witness[w]->end[t], t, witness[w] };
	}
	qsort(end, ends, sizeof(*end), compare_ends);
	for (size_t i = 0; i < ends; i++) {
		for (; event < end[i].event; event++)
			done[s->event[event].thread]++;
		end[i].witness->events += done[end[i].thread];
	}
	free(end);
	free(done);
}

/* ---- the last steps ---- */

/* The event before those that were seen. False = it is of one step too many. */
static bool step_back(struct witness *w, const struct digest_event *e)
{
	struct witness_step *step = w->steps ? &w->step[w->steps - 1] : NULL;

	if (!step || step->thread != e->thread) {
		if (w->steps == WITNESS_STEPS)
			return false;
		step = &w->step[w->steps++];
		*step = (struct witness_step){ .thread = e->thread, .last = e->detail };
	}
	step->first = e->detail;
	step->count++;
	return true;
}

static void turn_round(struct witness *w)
{
	for (uint32_t i = 0; i < w->steps / 2; i++) {
		struct witness_step step = w->step[i];

		w->step[i] = w->step[w->steps - 1 - i];
		w->step[w->steps - 1 - i] = step;
	}
}

/* The last block that begins before the event. */
static size_t block_of(const struct told *t, size_t event)
{
	size_t low = 0, high = t->blocks;

	if (predict_sequence_keeps(t->sequence))
		return event / DIGEST_BLOCK;
	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2;

		if (t->digest->start[middle].event < event)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void fill_steps(const struct told *told, struct witness *w)
{
	struct digest_event event[DIGEST_BLOCK];
	bool more = told->blocks > 0;
	size_t last = 0;

	for (uint32_t t = 0; t < told->sequence->threads.count; t++)
		last = w->end[t] > last ? w->end[t] : last;
	w->steps = 0;
	for (size_t block = more ? block_of(told, last) + 1 : 0; block-- > 0 && more;)
		for (size_t i = told_read(told, block, event); i-- > 0 && more;)
			if (event[i].event < w->end[event[i].thread])
				more = step_back(w, &event[i]);
	turn_round(w);
}

void witnesses_tell(const struct digest *digest, const struct predict_sequence *sequence,
		    struct witness *const *witness, size_t count)
{
	struct told told = told_of(digest, sequence);

	if (predict_sequence_keeps(sequence))
		count_events(sequence, witness, count);
	for (size_t w = 0; w < count; w++)
		fill_steps(&told, witness[w]);
}
