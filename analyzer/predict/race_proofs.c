/* SPDX-License-Identifier: MIT */
/*
 * race_proofs.c - picks accesses, puts locks before them, and reads races out of the deadlocks.
 */
#include "race_proofs.h"

#include "room.h"

#include <stdlib.h>

enum {
	PICKED =
		4, /* accesses of one thread, place and variable: half the first, half the last ones */
	USERS_MOST = 24, /* of a variable */
	GATES_MOST = 1 << 20,
	GATE_EVENTS = 4,
};

/* What a thread does with a variable at one place. */
struct user {
	uint32_t thread, place;
	bool writes;
	uint32_t count;
	uint32_t event[PICKED];
	uint32_t next; /* of the variable; index + 1 */
};

/* Before `event` its thread takes two locks, and drops them. */
struct gate {
	uint32_t event, outer, inner;
};

/* Where an event of the gated sequence is in the one without gates; of a gate: what it stands before. */
struct origin {
	uint32_t event;
	bool is_gate;
};

struct proofs {
	const struct predict_sequence *sequence;
	const bool *is_atomic;
	uint32_t *users;   /* owns; by variable: index + 1 */
	struct user *user; /* owns */
	size_t user_count, user_capacity;
	struct gate *gate; /* owns */
	size_t gate_count, gate_capacity;
	uint32_t locks;
	struct predict_sequence gated; /* what the predictor hears; owns its groups */
};

/* ---- which accesses ---- */

static void pick(struct user *u, uint32_t event)
{
	uint32_t at = u->count++;

	if (at >= PICKED) {
		memmove(u->event + PICKED / 2, u->event + PICKED / 2 + 1,
			(PICKED / 2 - 1) * sizeof(*u->event));
		at = PICKED - 1;
	}
	u->event[at] = event;
}

static void note(struct proofs *p, const struct predict_event *e, uint32_t event)
{
	bool writes = e->op == PREDICT_WRITE;
	uint32_t seen = 0;
	struct user *u;

	for (uint32_t i = p->users[e->object]; i; i = p->user[i - 1].next, seen++) {
		u = &p->user[i - 1];
		if (u->thread == e->thread && u->place == e->place && u->writes == writes) {
			pick(u, event);
			return;
		}
	}
	if (seen == USERS_MOST)
		return;
	p->user = room_for(p->user, p->user_count, 1, &p->user_capacity, sizeof(*p->user));
	u = &p->user[p->user_count++];
	*u = (struct user){ .thread = e->thread,
			    .place = e->place,
			    .writes = writes,
			    .next = p->users[e->object] };
	p->users[e->object] = (uint32_t)p->user_count;
	pick(u, event);
}

/* ---- locks before them ---- */

/* What is not certain about an access is what comes after it: the thread stands before that. */
static uint32_t stand_before(const struct predict_sequence *s, uint32_t event)
{
	const struct predict_event *before = event ? &s->event[event - 1] : NULL;

	return before && before->op == PREDICT_UNKNOWN && before->thread == s->event[event].thread
		       ? event - 1
		       : event;
}

static void add_gates(struct proofs *p, const struct user *u, uint32_t outer, uint32_t inner)
{
	uint32_t count = u->count < PICKED ? u->count : PICKED;

	for (uint32_t i = 0; i < count; i++) {
		p->gate = room_for(p->gate, p->gate_count, 1, &p->gate_capacity, sizeof(*p->gate));
		p->gate[p->gate_count++] =
			(struct gate){ stand_before(p->sequence, u->event[i]), outer, inner };
	}
}

static bool may_race(const struct proofs *p, const struct user *x, const struct user *y)
{
	return x->thread != y->thread && (x->writes || y->writes) &&
	       !(p->is_atomic && p->is_atomic[x->place] && p->is_atomic[y->place]);
}

static void add_pairs(struct proofs *p, uint32_t variable)
{
	for (uint32_t i = p->users[variable]; i; i = p->user[i - 1].next)
		for (uint32_t k = p->user[i - 1].next; k; k = p->user[k - 1].next) {
			const struct user *x = &p->user[i - 1], *y = &p->user[k - 1];

			if (!may_race(p, x, y) || p->gate_count > GATES_MOST)
				continue;
			add_gates(p, x, p->locks, p->locks + 1);
			add_gates(p, y, p->locks + 1, p->locks);
			p->locks += 2;
		}
}

static int compare_gates(const void *a, const void *b)
{
	const struct gate *x = a, *y = b;

	if (x->event != y->event)
		return x->event < y->event ? -1 : 1;
	return (x->outer > y->outer) - (x->outer < y->outer);
}

static void hear_gate(const struct proofs *p, struct predictor *predictor, const struct gate *g,
		      size_t first)
{
	struct predict_event e = p->sequence->event[g->event], event[GATE_EVENTS];
	static const enum predict_op op[] = { PREDICT_ACQUIRE, PREDICT_ACQUIRE, PREDICT_RELEASE,
					      PREDICT_RELEASE };

	for (int i = 0; i < GATE_EVENTS; i++) {
		e.op = op[i] & 0xfu;
		e.object = i == 1 || i == 2 ? g->inner : g->outer;
		event[i] = e;
	}
	predictor_hear(predictor, &p->gated, event, GATE_EVENTS, first);
}

