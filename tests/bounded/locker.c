/* SPDX-License-Identifier: MIT */
/*
 * locker.c - locker WHAT COUNT: takes locks in an order that no schedule changes, so that two runs have the same
 * lock-order edges. Prints a line at its end.
 *
 *     orders    threads nest locks of all kinds at random places of a table, always upwards
 *     long      a lock is held while its thread does COUNT other things
 *     come-go   connections: threads and locks that come and go
 *     fork      a child for each tenth of COUNT, each with its own orders
 *     many      pairs of many locks: no two alike
 *     live      COUNT locks at a time, and a hundred threads
 *     for-ever  come-go until standard input ends
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TABLE = 48, THREADS = 6, DEPTH = 4, WIDTH = 16, PARTS = 3, MANY = 4096 };

static uint64_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* ---- orders ---- */

static pthread_mutex_t mutexes[TABLE];
static pthread_rwlock_t rwlocks[TABLE];
static pthread_spinlock_t spins[TABLE];
static sem_t semaphores[TABLE];
static pthread_cond_t never[TABLE]; /* zeros: as PTHREAD_COND_INITIALIZER */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void passed(void)
{
	pthread_mutex_lock(&mutexes[TABLE - 1]);
	pthread_mutex_unlock(&mutexes[TABLE - 1]);
}

/* Locks number `n` in a way; returns how to give it back. Upwards in n, then in kind: never a cycle. */
static void take(unsigned kind, unsigned n)
{
	struct timespec later = { .tv_sec = INT32_MAX };

	switch (kind) {
	case 0:
		pthread_mutex_lock(&mutexes[n]);
		break;
	case 1:
		pthread_mutex_timedlock(&mutexes[n], &later);
		break;
	case 2:
		pthread_rwlock_rdlock(&rwlocks[n]);
		break;
	case 3:
		pthread_rwlock_wrlock(&rwlocks[n]);
		break;
	case 4:
		pthread_spin_lock(&spins[n]);
		break;
	default:
		while (sem_wait(&semaphores[n]) != 0) {
		}
		break;
	}
}

static void give(unsigned kind, unsigned n)
{
	switch (kind) {
	case 0:
	case 1:
		pthread_mutex_unlock(&mutexes[n]);
		break;
	case 2:
	case 3:
		pthread_rwlock_unlock(&rwlocks[n]);
		break;
	case 4:
		pthread_spin_unlock(&spins[n]);
		break;
	default:
		sem_post(&semaphores[n]);
		break;
	}
}

static void nest(uint64_t *state, unsigned from, unsigned depth);

__attribute__((noinline)) static void by_one_way(uint64_t *state, unsigned from, unsigned depth)
{
	nest(state, from, depth);
	__asm__ volatile("");
}

__attribute__((noinline)) static void by_another_way(uint64_t *state, unsigned from, unsigned depth)
{
	nest(state, from, depth);
	__asm__ volatile("");
}

/* Waits for a moment that is over, with all that is held outside. */
static void wait_in_vain(unsigned n)
{
	struct timespec past = { 0 };

	pthread_mutex_lock(&mutexes[n]);
	pthread_cond_timedwait(&never[n], &mutexes[n], &past);
	pthread_mutex_unlock(&mutexes[n]);
}

static void nest(uint64_t *state, unsigned from, unsigned depth)
{
	unsigned n = from + (unsigned)(next(state) % (TABLE / DEPTH - 1)),
		 kind = (unsigned)(next(state) % 6);

	take(kind, n);
	if (depth > 1 && next(state) % 4) {
		(next(state) % 2 ? by_one_way : by_another_way)(state, n + 1, depth - 1);
	} else if (n + 1 < TABLE && next(state) % 8 == 0) {
		wait_in_vain(n + 1);
	}
	give(kind, n);
}

static void *nest_often(void *p)
{
	uint64_t state = (uintptr_t)p;
	unsigned count = (unsigned)(state >> 8);

	pthread_once(&once, passed);
	while (count--) {
		nest(&state, 0, DEPTH);
	}
	return NULL;
}

