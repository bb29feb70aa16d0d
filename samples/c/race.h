/* SPDX-License-Identifier: MIT */
/*
 * race.h - two threads that do private work and something shared in turns, for so much processor time that watchpoints, which look at a
 * few places a second, have met what there is. Processor time, so that a busy machine changes nothing.
 */
#ifndef THRUM_SAMPLES_RACE_H
#define THRUM_SAMPLES_RACE_H

#include "../sample.h"

#include <stdatomic.h>
#include <stdbool.h>

struct race_worker {
	pthread_t thread;
	void (*shared)(long n);
	long limit_ms, first;
};

static inline long race_cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static NOINLINE unsigned race_work(unsigned *table, unsigned seed)
{
	for (int i = 0; i < 60; i++) {
		seed = seed * 1664525u + 1013904223u;
		table[seed >> 22] += seed;
	}
	return seed;
}

static void *race_worker_main(void *argument)
{
	struct race_worker *w = argument;
	unsigned *table = calloc(1024, sizeof(*table)), seed = 1;

	pthread_setname_np(pthread_self(), "worker");
	for (long n = w->first; n % 1024 || race_cpu_ms() < w->limit_ms; n++) {
		seed = race_work(table, seed);
		w->shared(n);
	}
	free(table);
	return NULL;
}

/* One of the two threads, always the same one: which does one thing while the other does another. */
static inline bool race_is_first(void)
{
	static atomic_int asked;
	static __thread int role;

	if (!role)
		role = atomic_fetch_add(&asked, 1) + 1;
	return role == 1;
}

static inline void race_run(void (*shared)(long n), long limit_ms)
{
	struct race_worker worker[2];

	for (int i = 0; i < 2; i++) {
		worker[i].shared = shared;
		worker[i].limit_ms = limit_ms;
		worker[i].first = i * 3;
		MUST(pthread_create(&worker[i].thread, NULL, race_worker_main, &worker[i]));
	}
	for (int i = 0; i < 2; i++)
		MUST(pthread_join(worker[i].thread, NULL));
}

#endif
