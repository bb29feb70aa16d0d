/* SPDX-License-Identifier: MIT */
/*
 * oracle.c - see oracle.h.
 */
#include "oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LOCKS = 3, SLOTS = 1 << 18 };

static uint64_t seed;

void oracle_seed(uint64_t round)
{
	seed = (round + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

unsigned oracle_draw(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 20) % below);
}

/* ---- a random sequence: threads 0 and 1 are there, 0 forks 2, 1 forks 3; places are indices ---- */

struct maker {
	struct predict_sequence *sequence;
	uint32_t held[ORACLE_THREADS][LOCKS], depth[ORACLE_THREADS];
	uint32_t owner[LOCKS];
	bool alive[ORACLE_THREADS], ever[ORACLE_THREADS];
	bool guesses; /* says of some events that what comes after them is unknown */
};

static void emit(struct maker *m, uint32_t thread, enum predict_op op, uint32_t object)
{
	struct diag diag;

	assert_int_equal(predict_sequence_add(m->sequence, thread, op, object,
					      (uint32_t)m->sequence->count, &diag),
			 0);
}

static void make_event(struct maker *m, uint32_t t)
{
	uint32_t other = t + 2, lock = oracle_draw(LOCKS);

	switch (oracle_draw(10)) {
	case 0:
		if (t >= 2)
			break;
		if (!m->ever[other]) {
			emit(m, t, PREDICT_FORK, other);
			m->alive[other] = m->ever[other] = true;
		} else if (m->alive[other] && !m->depth[other]) {
			emit(m, t, PREDICT_JOIN, other);
			m->alive[other] = false;
		}
		break;
	case 1:
		if (m->guesses && !oracle_draw(4))
			emit(m, t, PREDICT_UNKNOWN, 0);
		emit(m, t, PREDICT_READ, oracle_draw(ORACLE_VARIABLES));
		break;
	case 2:
		emit(m, t, PREDICT_WRITE, oracle_draw(ORACLE_VARIABLES));
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		if (m->owner[lock])
			break;
		m->owner[lock] = t + 1;
		m->held[t][m->depth[t]++] = lock;
		emit(m, t, oracle_draw(8) ? PREDICT_ACQUIRE : PREDICT_TRY, lock);
		break;
	default:
		if (!m->depth[t])
			break;
		lock = m->held[t][--m->depth[t]];
		m->owner[lock] = 0;
		emit(m, t, PREDICT_RELEASE, lock);
		break;
	}
}

static void make_names(struct names *names, uint32_t count)
{
	char word[8];

	for (uint32_t i = 0; i < count; i++) {
		int bytes = snprintf(word, sizeof(word), "%u", i);

		names_lookup_or_add(names, word, (size_t)bytes, (size_t)bytes);
	}
}

void oracle_make(struct predict_sequence *sequence, bool guesses)
{
	struct maker m = { .sequence = sequence, .alive = { true, true }, .guesses = guesses };
	size_t wanted = 8 + oracle_draw(ORACLE_EVENTS - 9);

	make_names(&sequence->threads, ORACLE_THREADS);
	make_names(&sequence->locks, LOCKS);
	make_names(&sequence->variables, ORACLE_VARIABLES);
	make_names(&sequence->places, ORACLE_EVENTS);
	for (int tries = 0; sequence->count < wanted && tries < 1000; tries++) {
		uint32_t t = oracle_draw(ORACLE_THREADS);

		if (m.alive[t])
			make_event(&m, t);
	}
	predict_sequence_end(sequence);
}

bool oracle_takes(const struct predict_event *e)
{
	return e->op == PREDICT_ACQUIRE || e->op == PREDICT_TRY;
}

/* ---- every reordering ---- */

struct state {
	uint8_t at[ORACLE_THREADS];	  /* events done */
	uint8_t writer[ORACLE_VARIABLES]; /* event + 1 */
};

static uint64_t *visited;

static uint64_t pack(const struct state *s)
{
	uint64_t packed = 1;

	for (int t = 0; t < ORACLE_THREADS; t++)
		packed = packed << 5 | s->at[t];
	for (int v = 0; v < ORACLE_VARIABLES; v++)
		packed = packed << 5 | s->writer[v];
	return packed;
}

static bool is_new(const struct state *s)
{
	uint64_t key = pack(s);
	size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 46);

	for (; visited[at]; at = (at + 1) & (SLOTS - 1))
		if (visited[at] == key)
			return false;
	visited[at] = key;
	return true;
}

static void oracle_init(struct oracle *o, const struct predict_sequence *sequence,
			bool keeps_sections)
{
	uint8_t writer[ORACLE_VARIABLES] = { 0 }, made[LOCKS] = { 0 };

	*o = (struct oracle){ .sequence = sequence, .keeps_sections = keeps_sections };
	for (size_t i = 0; i < sequence->count; i++) {
		const struct predict_event *e = &sequence->event[i];

		o->event[e->thread][o->count[e->thread]++] = (uint8_t)i;
		if (e->op == PREDICT_READ)
			o->sees[i] = writer[e->object];
		else if (e->op == PREDICT_WRITE)
			writer[e->object] = (uint8_t)(i + 1);
		else if (oracle_takes(e))
			o->order[i] = ++made[e->object];
	}
}

