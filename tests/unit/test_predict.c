/* SPDX-License-Identifier: MIT */
/*
 * test_predict.c - traces in STD form with known answers: what is refused, what is predicted, what races.
 *
 * THRUM_STD_TRACES names a folder with published traces, NAME.std; those of the table that are there must give its counts.
 */
#include "analyzer/predict/predict.h"
#include "analyzer/predict/races.h"
#include "analyzer/predict/std_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct answer {
	uint64_t patterns, unordered, reachable, proven;
};

static struct answer ask(const struct predict_sequence *sequence, unsigned ignore)
{
	struct predict_options options = { .ignore = ignore };
	struct predict_result result;
	struct answer answer;
	struct diag diag;

	assert_int_equal(predict_deadlocks(sequence, &options, &result, &diag), 0);
	assert_int_equal(result.counts.refused, 0);
	answer = (struct answer){ result.counts.patterns,
				  result.counts.patterns - result.counts.ordered,
				  result.counts.reachable, result.counts.proven };
	predict_result_release(&result);
	return answer;
}

static void read_text(const char *text, struct predict_sequence *sequence)
{
	struct diag diag = { "" };
	int error = std_read_text(text, strlen(text), sequence, &diag);

	if (error)
		print_error("%s\n", diag.message);
	assert_int_equal(error, 0);
}

static void expect(const char *text, struct answer wanted)
{
	struct predict_sequence sequence = { 0 };
	struct answer answer;

	read_text(text, &sequence);
	answer = ask(&sequence, 0);
	assert_int_equal(answer.patterns, wanted.patterns);
	assert_int_equal(answer.unordered, wanted.unordered);
	assert_int_equal(answer.reachable, wanted.reachable);
	assert_int_equal(answer.proven, wanted.proven);
	predict_sequence_release(&sequence);
}

#define PAIR(t, a, b) \
	t "|acq(" a ")|" t a "\n" t "|acq(" b ")|" t b "\n" t "|rel(" b ")|9\n" t "|rel(" a ")|9\n"
#define START "T0|w(x)|1\nT0|fork(T1)|2\nT0|fork(T2)|3\n"

static void test_two_locks_in_both_orders_are_proven(void **state)
{
	(void)state;
	expect(START PAIR("T1", "A", "B") PAIR("T2", "B", "A"), (struct answer){ 1, 1, 1, 1 });
	expect("T0|w(x)|1\n" PAIR("T1", "A", "B") PAIR("T2", "B", "C") PAIR("T3", "C", "A"),
	       (struct answer){ 1, 1, 1, 1 });
}

static void test_nothing_is_proven_without_accesses(void **state)
{
	(void)state;
	expect(PAIR("T1", "A", "B") PAIR("T2", "B", "A"), (struct answer){ 1, 1, 1, 0 });
}

static void test_what_cannot_be_is_no_pattern(void **state)
{
	(void)state;
	/* one thread; a gate; the same order */
	expect("T0|w(x)|1\n" PAIR("T1", "A", "B") PAIR("T1", "B", "A"),
	       (struct answer){ 0, 0, 0, 0 });
	expect("T0|w(x)|1\nT1|acq(G)|1\n" PAIR("T1", "A", "B") "T1|rel(G)|1\nT2|acq(G)|1\n" PAIR(
		       "T2", "B", "A") "T2|rel(G)|1\n",
	       (struct answer){ 0, 0, 0, 0 });
	expect("T0|w(x)|1\n" PAIR("T1", "A", "B") PAIR("T2", "A", "B"),
	       (struct answer){ 0, 0, 0, 0 });
}

static void test_fork_and_join_order(void **state)
{
	(void)state;
	expect("T0|w(x)|1\n" PAIR("T0", "A", "B") "T0|fork(T1)|2\n" PAIR("T1", "B", "A"),
	       (struct answer){ 1, 0, 0, 0 });
	expect("T0|w(x)|1\nT0|fork(T1)|2\n" PAIR("T1", "B", "A") "T0|join(1)|3\n" PAIR("T0", "A",
										       "B"),
	       (struct answer){ 1, 0, 0, 0 });
}

