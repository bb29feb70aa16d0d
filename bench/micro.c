/* SPDX-License-Identifier: MIT */
/*
 * micro.c - one small synchronisation workload per subcommand; times itself, checks its own result, knows no tool.
 *
 *   micro WORKLOAD COUNT
 *
 * prints one line:  WORKLOAD ops=N wall_ns=X cpu_ns=Y rss_kib=Z
 *
 * wall_ns and cpu_ns are per operation: one lock+unlock pair (hand-over in pingpong, post+wait in sempost, create+join
 * in create). Both are taken inside the process around the workload alone, so a tool's start-up does not enter them;
 * cpu_ns is the processor time of all threads and is the one to trust on a busy machine. rss_kib is the peak.
 *
 * Every workload counts what it did in plain variables guarded by its locks; a lost update ends with status 1, so a
 * tool that breaks mutual exclusion cannot look fast.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 16, NEST_LOCKS = 16, MANY_LOCKS = 10000, QUEUE_SLOTS = 256 };

static double seconds(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void must(int rc, const char *what)
{
	if (rc) {
		fprintf(stderr, "micro: %s: %s\n", what, strerror(rc));
		exit(1);
	}
}

static void must_equal(uint64_t got, uint64_t want)
{
	if (got != want) {
		fprintf(stderr, "micro: %llu updates, expected %llu\n", (unsigned long long)got,
			(unsigned long long)want);
		exit(1);
	}
}

static uint32_t next_random(uint32_t *state)
{
	uint32_t x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *state = x;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static uint64_t total;

/* ---- a team of threads that start together ---- */

/* Aligned so that no two members share a cache line pair: their results are written in the loops. */
struct member {
	_Alignas(128) pthread_t thread;
	unsigned index;
	uint64_t count;
	uint64_t result;
	void (*work)(struct member *m);
};

static pthread_barrier_t start_line;

