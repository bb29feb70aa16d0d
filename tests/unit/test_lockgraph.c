/* SPDX-License-Identifier: MIT */
/*
 * test_lockgraph.c - lock graphs of a fleet: merging in any order, any grouping and any number of times gives the same bytes; which rings over
 * several runs count.
 */
#include "analyzer/fleet/lockgraph.h"
#include "analyzer/lock_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 60
#define RUNS 24

static uint64_t random_state = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

/* ---- random runs ---- */

static const char *draw_text(struct lockgraph *g)
{
	static const char *const texts[] = { NULL, "a", "b", "work \"quoted\"", "\xc3\xa9" };

	return lockgraph_text(g, texts[draw(5)]);
}

static struct lockgraph_set draw_set(struct lockgraph *g, uint64_t most)
{
	struct lockgraph_set set = { 0 };

	for (uint64_t left = draw(4); left; left--)
		lockgraph_set_add(g, &set, 1 + draw(most), 0);
	return set;
}

static void add_stack(struct lockgraph *g, uint64_t id)
{
	struct lockgraph_stack stack = { .record.id = id, .frames.count = 1 + draw(2) };

	stack.frames.frame = finding_list_alloc(lockgraph_memory(g), 2 * sizeof(struct frame));
	for (size_t i = 0; i < stack.frames.count; i++)
		stack.frames.frame[i] = (struct frame){ .function = draw_text(g),
							.file = draw_text(g),
							.line = (int)draw(3),
							.module = draw_text(g),
							.offset = draw(3),
							.inlined = draw(2) };
	lockgraph_add(g, LOCKGRAPH_STACKS, &stack);
}

static void add_edge(struct lockgraph *g, uint64_t run)
{
	uint64_t least = draw(4);
	struct lockgraph_edge e = { .record.id = 1 + draw(12),
				    .program = 1,
				    .from = 1 + draw(4),
				    .to = 1 + draw(4),
				    .role = 1 + draw(3),
				    .with = draw_set(g, 3),
				    .after_always = draw_set(g, 3),
				    .after_ever = draw_set(g, 3),
				    .rounds_least = least,
				    .rounds_most = least + draw(3),
				    .witness = run,
				    .hold = 1 + draw(5),
				    .request = 1 + draw(5) };

	/* What the id says is the same in every record of it. */
	e.from = 1 + e.record.id % 4;
	e.to = 1 + e.record.id / 4 % 4;
	e.role = 1 + e.record.id % 3;
	lockgraph_set_add(g, &e.runs, run, LOCKGRAPH_RUNS_KEPT);
	lockgraph_add(g, LOCKGRAPH_EDGES, &e);
}

static struct lockgraph *random_run(void)
{
	struct lockgraph *g = lockgraph_new();
	uint64_t run = lockgraph_hash_id(1, draw(100000));
	struct lockgraph_program program = { .record.id = 1, .command = draw_text(g) };

	lockgraph_add_run(g, run);
	lockgraph_add(g, LOCKGRAPH_PROGRAMS, &program);
	for (uint64_t id = 1; id <= 3; id++) {
		struct lockgraph_role role = { .record.id = id,
					       .program = 1,
					       .is_main = id == 1,
					       .start = draw_text(g),
					       .created = draw(3),
					       .most = 1 + draw(3),
					       .barriers = draw_set(g, 5) };

		lockgraph_add(g, LOCKGRAPH_ROLES, &role);
	}
	for (uint64_t id = 1; id <= 4; id++) {
		struct lockgraph_lock lock = { .record.id = id,
					       .program = 1,
					       .identity = (enum lockgraph_identity)(id % 3),
					       .kind = 1,
					       .name = draw_text(g),
					       .many = !draw(8),
					       .is_signal = !draw(8),
					       .room = draw(3),
					       .first_seen = draw(5) };

		lockgraph_add(g, LOCKGRAPH_LOCKS, &lock);
	}
	for (uint64_t left = draw(6); left; left--)
		add_edge(g, run);
	for (uint64_t left = draw(6); left; left--)
		add_stack(g, 1 + draw(5));
	return g;
}

/* ---- bytes ---- */

static char *bytes_of(struct lockgraph *g, size_t *ret_count)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_count);
	struct diag diag = { "" };

	assert_non_null(out);
	assert_int_equal(lockgraph_write(g, out, &diag), 0);
	fclose(out);
	return text;
}