static void test_what_was_read_keeps_it_from_being_proven(void **state)
{
	(void)state;
	expect(START PAIR("T1", "A", "B") "T1|w(done)|4\nT2|r(done)|5\n" PAIR("T2", "B", "A"),
	       (struct answer){ 1, 1, 1, 0 });
	/* read before the lock is asked for, written after: no matter */
	expect(START "T2|r(x)|5\n" PAIR("T1", "A", "B") "T1|w(x)|4\n" PAIR("T2", "B", "A"),
	       (struct answer){ 1, 1, 1, 1 });
}

static void test_what_was_read_right_before_an_acquire_counts(void **state)
{
	(void)state;
	/* T2 needs T1 up to the fork, with its first acquire of B; before the second one T1 has read y */
	expect("T1|acq(A)|1\nT1|acq(B)|1\nT1|rel(B)|1\nT1|fork(T2)|2\nT3|w(y)|3\nT1|r(y)|4\n"
	       "T1|acq(B)|5\nT1|rel(B)|6\nT1|rel(A)|7\nT2|acq(B)|8\nT2|acq(A)|9\nT2|rel(A)|10\n"
	       "T2|rel(B)|11\n",
	       (struct answer){ 1, 1, 1, 1 });
}

static void test_a_join_knows_what_was_read_last(void **state)
{
	(void)state;
	/* T0 has seen T1's newest write when it joins T1, but not what T1 read after it */
	expect("T0|fork(T1)|1\nT0|fork(T2)|1\n" PAIR(
		       "T2", "A", "B") "T2|w(y)|4\nT1|w(x)|4\nT1|r(y)|5\n"
				       "T0|r(x)|6\nT0|join(1)|7\n" PAIR("T0", "B", "A"),
	       (struct answer){ 1, 1, 1, 0 });
}

static void test_a_notification_orders_a_wait(void **state)
{
	(void)state;
	expect(START PAIR("T1", "A",
			  "B") "T2|acq(M)|1\nT2|rel(M)|1\nT2|wait(M)|1\nT1|acq(M)|1\n"
			       "T1|notify(M)|1\nT1|rel(M)|1\nT2|acq(M)|1\nT2|rel(M)|1\n" PAIR(
				       "T2", "B", "A"),
	       (struct answer){ 1, 0, 0, 0 });
}

static void test_a_request_at_the_end_counts(void **state)
{
	(void)state;
	expect(START "T1|acq(A)|1\nT2|acq(B)|2\nT1|req(B)|3\nT2|req(A)|4\n",
	       (struct answer){ 1, 1, 1, 1 });
	/* written down before it is granted, which it never is */
	expect(START "T1|acq(A)|1\nT2|acq(B)|2\nT1|acq(B)|3\nT2|acq(A)|4\n",
	       (struct answer){ 1, 1, 1, 1 });
}

enum { RINGS = 150, THREADS = 40 };

/* More witnesses than are played at a time, more threads than a clock has lanes, more learnt than a log has between clocks. */
static char *make_many_rings(void)
{
	FILE *out;
	char *text = NULL;
	size_t bytes;

	out = open_memstream(&text, &bytes);
	assert_non_null(out);
	for (int i = 0; i < RINGS; i++) {
		int t = i % THREADS, u = (i * 7 + 1) % THREADS;

		fprintf(out, "%d|acq(A%d)|a%d\n%d|acq(B%d)|b%d\n", t, i, i, t, i, i);
		fprintf(out, "%d|rel(B%d)|c\n%d|rel(A%d)|c\n", t, i, t, i);
		/* Seen by the other one before its half of every second ring. */
		fprintf(out, "%d|w(x%d)|d\n%d|r(x%d)|d\n", t, i, i % 2 ? u : (u + 1) % THREADS, i);
		fprintf(out, "%d|acq(B%d)|e%d\n%d|acq(A%d)|f%d\n", u, i, i, u, i, i);
		fprintf(out, "%d|rel(A%d)|c\n%d|rel(B%d)|c\n", u, i, u, i);
	}
	fclose(out);
	return text;
}

