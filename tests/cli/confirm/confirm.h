/* SPDX-License-Identifier: MIT */
/*
 * confirm.h - what the programs of this folder share. Left alone, none hangs: a thread begins when those before it are over. But one
 * that sleeps is not waited for long, and that is what a thread does that is held back: then it meets the next. How busy the machine
 * is does not matter: who waits for a processor does not sleep.
 */
#ifndef THRUM_TESTS_CONFIRM_H
#define THRUM_TESTS_CONFIRM_H

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifndef __cplusplus
#include <threads.h>
#endif

#define NOINLINE __attribute__((noinline))
#define MUST(call)                                                   \
	do {                                                         \
		int must_rc = (call);                                \
		if (must_rc) {                                       \
			fprintf(stderr, "%s: %d\n", #call, must_rc); \
			_exit(3);                                    \
		}                                                    \
	} while (0)

/* ---- two locks, one in the other ---- */

/* Kinds: type, call that takes, call that gives back. */
#define MUTEX pthread_mutex_t, pthread_mutex_lock, pthread_mutex_unlock
#define READ pthread_rwlock_t, pthread_rwlock_rdlock, pthread_rwlock_unlock
#define WRITE pthread_rwlock_t, pthread_rwlock_wrlock, pthread_rwlock_unlock
#define SEMAPHORE sem_t, sem_wait, sem_post
#define C11_MUTEX mtx_t, mtx_lock, mtx_unlock

/* void name(outer, inner), for two kinds. */
#define BOTH(name, outer_kind, inner_kind) BOTH_(name, outer_kind, inner_kind)
#define BOTH_(name, outer_type, take_outer, give_outer, inner_type, take_inner, give_inner) \
	static NOINLINE void name(outer_type *outer, inner_type *inner)                     \
	{                                                                                   \
		MUST(take_outer(outer));                                                    \
		MUST(take_inner(inner));                                                    \
		give_inner(inner);                                                          \
		give_outer(outer);                                                          \
	}

/* ---- threads that come one after the other ---- */

enum { APART_MOST = 16, ASLEEP_LONG = 40 /* looks in a row, one a millisecond */ };

struct apart {
	void (*part)(long number);
	long number;
	int tid, over;
	pthread_t thread;
};

static inline void pause_ms(long ms)
{
	struct timespec time;

	time.tv_sec = 0;
	time.tv_nsec = ms * 1000000;
	nanosleep(&time, NULL);
}

static inline void *apart_start(void *arg)
{
	struct apart *a = (struct apart *)arg;

	__atomic_store_n(&a->tid, gettid(), __ATOMIC_SEQ_CST);
	a->part(a->number);
	__atomic_store_n(&a->over, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static inline int apart_is_asleep(const struct apart *a)
{
	int tid = __atomic_load_n(&a->tid, __ATOMIC_SEQ_CST);
	char path[64], text[512];
	const char *state;
	ssize_t bytes;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = tid ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	bytes = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[bytes > 0 ? bytes : 0] = '\0';
	state = strrchr(text, ')');
	return state && !strncmp(state, ") S", 3);
}

/* Until each of them is over, or all that are not sleep for long, at the same time: one that wakes another sleeps after it. */
static inline void apart_wait(const struct apart *a, long count)
{
	for (int asleep = 0, left = 1; left && asleep < ASLEEP_LONG; pause_ms(1)) {
		int sleep = 0;

		left = 0;
		for (long i = 0; i < count; i++) {
			if (!__atomic_load_n(&a[i].over, __ATOMIC_SEQ_CST)) {
				left++;
				sleep += apart_is_asleep(&a[i]);
			}
		}
		asleep = sleep == left ? asleep + 1 : 0;
	}
}

/* Runs `part` in `count` threads, the k-th with k, and says when they are over. Returns main's status. */
static inline int run_apart(void (*part)(long number), long count)
{
	static struct apart a[APART_MOST];

	for (long i = 0; i < count; i++) {
		a[i].part = part;
		a[i].number = i;
		MUST(pthread_create(&a[i].thread, NULL, apart_start, &a[i]));
		apart_wait(a, i + 1);
	}
	for (long i = 0; i < count; i++)
		MUST(pthread_join(a[i].thread, NULL));
	puts("over");
	return 0;
}

#endif
