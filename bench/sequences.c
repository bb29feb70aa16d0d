/* SPDX-License-Identifier: MIT */
/*
 * sequences.c - makes runs of any size for the predictor, as STD text or in memory, and times what is asked of them.
 *
 *   sequences text KEY=VALUE…          the run as STD text on standard output
 *   sequences measure KEY=VALUE…       makes it in memory, and prints a line of JSON: seconds of processor time by engine
 *   sequences read FILE [KEY=VALUE…]   the same of a file in STD form, and how long reading took
 *
 * Keys: events, threads, locks, variables (0 = nothing but locks), sections (percent of blocks that are critical sections), rings (that can be reached: of
 * two threads, and as many of three), seed; engines (letters: d deadlocks, h happens-before races, s SHB races), rounds (the best of).
 *
 * Threads take turns of 5 to 60 events, locks are nested in one order, hot locks and variables are more frequent; each ring has locks of
 * its own.
 */
#include "analyzer/predict/predict.h"
#include "analyzer/predict/races.h"
#include "analyzer/predict/std_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST_BLOCK = 64, TEXT_BYTES = 1 << 20, LONGEST_LINE = 80 };

struct shape {
	uint64_t events, threads, locks, variables, sections, rings, seed, rounds;
	const char *engines, *file;
};

struct step {
	enum predict_op op;
	uint32_t object, place;
};

struct worker {
	struct step step[MOST_BLOCK];
	uint32_t next, count;
};

struct maker {
	const struct shape *shape;
	struct predict_sequence *sequence; /* NULL = text */
	struct worker *worker;
	uint32_t *owner; /* by lock: thread + 1 */
	uint64_t made, state;
	uint32_t locks; /* those of rings come after those of the shape */
	char *text;
	size_t bytes;
};

static void *allocate(size_t count, size_t bytes)
{
	void *memory = calloc(count + 1, bytes);

	if (!memory)
		abort();
	return memory;
}

static uint32_t draw(struct maker *m, uint64_t below)
{
	m->state ^= m->state << 13;
	m->state ^= m->state >> 7;
	m->state ^= m->state << 17;
	return (uint32_t)((m->state >> 32) * below >> 32);
}

/* Small ones far more often. */
static uint32_t draw_hot(struct maker *m, uint64_t below)
{
	uint64_t a = draw(m, below), b = draw(m, below), c = draw(m, below);

	return (uint32_t)(a * b / below * c / below);
}

/* ---- where events go ---- */

static void flush(struct maker *m)
{
	if (fwrite(m->text, 1, m->bytes, stdout) != m->bytes)
		exit(1);
	m->bytes = 0;
}

static char *put_number(char *at, uint32_t number)
{
	char digits[10];
	int count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (count)
		*at++ = digits[--count];
	return at;
}

static void write_line(struct maker *m, uint32_t thread, enum predict_op op, uint32_t object,
		       uint32_t place)
{
	static const char *const word[] = {
		[PREDICT_READ] = "|r(V",      [PREDICT_WRITE] = "|w(V",
		[PREDICT_ACQUIRE] = "|acq(L", [PREDICT_RELEASE] = "|rel(L",
		[PREDICT_FORK] = "|fork(T",   [PREDICT_JOIN] = "|join(T"
	};
	size_t length = strlen(word[op]);
	char *at;

	if (m->bytes > TEXT_BYTES - LONGEST_LINE)
		flush(m);
	at = m->text + m->bytes;
	*at++ = 'T';
	at = put_number(at, thread);
	memcpy(at, word[op], length);
	at = put_number(at + length, object);
	*at++ = ')';
	*at++ = '|';
	at = put_number(at, place);
	*at++ = '\n';
	m->bytes = (size_t)(at - m->text);
}

static void emit(struct maker *m, uint32_t thread, enum predict_op op, uint32_t object,
		 uint32_t place)
{
	struct diag diag;

	m->made++;
	if (op == PREDICT_ACQUIRE)
		m->owner[object] = thread + 1;
	else if (op == PREDICT_RELEASE)
		m->owner[object] = 0;
	if (!m->sequence)
		write_line(m, thread, op, object, place);
	else if (predict_sequence_add(m->sequence, thread, op, object, place, &diag))
		exit(1);
}

/* ---- what threads do ---- */

static void add(struct worker *w, enum predict_op op, uint32_t object, uint32_t place)
{
	w->step[w->count++] = (struct step){ op, object, place };
}

/* The variables: half of them of one thread, then those of locks, then those that nobody writes. */
static void add_accesses(struct maker *m, struct worker *w, uint32_t lock, uint32_t place)
{
	uint64_t of_locks = m->shape->variables * 2 / 5, first = m->shape->variables / 2;
	uint64_t each = of_locks / m->shape->locks;
	uint32_t count = 1 + draw(m, 8);

	for (uint32_t i = 0; m->shape->variables && i < count; i++)
		add(w, draw(m, 3) ? PREDICT_READ : PREDICT_WRITE,
		    (uint32_t)(each ? first + lock + m->shape->locks * draw_hot(m, each)
				    : first + lock % of_locks),
		    place + i % 4);
}

