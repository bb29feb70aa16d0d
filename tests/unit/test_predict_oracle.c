/* SPDX-License-Identifier: MIT */
/*
 * test_predict_oracle.c - predictions against all reorderings of small random sequences, by trying every one.
 *
 * Every pattern: proven if and only if a reordering that keeps the order of critical sections of each lock and what reads saw ends in
 * it. Every race of RACES_SHB: a reordering brings both accesses next to each other. RACES_HB and RACES_SHB: the events that race by
 * the definition. THRUM_ORACLE_ROUNDS says how many sequences; at the end it is told what is feasible and was not proven.
 */
#include "analyzer/predict/predict.h"
#include "analyzer/predict/races.h"
#include "analyzer/predict/std_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 4, LOCKS = 3, VARIABLES = 2, MOST_EVENTS = 20, SLOTS = 1 << 18, MOST_SETS = 64 };

static uint64_t seed;

static unsigned draw(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 20) % below);
}

/* ---- a random sequence: threads 0 and 1 are there, 0 forks 2, 1 forks 3; places are indices ---- */

struct maker {
	struct predict_sequence *sequence;
	uint32_t held[THREADS][LOCKS], depth[THREADS];
	uint32_t owner[LOCKS];
	bool alive[THREADS], ever[THREADS];
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
	uint32_t other = t + 2, lock = draw(LOCKS);