static void test_many_rings(void **state)
{
	struct predict_sequence sequence = { 0 };
	struct predict_result result;
	struct answer answer;
	struct diag diag;
	char *text = make_many_rings();

	(void)state;
	read_text(text, &sequence);
	for (uint32_t spacing = 0; spacing <= 3; spacing++) {
		struct predict_options options = { .spacing = spacing };

		assert_int_equal(predict_deadlocks(&sequence, &options, &result, &diag), 0);
		answer = (struct answer){ result.counts.patterns, result.count,
					  result.counts.reachable, result.counts.proven };
		assert_int_equal(answer.patterns, RINGS);
		assert_int_equal(answer.reachable, RINGS);
		assert_int_equal(result.counts.refused, 0);
		assert_int_equal(answer.proven, RINGS / 2);
		predict_result_release(&result);
	}
	predict_sequence_release(&sequence);
	free(text);
}

/* Threads, locks and variables come while others are known; nothing is kept. */
static void test_heard_events_need_not_be_kept(void **state)
{
	struct predictor *predictor = predictor_new(NULL);
	struct races *races = races_new(RACES_SHB, NULL, NULL);
	struct predict_sequence sequence = { .window = 7 }, kept = { 0 };
	struct predict_result result;
	struct races_counts counts, wanted;
	char *text = make_many_rings();
	struct diag diag;

	(void)state;
	read_text(text, &kept);
	races_find(&kept, RACES_SHB, NULL, NULL, &wanted);
	predict_sequence_hear(&sequence, (struct predict_listener){ predictor_hear, predictor });
	predict_sequence_hear(&sequence, (struct predict_listener){ races_hear, races });
	read_text(text, &sequence);
	assert_int_equal(sequence.count, kept.count);
	assert_true(sequence.capacity < kept.count);
	counts = races_count(races);
	assert_memory_equal(&counts, &wanted, sizeof(counts));
	assert_int_equal(predictor_finish(predictor, &sequence, &result, &diag), 0);
	assert_int_equal(result.counts.patterns, RINGS);
	assert_int_equal(result.counts.proven, RINGS / 2);
	assert_int_equal(result.counts.refused, 0);
	for (size_t i = 0; i < result.count; i++) {
		const struct predict_deadlock *d = &result.deadlock[i];

		/* Only events of locks are told: each stands in its outer one. */
		assert_true(!d->proven || d->witness.events >= 2);
		assert_true(!d->proven || d->witness.steps >= 2);
	}
	predict_result_release(&result);
	predictor_free(predictor);
	races_free(races);
	predict_sequence_release(&sequence);
	predict_sequence_release(&kept);
	free(text);
}

static void test_a_witness_ends_before_the_acquires(void **state)
{
	struct predict_sequence sequence = { 0 };
	struct predict_result result;
	struct digest digest = { 0 };
	struct witness *witness;
	struct diag diag;

	(void)state;
	read_text(START PAIR("T1", "A", "B") PAIR("T2", "B", "A"), &sequence);
	assert_int_equal(predict_deadlocks(&sequence, NULL, &result, &diag), 0);
	assert_int_equal(result.count, 1);
	assert_true(result.deadlock[0].proven);
	/* main forks both, each takes its first lock: nothing of x, which nobody reads */
	witness = &result.deadlock[0].witness;
	assert_int_equal(witness->steps, 3);
	assert_int_equal(witness->events, 5);
	assert_true(witness->holds);
	/* an event too few is no witness, nor is one too many */
	digest_add(&digest, &sequence, sequence.event, sequence.count, 0);
	digest_end(&digest);
	witnesses_play(&digest, &sequence, &result.acquires, &witness, 1);
	assert_true(witness->holds);
	witness->in[1]--;
	witnesses_play(&digest, &sequence, &result.acquires, &witness, 1);
	assert_false(witness->holds);
	witness->in[1] += 2;
	witnesses_play(&digest, &sequence, &result.acquires, &witness, 1);
	assert_false(witness->holds);
	digest_release(&digest);
	predict_result_release(&result);
	predict_sequence_release(&sequence);
}

