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

/* Of grouped sequences. */
enum { MUTEX, WRITERS, PART_OF_0, PART_OF_1, GROUPED_LOCKS, PARTS = GROUPED_LOCKS - WRITERS };

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
	uint32_t owner[GROUPED_LOCKS];
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

static void make_fork_or_join(struct maker *m, uint32_t t)
{
	uint32_t other = t + 2;

	if (t >= 2)
		return;
	if (!m->ever[other]) {
		emit(m, t, PREDICT_FORK, other);
		m->alive[other] = m->ever[other] = true;
	} else if (m->alive[other] && !m->depth[other]) {
		emit(m, t, PREDICT_JOIN, other);
		m->alive[other] = false;
	}
}

static void make_event(struct maker *m, uint32_t t)
{
	uint32_t lock = oracle_draw(LOCKS);

	switch (oracle_draw(10)) {
	case 0:
		make_fork_or_join(m, t);
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

/* The lock and all its parts where the thread writes under it: `count` of them from `lock` on. */
static uint32_t locks_of(uint32_t lock)
{
	return lock == WRITERS ? PARTS : 1;
}

static void take_or_drop(struct maker *m, uint32_t t, uint32_t lock, enum predict_op op)
{
	for (uint32_t i = lock; i < lock + locks_of(lock); i++) {
		m->owner[i] = op == PREDICT_RELEASE ? 0 : t + 1;
		emit(m, t, op, i);
	}
}

static bool is_free(const struct maker *m, uint32_t t, uint32_t lock)
{
	for (uint32_t i = lock; i < lock + locks_of(lock); i++)
		if (m->owner[i])
			return false;
	/* Who reads does not write, nor the other way round. */
	for (uint32_t i = 0; i < m->depth[t]; i++)
		if (m->held[t][i] != MUTEX && lock != MUTEX)
			return false;
	return true;
}

static void make_grouped_event(struct maker *m, uint32_t t)
{
	uint32_t lock = oracle_draw(2) ? MUTEX : t < 2 && oracle_draw(2) ? PART_OF_0 + t : WRITERS;

	switch (oracle_draw(8)) {
	case 0:
		make_fork_or_join(m, t);
		break;
	case 1:
		emit(m, t, oracle_draw(2) ? PREDICT_READ : PREDICT_WRITE,
		     oracle_draw(ORACLE_VARIABLES));
		break;
	case 2:
	case 3:
	case 4:
	case 5:
		if (!is_free(m, t, lock))
			break;
		m->held[t][m->depth[t]++] = lock;
		take_or_drop(m, t, lock, PREDICT_ACQUIRE);
		break;
	default:
		if (m->depth[t])
			take_or_drop(m, t, m->held[t][--m->depth[t]], PREDICT_RELEASE);
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

static void make(struct maker *m, uint32_t locks, void (*make_one)(struct maker *, uint32_t))
{
	struct predict_sequence *sequence = m->sequence;
	size_t wanted = 8 + oracle_draw(ORACLE_EVENTS - 9);

	make_names(&sequence->threads, ORACLE_THREADS);
	make_names(&sequence->locks, locks);
	make_names(&sequence->variables, ORACLE_VARIABLES);
	make_names(&sequence->places, ORACLE_EVENTS);
	for (int tries = 0; sequence->count < wanted && tries < 1000; tries++) {
		uint32_t t = oracle_draw(ORACLE_THREADS);

		if (m->alive[t])
			make_one(m, t);
	}
	predict_sequence_end(sequence);
}

void oracle_make(struct predict_sequence *sequence, bool guesses)
{
	struct maker m = { .sequence = sequence, .alive = { true, true }, .guesses = guesses };

	make(&m, LOCKS, make_event);
}

void oracle_make_grouped(struct predict_sequence *sequence)
{
	struct maker m = { .sequence = sequence, .alive = { true, true } };

	make(&m, GROUPED_LOCKS, make_grouped_event);
	sequence->group = calloc(GROUPED_LOCKS, sizeof(*sequence->group));
	assert_non_null(sequence->group);
	for (int lock = WRITERS; lock < GROUPED_LOCKS; lock++)
		sequence->group[lock] = 1;
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
	uint8_t writer[ORACLE_VARIABLES] = { 0 }, made[GROUPED_LOCKS] = { 0 };

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

/* How many events the thread does in one step, from this one on. */
static uint8_t step_of(const struct oracle *o, const struct predict_event *e)
{
	return o->takes_whole && e->object == WRITERS &&
			       (oracle_takes(e) || e->op == PREDICT_RELEASE)
		       ? PARTS
		       : 1;
}

size_t oracle_begin_of(const struct predict_sequence *s, size_t event)
{
	size_t at = event;

	/* Parts that were taken one right after the other, from the writers' on. */
	while (at && oracle_takes(&s->event[at]) && s->event[at].object > WRITERS &&
	       s->event[at - 1].thread == s->event[at].thread && oracle_takes(&s->event[at - 1]) &&
	       s->event[at - 1].object + 1 == s->event[at].object)
		at--;
	return at;
}

/* Who has something of what the thread takes at its next event: threads, a bit each. */
static uint32_t blockers_of(const struct oracle *o, const struct state *s,
			    const struct predict_event *e)
{
	uint32_t blockers = 0;
	uint8_t newest;

	for (uint32_t lock = e->object; lock < e->object + step_of(o, e); lock++) {
		uint32_t owner = holder(o, s, lock, &newest);

		blockers |= owner ? UINT32_C(1) << (owner - 1) : 0;
	}
	return blockers;
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
		holder(o, s, e->object, &newest);
		return !blockers_of(o, s, e) && !(o->keeps_sections && newest > o->order[i]);
	case PREDICT_JOIN:
		return s->at[e->object] == o->count[e->object];
	default:
		return true;
	}
}

/* Threads that stand before an acquire, and who keeps each of them from it. */
struct waiting {
	const struct predict_event *wants[ORACLE_THREADS];
	uint32_t blockers[ORACLE_THREADS];
};

static void add_ring(struct oracle *o, uint64_t ring)
{
	uint32_t k = 0;

	while (k < o->sets && o->set[k] != ring)
		k++;
	if (k == o->sets && k < ORACLE_SETS)
		o->set[o->sets++] = ring;
}

/* Has the second one some of what it wants itself, and is only on the way? */
static bool is_one_thing(const struct oracle *o, const struct waiting *w, uint32_t t, uint32_t u)
{
	const uint32_t *group = o->sequence->group;

	return group && group[w->wants[t]->object] &&
	       group[w->wants[t]->object] == group[w->wants[u]->object];
}

/* Paths from `first` to `at`, of the threads `path` that stand before the events `ring`, that come back. */
static void follow(struct oracle *o, const struct state *s, const struct waiting *w, uint32_t first,
		   uint32_t at, uint32_t path, uint64_t ring)
{
	ring |= UINT64_C(1) << o->event[at][s->at[at]];
	path |= UINT32_C(1) << at;
	for (uint32_t u = first; u < ORACLE_THREADS; u++) {
		if (!(w->blockers[at] >> u & 1) || !w->wants[u] || is_one_thing(o, w, at, u))
			continue;
		if (u == first)
			add_ring(o, ring);
		else if (!(path >> u & 1))
			follow(o, s, w, first, u, path, ring);
	}
}

static void look_for_rings(struct oracle *o, const struct state *s)
{
	struct waiting w = { 0 };

	for (uint32_t t = 0; t < ORACLE_THREADS; t++) {
		const struct predict_event *e = next_of(o, s, t);

		if (!e || e->op != PREDICT_ACQUIRE || !is_started(o, s, t))
			continue;
		w.wants[t] = e;
		w.blockers[t] = blockers_of(o, s, e);
	}
	for (uint32_t t = 0; t < ORACLE_THREADS; t++)
		if (w.wants[t])
			follow(o, s, &w, t, t, 0, 0);
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
		then.at[t] += step_of(o, e);
		explore(o, then);
	}
}

static void run(struct oracle *o)
{
	static uint64_t slots[SLOTS];

	visited = slots;
	memset(visited, 0, sizeof(slots));
	explore(o, (struct state){ 0 });
}

void oracle_run(struct oracle *o, const struct predict_sequence *sequence, bool keeps)
{
	oracle_init(o, sequence, keeps);
	run(o);
}

void oracle_run_whole(struct oracle *o, const struct predict_sequence *sequence)
{
	oracle_init(o, sequence, false);
	o->takes_whole = true;
	run(o);
}