	switch (draw(10)) {
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
		emit(m, t, PREDICT_READ, draw(VARIABLES));
		break;
	case 2:
		emit(m, t, PREDICT_WRITE, draw(VARIABLES));
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		if (m->owner[lock])
			break;
		m->owner[lock] = t + 1;
		m->held[t][m->depth[t]++] = lock;
		emit(m, t, PREDICT_ACQUIRE, lock);
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

static void make(struct predict_sequence *sequence)
{
	struct maker m = { .sequence = sequence, .alive = { true, true } };
	size_t wanted = 8 + draw(MOST_EVENTS - 8);

	make_names(&sequence->threads, THREADS);
	make_names(&sequence->locks, LOCKS);
	make_names(&sequence->variables, VARIABLES);
	make_names(&sequence->places, MOST_EVENTS);
	for (int tries = 0; sequence->count < wanted && tries < 1000; tries++) {
		uint32_t t = draw(THREADS);

		if (m.alive[t])
			make_event(&m, t);
	}
	predict_sequence_end(sequence);
}

/* ---- every reordering ---- */

struct state {
	uint8_t at[THREADS];	   /* events done */
	uint8_t writer[VARIABLES]; /* event + 1 */
};

struct oracle {
	const struct predict_sequence *sequence;
	uint8_t event[THREADS][MOST_EVENTS], count[THREADS];
	uint8_t sees[MOST_EVENTS],
		order[MOST_EVENTS]; /* order: of an acquire, among those of its lock */
	uint8_t owner[MOST_EVENTS + 1];
	bool keeps_sections;
	uint64_t set
		[MOST_SETS]; /* rings that were reached: of each thread in it the event, as bits */
	uint32_t sets;
	bool beside[MOST_EVENTS][MOST_EVENTS]; /* both could come next */
};

static uint64_t *visited;

static uint64_t pack(const struct state *s)
{
	uint64_t packed = 1;

	for (int t = 0; t < THREADS; t++)
		packed = packed << 5 | s->at[t];
	for (int v = 0; v < VARIABLES; v++)
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
	uint8_t writer[VARIABLES] = { 0 }, made[LOCKS] = { 0 };

	*o = (struct oracle){ .sequence = sequence, .keeps_sections = keeps_sections };
	for (size_t i = 0; i < sequence->count; i++) {
		const struct predict_event *e = &sequence->event[i];

		o->event[e->thread][o->count[e->thread]++] = (uint8_t)i;
		if (e->op == PREDICT_READ)
			o->sees[i] = writer[e->object];
		else if (e->op == PREDICT_WRITE)
			writer[e->object] = (uint8_t)(i + 1);
		else if (e->op == PREDICT_ACQUIRE)
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
	for (uint32_t t = 0; t < THREADS; t++) {
		bool has = false;

		for (uint8_t k = 0; k < s->at[t]; k++) {
			uint8_t i = o->event[t][k];
			const struct predict_event *e = &o->sequence->event[i];

			if (e->object != lock ||
			    (e->op != PREDICT_ACQUIRE && e->op != PREDICT_RELEASE))
				continue;
			has = e->op == PREDICT_ACQUIRE;
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
	case PREDICT_ACQUIRE:
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
	int blocker[THREADS];

	for (uint32_t t = 0; t < THREADS; t++) {
		const struct predict_event *e = next_of(o, s, t);
		uint8_t newest;

		blocker[t] = -1;
		if (e && e->op == PREDICT_ACQUIRE && is_started(o, s, t))
			blocker[t] = (int)holder(o, s, e->object, &newest) - 1;
	}
	for (int t = 0; t < THREADS; t++) {
		uint64_t ring = 0;
		uint32_t k = 0;
		int at = t;

		do {
			if (blocker[at] < 0)
				break;
			ring |= UINT64_C(1) << o->event[at][s->at[at]];
			at = blocker[at];
		} while (at != t && ++k < THREADS);
		if (at != t || !ring)
			continue;
		for (k = 0; k < o->sets && o->set[k] != ring; k++)
			;
		if (k == o->sets && k < MOST_SETS)
			o->set[o->sets++] = ring;
	}
}

static bool is_access(const struct predict_event *e)
{
	return e && (e->op == PREDICT_READ || e->op == PREDICT_WRITE);
}

static void look_for_races(struct oracle *o, const struct state *s)
{
	for (uint32_t t = 0; t < THREADS; t++)
		for (uint32_t u = 0; u < THREADS; u++)
			if (t != u && is_access(next_of(o, s, t)) && is_access(next_of(o, s, u)) &&
			    is_started(o, s, t) && is_started(o, s, u))
				o->beside[o->event[t][s->at[t]]][o->event[u][s->at[u]]] = true;
}

static void explore(struct oracle *o, struct state s)
{
	if (!is_new(&s))
		return;
	look_for_rings(o, &s);
	look_for_races(o, &s);
	for (uint32_t t = 0; t < THREADS; t++) {
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

static void oracle_run(struct oracle *o, const struct predict_sequence *sequence, bool keeps)
{
	memset(visited, 0, SLOTS * sizeof(*visited));
	oracle_init(o, sequence, keeps);
	explore(o, (struct state){ 0 });
}

/* ---- deadlocks ---- */

static uint64_t feasible, proven, sequences_with;

/* Rings of events as rings of abstract acquires; the same ones once. */
static uint32_t count_patterns(const struct oracle *o, const struct acquires *acquires)
{
	uint64_t seen[MOST_SETS][2];
	uint32_t count = 0, k;

	for (uint32_t i = 0; i < o->sets; i++) {
		uint64_t key[2] = { 0, 0 };

		for (uint32_t a = 0; a < acquires->count; a++)
			if (o->set[i] >> acquires->acquire[a].event & 1) {
				uint32_t id = acquires->acquire[a].abstract;

				assert_int_not_equal(id, ACQUIRES_NONE);
				key[id / 64 % 2] |= UINT64_C(1) << id % 64;
			}
		for (k = 0; k < count && memcmp(seen[k], key, sizeof(key)) != 0; k++)
			;
		if (k == count)
			memcpy(seen[count++], key, sizeof(key));
	}
	return count;
}

static void print_sequence(const struct predict_sequence *s)
{
	static const char *const words[] = { "r",    "w",      "acq",  "rel", "req",
					     "wait", "notify", "fork", "join" };

	for (size_t i = 0; i < s->count; i++)
		print_error("T%u|%s(%u)|%zu\n", s->event[i].thread, words[s->event[i].op],
			    s->event[i].object, i);
}

static void check_deadlocks(const struct predict_sequence *sequence, struct oracle *any,
			    struct oracle *keeping)
{
	/* With clocks in the log, which sequences that small do not come to. */
	struct predict_options options = { .spacing = draw(4) };
	struct predict_result result;
	struct diag diag;
	uint32_t sync_preserving;

	assert_int_equal(predict_deadlocks(sequence, &options, &result, &diag), 0);
	sync_preserving = count_patterns(keeping, &result.acquires);
	if (result.counts.proven != sync_preserving || result.counts.refused)
		print_sequence(sequence);
	assert_int_equal(result.counts.proven, sync_preserving);
	assert_int_equal(result.counts.refused, 0);
	for (size_t i = 0; i < result.count; i++) {
		const struct predict_deadlock *d = &result.deadlock[i];
		uint64_t ring = 0;
		uint32_t k;

		for (uint32_t n = 0; n < d->length; n++)
			ring |= UINT64_C(1) << result.acquires.acquire[d->acquire[n]].event;
		for (k = 0; k < any->sets && any->set[k] != ring; k++)
			;
		assert_true(!d->proven || k < any->sets);
	}
	assert_true(result.counts.reachable >= result.counts.proven);
	feasible += count_patterns(any, &result.acquires);
	proven += result.counts.proven;
	sequences_with += result.counts.proven > 0;
	predict_result_release(&result);
}

/* ---- races ---- */

/* before[a][b]: a is ordered before b; of a read without the edge from the write that it sees. */
static void order_by_definition(const struct oracle *o, bool reads, bool before[][MOST_EVENTS],
				bool full[][MOST_EVENTS])
{
	const struct predict_sequence *s = o->sequence;

	memset(full, 0, MOST_EVENTS * sizeof(*full));
	for (size_t b = 0; b < s->count; b++) {
		const struct predict_event *e = &s->event[b];

		for (size_t a = b; a-- > 0;) {
			const struct predict_event *d = &s->event[a];
			bool edge = d->thread == e->thread ||
				    (d->op == PREDICT_RELEASE && e->op == PREDICT_ACQUIRE &&
				     d->object == e->object) ||
				    (d->op == PREDICT_FORK && d->object == e->thread) ||
				    (e->op == PREDICT_JOIN && e->object == d->thread);

			if (!edge)
				continue;
			full[a][b] = true;
			for (size_t c = 0; c < a; c++)
				full[c][b] |= full[c][a];
		}
		for (size_t a = 0; a < b; a++)
			before[a][b] = full[a][b];
		if (!reads || e->op != PREDICT_READ || !o->sees[b])
			continue;
		full[o->sees[b] - 1][b] = true;
		for (size_t c = 0; c + 1 < o->sees[b]; c++)
			full[c][b] |= full[c][o->sees[b] - 1];
	}
}

static uint64_t count_racy(const struct predict_sequence *s, bool before[][MOST_EVENTS])
{
	uint64_t count = 0;

	for (size_t b = 0; b < s->count; b++) {
		const struct predict_event *e = &s->event[b];
		bool races = false;

		for (size_t a = 0; a < b && is_access(e); a++) {
			const struct predict_event *d = &s->event[a];

			races |= is_access(d) && d->object == e->object && d->thread != e->thread &&
				 (d->op == PREDICT_WRITE || e->op == PREDICT_WRITE) &&
				 !before[a][b];
		}
		count += races;
	}
	return count;
}

static void is_beside(void *cookie, uint32_t variable, const struct race_access *before,
		      bool before_writes, size_t event)
{
	const struct oracle *o = cookie;

	(void)variable;
	(void)before_writes;
	if (!o->beside[before->place][event])
		print_sequence(o->sequence);
	assert_true(o->beside[before->place][event]);
}

static void check_races(const struct predict_sequence *sequence, struct oracle *any)
{
	bool before[MOST_EVENTS][MOST_EVENTS], full[MOST_EVENTS][MOST_EVENTS];
	struct races_counts counts;

	order_by_definition(any, false, before, full);
	races_find(sequence, RACES_HB, NULL, NULL, &counts);
	assert_int_equal(counts.events, count_racy(sequence, before));
	order_by_definition(any, true, before, full);
	races_find(sequence, RACES_SHB, is_beside, any, &counts);
	assert_int_equal(counts.events, count_racy(sequence, before));
}

static void test_predictions_are_those_of_all_reorderings(void **state)
{
	const char *wanted = getenv("THRUM_ORACLE_ROUNDS");
	unsigned long rounds = wanted ? strtoul(wanted, NULL, 10) : 5000;
	static struct oracle any, keeping;

	(void)state;
	visited = calloc(SLOTS, sizeof(*visited));
	assert_non_null(visited);
	for (unsigned long i = 0; i < rounds; i++) {
		struct predict_sequence sequence = { 0 };

		seed = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
		make(&sequence);
		oracle_run(&any, &sequence, false);
		oracle_run(&keeping, &sequence, true);
		check_deadlocks(&sequence, &any, &keeping);
		check_races(&sequence, &any);
		predict_sequence_release(&sequence);
	}
	free(visited);
	print_message("%lu sequences: %llu patterns feasible, %llu proven, in %llu sequences\n",
		      rounds, (unsigned long long)feasible, (unsigned long long)proven,
		      (unsigned long long)sequences_with);
	assert_true(rounds < 5000 || proven > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_predictions_are_those_of_all_reorderings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