/* Spread by hand: some kernels pack short-lived threads on one processor, which hides contention. */
static void pin(unsigned index)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(index % (unsigned)(n > 0 ? n : 1), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *member_main(void *arg)
{
	struct member *m = arg;

	pin(m->index);
	pthread_barrier_wait(&start_line);
	m->work(m);
	return NULL;
}

/* Returns the sum of the members' results. */
static uint64_t team_run(unsigned threads, void (*const work[])(struct member *), unsigned kinds,
			 uint64_t each)
{
	static struct member team[MAX_THREADS];
	uint64_t sum = 0;

	must(pthread_barrier_init(&start_line, NULL, threads), "barrier");
	for (unsigned i = 0; i < threads; i++) {
		team[i] = (struct member){ .index = i, .count = each, .work = work[i % kinds] };
		must(pthread_create(&team[i].thread, NULL, member_main, &team[i]), "create");
	}
	for (unsigned i = 0; i < threads; i++) {
		must(pthread_join(team[i].thread, NULL), "join");
		sum += team[i].result;
	}
	must(pthread_barrier_destroy(&start_line), "barrier");
	return sum;
}

/* ---- one lock ---- */

static void work_pair(struct member *m)
{
	for (uint64_t i = 0; i < m->count; i++) {
		pthread_mutex_lock(&mutex);
		total++;
		pthread_mutex_unlock(&mutex);
	}
}

static uint64_t uncontended(uint64_t n)
{
	team_run(1, (void (*const[])(struct member *)){ work_pair }, 1, n);
	must_equal(total, n);
	return n;
}

static uint64_t contended2(uint64_t n)
{
	team_run(2, (void (*const[])(struct member *)){ work_pair }, 1, n / 2);
	must_equal(total, n / 2 * 2);
	return n / 2 * 2;
}

/* ---- several locks at once, always in ascending order ---- */

static pthread_mutex_t nest[NEST_LOCKS];
static uint64_t nest_value[NEST_LOCKS];

/* Four of sixteen. */
static void work_nested(struct member *m)
{
	uint32_t random = 2463534242u + m->index;

	for (uint64_t i = 0; i < m->count / 4; i++) {
		unsigned base = next_random(&random) % (NEST_LOCKS - 3);

		for (unsigned k = 0; k < 4; k++) {
			pthread_mutex_lock(&nest[base + k]);
		}
		nest_value[base]++;
		for (unsigned k = 4; k-- > 0;) {
			pthread_mutex_unlock(&nest[base + k]);
		}
	}
}

static uint64_t nested8(uint64_t n)
{
	uint64_t each = n / 8 / 4 * 4, sum = 0;

	for (unsigned i = 0; i < NEST_LOCKS; i++) {
		must(pthread_mutex_init(&nest[i], NULL), "mutex");
	}
	team_run(8, (void (*const[])(struct member *)){ work_nested }, 1, each);
	for (unsigned i = 0; i < NEST_LOCKS; i++) {
		sum += nest_value[i];
		must(pthread_mutex_destroy(&nest[i]), "mutex");
	}
	must_equal(sum * 4, each * 8);
	return each * 8;
}

static pthread_mutex_t *many;

/* Three of ten thousand, at random: what a tool with a lock-order graph on line pays for its graph. */
static void work_many(struct member *m)
{
	uint32_t random = 2463534242u + m->index;

	while (m->result < m->count) {
		unsigned a = next_random(&random) % (MANY_LOCKS - 2);
		unsigned b = a + 1 + next_random(&random) % (MANY_LOCKS - 2 - a);
		unsigned c = b + 1 + next_random(&random) % (MANY_LOCKS - 1 - b);

		pthread_mutex_lock(&many[a]);
		pthread_mutex_lock(&many[b]);
		pthread_mutex_lock(&many[c]);
		m->result += 3;
		pthread_mutex_unlock(&many[c]);
		pthread_mutex_unlock(&many[b]);
		pthread_mutex_unlock(&many[a]);
	}
}

static uint64_t nest10k(uint64_t n)
{
	uint64_t done;

	many = calloc(MANY_LOCKS, sizeof(*many));
	must(many ? 0 : 12, "memory");
	for (unsigned i = 0; i < MANY_LOCKS; i++) {
		must(pthread_mutex_init(&many[i], NULL), "mutex");
	}
	done = team_run(2, (void (*const[])(struct member *)){ work_many }, 1, n / 2);
	for (unsigned i = 0; i < MANY_LOCKS; i++) {
		must(pthread_mutex_destroy(&many[i]), "mutex");
	}
	free(many);
	return done;
}

/* ---- condition variables ---- */

static unsigned turn;

static void work_pingpong(struct member *m)
{
	pin(0);
	for (uint64_t i = 0; i < m->count; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != m->index) {
			pthread_cond_wait(&cond, &mutex);
		}
		turn = !m->index;
		total++;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&mutex);
	}
}

static uint64_t pingpong(uint64_t n)
{
	team_run(2, (void (*const[])(struct member *)){ work_pingpong }, 1, n / 2);
	must_equal(total, n / 2 * 2);
	return n / 2 * 2;
}

static struct {
	uint64_t slot[QUEUE_SLOTS];
	unsigned head, tail;
	pthread_cond_t not_full, not_empty;
} queue_state = { .not_full = PTHREAD_COND_INITIALIZER, .not_empty = PTHREAD_COND_INITIALIZER };

static void work_produce(struct member *m)
{
	for (uint64_t i = 0; i < m->count; i++) {
		pthread_mutex_lock(&mutex);
		while (queue_state.head - queue_state.tail == QUEUE_SLOTS) {
			pthread_cond_wait(&queue_state.not_full, &mutex);
		}
		queue_state.slot[queue_state.head++ % QUEUE_SLOTS] = i;
		pthread_cond_signal(&queue_state.not_empty);
		pthread_mutex_unlock(&mutex);
	}
}