static void make_section(struct maker *m, struct worker *w, uint32_t place)
{
	uint32_t lock = draw_hot(m, m->shape->locks);
	uint64_t inner = lock + 1 + draw(m, 8);
	bool nests = inner < m->shape->locks && !draw(m, 3);

	add(w, PREDICT_ACQUIRE, lock, place);
	add_accesses(m, w, lock, place + 1);
	if (nests) {
		add(w, PREDICT_ACQUIRE, (uint32_t)inner, place + 5);
		add_accesses(m, w, (uint32_t)inner, place + 6);
		add(w, PREDICT_RELEASE, (uint32_t)inner, place + 10);
	}
	add(w, PREDICT_RELEASE, lock, place + 11);
}

static void make_block(struct maker *m, uint32_t thread)
{
	struct worker *w = &m->worker[thread];
	uint64_t variables = m->shape->variables, each = variables / 2 / m->shape->threads;
	uint32_t place = 100 + draw(m, 3000), count = 3 + draw(m, 12);
	bool reads = !draw(m, 10);

	w->next = w->count = 0;
	if (!variables || draw(m, 100) < m->shape->sections) {
		make_section(m, w, place);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		if (reads)
			add(w, PREDICT_READ,
			    (uint32_t)(variables - 1 - draw_hot(m, 1 + variables / 10)), place);
		else
			add(w, draw(m, 4) ? PREDICT_READ : PREDICT_WRITE,
			    (uint32_t)(each ? thread * each + draw_hot(m, each)
					    : thread % variables),
			    place + i % 8);
}

/* A turn of one thread: as long as it may, and nobody has the lock that it wants. */
static void turn(struct maker *m, uint64_t end)
{
	uint32_t thread = 1 + draw(m, m->shape->threads - 1), left = 5 + draw(m, 56);
	struct worker *w = &m->worker[thread];

	for (; left && m->made < end; left--) {
		const struct step *s;

		if (w->next == w->count)
			make_block(m, thread);
		s = &w->step[w->next];
		if (s->op == PREDICT_ACQUIRE && m->owner[s->object])
			break;
		w->next++;
		emit(m, thread, s->op, s->object, s->place);
	}
}

static void take_both(struct maker *m, uint32_t thread, uint32_t outer, uint32_t inner,
		      uint32_t place)
{
	emit(m, thread, PREDICT_ACQUIRE, outer, place);
	emit(m, thread, PREDICT_ACQUIRE, inner, place + 1);
	emit(m, thread, PREDICT_RELEASE, inner, place + 2);
	emit(m, thread, PREDICT_RELEASE, outer, place + 3);
}

/* Of two threads, and of three: between their blocks, so that nothing keeps them apart. */
static void make_rings(struct maker *m, uint32_t ring)
{
	uint32_t others = (uint32_t)m->shape->threads - 1, first = draw(m, others);
	uint32_t lock = m->locks, longest = others < 3 ? others : 3, member = 0;

	m->locks += 5;
	for (uint32_t length = 2; length <= longest; length++) {
		for (uint32_t i = 0; i < length; i++, member++) {
			uint32_t thread = 1 + (first + i) % others;
			struct worker *w = &m->worker[thread];

			while (w->next < w->count) {
				const struct step *s = &w->step[w->next];

				if (s->op == PREDICT_ACQUIRE && m->owner[s->object])
					turn(m, UINT64_MAX);
				else
					emit(m, thread, s->op, s->object, w->step[w->next++].place);
			}
			take_both(m, thread, lock + i, lock + (i + 1) % length,
				  4000 + ring * 20 + member * 4);
		}
		lock += length;
	}
}

static void finish(struct maker *m)
{
	for (uint32_t busy = 1; busy;) {
		busy = 0;
		for (uint32_t t = 1; t < m->shape->threads; t++) {
			struct worker *w = &m->worker[t];

			for (; w->next < w->count; w->next++) {
				const struct step *s = &w->step[w->next];

				if (s->op == PREDICT_ACQUIRE && m->owner[s->object])
					break;
				emit(m, t, s->op, s->object, s->place);
			}
			busy += w->next < w->count;
		}
	}
	for (uint32_t t = 1; t < m->shape->threads; t++)
		emit(m, 0, PREDICT_JOIN, t, 3);
}

static void make(const struct shape *shape, struct predict_sequence *sequence)
{
	struct maker m = { .shape = shape,
			   .sequence = sequence,
			   .locks = (uint32_t)shape->locks,
			   .state = UINT64_C(88172645463325252) ^ shape->seed * 2654435761u };

	m.worker = allocate(shape->threads, sizeof(*m.worker));
	m.owner = allocate(shape->locks + 5 * shape->rings, sizeof(*m.owner));
	m.text = allocate(TEXT_BYTES, 1);
	for (uint32_t i = 0; i < shape->variables && i < 100; i++)
		emit(&m, 0, PREDICT_WRITE, (uint32_t)(shape->variables - 1 - i), 1);
	for (uint32_t t = 1; t < shape->threads; t++)
		emit(&m, 0, PREDICT_FORK, t, 2);
	for (uint32_t ring = 0; ring <= shape->rings; ring++) {
		while (m.made < shape->events * (ring + 1) / (shape->rings + 1))
			turn(&m, UINT64_MAX);
		if (ring < shape->rings)
			make_rings(&m, ring);
	}
	finish(&m);
	flush(&m);
	free(m.worker);
	free(m.owner);
	free(m.text);
}

/* ---- measuring ---- */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void print_peak(const char *name)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf(", \"%s_kib\": %ld", name, usage.ru_maxrss);
}

