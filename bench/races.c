/* SPDX-License-Identifier: MIT */
/*
 * races.c - four kinds of race and their synchronised twins, for races.py: what watchpoints find in an unmodified program, how soon, and
 * what they cost. Each thread does some private work between two operations on what it shares.
 *
 * usage: races KIND SECONDS     until SECONDS of processor time are used; prints the operations done
 *        races KIND -OPERATIONS this many pieces of work a thread; prints the processor time in seconds
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	THREADS = 2,
	TABLE = 1024,
	WORK = 60,
	SLOTS = 1 << 10,
	REFS = 16,
	BATCH = 4096,
	RARELY = 4 * BATCH
};

struct worker {
	pthread_t thread;
	unsigned number, state;
	long done;
	unsigned table[TABLE];
};

static struct worker workers[THREADS];
static atomic_int stop;
static double budget;
static long operations;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static double processor_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void private_work(struct worker *w)
{
	unsigned s = w->state;

	for (int i = 0; i < WORK; i++) {
		s = s * 1664525u + 1013904223u;
		w->table[s >> 22] += s ^ w->table[(s >> 12) & (TABLE - 1)];
	}
	w->state = s;
}

/* ---- racy: each of these is a bug ---- */

static long counter;

static void count_plainly(struct worker *w, long i)
{
	(void)w;
	(void)i;
	counter++;
}

/* About once a millisecond. */
static void count_rarely(struct worker *w, long i)
{
	(void)w;
	if (i % RARELY == 0)
		counter++;
}

static struct {
	long a, b;
} pair;

static void tear(struct worker *w, long i)
{
	if (w->number == 0) {
		pair.a = i;
		pair.b = -i;
	} else if (pair.a + pair.b == 12345) {
		puts("torn");
	}
}

static int *slots[SLOTS];
static int value = 1;

/* Double-checked: the first look has no lock, and a slot is emptied again without one. */
static void check_twice(struct worker *w, long i)
{
	int **slot = &slots[i & (SLOTS - 1)];

	(void)w;
	if (!*slot) {
		pthread_mutex_lock(&lock);
		if (!*slot)
			*slot = &value;
		pthread_mutex_unlock(&lock);
	}
	if ((i & (SLOTS - 1)) == SLOTS - 1)
		slots[(i >> 10) & (SLOTS - 1)] = NULL;
}

static struct {
	int references;
	char rest[60];
} * objects;

static void refer_plainly(struct worker *w, long i)
{
	(void)w;
	objects[i & (REFS - 1)].references++;
	atomic_signal_fence(memory_order_seq_cst);
	objects[i & (REFS - 1)].references--;
}

/* ---- clean: the same, synchronised ---- */

static void count_locked(struct worker *w, long i)
{
	(void)w;
	(void)i;
	pthread_mutex_lock(&lock);
	counter++;
	pthread_mutex_unlock(&lock);
}

static void pair_locked(struct worker *w, long i)
{
	pthread_mutex_lock(&lock);
	tear(w, i);
	pthread_mutex_unlock(&lock);
}

static atomic_long relaxed_counter;
static atomic_int references[REFS];

static void count_atomically(struct worker *w, long i)
{
	(void)w;
	atomic_fetch_add_explicit(&relaxed_counter, 1, memory_order_relaxed);
	atomic_fetch_add(&references[i & (REFS - 1)], 1);
	atomic_fetch_sub(&references[i & (REFS - 1)], 1);
}

static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static unsigned turn;

/* The pair belongs to whose turn it is. */
static void take_turns(struct worker *w, long i)
{
	pair.a += i;
	pair.b -= i;
	if (i % BATCH != BATCH - 1)
		return;
	pthread_mutex_lock(&lock);
	turn = (w->number + 1) % THREADS;
	pthread_cond_broadcast(&turned);
	while (turn != w->number && !stop)
		pthread_cond_wait(&turned, &lock);
	pthread_mutex_unlock(&lock);
}

static void wait_for_turn(struct worker *w)
{
	pthread_mutex_lock(&lock);
	while (turn != w->number && !stop)
		pthread_cond_wait(&turned, &lock);
	pthread_mutex_unlock(&lock);
}

static long handed[THREADS];

static void *add_to_handed(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < 8 * BATCH; i++) {
		private_work(w);
		handed[w->number] += w->state & 1;
	}
	return NULL;
}

/* A helper adds to what its parent reads and resets after the join. */
static void join_helper(struct worker *w, long i)
{
	pthread_t helper;

	if (i % (64 * BATCH) != 0)
		return;
	pthread_create(&helper, NULL, add_to_handed, w);
	pthread_join(helper, NULL);
	w->state += (unsigned)handed[w->number];
	handed[w->number] = 0;
}

static pthread_once_t tables_once = PTHREAD_ONCE_INIT;
static int *tables;