static void orders(unsigned count, unsigned seed)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < TABLE; i++) {
		pthread_mutex_init(&mutexes[i], NULL);
		pthread_rwlock_init(&rwlocks[i], NULL);
		pthread_spin_init(&spins[i], 0);
		sem_init(&semaphores[i], 0, 1);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		uintptr_t start = (uintptr_t)count << 8 | (i + seed * THREADS) % 256;

		pthread_create(&threads[i], NULL, nest_often, (void *)start);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
}

/* ---- long ---- */

static void *hold_long(void *p)
{
	unsigned count = *(unsigned *)p;

	pthread_mutex_lock(&mutexes[0]);
	pthread_rwlock_rdlock(&rwlocks[1]);
	for (unsigned i = 0; i < count; i++) {
		pthread_mutex_lock(&mutexes[2 + i % 4]);
		pthread_mutex_unlock(&mutexes[2 + i % 4]);
	}
	pthread_mutex_lock(&mutexes[TABLE - 1]);
	pthread_rwlock_unlock(&rwlocks[1]);
	pthread_mutex_lock(&mutexes[TABLE - 2]);
	pthread_mutex_unlock(&mutexes[TABLE - 2]);
	pthread_mutex_unlock(&mutexes[TABLE - 1]);
	pthread_mutex_unlock(&mutexes[0]);
	return NULL;
}

static void long_holds(unsigned count)
{
	pthread_t thread;

	pthread_create(&thread, NULL, hold_long, &count);
	pthread_join(thread, NULL);
}

/* ---- come and go ---- */

struct connection {
	pthread_mutex_t lock, *part[PARTS];
	pthread_cond_t changed;
	pthread_rwlock_t state;
	sem_t served;
	bool closed, alone;
};

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER, sum_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t nobody_alone = PTHREAD_COND_INITIALIZER;
static unsigned alone;
static unsigned long sum;

static struct connection *connection_new(bool is_alone)
{
	struct connection *c = calloc(1, sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	pthread_rwlock_init(&c->state, NULL);
	sem_init(&c->served, 0, 0);
	for (unsigned i = 0; i < PARTS; i++) {
		c->part[i] = malloc(sizeof(*c->part[i]) + i * 100);
		pthread_mutex_init(c->part[i], NULL);
	}
	c->alone = is_alone;
	return c;
}

static void connection_free(struct connection *c)
{
	for (unsigned i = 0; i < PARTS; i++) {
		pthread_mutex_destroy(c->part[i]);
		free(c->part[i]);
	}
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->changed);
	pthread_rwlock_destroy(&c->state);
	sem_destroy(&c->served);
	free(c);
}

static void add_to_sum(void)
{
	pthread_mutex_lock(&sum_lock);
	sum++;
	pthread_mutex_unlock(&sum_lock);
}

static void query(struct connection *c, unsigned n)
{
	pthread_mutex_lock(&c->lock);
	if (n % 3 == 0) {
		pthread_mutex_lock(&table_lock);
		add_to_sum();
		pthread_mutex_unlock(&table_lock);
	} else {
		pthread_rwlock_rdlock(&c->state);
		add_to_sum();
		pthread_rwlock_unlock(&c->state);
	}
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < PARTS; i++) {
		pthread_mutex_lock(c->part[i]);
	}
	for (unsigned i = PARTS; i-- > 0;) {
		pthread_mutex_unlock(c->part[i]);
	}
}

