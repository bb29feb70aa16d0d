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
	USERS_MOST = 24,      /* of a variable */
	GATES_MOST = 1 << 20, /* of the copy */
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

struct proofs {
	const struct predict_sequence *sequence;
	const bool *is_atomic;
	uint32_t *users;   /* owns; by variable: index + 1 */
	struct user *user; /* owns */
	size_t user_count, user_capacity;
	struct gate *gate; /* owns */
	size_t gate_count, gate_capacity;
	uint32_t locks;
	struct predict_sequence copy; /* owns its events and groups */
	uint32_t *original; /* owns; by event of the copy: the event that it is, or stands before */
	bool *is_gate;	    /* owns; the same */
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

static void copy_event(struct proofs *p, struct predict_event event, uint32_t original,
		       bool is_gate)
{
	size_t at = p->copy.count++;

	p->copy.event[at] = event;
	p->original[at] = original;
	p->is_gate[at] = is_gate;
}

static void copy_gate(struct proofs *p, const struct gate *g)
{
	struct predict_event e = p->sequence->event[g->event];

	e.op = PREDICT_ACQUIRE;
	e.object = g->outer;
	copy_event(p, e, g->event, true);
	e.object = g->inner;
	copy_event(p, e, g->event, true);
	e.op = PREDICT_RELEASE;
	copy_event(p, e, g->event, true);
	e.object = g->outer;
	copy_event(p, e, g->event, true);
}

/* Names are not copied, only how many there are. */
static void make_copy(struct proofs *p)
{
	const struct predict_sequence *s = p->sequence;
	size_t room = s->count + GATE_EVENTS * p->gate_count, next = 0;

	qsort(p->gate, p->gate_count, sizeof(*p->gate), compare_gates);
	p->copy = (struct predict_sequence){ .has_memory = true };
	p->copy.threads.count = s->threads.count;
	p->copy.variables.count = s->variables.count;
	p->copy.places.count = s->places.count;
	p->copy.locks.count = p->locks;
	p->copy.event = room_new(room, sizeof(*p->copy.event));
	p->copy.group = room_new(p->locks, sizeof(*p->copy.group));
	p->original = room_new(room, sizeof(*p->original));
	p->is_gate = room_new(room, sizeof(*p->is_gate));
	if (s->group)
		memcpy(p->copy.group, s->group, s->locks.count * sizeof(*s->group));
	for (uint32_t i = 0; i < s->count; i++) {
		for (; next < p->gate_count && p->gate[next].event == i; next++)
			copy_gate(p, &p->gate[next]);
		copy_event(p, s->event[i], i, false);
	}
}

/* ---- what comes out ---- */

/* The access that a gate stands before. */
static uint32_t access_of(const struct proofs *p, uint32_t event)
{
	uint32_t original = p->original[event];

	return original + (p->sequence->event[original].op == PREDICT_UNKNOWN);
}

/* The same step in events of the sequence; false = it has none. */
static bool plain_step(const struct proofs *p, const struct witness_step *step,
		       struct witness_step *ret_step)
{
	*ret_step = (struct witness_step){ .thread = step->thread };
	for (size_t i = step->first; i <= step->last; i++) {
		if (p->is_gate[i] || p->copy.event[i].thread != step->thread)
			continue;
		if (!ret_step->count++)
			ret_step->first = p->original[i];
		ret_step->last = p->original[i];
	}
	return ret_step->count;
}

static void fill_steps(const struct proofs *p, const struct witness *w, struct race_proof *proof)
{
	uint64_t shown = 0, events = 0;

	for (uint32_t i = 0; i < w->steps; i++) {
		struct witness_step *to = &proof->step[proof->steps];

		if (!plain_step(p, &w->step[i], to))
			continue;
		shown += to->count;
		proof->steps++;
	}
	for (size_t i = 0; i < p->copy.count; i++)
		events += !p->is_gate[i] && i < w->end[p->copy.event[i].thread];
	proof->events_before = events - shown;
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
	struct race_proof proof = { .count = d->patterns };

	for (uint32_t i = 0; i < 2; i++)
		proof.event[i] = access_of(p, result->acquires.acquire[d->acquire[i]].event);
	fill_steps(p, &d->witness, &proof);
	visit(cookie, &proof);
}

static void release(struct proofs *p)
{
	free(p->users);
	free(p->user);
	free(p->gate);
	free(p->copy.event);
	free(p->copy.group);
	free(p->original);
	free(p->is_gate);
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
		make_copy(&p);
		error = predict_deadlocks(&p.copy, NULL, &result, diag);
		for (size_t i = 0; i < result.count; i++)
			if (is_race(&p, &result, &result.deadlock[i]))
				tell(&p, &result, &result.deadlock[i], visit, cookie);
		predict_result_release(&result);
	}
	release(&p);
	return error;
}
