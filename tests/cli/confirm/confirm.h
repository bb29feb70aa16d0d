/* SPDX-License-Identifier: MIT */
/*
 * confirm.h - what the programs of this folder share. Left alone, none hangs: the threads come one after the other, but only
 * because each has a time to finish that is long beside what it does. Whoever is held back longer meets the next.
 */
#ifndef THRUM_TESTS_CONFIRM_H
#define THRUM_TESTS_CONFIRM_H

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define MUST(call)                                                   \
	do {                                                         \
		int must_rc = (call);                                \
		if (must_rc) {                                       \
			fprintf(stderr, "%s: %d\n", #call, must_rc); \
			_exit(3);                                    \
		}                                                    \
	} while (0)

static inline void pause_ms(long ms)
{
	struct timespec time = { .tv_sec = 0, .tv_nsec = ms * 1000000 };

	nanosleep(&time, NULL);
}

struct apart {
	void *(*work)(void *);
	long number;
	int over;
};

static inline void *apart_start(void *arg)
{
	struct apart *part = arg;

	part->work((void *)part->number);
	__atomic_store_n(&part->over, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Runs `count` threads of `work`, the k-th with k; each begins when the one before has finished, or has had a long time to. */
static inline void run_apart(void *(*work)(void *), long count)
{
	struct apart part[16];
	pthread_t thread[16];

	for (long i = 0; i < count; i++) {
		part[i] = (struct apart){ .work = work, .number = i };
		MUST(pthread_create(&thread[i], NULL, apart_start, &part[i]));
		for (int ms = 0; ms < 120 && !__atomic_load_n(&part[i].over, __ATOMIC_SEQ_CST);
		     ms++)
			pause_ms(1);
	}
	for (long i = 0; i < count; i++)
		MUST(pthread_join(thread[i], NULL));
	puts("over");
}

#endif
