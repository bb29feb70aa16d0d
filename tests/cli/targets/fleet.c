/* SPDX-License-Identifier: MIT */
/*
 * Two threads and two locks; each run shows one order at most, the words say which: forth, back. With "gated" under a common lock, with
 * "heap" both locks are made by malloc, with "early" main does it before there are threads.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t left_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t right_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t *left = &left_lock, *right = &right_lock;
static pthread_barrier_t start;
static int is_gated, is_forth_over;
static long done;

static void take_both(pthread_mutex_t *first, pthread_mutex_t *second)
{
	if (is_gated)
		pthread_mutex_lock(&gate);
	pthread_mutex_lock(first);
	pthread_mutex_lock(second);
	done++;
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
	if (is_gated)
		pthread_mutex_unlock(&gate);
}

/* One after the other, by what no recorder sees: at the same time they would hang now and then. */
static void *forwards(void *wanted)
{
	pthread_barrier_wait(&start);
	if (wanted)
		take_both(left, right);
	__atomic_store_n(&is_forth_over, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *backwards(void *wanted)
{
	pthread_barrier_wait(&start);
	while (!__atomic_load_n(&is_forth_over, __ATOMIC_SEQ_CST))
		sched_yield();
	if (wanted)
		take_both(right, left);
	return NULL;
}

static pthread_mutex_t *new_left(void)
{
	left = malloc(sizeof(*left));
	return left;
}

static pthread_mutex_t *new_right(void)
{
	right = malloc(sizeof(*right));
	return right;
}

int main(int argc, char **argv)
{
	char forth = 0, back = 0, early = 0;
	pthread_t thread[2];

	for (int i = 1; i < argc; i++) {
		forth |= !strcmp(argv[i], "forth");
		back |= !strcmp(argv[i], "back");
		early |= !strcmp(argv[i], "early");
		is_gated |= !strcmp(argv[i], "gated");
		if (!strcmp(argv[i], "heap")) {
			pthread_mutex_init(new_left(), NULL);
			pthread_mutex_init(new_right(), NULL);
		}
	}
	pthread_barrier_init(&start, NULL, 2);
	if (early && forth)
		take_both(left, right);
	pthread_create(&thread[0], NULL, forwards, forth && !early ? &forth : NULL);
	pthread_create(&thread[1], NULL, backwards, back ? &back : NULL);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	pthread_mutex_destroy(left);
	pthread_mutex_destroy(right);
	if (left != &left_lock) {
		free(left);
		free(right);
	}
	return done < 0;
}