static void make_tables(void)
{
	tables = calloc(SLOTS, sizeof(*tables));
	for (int i = 0; tables && i < SLOTS; i++)
		tables[i] = i;
}

static void read_once_made(struct worker *w, long i)
{
	pthread_once(&tables_once, make_tables);
	w->state += (unsigned)tables[i & (SLOTS - 1)];
}

static sem_t one;

static void count_by_semaphore(struct worker *w, long i)
{
	(void)w;
	(void)i;
	while (sem_wait(&one) != 0)
		;
	counter++;
	sem_post(&one);
}

static pthread_barrier_t phase;
static long halves[2][THREADS];

/* Each writes its own of one half while it reads all of the other; the halves change at the barrier. */
static void by_phases(struct worker *w, long i)
{
	long now = i / BATCH & 1;

	halves[now][w->number] += halves[!now][0] + halves[!now][1];
	if (i % BATCH == BATCH - 1)
		pthread_barrier_wait(&phase);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void read_mostly(struct worker *w, long i)
{
	if (i % 8 == 0) {
		pthread_rwlock_wrlock(&rwlock);
		counter++;
		pthread_rwlock_unlock(&rwlock);
	} else {
		pthread_rwlock_rdlock(&rwlock);
		w->state += (unsigned)counter;
		pthread_rwlock_unlock(&rwlock);
	}
}

/* ---- all kinds ---- */

struct kind {
	const char *name;
	void (*operate)(struct worker *, long);
	void (*begin)(struct worker *);
	int rest; /* pieces of private work for an operation: a lock for each would be a trace of gigabytes */
	int in_phases; /* all threads do the same number of operations, and end at a multiple of BATCH */
};

static const struct kind kinds[] = {
	{ "counter", count_plainly, NULL, 1, 0 },
	{ "rare", count_rarely, NULL, 1, 0 },
	{ "torn", tear, NULL, 1, 0 },
	{ "dcl", check_twice, NULL, 1, 0 },
	{ "refcount", refer_plainly, NULL, 1, 0 },
	{ "mutex", count_locked, NULL, 32, 0 },
	{ "mutex-pair", pair_locked, NULL, 32, 0 },
	{ "atomics", count_atomically, NULL, 32, 0 },
	{ "condvar", take_turns, wait_for_turn, 1, 0 },
	{ "join", join_helper, NULL, 1, 0 },
	{ "once", read_once_made, NULL, 32, 0 },
	{ "semaphore", count_by_semaphore, NULL, 32, 0 },
	{ "barrier", by_phases, NULL, 1, 1 },
	{ "rwlock", read_mostly, NULL, 32, 0 },
};
static const struct kind *kind;

static int is_over(const struct worker *w)
{
	if (operations)
		return w->done >= operations;
	if (kind->in_phases && w->done % BATCH != 0)
		return 0;
	return atomic_load_explicit(&stop, memory_order_relaxed);
}

/* In phases only the first thread looks at the clock, in front of a barrier that all pass before they look at stop. */
static void look_at_clock(struct worker *w)
{
	if (operations || processor_time() < budget || (kind->in_phases && w->number != 0))
		return;
	if (!kind->in_phases)
		stop = 1;
	else if (w->done % BATCH == BATCH / 2)
		stop = 1;
}

static void *run(void *arg)
{
	struct worker *w = arg;

	if (kind->begin)
		kind->begin(w);
	while (!is_over(w)) {
		for (int i = 0; i < kind->rest; i++)
			private_work(w);
		kind->operate(w, w->done++);
		if (w->done % (BATCH / 2) == 0 || kind->rest > 1)
			look_at_clock(w);
	}
	if (kind->begin) { /* the others need not wait for their turn any more */
		stop = 1;
		pthread_mutex_lock(&lock);
		pthread_cond_broadcast(&turned);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	double amount = argc == 3 ? strtod(argv[2], NULL) : 0;
	long done = 0;

	for (size_t i = 0; argc == 3 && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, argv[1]) == 0)
			kind = &kinds[i];
	if (!kind || amount == 0) {
		fprintf(stderr, "usage: races KIND SECONDS|-OPERATIONS\n");
		return 64;
	}
	if (amount < 0)
		operations = ((long)-amount / kind->rest + BATCH - 1) / BATCH * BATCH;
	else
		budget = amount;
	objects = calloc(REFS, sizeof(*objects));
	sem_init(&one, 0, 1);
	pthread_barrier_init(&phase, NULL, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].number = i;
		workers[i].state = i * 77 + 1;
		pthread_create(&workers[i].thread, NULL, run, &workers[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		done += workers[i].done;
	}
	if (operations)
		printf("%.6f\n", processor_time());
	else
		printf("%ld\n", done);
	free(objects);
	free(tables);
	return 0;
}