/* ---- the reader ---- */

static void refuse(const char *text, const char *message)
{
	struct predict_sequence sequence = { 0 };
	struct diag diag = { "" };

	assert_int_equal(std_read_text(text, strlen(text), &sequence, &diag), THRUM_EFORMAT);
	assert_string_equal(diag.message, message);
	predict_sequence_release(&sequence);
}

static void test_errors_name_their_line(void **state)
{
	(void)state;
	refuse("T0|w(x)|1\nnonsense\n", "line 2: expected THREAD|");
	refuse("|w(x)|1\n", "line 1: expected THREAD|");
	refuse("T0|w\n", "line 1: expected OP( after the thread");
	refuse("T0|w(x\n", "line 1: expected OBJECT) after the operation");
	refuse("T0|w()|1\n", "line 1: expected OBJECT) after the operation");
	refuse("T0|w(x)\n", "line 1: expected |PLACE after the operation");
	refuse("T0|w(x)|\n", "line 1: expected |PLACE after the operation");
	refuse("\nT0|put(x)|1",
	       "line 2: unknown operation; known are r w acq rel req fork join wait notify");
	refuse("T0|rel(x)|1\n", "line 1: a lock is released by a thread that does not have it");
	refuse("T0|fork(0)|1\n", "line 1: a thread forks or joins itself");
	refuse("T0|acq(A)|1\nT1|acq(A)|1\nT1|w(x)|1\n",
	       "line 3: the thread goes on after it acquired a lock that another thread has");
}

static void test_forms_that_writers_use(void **state)
{
	struct predict_sequence sequence = { 0 };
	size_t bytes;

	(void)state;
	read_text(
		"main|begin(1)|0\r\n\nmain|w(a.b[3])|Foo.java:12|more\r\nT7|r(a.b[3])|x\n7|acq(L)|y\n"
		"7|acq(L)|y\n7|rel(L)|y\n7|rel(L)|y",
		&sequence);
	assert_int_equal(sequence.count, 4);
	assert_int_equal(sequence.threads.count, 2);
	assert_int_equal(sequence.nested, 1);
	assert_memory_equal(names_get(&sequence.places, 0, &bytes), "Foo.java:12", 11);
	assert_int_equal(bytes, 11);
	predict_sequence_release(&sequence);
}

static void test_names_of_all_lengths_are_told_apart(void **state)
{
	struct names names = { 0 };
	char word[64];

	(void)state;
	memset(word, 'x', sizeof(word));
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t bytes = 1; bytes <= 40; bytes++) {
			/* near the end of what may be read, and far from it */
			size_t readable = pass ? bytes : sizeof(word);

			assert_int_equal(names_lookup_or_add(&names, word, bytes, readable),
					 bytes - 1);
		}
	word[20] = 'y';
	assert_int_equal(names_lookup_or_add(&names, word, 21, sizeof(word)), 40);
	for (uint32_t i = 0; i < 5000; i++) {
		int bytes = snprintf(word, sizeof(word), "%u", i);

		assert_int_equal(names_lookup_or_add(&names, word, (size_t)bytes, sizeof(word)),
				 41 + i);
	}
	names_release(&names);
}

/* ---- published traces ---- */

struct published {
	const char *name;
	struct answer answer;
	unsigned ignore;
	uint64_t hb_events, hb_places, shb_events, shb_places; /* UINT64_MAX = not published */
};

#define UNKNOWN UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX

