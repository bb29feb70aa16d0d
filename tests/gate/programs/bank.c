/* SPDX-License-Identifier: MIT */
/*
 * bank - two jobs that take two locks in conflicting orders, one after the other; a third lock pair with -DSECOND.
 *
 * Built again by the tests in every way that must not change what a finding is: UNRELATED puts other code in front and
 * between, SWAPPED starts the threads in another order, IDLE starts others first. What must change it: MOVED takes the
 * locks in another function, FIXED in one order.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

#ifdef UNRELATED
static const char table[5000] = "unrelated";

NOINLINE int unrelated_before(int x)
{
	for (int i = 0; i < x; i++)
		x ^= table[i % 5000];
	return x;
}
#endif

static pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER, audit_log = PTHREAD_MUTEX_INITIALIZER;
static int turn[2];
static int money;

/* Static and small: at -O2 it disappears into its caller. */
static void both(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
	pthread_mutex_lock(outer);
	pthread_mutex_lock(inner);
	money++;
	pthread_mutex_unlock(inner);
	pthread_mutex_unlock(outer);
}

NOINLINE void transfer(void)
{
	both(&accounts, &audit_log);
}

#ifdef UNRELATED
NOINLINE int unrelated_between(int x)
{
	return unrelated_before(x) + 1;
}
#endif

#ifdef MOVED
NOINLINE void report_new(void)
{
	both(&audit_log, &accounts);
}
#endif

NOINLINE void report(void)
{
#ifdef UNRELATED
	money += unrelated_between(3) > 5;
#endif
#if defined(FIXED)
	both(&accounts, &audit_log);
#elif defined(MOVED)
	report_new();
#else
	both(&audit_log, &accounts);
#endif
	money++;
}

#ifdef SECOND
static pthread_mutex_t cache = PTHREAD_MUTEX_INITIALIZER, disk = PTHREAD_MUTEX_INITIALIZER;

NOINLINE void flush_cache(void)
{
	both(&cache, &disk);
	money++;
}

NOINLINE void fill_cache(void)
{
	both(&disk, &cache);
	money++;
}
#endif

static void *teller(void *arg)
{
	transfer();
#ifdef SECOND
	flush_cache();
#endif
	return write(turn[1], "", 1) == 1 ? arg
					  : NULL; /* an order that the recorder does not know */
}

static void *auditor(void *arg)
{
	char byte;

	if (read(turn[0], &byte, 1) != 1)
		return NULL;
	report();
#ifdef SECOND
	fill_cache();
#endif
	return arg;
}

#ifdef IDLE
static void *idler(void *arg)
{
	return arg;
}
#endif

int main(void)
{
	pthread_t threads[2];

	if (pipe(turn))
		return 99;
#ifdef IDLE
	for (int i = 0; i < 7; i++) {
		if (pthread_create(&threads[0], NULL, idler, NULL))
			return 99;
		pthread_join(threads[0], NULL);
	}
#endif
#ifdef SWAPPED
	if (pthread_create(&threads[0], NULL, auditor, NULL) ||
	    pthread_create(&threads[1], NULL, teller, NULL))
		return 99;
#else
	if (pthread_create(&threads[0], NULL, teller, NULL) ||
	    pthread_create(&threads[1], NULL, auditor, NULL))
		return 99;
#endif
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	printf("%d\n", money);
	return 0;
}
