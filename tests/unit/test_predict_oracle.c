/* SPDX-License-Identifier: MIT */
/*
 * test_predict_oracle.c - predictions against all reorderings of small random sequences, by trying every one.
 *
 * Every pattern: proven if and only if a reordering that keeps the order of critical sections of each lock and what reads saw ends in
 * it. Every race of RACES_SHB: a reordering brings both accesses next to each other. RACES_HB and RACES_SHB: the events that race by
 * the definition. race_proofs.h: the pairs that a reordering which keeps all that brings next to each other, no more and no less.
 * What is proven of the parts of a read-write lock happens to locks that are taken whole. THRUM_ORACLE_ROUNDS says how many sequences; at the end it is told what is feasible and was not proven.
 */
#include "analyzer/predict/predict.h"
#include "analyzer/predict/race_proofs.h"
#include "analyzer/predict/races.h"
#include "oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- deadlocks ---- */

/* Rings by length, and events that race. */
struct tally {
	uint64_t feasible, keeping, proven, potential;
};

static struct tally rings[ORACLE_THREADS + 1];
static uint64_t pairs_proven, pairs_missed;
static uint64_t sequences_with, racy_hb, racy_shb, racy_feasible, racy_missed;

/* Rings of events as rings of abstract acquires; the same ones once. Adds to `counts` by length. */
static uint32_t count_patterns(const struct oracle *o, const struct acquires *acquires,
			       uint32_t *counts)
{
	uint64_t seen[ORACLE_SETS][2];
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
		if (k < count)
			continue;
		memcpy(seen[count++], key, sizeof(key));
		counts[__builtin_popcountll(o->set[i])]++;
	}
	return count;
}

static void print_sequence(const struct predict_sequence *s)
{
	static const char *const words[] = { "r",      "w",    "acq",  "rel", "req",	"wait",
					     "notify", "fork", "join", "try", "unknown" };

	for (size_t i = 0; i < s->count; i++)
		print_error("T%u|%s(%u)|%zu\n", s->event[i].thread, words[s->event[i].op],
			    s->event[i].object, i);
}

static void check_deadlocks(const struct predict_sequence *sequence, struct oracle *any,
			    struct oracle *keeping)
{
	/* With clocks in the log, which sequences that small do not come to. */
	struct predict_options options = { .spacing = oracle_draw(4) };
	struct predict_result result;
	struct diag diag;
	uint32_t sync_preserving, feasible[ORACLE_THREADS + 1] = { 0 },
							    kept[ORACLE_THREADS + 1] = { 0 };

	assert_int_equal(predict_deadlocks(sequence, &options, &result, &diag), 0);
	sync_preserving = count_patterns(keeping, &result.acquires, kept);
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
	count_patterns(any, &result.acquires, feasible);
	for (uint32_t length = 2; length <= ORACLE_THREADS; length++) {
		rings[length].feasible += feasible[length];
		rings[length].keeping += kept[length];
	}
	for (size_t i = 0; i < result.count; i++) {
		rings[result.deadlock[i].length].proven += result.deadlock[i].proven;
		rings[result.deadlock[i].length].potential += !result.deadlock[i].proven;
	}
	sequences_with += result.counts.proven > 0;
	predict_result_release(&result);
}

/* ---- read-write locks ---- */

static uint64_t rings_of_parts;

/* What is proven of parts happens to whole locks: every member stands before its lock, and the next one has some of that. */
static void check_whole(const struct predict_sequence *sequence, const struct oracle *whole)
{
	struct predict_result result;
	struct diag diag;

	assert_int_equal(predict_deadlocks(sequence, NULL, &result, &diag), 0);
	for (size_t i = 0; i < result.count; i++) {
		const struct predict_deadlock *d = &result.deadlock[i];
		uint64_t ring = 0;
		uint32_t k = 0;

		for (uint32_t n = 0; n < d->length; n++)
			ring |= UINT64_C(1) << oracle_begin_of(
					sequence, result.acquires.acquire[d->acquire[n]].event);
		while (k < whole->sets && whole->set[k] != ring)
			k++;
		if (d->proven && k == whole->sets)
			print_sequence(sequence);
		assert_true(!d->proven || k < whole->sets);
		rings_of_parts += d->proven;
	}
	predict_result_release(&result);
}

