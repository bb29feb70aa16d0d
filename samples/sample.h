/* SPDX-License-Identifier: MIT */
/*
 * sample.h - what the samples share: ordering without synchronisation primitives, and checked calls.
 *
 * A sample must run the same way each time, but every hooked primitive it used for that would be part of what is
 * analysed. So threads meet on plain words that they spin on with sched_yield(): invisible to any recorder of
 * pthread calls. Nothing here takes a lock or sleeps for a fixed time as synchronisation.
 */
#ifndef THRUM_SAMPLES_SAMPLE_H
#define THRUM_SAMPLES_SAMPLE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

/* The call must return 0 (errno style): anything else ends the sample with status 3. */
#define MUST(call) GIVES(0, call)

/* The call must return `code`. */
#define GIVES(code, call)                                                                      \
	do {                                                                                   \
		int gives_rc = (call);                                                         \
		if (gives_rc != (code)) {                                                      \
			fprintf(stderr, "%s:%d: %s gave %d (%s)\n", __FILE__, __LINE__, #call, \
				gives_rc, strerror(gives_rc));                                 \
			_exit(3);                                                              \
		}                                                                              \
	} while (0)

/* A sample of recorded builds (needs=tsan) is also run without thrum: then ThreadSanitizer's own library shall not report. */
#ifdef SAMPLE_RECORDED
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "report_bugs=0";
}
#endif

/* Waits until `n` threads have come here. */
static inline void meet(int *counter, int n)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) < n)
		sched_yield();
}

/* Steps of a script that several threads play: each waits for its line, says it, and lets the next one go on. */
static inline void until(int *step, int n)
{
	while (__atomic_load_n(step, __ATOMIC_SEQ_CST) < n)
		sched_yield();
}

static inline void step_to(int *step, int n)
{
	__atomic_store_n(step, n, __ATOMIC_SEQ_CST);
}

/* The same unseen by a recorded build: where only the scheduler had it come in this order. */
#define UNSEEN __attribute__((no_sanitize("thread"), noinline, unused))

UNSEEN static void unseen_until(int *step, int n)
{
	while (__atomic_load_n(step, __ATOMIC_SEQ_CST) < n)
		sched_yield();
}

UNSEEN static void unseen_step_to(int *step, int n)
{
	__atomic_store_n(step, n, __ATOMIC_SEQ_CST);
}

static inline int my_tid(void)
{
	return (int)syscall(SYS_gettid);
}

/* Waits until the thread `tid` of this process sleeps in the kernel: it was seen asleep many times in a row. */
static inline void until_asleep(int *tid)
{
	char path[64], text[512];
	int asleep = 0;

	while (__atomic_load_n(tid, __ATOMIC_SEQ_CST) == 0)
		sched_yield();
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
		 __atomic_load_n(tid, __ATOMIC_SEQ_CST));
	while (asleep < 50) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		if (fd >= 0)
			close(fd);
		if (got <= 0)
			return; /* the thread is gone */
		text[got] = 0;
		const char *state = strrchr(text, ')');
		asleep = state && state[1] && state[2] == 'S' ? asleep + 1 : 0;
		sched_yield();
	}
}

/*
 * Waits until the calling thread is the only one of the process that the kernel still knows. Reads the kernel's own
 * count: a walk over /proc/self/task ends early when a thread ends under it.
 */
static inline void until_alone(void)
{
	char text[4096];
	int threads = 2;

	while (threads > 1) {
		int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
		ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		const char *line;

		if (fd >= 0)
			close(fd);
		text[got < 0 ? 0 : got] = 0;
		line = strstr(text, "\nThreads:");
		threads = line ? atoi(line + strlen("\nThreads:")) : 1;
		sched_yield();
	}
}

/* Publishes the caller's kernel thread id for until_asleep. */
static inline void publish_tid(int *tid)
{
	__atomic_store_n(tid, my_tid(), __ATOMIC_SEQ_CST);
}

static inline struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

static inline pthread_t start(void *(*routine)(void *), void *arg)
{
	pthread_t thread;

	MUST(pthread_create(&thread, NULL, routine, arg));
	return thread;
}

static inline void finish(pthread_t thread)
{
	MUST(pthread_join(thread, NULL));
}

/* Runs two routines as threads that are alive at the same time, and joins both. */
static inline void run_two(void *(*first)(void *), void *(*second)(void *))
{
	pthread_t a = start(first, NULL), b = start(second, NULL);

	finish(a);
	finish(b);
}

#endif
