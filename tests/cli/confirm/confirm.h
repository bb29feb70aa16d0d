/* SPDX-License-Identifier: MIT */
/*
 * confirm.h - what the programs of this folder share. Left alone, none hangs: the threads come one after the other, by a time that is long
 * beside what they do, and by nothing else. Each thread does the same a few times.
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

/* Runs `count` threads of `work`, the k-th with k; each begins when the one before has had time to finish. */
static inline void run_apart(void *(*work)(void *), long count)
{
	pthread_t thread[16];

	for (long i = 0; i < count; i++) {
		MUST(pthread_create(&thread[i], NULL, work, (void *)i));
		pause_ms(40);
	}
	for (long i = 0; i < count; i++)
		MUST(pthread_join(thread[i], NULL));
	puts("over");
}

#endif