static void work_consume(struct member *m)
{
	for (uint64_t i = 0; i < m->count; i++) {
		pthread_mutex_lock(&mutex);
		while (queue_state.head == queue_state.tail) {
			pthread_cond_wait(&queue_state.not_empty, &mutex);
		}
		m->result += queue_state.slot[queue_state.tail++ % QUEUE_SLOTS];
		pthread_cond_signal(&queue_state.not_full);
		pthread_mutex_unlock(&mutex);
	}
}

/* Two producers, two consumers; an operation is a put or a take. */
static uint64_t queue(uint64_t n)
{
	uint64_t each = n / 4;

	must_equal(team_run(4,
			    (void (*const[])(struct member *)){ work_produce, work_produce,
								work_consume, work_consume },
			    4, each),
		   each ? each * (each - 1) : 0);
	return each * 4;
}

/* ---- other primitives ---- */

static void work_read(struct member *m)
{
	for (uint64_t i = 0; i < m->count; i++) {
		pthread_rwlock_rdlock(&rwlock);
		m->result += total;
		pthread_rwlock_unlock(&rwlock);
	}
}

static uint64_t rwread2(uint64_t n)
{
	total = 1;
	must_equal(team_run(2, (void (*const[])(struct member *)){ work_read }, 1, n / 2),
		   n / 2 * 2);
	return n / 2 * 2;
}

static void *return_argument(void *arg)
{
	return arg;
}

static uint64_t create(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		pthread_t t;
		void *back;

		must(pthread_create(&t, NULL, return_argument, &mutex), "create");
		must(pthread_join(t, &back), "join");
		must_equal(back == &mutex, 1);
	}
	return n;
}

static uint64_t sempost(uint64_t n)
{
	sem_t s;
	int left;

	sem_init(&s, 0, 0);
	for (uint64_t i = 0; i < n; i++) {
		sem_post(&s);
		sem_wait(&s);
	}
	sem_getvalue(&s, &left);
	must_equal((uint64_t)left, 0);
	sem_destroy(&s);
	return n;
}

/* Nothing at all: its whole life is the start-up cost of the tool. */
static uint64_t nothing(uint64_t n)
{
	return n;
}

static const struct {
	const char *name;
	uint64_t (*run)(uint64_t count);
} workloads[] = {
	{ "uncontended", uncontended }, { "contended2", contended2 },
	{ "nested8", nested8 },		{ "queue", queue },
	{ "rwread2", rwread2 },		{ "nest10k", nest10k },
	{ "create", create },		{ "pingpong", pingpong },
	{ "sempost", sempost },		{ "nothing", nothing },
};
enum { WORKLOADS = sizeof(workloads) / sizeof(workloads[0]) };

/* Peak of this image alone: getrusage would count what the process was before exec. */
static long peak_rss_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "VmHWM: %ld", &kib) == 1) {
			break;
		}
	}
	if (f) {
		fclose(f);
	}
	return kib;
}

static int measure(const char *name, uint64_t (*run)(uint64_t), uint64_t count)
{
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t ops = run(count);

	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("%s ops=%llu wall_ns=%.2f cpu_ns=%.2f rss_kib=%ld\n", name, (unsigned long long)ops,
	       wall * 1e9 / (double)ops, cpu * 1e9 / (double)ops, peak_rss_kib());
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t count = argc == 3 ? strtoull(argv[2], NULL, 0) : 0;

	for (unsigned i = 0; count >= 32 && i < WORKLOADS; i++) {
		if (!strcmp(argv[1], workloads[i].name)) {
			return measure(argv[1], workloads[i].run, count);
		}
	}
	fprintf(stderr, "usage: micro WORKLOAD COUNT   (COUNT at least 32)\nworkloads:");
	for (unsigned i = 0; i < WORKLOADS; i++) {
		fprintf(stderr, " %s", workloads[i].name);
	}
	fprintf(stderr, "\n");
	return 2;
}
