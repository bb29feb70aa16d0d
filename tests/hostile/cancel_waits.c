/* SPDX-License-Identifier: MIT */
/*
 * cancel_waits.c - cancels threads inside condition, semaphore, join and once waits; clean-up
 * handlers must find the mutex held.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t s;
static volatile int inside, cleaned;

static void unlock(void *p)
{
	(void)p;
	cleaned++;
	if (pthread_mutex_unlock(&m)) {
		cleaned += 1000;
	}
}
static void *wait_cond(void *p)
{
	pthread_mutex_lock(&m);
	pthread_cleanup_push(unlock, NULL);
	inside = 1;
	for (;;) {
		pthread_cond_wait(&c, &m);
	}
	pthread_cleanup_pop(0);
	return p;
}
static void *wait_sem(void *p)
{
	inside = 1;
	sem_wait(&s);
	return p;
}
static void *wait_pause(void *p)
{
	for (;;) {
		pause();
	}
	return p;
}
static void *wait_join(void *p)
{
	pthread_t t;

	pthread_create(&t, NULL, wait_pause, NULL);
	inside = 1;
	pthread_join(t, NULL);
	return p;
}
static void initialise(void)
{
	inside = 1;
	for (;;) {
		pause();
	}
}
static pthread_once_t once;
static void *wait_once(void *p)
{
	pthread_once(&once, initialise);
	return p;
}

int main(void)
{
	void *(*const work[])(void *) = { wait_cond, wait_sem, wait_join, wait_once };
	int cancelled = 0;

	sem_init(&s, 0, 0);
	for (int i = 0; i < 80; i++) {
		pthread_t t;
		void *result;

		inside = 0;
		pthread_create(&t, NULL, work[i % 4], NULL);
		while (!inside) {
			sched_yield();
		}
		pthread_cancel(t);
		pthread_join(t, &result);
		cancelled += result == PTHREAD_CANCELED;
	}
	if (pthread_mutex_lock(&m) || pthread_mutex_unlock(&m)) {
		return 1;
	}
	printf("%d %d\n", cancelled, cleaned);
	return 0;
}