static void add_bytes(struct lockgraph *g, const char *text, size_t count)
{
	struct diag diag = { "" };

	if (lockgraph_read_text(g, text, count, &diag))
		fail_msg("%s", diag.message);
}

struct part {
	char *text;
	size_t count;
};

static struct part merge(const struct part *part, const size_t *index, size_t count)
{
	struct lockgraph *g = lockgraph_new();
	struct part all;

	for (size_t i = 0; i < count; i++)
		add_bytes(g, part[index[i]].text, part[index[i]].count);
	all.text = bytes_of(g, &all.count);
	lockgraph_free(g);
	return all;
}

static void shuffle(size_t *index, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t other = draw(i), kept = index[i - 1];

		index[i - 1] = index[other];
		index[other] = kept;
	}
}

/* Merges the parts in a random tree; some of them twice. */
static struct part merge_randomly(const struct part *part, size_t count)
{
	struct part pool[2 * RUNS + 8];
	size_t pool_count = 0;

	for (size_t i = 0; i < count; i++)
		for (uint64_t times = 1 + !draw(4); times; times--)
			pool[pool_count++] = (struct part){ memcpy(malloc(part[i].count),
								   part[i].text, part[i].count),
							    part[i].count };
	while (pool_count > 1) {
		size_t index[2 * RUNS + 8], taken = 2 + draw(3);
		struct part joined;

		for (size_t i = 0; i < pool_count; i++)
			index[i] = i;
		shuffle(index, pool_count);
		taken = taken < pool_count ? taken : pool_count;
		joined = merge(pool, index, taken);
		for (size_t i = 0; i < taken; i++) {
			free(pool[index[i]].text);
			pool[index[i]].text = NULL;
		}
		for (size_t from = 0, kept = 0; from < pool_count; from++)
			if (pool[from].text)
				pool[kept++] = pool[from];
		pool_count -= taken;
		pool[pool_count++] = joined;
	}
	return pool[0];
}

static void test_order_grouping_and_repetition_do_not_matter(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct part part[RUNS], straight;
		size_t index[RUNS], count = 1 + draw(RUNS);

		for (size_t i = 0; i < count; i++) {
			struct lockgraph *g = random_run();

			index[i] = i;
			part[i].text = bytes_of(g, &part[i].count);
			lockgraph_free(g);
		}
		straight = merge(part, index, count);
		for (int turn = 0; turn < 5; turn++) {
			struct part again = merge_randomly(part, count);

			assert_int_equal(again.count, straight.count);
			assert_memory_equal(again.text, straight.text, straight.count);
			free(again.text);
		}
		for (size_t i = 0; i < count; i++)
			free(part[i].text);
		free(straight.text);
	}
}

/* A set of lines is one, whichever file and order they come in: what Spark's pipe does. */
static void test_lines_may_come_in_any_order(void **state)
{
	struct lockgraph *g = random_run(), *other = lockgraph_new();
	char *line[256];
	size_t count, lines = 0, index[256], other_count;
	char *text = bytes_of(g, &count), *copy = strdup(text), *rest = copy, *other_text;

	(void)state;
	while ((line[lines] = strsep(&rest, "\n")) && rest)
		lines++;
	for (size_t i = 0; i < lines; i++)
		index[i] = i;
	shuffle(index, lines);
	for (size_t i = 0; i < lines; i++)
		add_bytes(other, line[index[i]], strlen(line[index[i]]));
	other_text = bytes_of(other, &other_count);
	assert_int_equal(other_count, count);
	assert_memory_equal(other_text, text, count);
	free(text);
	free(copy);
	free(other_text);
	lockgraph_free(g);
	lockgraph_free(other);
}

static void test_many_runs_are_estimated(void **state)
{
	struct lockgraph *g = lockgraph_new();
	struct lockgraph_set set = { 0 };
	uint64_t estimate;

	(void)state;
	for (uint64_t i = 0; i < 10000; i++) {
		lockgraph_add_run(g, lockgraph_hash_id(3, i));
		lockgraph_set_add(g, &set, lockgraph_hash_id(3, i), LOCKGRAPH_RUNS_KEPT);
		if (i == 999)
			assert_int_equal(
				lockgraph_estimate(lockgraph_get_runs(g), LOCKGRAPH_RUNS_ALL),
				1000);
	}
	assert_int_equal(set.count, LOCKGRAPH_RUNS_KEPT);
	estimate = lockgraph_estimate(&set, LOCKGRAPH_RUNS_KEPT);
	assert_in_range(estimate, 6500, 14500);
	estimate = lockgraph_estimate(lockgraph_get_runs(g), LOCKGRAPH_RUNS_ALL);
	assert_in_range(estimate, 9500, 10500);
	lockgraph_free(g);
}