/* Names are not copied, only how many there are. */
static void hear_all(struct proofs *p, struct predictor *predictor)
{
	const struct predict_sequence *s = p->sequence;
	struct predict_listener listener = { predictor_hear, predictor };
	size_t at = 0, until;

	qsort(p->gate, p->gate_count, sizeof(*p->gate), compare_gates);
	p->gated = (struct predict_sequence){ .has_memory = true,
					      .count = s->count + GATE_EVENTS * p->gate_count };
	p->gated.threads.count = s->threads.count;
	p->gated.variables.count = s->variables.count;
	p->gated.places.count = s->places.count;
	p->gated.locks.count = p->locks;
	p->gated.group = room_new(p->locks, sizeof(*p->gated.group));
	if (s->group)
		memcpy(p->gated.group, s->group, s->locks.count * sizeof(*s->group));
	predict_sequence_hear(&p->gated, listener);
	for (size_t i = 0; i <= p->gate_count; i++) {
		until = i < p->gate_count ? p->gate[i].event : s->count;
		if (until > at)
			predictor_hear(predictor, &p->gated, s->event + at, until - at,
				       at + i * GATE_EVENTS);
		if (i < p->gate_count)
			hear_gate(p, predictor, &p->gate[i], until + i * GATE_EVENTS);
		at = until;
	}
}

/* ---- what comes out ---- */

static struct origin origin_of(const struct proofs *p, uint32_t event)
{
	size_t low = 0, high = p->gate_count;

	/* How many gates begin up to there? */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->gate[middle].event + middle * GATE_EVENTS <= event)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && event < p->gate[low - 1].event + low * GATE_EVENTS)
		return (struct origin){ p->gate[low - 1].event, true };
	return (struct origin){ event - (uint32_t)(low * GATE_EVENTS), false };
}

/* The access that a gate stands before. */
static uint32_t access_of(const struct proofs *p, uint32_t event)
{
	uint32_t original = origin_of(p, event).event;

	return original + (p->sequence->event[original].op == PREDICT_UNKNOWN);
}

static bool is_race(const struct proofs *p, const struct predict_result *result,
		    const struct predict_deadlock *d)
{
	return d->proven && d->length == 2 &&
	       result->acquires.acquire[d->acquire[0]].lock >= p->sequence->locks.count;
}

static void tell(const struct proofs *p, const struct predict_result *result,
		 const struct predict_deadlock *d, race_proofs_visit visit, void *cookie)
{
	const struct witness *w = &d->witness;
	struct race_proof proof = { .count = d->patterns,
				    .events_before = w->events,
				    .steps = w->steps };

	for (uint32_t i = 0; i < 2; i++)
		proof.event[i] = access_of(p, result->acquires.acquire[d->acquire[i]].event);
	for (uint32_t i = 0; i < w->steps; i++) {
		proof.step[i] = w->step[i];
		proof.events_before -= w->step[i].count;
	}
	visit(cookie, &proof);
}

/* The witnesses in events of the sequence, without gates. */
static void tell_all(const struct proofs *p, struct predict_result *result, race_proofs_visit visit,
		     void *cookie)
{
	struct witness **witness = room_new(result->count, sizeof(struct witness *));
	size_t count = 0;

	for (size_t i = 0; i < result->count; i++) {
		struct witness *w = &result->deadlock[i].witness;

		if (!is_race(p, result, &result->deadlock[i]))
			continue;
		for (uint32_t t = 0; t < p->sequence->threads.count; t++)
			w->end[t] = origin_of(p, w->end[t]).event;
		witness[count++] = w;
	}
	witnesses_tell(NULL, p->sequence, witness, count);
	for (size_t i = 0; i < result->count; i++)
		if (is_race(p, result, &result->deadlock[i]))
			tell(p, result, &result->deadlock[i], visit, cookie);
	free(witness);
}

static void release(struct proofs *p)
{
	free(p->users);
	free(p->user);
	free(p->gate);
	free(p->gated.event);
	free(p->gated.group);
}

int race_proofs_find(const struct predict_sequence *sequence, const bool *is_atomic,
		     race_proofs_visit visit, void *cookie, struct diag *diag)
{
	struct proofs p = { .sequence = sequence,
			    .is_atomic = is_atomic,
			    .locks = sequence->locks.count };
	struct predict_result result;
	int error = 0;

	if (sequence->count >= UINT32_MAX / 2)
		return diag_set(diag, THRUM_EFORMAT, "more than 2 G events");
	p.users = room_new(sequence->variables.count, sizeof(*p.users));
	for (uint32_t i = 0; i < sequence->count; i++)
		if (sequence->event[i].op == PREDICT_READ || sequence->event[i].op == PREDICT_WRITE)
			note(&p, &sequence->event[i], i);
	for (uint32_t v = 0; v < sequence->variables.count; v++)
		add_pairs(&p, v);
	if (p.gate_count) {
		struct predictor *predictor = predictor_new(NULL);

		hear_all(&p, predictor);
		error = predictor_finish(predictor, &p.gated, &result, diag);
		tell_all(&p, &result, visit, cookie);
		predict_result_release(&result);
		predictor_free(predictor);
	}
	release(&p);
	return error;
}
