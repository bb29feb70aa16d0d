/* SPDX-License-Identifier: MIT */
/*
 * predict.c - asks of each pattern how far a reordering gets, and joins those of the same places.
 */
#include "predict.h"

#include "room.h"

#define BUDGET UINT64_C(4000000000) /* some 20 s */

struct predictor {
	struct predict_options options;
	struct digest digest;
	struct lock_order locks;
	/* While it finishes. */
	const struct predict_sequence *sequence; /* borrowed, like the result */
	struct predict_result *out;
	struct order order;
	struct acquire_index index;
	bool ready; /* order and what follows from it */
	struct closure proves, reaches, meets;
	uint32_t *slot; /* owns: hash of groups, index + 1 */
	uint32_t mask;
};

/* Where it is requested, and where the lock before it was acquired. */
static uint64_t places_of(const struct predictor *r, uint32_t acquire)
{
	const struct acquire *a = &r->out->acquires.acquire[acquire];

	return (uint64_t)a->place << 32 | r->out->acquires.acquire[a->outer].place;
}

/* Begins with its smallest places, so that equal rings are equal arrays. */
static void rotate(const struct predictor *r, uint32_t *acquire, uint32_t count)
{
	uint32_t turned[PATTERN_MOST], first = 0;

	for (uint32_t i = 1; i < count; i++)
		if (places_of(r, acquire[i]) < places_of(r, acquire[first]))
			first = i;
	for (uint32_t i = 0; i < count; i++)
		turned[i] = acquire[(first + i) % count];
	memcpy(acquire, turned, count * sizeof(*turned));
}

static bool is_same(const struct predictor *r, const struct predict_deadlock *d,
		    const uint32_t *acquire, uint32_t count)
{
	if (d->length != count)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (places_of(r, d->acquire[i]) != places_of(r, acquire[i]))
			return false;
	return true;
}

static uint32_t hash_of(const struct predictor *r, const uint32_t *acquire, uint32_t count)
{
	uint64_t hash = count;

	for (uint32_t i = 0; i < count; i++)
		hash = (hash ^ places_of(r, acquire[i])) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(hash >> 32);
}

static void grow_slots(struct predictor *r)
{
	uint32_t mask = r->slot ? r->mask * 2 + 1 : 255;

	free(r->slot);
	r->slot = room_new((size_t)mask + 1, sizeof(*r->slot));
	r->mask = mask;
	for (size_t i = 0; i < r->out->count; i++) {
		const struct predict_deadlock *d = &r->out->deadlock[i];
		uint32_t at = hash_of(r, d->acquire, d->length) & mask;

		while (r->slot[at])
			at = (at + 1) & mask;
		r->slot[at] = (uint32_t)i + 1;
	}
}

/* That of the same places; a new one where there is none. */
static struct predict_deadlock *deadlock_of(struct predictor *r, const uint32_t *acquire,
					    uint32_t count)
{
	struct predict_result *out = r->out;
	uint32_t at;

	if (!r->slot || out->count >= r->mask / 2)
		grow_slots(r);
	for (at = hash_of(r, acquire, count) & r->mask; r->slot[at]; at = (at + 1) & r->mask)
		if (is_same(r, &out->deadlock[r->slot[at] - 1], acquire, count))
			return &out->deadlock[r->slot[at] - 1];
	out->deadlock =
		room_for(out->deadlock, out->count, 1, &out->capacity, sizeof(*out->deadlock));
	out->deadlock[out->count] = (struct predict_deadlock){ .length = count };
	memcpy(out->deadlock[out->count].acquire, acquire, count * sizeof(*acquire));
	r->slot[at] = (uint32_t)out->count + 1;
	return &out->deadlock[out->count++];
}

/* Played at the end, with all others. */
static void prove(struct predictor *r, struct predict_deadlock *d, const uint32_t *acquire,
		  uint32_t count)
{
	memcpy(d->acquire, acquire, count * sizeof(*acquire));
	d->proven = true;
	witness_init(&r->proves, acquire, count, &d->witness);
}

/* Is that where the sequence ends? Then these are the requests. */
static bool is_end(const struct acquires *a, const uint32_t *abstract, uint32_t count,
		   uint32_t *ret_acquire)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct abstract_acquire *b = &a->abstract[abstract[i]];

		ret_acquire[i] = a->of_abstract[b->first + b->count - 1];
		if (acquires_is_made(a, ret_acquire[i]))
			return false;
	}
	return true;
}

static void judge(struct predictor *r, const uint32_t *abstract, uint32_t count)
{
	struct predict_counts *counts = &r->out->counts;
	uint32_t acquire[PATTERN_MOST], end[PATTERN_MOST] = { 0 };
	struct predict_deadlock *d;
	bool proven = false, observed;

	counts->patterns++;
	if (!closure_find(&r->meets, abstract, count, acquire)) {
		counts->ordered++;
		return;
	}
	if (closure_find(&r->reaches, abstract, count, acquire)) {
		counts->reachable++;
		proven = (r->sequence->variables.count || r->sequence->has_memory) &&
			 closure_find(&r->proves, abstract, count, acquire);
	}
	/* The first that can meet stands for it where none is proven. */
	if (!proven) {
		counts->unproven++;
		closure_find(&r->meets, abstract, count, acquire);
	}
	counts->proven += proven;
	observed = is_end(&r->out->acquires, abstract, count, end);
	counts->observed += observed;
	if (observed)
		memcpy(acquire, end, sizeof(end));
	rotate(r, acquire, count);
	d = deadlock_of(r, acquire, count);
	d->patterns++;
	if (observed && !d->observed) {
		d->observed = true;
		memcpy(d->acquire, acquire, count * sizeof(*acquire));
	} else if (proven && !d->proven && !d->observed && !r->options.ignore) {
		prove(r, d, acquire, count);
	}
}

