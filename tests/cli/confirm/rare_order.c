/* SPDX-License-Identifier: MIT */
/*
 * rare_order.c - a cache that two threads ask for the same keys. The second asks when the first has entered a key, or sleeps for a few
 * milliseconds before that. Then both enter it, and only that rare path takes the two locks the wrong way round.
 */
#include "confirm.h"

enum { KEYS = 40, ASLEEP_TWICE = 2 };

static pthread_mutex_t cache = PTHREAD_MUTEX_INITIALIZER, disk = PTHREAD_MUTEX_INITIALIZER,
		       statistics = PTHREAD_MUTEX_INITIALIZER;
static int entered[KEYS], reads, twice;
static int begun, over, asked; /* how many keys: by the first, and by the second */
static struct apart first, second, third;

static void step(int *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

static int is_past(const int *counter, int key)
{
	return __atomic_load_n(counter, __ATOMIC_SEQ_CST) > key;
}

static int is_entered(int key)
{
	int is;

	pthread_mutex_lock(&cache);
	is = entered[key];
	pthread_mutex_unlock(&cache);
	return is;
}

static void read_disk(void)
{
	pthread_mutex_lock(&disk);
	reads++;
	pthread_mutex_unlock(&disk);
}

static void enter(int key)
{
	pthread_mutex_lock(&cache);
	if (entered[key]) { /* another was faster */
		pthread_mutex_lock(&statistics);
		twice++;
		pthread_mutex_unlock(&statistics);
	}
	entered[key] = 1;
	pthread_mutex_unlock(&cache);
}

static void get(int key)
{
	if (is_entered(key))
		return;
	read_disk();
	enter(key);
}

static void ask_first(long number)
{
	(void)number;
	for (int key = 0; key < KEYS; key++) {
		step(&begun);
		get(key);
		step(&over);
		while (!is_past(&asked, key))
			pause_ms(1);
	}
}

static void ask_second(long number)
{
	(void)number;
	for (int key = 0; key < KEYS; key++) {
		while (!is_past(&begun, key))
			pause_ms(1);
		for (int asleep = 0; asleep < ASLEEP_TWICE && !is_past(&over, key);
		     asleep = apart_is_asleep(&first) ? asleep + 1 : 0)
			pause_ms(1);
		get(key);
		step(&asked);
	}
}

BOTH(take_both, MUTEX, MUTEX)

/* What everybody does: statistics first. */
static void report(long number)
{
	(void)number;
	take_both(&statistics, &cache);
}

int main(void)
{
	struct apart *const all[] = { &first, &second, &third };

	first.part = ask_first;
	second.part = ask_second;
	third.part = report;
	for (int i = 0; i < 3; i++)
		MUST(pthread_create(&all[i]->thread, NULL, apart_start, all[i]));
	for (int i = 0; i < 3; i++)
		MUST(pthread_join(all[i]->thread, NULL));
	puts("over");
	return 0;
}