static const struct published published[] = {
	{ "real_Account", { 3, 3, 3, 0 }, 0, 20, 8, 3, 2 },
	{ "real_Bensalem", { 2, 2, 2, 1 }, 0, 0, 0, 0, 0 },
	{ "real_Dbcp1", { 2, 1, 1, 1 }, 0, 0, 0, 0, 0 },
	{ "real_DiningPhil", { 1, 1, 1, 1 }, 0, 0, 0, 0, 0 },
	{ "real_StringBuffer", { 1, 1, 1, 1 }, 0, 0, 0, 0, 0 },
	{ "real_Transfer", { 1, 1, 1, 0 }, 0, 0, 0, 0, 0 },
	{ "condvar_cond_var_fp_dlf", { 1, 1, 1, 1 }, PREDICT_IGNORE_WAITS, UNKNOWN },
	{ "condvar_cond_var_fp_dlf", { 1, 0, 0, 0 }, 0, UNKNOWN },
	{ "condvar_cond_var_tn_dlf", { 1, 1, 1, 0 }, 0, UNKNOWN },
	{ "condvar_memcached_567_dlf", { 0, 0, 0, 0 }, 0, UNKNOWN },
	{ "dl_1", { 4, 3, 3, 2 }, 0, UNKNOWN },
	{ "dl_10_100k", { 40, 30, 30, 20 }, 0, UNKNOWN },
	{ "g16_100k", { 0, 0, 0, 0 }, 0, UNKNOWN },
};

static void check_published(const struct published *p, const char *path)
{
	struct predict_sequence sequence = { 0 };
	struct races_counts counts;
	struct answer answer;
	struct diag diag = { "" };
	int error = std_read_file(path, &sequence, &diag);

	if (error)
		print_error("%s: %s\n", path, diag.message);
	assert_int_equal(error, 0);
	answer = ask(&sequence, p->ignore);
	assert_memory_equal(&answer, &p->answer, sizeof(answer));
	if (p->hb_events != UINT64_MAX) {
		races_find(&sequence, RACES_HB, NULL, NULL, &counts);
		assert_int_equal(counts.events, p->hb_events);
		assert_int_equal(counts.places, p->hb_places);
		races_find(&sequence, RACES_SHB, NULL, NULL, &counts);
		assert_int_equal(counts.events, p->shb_events);
		assert_int_equal(counts.places, p->shb_places);
	}
	predict_sequence_release(&sequence);
}

static void test_published_traces(void **state)
{
	const char *folder = getenv("THRUM_STD_TRACES");
	char path[4096];
	int checked = 0;

	(void)state;
	if (!folder)
		skip();
	for (size_t i = 0; i < sizeof(published) / sizeof(*published); i++) {
		snprintf(path, sizeof(path), "%s/%s.std", folder, published[i].name);
		if (access(path, R_OK))
			continue;
		check_published(&published[i], path);
		checked++;
	}
	assert_true(checked > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_locks_in_both_orders_are_proven),
		cmocka_unit_test(test_nothing_is_proven_without_accesses),
		cmocka_unit_test(test_what_cannot_be_is_no_pattern),
		cmocka_unit_test(test_fork_and_join_order),
		cmocka_unit_test(test_what_was_read_keeps_it_from_being_proven),
		cmocka_unit_test(test_what_was_read_right_before_an_acquire_counts),
		cmocka_unit_test(test_a_join_knows_what_was_read_last),
		cmocka_unit_test(test_a_notification_orders_a_wait),
		cmocka_unit_test(test_a_request_at_the_end_counts),
		cmocka_unit_test(test_many_rings),
		cmocka_unit_test(test_heard_events_need_not_be_kept),
		cmocka_unit_test(test_a_witness_ends_before_the_acquires),
		cmocka_unit_test(test_errors_name_their_line),
		cmocka_unit_test(test_forms_that_writers_use),
		cmocka_unit_test(test_names_of_all_lengths_are_told_apart),
		cmocka_unit_test(test_published_traces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