/* Not before there is a ring to ask of: most sequences have none. */
static void get_ready(struct predictor *r)
{
	const struct predict_sequence *s = r->sequence;
	struct acquires *a = &r->out->acquires;
	struct order *order = &r->order;

	r->ready = true;
	order_build(&r->digest, s, r->options.spacing, a, order);
	acquire_index_build(s, a, &r->index);
	closure_init(&r->proves, s, a,
		     order->has_reads ? &order->with_reads : &order->without_reads, order->limit,
		     &r->index);
	closure_init(&r->reaches, s, a, &order->without_reads, NULL, &r->index);
	closure_init(&r->meets, s, a, &order->without_reads, NULL, NULL);
}

static uint64_t steps_of(const struct predictor *r)
{
	return r->proves.steps + r->reaches.steps + r->meets.steps;
}

static uint64_t visit(void *cookie, const uint32_t *abstract, uint32_t count)
{
	struct predictor *r = cookie;
	uint64_t before = steps_of(r);

	if (!r->ready)
		get_ready(r);
	judge(r, abstract, count);
	return steps_of(r) - before;
}

/* What does not play is no proof. */
static void play_witnesses(struct predictor *r)
{
	struct predict_result *out = r->out;
	struct witness **witness = room_new(out->count, sizeof(struct witness *));
	size_t count = 0;

	for (size_t i = 0; i < out->count; i++)
		if (out->deadlock[i].proven && !out->deadlock[i].observed)
			witness[count++] = &out->deadlock[i].witness;
	if (count) {
		witnesses_play(&r->digest, r->sequence, &out->acquires, witness, count);
		witnesses_tell(&r->digest, r->sequence, witness, count);
	}
	for (size_t i = 0; i < out->count; i++) {
		struct predict_deadlock *d = &out->deadlock[i];

		if (!d->proven || d->observed || d->witness.holds)
			continue;
		out->counts.refused++;
		d->proven = false;
	}
	free(witness);
}

static void find_rings(struct predictor *r)
{
	struct patterns_visitor visitor = { r, visit };
	struct predict_result *out = r->out;

	acquires_collect(&r->digest, r->sequence, &r->locks, &out->acquires);
	out->counts.abstracts = out->acquires.abstract_count;
	patterns_search(r->sequence, &r->locks, &out->acquires, r->options.budget, &visitor,
			&out->counts.graph);
	if (!r->ready)
		return;
	play_witnesses(r);
	closure_release(&r->proves);
	closure_release(&r->reaches);
	closure_release(&r->meets);
	acquire_index_release(&r->index);
	order_release(&r->order);
}

struct predictor *predictor_new(const struct predict_options *options)
{
	struct predictor *predictor = room_new(1, sizeof(*predictor));

	if (options)
		predictor->options = *options;
	if (!predictor->options.budget)
		predictor->options.budget = BUDGET;
	predictor->digest.ignore = predictor->options.ignore;
	return predictor;
}

void predictor_free(struct predictor *predictor)
{
	if (!predictor)
		return;
	digest_release(&predictor->digest);
	lock_order_release(&predictor->locks);
	free(predictor->slot);
	free(predictor);
}

void predictor_hear(void *predictor, const struct predict_sequence *sequence,
		    const struct predict_event *event, size_t count, size_t first)
{
	struct predictor *p = predictor;

	digest_add(&p->digest, sequence, event, count, first);
	lock_order_add(&p->locks, sequence, event, count);
}

int predictor_finish(struct predictor *predictor, const struct predict_sequence *sequence,
		     struct predict_result *ret_result, struct diag *diag)
{
	struct predictor *r = predictor;

	*ret_result = (struct predict_result){ 0 };
	if (sequence->count >= UINT32_MAX)
		return diag_set(diag, THRUM_EFORMAT, "more than 4 G events");
	r->sequence = sequence;
	r->out = ret_result;
	digest_end(&r->digest);
	lock_order_end(&r->locks, sequence, &r->digest);
	ret_result->counts.edges = r->locks.edges;
	ret_result->counts.components = r->locks.components;
	ret_result->counts.nested = r->locks.nested;
	if (r->locks.components)
		find_rings(r);
	return 0;
}

int predict_deadlocks(const struct predict_sequence *sequence,
		      const struct predict_options *options, struct predict_result *ret_result,
		      struct diag *diag)
{
	struct predictor *predictor = predictor_new(options);
	int error;

	predictor_hear(predictor, sequence, sequence->event, sequence->count, 0);
	error = predictor_finish(predictor, sequence, ret_result, diag);
	predictor_free(predictor);
	return error;
}

void predict_result_release(struct predict_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		witness_release(&result->deadlock[i].witness);
	free(result->deadlock);
	acquires_release(&result->acquires);
	*result = (struct predict_result){ 0 };
}