static void *serve(void *p)
{
	struct connection *c = p;
	bool is_alone = c->alone;

	for (unsigned n = 0; n < 6; n++) {
		query(c, n);
	}
	sem_post(&c->served);
	pthread_mutex_lock(&c->lock);
	while (!c->closed) {
		pthread_cond_wait(&c->changed, &c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	if (is_alone) {
		connection_free(c);
		pthread_mutex_lock(&table_lock);
		if (!--alone) {
			pthread_cond_signal(&nobody_alone);
		}
		pthread_mutex_unlock(&table_lock);
	}
	return NULL;
}

static void connection_open(struct connection *c, pthread_t *ret_thread)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	if (c->alone) {
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		pthread_mutex_lock(&table_lock);
		alone++;
		pthread_mutex_unlock(&table_lock);
	}
	pthread_create(ret_thread, &attributes, serve, c);
	pthread_attr_destroy(&attributes);
}

static void come_and_go(unsigned count)
{
	while (count--) {
		struct connection *c[WIDTH];
		pthread_t thread[WIDTH];

		for (unsigned i = 0; i < WIDTH; i++) {
			c[i] = connection_new(i % 4 == 0);
			connection_open(c[i], &thread[i]);
		}
		for (unsigned i = 0; i < WIDTH; i++) {
			bool is_alone = c[i]->alone;

			while (sem_wait(&c[i]->served) != 0) {
			}
			pthread_mutex_lock(&c[i]->lock);
			c[i]->closed = true;
			pthread_cond_signal(&c[i]->changed);
			pthread_mutex_unlock(&c[i]->lock);
			if (!is_alone) {
				pthread_join(thread[i], NULL);
				connection_free(c[i]);
			}
		}
		pthread_mutex_lock(&table_lock);
		while (alone) {
			pthread_cond_wait(&nobody_alone, &table_lock);
		}
		pthread_mutex_unlock(&table_lock);
	}
	usleep(20000); /* the last of those that nobody joins is over */
}

static bool input_ended(void)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };

	return poll(&input, 1, 0) > 0;
}

/* ---- the others ---- */

static void children(unsigned count)
{
	for (unsigned i = 0; i < 10; i++) {
		pid_t child = fork();

		if (child == 0) {
			orders(count / 10, i);
			_exit(0);
		}
		while (waitpid(child, NULL, 0) != child && errno == EINTR) {
		}
	}
}

static void many(unsigned count)
{
	static pthread_mutex_t lock[MANY];
	uint64_t state = 1;

	for (unsigned i = 0; i < MANY; i++) {
		pthread_mutex_init(&lock[i], NULL);
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned a = (unsigned)(next(&state) % (MANY / 2)),
			 b = (unsigned)(next(&state) % (MANY / 2));

		pthread_mutex_lock(&lock[a]);
		pthread_mutex_lock(&lock[MANY / 2 + b]);
		pthread_mutex_unlock(&lock[MANY / 2 + b]);
		pthread_mutex_unlock(&lock[a]);
	}
	pthread_mutex_lock(
		&mutexes[0]); /* a place of its own, when all that fills the table was there */
	pthread_mutex_lock(&mutexes[1]);
	pthread_mutex_unlock(&mutexes[1]);
	pthread_mutex_unlock(&mutexes[0]);
}

static pthread_barrier_t all_there;

static void *be_there(void *p)
{
	pthread_barrier_wait(&all_there);
	pthread_mutex_lock(p);
	pthread_mutex_unlock(p);
	return NULL;
}

static void live(unsigned count)
{
	enum { CROWD = 100 };
	pthread_mutex_t *lock = malloc(count * sizeof(*lock));
	pthread_t thread[CROWD];

	for (unsigned i = 0; i < count; i++) {
		pthread_mutex_init(&lock[i], NULL);
		pthread_mutex_lock(&lock[i]);
		pthread_mutex_unlock(&lock[i]);
	}
	pthread_barrier_init(&all_there, NULL, CROWD);
	for (unsigned i = 0; i < CROWD; i++) {
		pthread_create(&thread[i], NULL, be_there, &lock[0]);
	}
	for (unsigned i = 0; i < CROWD; i++) {
		pthread_join(thread[i], NULL);
	}
	free(lock);
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 ? argv[1] : "";
	unsigned count = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;

	if (!strcmp(what, "orders")) {
		orders(count, 0);
	} else if (!strcmp(what, "long")) {
		long_holds(count);
	} else if (!strcmp(what, "come-go")) {
		come_and_go(count);
	} else if (!strcmp(what, "fork")) {
		children(count);
	} else if (!strcmp(what, "many")) {
		many(count);
	} else if (!strcmp(what, "live")) {
		live(count);
	} else if (!strcmp(what, "for-ever")) {
		puts("ready");
		fflush(stdout);
		while (!input_ended()) {
			come_and_go(10);
		}
	} else {
		fputs("usage: locker orders|long|come-go|fork|many|live|for-ever COUNT\n", stderr);
		return 64;
	}
	puts("over");
	return 0;
}