static const struct predict_event *next_of(const struct oracle *o, const struct state *s,
					   uint32_t t)
{
	return s->at[t] < o->count[t] ? &o->sequence->event[o->event[t][s->at[t]]] : NULL;
}

static bool is_done(const struct oracle *o, const struct state *s, size_t event)
{
	uint32_t t = o->sequence->event[event].thread;

	return s->at[t] && o->event[t][s->at[t] - 1] >= event;
}

/* Who has the lock: thread + 1; and the newest of its acquires that are done, by order. */
static uint32_t holder(const struct oracle *o, const struct state *s, uint32_t lock,
		       uint8_t *newest)
{
	uint32_t owner = 0;

	*newest = 0;
	for (uint32_t t = 0; t < ORACLE_THREADS; t++) {
		bool has = false;

		for (uint8_t k = 0; k < s->at[t]; k++) {
			uint8_t i = o->event[t][k];
			const struct predict_event *e = &o->sequence->event[i];

			if (e->object != lock || (!oracle_takes(e) && e->op != PREDICT_RELEASE))
				continue;
			has = oracle_takes(e);
			*newest = o->order[i] > *newest ? o->order[i] : *newest;
		}
		owner = has ? t + 1 : owner;
	}
	return owner;
}

/* Nothing but its lock, or what it reads, keeps the thread from its next event. */
static bool is_started(const struct oracle *o, const struct state *s, uint32_t t)
{
	for (size_t i = 0; i < o->sequence->count; i++) {
		const struct predict_event *e = &o->sequence->event[i];

		if (e->op == PREDICT_FORK && e->object == t)
			return is_done(o, s, i);
	}
	return true;
}

static bool may_go(const struct oracle *o, const struct state *s, uint32_t t)
{
	const struct predict_event *e = next_of(o, s, t);
	uint8_t newest;
	size_t i;

	if (!e || !is_started(o, s, t))
		return false;
	i = o->event[t][s->at[t]];
	switch ((enum predict_op)e->op) {
	case PREDICT_READ:
		return s->writer[e->object] == o->sees[i];
	case PREDICT_UNKNOWN:
		return false;
	case PREDICT_ACQUIRE:
	case PREDICT_TRY:
		return !holder(o, s, e->object, &newest) &&
		       !(o->keeps_sections && newest > o->order[i]);
	case PREDICT_JOIN:
		return s->at[e->object] == o->count[e->object];
	default:
		return true;
	}
}

/* Each thread that stands before an acquire, and the one that has its lock. */
static void look_for_rings(struct oracle *o, const struct state *s)
{
	int blocker[ORACLE_THREADS];

	for (uint32_t t = 0; t < ORACLE_THREADS; t++) {
		const struct predict_event *e = next_of(o, s, t);
		uint8_t newest;

		blocker[t] = -1;
		if (e && e->op == PREDICT_ACQUIRE && is_started(o, s, t))
			blocker[t] = (int)holder(o, s, e->object, &newest) - 1;
	}
	for (int t = 0; t < ORACLE_THREADS; t++) {
		uint64_t ring = 0;
		uint32_t k = 0;
		int at = t;

		do {
			if (blocker[at] < 0)
				break;
			ring |= UINT64_C(1) << o->event[at][s->at[at]];
			at = blocker[at];
		} while (at != t && ++k < ORACLE_THREADS);
		if (at != t || !ring)
			continue;
		for (k = 0; k < o->sets && o->set[k] != ring; k++)
			;
		if (k == o->sets && k < ORACLE_SETS)
			o->set[o->sets++] = ring;
	}
}

bool oracle_is_access(const struct predict_event *e)
{
	return e && (e->op == PREDICT_READ || e->op == PREDICT_WRITE);
}

static void look_for_races(struct oracle *o, const struct state *s)
{
	for (uint32_t t = 0; t < ORACLE_THREADS; t++)
		for (uint32_t u = 0; u < ORACLE_THREADS; u++)
			if (t != u && oracle_is_access(next_of(o, s, t)) &&
			    oracle_is_access(next_of(o, s, u)) && is_started(o, s, t) &&
			    is_started(o, s, u))
				o->beside[o->event[t][s->at[t]]][o->event[u][s->at[u]]] = true;
}

static void explore(struct oracle *o, struct state s)
{
	if (!is_new(&s))
		return;
	look_for_rings(o, &s);
	look_for_races(o, &s);
	for (uint32_t t = 0; t < ORACLE_THREADS; t++) {
		struct state then = s;
		const struct predict_event *e = next_of(o, &s, t);

		if (!may_go(o, &s, t))
			continue;
		if (e->op == PREDICT_WRITE)
			then.writer[e->object] = (uint8_t)(o->event[t][s.at[t]] + 1);
		then.at[t]++;
		explore(o, then);
	}
}

void oracle_run(struct oracle *o, const struct predict_sequence *sequence, bool keeps)
{
	static uint64_t slots[SLOTS];

	visited = slots;
	memset(visited, 0, sizeof(slots));
	oracle_init(o, sequence, keeps);
	explore(o, (struct state){ 0 });
}