/* ---- rings ---- */

enum { PROGRAM = 1, MAIN = 10, LEFT, RIGHT, A = 20, B, GATE, BARRIER = 30 };

struct scene {
	struct lockgraph *g;
	struct lockgraph_edge forth,
		back; /* A then B by LEFT in run 1, B then A by RIGHT in run 2 */
	enum lockgraph_identity identity;
	bool many;
	struct lockgraph_role left, right;
};

static struct lockgraph_set set_of(struct lockgraph *g, uint64_t one, uint64_t two)
{
	struct lockgraph_set set = { 0 };

	lockgraph_set_add(g, &set, one, 0);
	if (two)
		lockgraph_set_add(g, &set, two, 0);
	return set;
}

static void init_scene(struct scene *s)
{
	*s = (struct scene){ .g = lockgraph_new(), .identity = LOCKGRAPH_STATIC };
	s->forth = (struct lockgraph_edge){ .record.id = 101,
					    .program = PROGRAM,
					    .from = A,
					    .to = B,
					    .role = LEFT,
					    .gates = set_of(s->g, A, 0),
					    .with = set_of(s->g, MAIN, RIGHT),
					    .runs = set_of(s->g, 1, 0),
					    .witness = 1 };
	s->back = s->forth;
	s->back.record.id = 102;
	s->back.from = B;
	s->back.to = A;
	s->back.role = RIGHT;
	s->back.gates = set_of(s->g, B, 0);
	s->back.with = set_of(s->g, MAIN, LEFT);
	s->back.runs = set_of(s->g, 2, 0);
	s->back.witness = 2;
	s->left = (struct lockgraph_role){ .record.id = LEFT, .program = PROGRAM, .most = 1 };
	s->right = s->left;
	s->right.record.id = RIGHT;
}

/* -1 = silent, else the finding's confidence. */
static int judge(struct scene *s)
{
	struct finding_list *findings = finding_list_new();
	int confidence = -1;

	lockgraph_add_run(s->g, 1);
	lockgraph_add_run(s->g, 2);
	for (uint64_t id = A; id <= GATE; id++) {
		struct lockgraph_lock lock = { .record.id = id,
					       .program = PROGRAM,
					       .kind = 1,
					       .many = s->many,
					       .identity = s->identity };

		lockgraph_add(s->g, LOCKGRAPH_LOCKS, &lock);
	}
	lockgraph_add(s->g, LOCKGRAPH_ROLES, &s->left);
	lockgraph_add(s->g, LOCKGRAPH_ROLES, &s->right);
	lockgraph_add(s->g, LOCKGRAPH_EDGES, &s->forth);
	lockgraph_add(s->g, LOCKGRAPH_EDGES, &s->back);
	lockgraph_findings(s->g, findings, 0);
	assert_true(finding_list_count(findings) <= 1);
	if (finding_list_count(findings))
		confidence = finding_list_get(findings, 0)->confidence;
	finding_list_free(findings);
	lockgraph_free(s->g);
	return confidence;
}

static void test_a_ring_over_two_runs_is_potential(void **state)
{
	struct scene s;

	(void)state;
	init_scene(&s);
	assert_int_equal(judge(&s), CONFIDENCE_POTENTIAL);
}

static void test_what_is_known_by_its_site_is_a_hint(void **state)
{
	struct scene s;

	(void)state;
	init_scene(&s);
	s.identity = LOCKGRAPH_SITE;
	assert_int_equal(judge(&s), CONFIDENCE_HINT);
	init_scene(&s);
	s.identity = LOCKGRAPH_NAMED;
	assert_int_equal(judge(&s), CONFIDENCE_POTENTIAL);
}

/* Which of several instances it was in the other run, nobody knows. */
static void test_classes_make_no_ring(void **state)
{
	struct scene s;

	(void)state;
	init_scene(&s);
	s.identity = LOCKGRAPH_SITE;
	s.many = true;
	assert_int_equal(judge(&s), -1);
}