/* ---- races ---- */

/* before[a][b]: a is ordered before b; of a read without the edge from the write that it sees. */
static void order_by_definition(const struct oracle *o, bool reads, bool before[][ORACLE_EVENTS],
				bool full[][ORACLE_EVENTS])
{
	const struct predict_sequence *s = o->sequence;

	memset(full, 0, ORACLE_EVENTS * sizeof(*full));
	for (size_t b = 0; b < s->count; b++) {
		const struct predict_event *e = &s->event[b];

		for (size_t a = b; a-- > 0;) {
			const struct predict_event *d = &s->event[a];
			bool edge = d->thread == e->thread ||
				    (d->op == PREDICT_RELEASE && oracle_takes(e) &&
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

static uint64_t count_racy(const struct predict_sequence *s, bool before[][ORACLE_EVENTS])
{
	uint64_t count = 0;

	for (size_t b = 0; b < s->count; b++) {
		const struct predict_event *e = &s->event[b];
		bool races = false;

		for (size_t a = 0; a < b && oracle_is_access(e); a++) {
			const struct predict_event *d = &s->event[a];

			races |= oracle_is_access(d) && d->object == e->object &&
				 d->thread != e->thread &&
				 (d->op == PREDICT_WRITE || e->op == PREDICT_WRITE) &&
				 !before[a][b];
		}
		count += races;
	}
	return count;
}

/* Of the events that can come next to an access before them that they conflict with: those that SHB orders after all such. */
static void count_feasible(const struct oracle *o, bool before[][ORACLE_EVENTS])
{
	const struct predict_sequence *s = o->sequence;

	for (size_t b = 0; b < s->count; b++) {
		const struct predict_event *e = &s->event[b];
		bool feasible = false, found = false;

		for (size_t a = 0; a < b && oracle_is_access(e); a++) {
			const struct predict_event *d = &s->event[a];

			if (!oracle_is_access(d) || d->object != e->object ||
			    d->thread == e->thread ||
			    (d->op != PREDICT_WRITE && e->op != PREDICT_WRITE))
				continue;
			feasible |= o->beside[a][b];
			found |= !before[a][b];
		}
		racy_feasible += feasible;
		racy_missed += feasible && !found;
	}
}

static void is_beside(void *cookie, const struct race_access *before, bool before_writes,
		      const struct predict_event *e, size_t event)
{
	const struct oracle *o = cookie;

	(void)e;
	(void)before_writes;
	if (!o->beside[before->place][event])
		print_sequence(o->sequence);
	assert_true(o->beside[before->place][event]);
}

static void check_races(const struct predict_sequence *sequence, struct oracle *any)
{
	bool before[ORACLE_EVENTS][ORACLE_EVENTS], full[ORACLE_EVENTS][ORACLE_EVENTS];
	struct races_counts counts;

	order_by_definition(any, false, before, full);
	races_find(sequence, RACES_HB, NULL, NULL, &counts);
	assert_int_equal(counts.events, count_racy(sequence, before));
	racy_hb += counts.events;
	order_by_definition(any, true, before, full);
	races_find(sequence, RACES_SHB, is_beside, any, &counts);
	assert_int_equal(counts.events, count_racy(sequence, before));
	racy_shb += counts.events;
	count_feasible(any, before);
}

/* Places of these sequences are their events: each pair is told by itself. */
static void note_proof(void *cookie, const struct race_proof *proof)
{
	bool(*proven)[ORACLE_EVENTS] = cookie;
	uint32_t a = proof->event[0], b = proof->event[1];

	proven[a < b ? a : b][a < b ? b : a] = true;
}

static void check_race_proofs(const struct predict_sequence *s, const struct oracle *any,
			      const struct oracle *keeping)
{
	bool proven[ORACLE_EVENTS][ORACLE_EVENTS] = { 0 };
	struct diag diag;

	assert_int_equal(race_proofs_find(s, NULL, note_proof, proven, &diag), 0);
	for (size_t b = 0; b < s->count; b++)
		for (size_t a = 0; a < b; a++) {
			const struct predict_event *d = &s->event[a], *e = &s->event[b];
			bool conflict = oracle_is_access(d) && oracle_is_access(e) &&
					d->object == e->object && d->thread != e->thread &&
					(d->op == PREDICT_WRITE || e->op == PREDICT_WRITE);
			bool wanted = conflict && keeping->beside[a][b];

			if (proven[a][b] != wanted) {
				print_sequence(s);
				print_error("%zu and %zu\n", a, b);
			}
			assert_int_equal(proven[a][b], wanted);
			pairs_proven += wanted;
			pairs_missed += conflict && any->beside[a][b] && !wanted;
		}
}

static void tell(unsigned long rounds)
{
	print_message("%lu sequences, %llu with a deadlock that is proven\n", rounds,
		      (unsigned long long)sequences_with);
	print_message("ring  feasible  sync-preserving  missed  deadlocks: proven  potential\n");
	for (uint32_t length = 2; length <= ORACLE_THREADS; length++)
		print_message("%4u %9llu %16llu %7llu %18llu %10llu\n", length,
			      (unsigned long long)rings[length].feasible,
			      (unsigned long long)rings[length].keeping,
			      (unsigned long long)(rings[length].feasible - rings[length].keeping),
			      (unsigned long long)rings[length].proven,
			      (unsigned long long)rings[length].potential);
	print_message(
		"events that race: feasible %llu, SHB %llu, missed %llu, happens-before %llu\n",
		(unsigned long long)racy_feasible, (unsigned long long)racy_shb,
		(unsigned long long)racy_missed, (unsigned long long)racy_hb);
	print_message("pairs that race: proven %llu, feasible and missed %llu\n",
		      (unsigned long long)pairs_proven, (unsigned long long)pairs_missed);
}

static unsigned long count_rounds(void)
{
	const char *wanted = getenv("THRUM_ORACLE_ROUNDS");

	return wanted ? strtoul(wanted, NULL, 10) : 5000;
}

static void test_read_write_locks_are_whole(void **state)
{
	static struct oracle any, keeping, whole;
	unsigned long rounds = count_rounds();

	(void)state;
	memset(rings, 0, sizeof(rings));
	sequences_with = 0;
	for (unsigned long i = 0; i < rounds; i++) {
		struct predict_sequence sequence = { 0 };

		oracle_seed(i);
		oracle_make_grouped(&sequence);
		oracle_run(&any, &sequence, false);
		oracle_run(&keeping, &sequence, true);
		oracle_run_whole(&whole, &sequence);
		check_deadlocks(&sequence, &any, &keeping);
		check_whole(&sequence, &whole);
		predict_sequence_release(&sequence);
	}
	print_message("%lu sequences with a read-write lock, %llu deadlocks proven\n", rounds,
		      (unsigned long long)rings_of_parts);
	assert_true(rounds < 5000 || rings_of_parts > 0);
}

static void test_predictions_are_those_of_all_reorderings(void **state)
{
	unsigned long rounds = count_rounds();
	static struct oracle any, keeping;

	(void)state;
	for (unsigned long i = 0; i < rounds; i++) {
		struct predict_sequence sequence = { 0 };

		oracle_seed(i);
		oracle_make(&sequence, i % 4 == 3);
		oracle_run(&any, &sequence, false);
		oracle_run(&keeping, &sequence, true);
		check_deadlocks(&sequence, &any, &keeping);
		if (i % 4 != 3) { /* of races nobody asks what is unknown */
			check_races(&sequence, &any);
			check_race_proofs(&sequence, &any, &keeping);
		}
		predict_sequence_release(&sequence);
	}
	tell(rounds);
	assert_true(rounds < 5000 || rings[2].proven > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_predictions_are_those_of_all_reorderings),
		cmocka_unit_test(test_read_write_locks_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