static void find_deadlocks(const struct predict_sequence *s, bool tells)
{
	struct predict_result result;
	struct diag diag;

	if (predict_deadlocks(s, NULL, &result, &diag) || result.counts.refused)
		exit(1);
	if (tells)
		printf(", \"patterns\": %llu, \"proven\": %llu, \"reachable\": %llu, \"found\": %zu",
		       (unsigned long long)result.counts.patterns,
		       (unsigned long long)result.counts.proven,
		       (unsigned long long)result.counts.reachable, result.count);
	predict_result_release(&result);
}

static void find_races(const struct predict_sequence *s, enum races_order order, const char *name,
		       bool tells)
{
	struct races_counts counts;

	races_find(s, order, NULL, NULL, &counts);
	if (tells)
		printf(", \"%s_events\": %llu, \"%s_places\": %u, \"%s_variables\": %u", name,
		       (unsigned long long)counts.events, name, counts.places, name,
		       counts.variables);
}

static double run(char engine, const struct predict_sequence *s, bool tells)
{
	double start = seconds();

	if (engine == 'd')
		find_deadlocks(s, tells);
	else
		find_races(s, engine == 'h' ? RACES_HB : RACES_SHB, engine == 'h' ? "hb" : "shb",
			   tells);
	return seconds() - start;
}

static void measure(const struct shape *shape, const struct predict_sequence *s, double made)
{
	printf("{\"events\": %zu, \"threads\": %u, \"locks\": %u, \"variables\": %u, \"make_s\": %.4f",
	       s->count, s->threads.count, s->locks.count, s->variables.count, made);
	print_peak("make");
	for (const char *engine = shape->engines; *engine; engine++) {
		char name[] = { *engine, 0 };
		double best = 0;

		for (uint64_t i = 0; i < shape->rounds; i++) {
			double took = run(*engine, s, !i);

			best = !i || took < best ? took : best;
		}
		printf(", \"%s_s\": %.4f", name, best);
		print_peak(name);
	}
	printf("}\n");
}

static void number_names(struct predict_sequence *s, const struct shape *shape)
{
	s->threads.count = (uint32_t)shape->threads;
	s->locks.count = (uint32_t)(shape->locks + 5 * shape->rings);
	s->variables.count = (uint32_t)shape->variables;
	s->places.count = (uint32_t)(4000 + 20 * (shape->rings + 1));
}

static bool parse(const char *word, struct shape *shape)
{
	static const char *const key[] = { "events",   "threads", "locks", "variables",
					   "sections", "rings",	  "seed",  "rounds" };
	uint64_t *value[] = { &shape->events,	&shape->threads, &shape->locks, &shape->variables,
			      &shape->sections, &shape->rings,	 &shape->seed,	&shape->rounds };
	size_t length = strcspn(word, "=");

	if (!word[length]) {
		shape->file = word;
		return true;
	}
	if (!strncmp(word, "engines=", 8)) {
		shape->engines = word + 8;
		return true;
	}
	for (size_t i = 0; i < sizeof(key) / sizeof(*key); i++)
		if (strlen(key[i]) == length && !strncmp(key[i], word, length)) {
			*value[i] = strtoull(word + length + 1, NULL, 10);
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	struct shape shape = { .events = 1000000,
			       .threads = 16,
			       .locks = 200,
			       .variables = 200000,
			       .sections = 6,
			       .seed = 7,
			       .rounds = 3,
			       .engines = "dhs" };
	struct predict_sequence sequence = { 0 };
	struct diag diag = { "" };
	double start;

	for (int i = 2; i < argc; i++)
		if (!parse(argv[i], &shape))
			return 64;
	if (argc < 2 || shape.threads < 2 || !shape.locks)
		return 64;
	if (!strcmp(argv[1], "text")) {
		make(&shape, NULL);
		return fflush(stdout) ? 1 : 0;
	}
	start = seconds();
	if (shape.file && std_read_file(shape.file, &sequence, &diag)) {
		fprintf(stderr, "sequences: %s\n", diag.message);
		return 1;
	}
	if (!shape.file) {
		number_names(&sequence, &shape);
		make(&shape, &sequence);
	}
	measure(&shape, &sequence, seconds() - start);
	predict_sequence_release(&sequence);
	return 0;
}