static void test_a_common_gate_keeps_them_apart(void **state)
{
	struct scene s;

	(void)state;
	init_scene(&s);
	s.forth.gates = set_of(s.g, A, GATE);
	assert_int_equal(judge(&s), CONFIDENCE_POTENTIAL); /* one side only */
	init_scene(&s);
	s.forth.gates = set_of(s.g, A, GATE);
	s.back.gates = set_of(s.g, B, GATE);
	assert_int_equal(judge(&s), -1);
	init_scene(&s);
	s.forth.shared = set_of(s.g, GATE, 0);
	s.back.shared = set_of(s.g, GATE, 0);
	assert_int_equal(judge(&s), CONFIDENCE_POTENTIAL); /* both read */
	init_scene(&s);
	s.forth.shared = set_of(s.g, GATE, 0);
	s.back.gates = set_of(s.g, B, GATE);
	assert_int_equal(judge(&s), -1);
}

static void test_threads_must_have_run_together(void **state)
{
	struct scene s;

	(void)state;
	init_scene(&s);
	s.forth.with = set_of(s.g, MAIN, 0);
	assert_int_equal(judge(&s), -1);
	init_scene(&s);
	s.back.role = LEFT; /* the one thread of its role */
	s.forth.with = s.back.with = set_of(s.g, LEFT, 0);
	assert_int_equal(judge(&s), -1);
	init_scene(&s);
	s.back.role = LEFT;
	s.forth.with = s.back.with = set_of(s.g, LEFT, 0);
	s.left.most = 2;
	assert_int_equal(judge(&s), CONFIDENCE_POTENTIAL);
}

static void test_what_is_over_before_is_no_partner(void **state)
{
	struct scene s;

	(void)state;
	init_scene(&s);
	s.back.after_always = s.back.after_ever = set_of(s.g, LEFT, 0);
	assert_int_equal(judge(&s), -1);
	/* Later rounds of the same threads: both have been after some of them. */
	init_scene(&s);
	s.back.after_always = s.back.after_ever = set_of(s.g, LEFT, 0);
	s.forth.after_ever = set_of(s.g, LEFT, 0);
	assert_int_equal(judge(&s), CONFIDENCE_POTENTIAL);
}

static void test_barriers_lie_between(void **state)
{
	struct scene s;

	(void)state;
	init_scene(&s);
	s.back.rounds_least = s.back.rounds_most = 1;
	assert_int_equal(judge(&s), CONFIDENCE_POTENTIAL); /* no common one */
	init_scene(&s);
	s.back.rounds_least = s.back.rounds_most = 1;
	s.left.barriers = s.right.barriers = set_of(s.g, BARRIER, 0);
	assert_int_equal(judge(&s), -1);
	init_scene(&s);
	s.back.rounds_most = 1; /* sometimes before it */
	s.left.barriers = s.right.barriers = set_of(s.g, BARRIER, 0);
	assert_int_equal(judge(&s), CONFIDENCE_POTENTIAL);
}

static void test_modes_and_bounds(void **state)
{
	struct scene s;

	(void)state;
	init_scene(&s);
	s.forth.flags = s.back.flags = LOCK_WANT_SHARED | LOCK_HELD_SHARED;
	assert_int_equal(judge(&s), -1);
	init_scene(&s);
	s.forth.flags = LOCK_BOUNDED;
	assert_int_equal(judge(&s), CONFIDENCE_HINT);
	init_scene(&s);
	s.forth.flags = LOCK_UNCERTAIN;
	assert_int_equal(judge(&s), CONFIDENCE_HINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_grouping_and_repetition_do_not_matter),
		cmocka_unit_test(test_lines_may_come_in_any_order),
		cmocka_unit_test(test_many_runs_are_estimated),
		cmocka_unit_test(test_a_ring_over_two_runs_is_potential),
		cmocka_unit_test(test_what_is_known_by_its_site_is_a_hint),
		cmocka_unit_test(test_classes_make_no_ring),
		cmocka_unit_test(test_a_common_gate_keeps_them_apart),
		cmocka_unit_test(test_threads_must_have_run_together),
		cmocka_unit_test(test_what_is_over_before_is_no_partner),
		cmocka_unit_test(test_barriers_lie_between),
		cmocka_unit_test(test_modes_and_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
