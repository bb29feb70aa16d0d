/* SPDX-License-Identifier: MIT */
/*
 * stuck HOW - says "ready" when it is in the state that HOW names, goes on until its input ends, then says "over" and ends
 * with status 3 by _exit.
 *
 *   deadlock  two threads wait for each other's mutex; the main thread and a third one, which locks and unlocks, go on
 *   lost      two threads wait on a condition variable that nobody signals; the main thread joins them, and input is not read
 *   holder    a thread holds a mutex that another one wants, and only sleeps
 *   idle      two threads wait on a condition variable, as pools do; the main thread signals them when its input ends
 *   busy      four threads lock two mutexes in one order, post and wait, create and join, as fast as they can
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t third = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t both;
static sem_t turn;
static volatile bool stop;

static void *forward(void *unused)
{
	pthread_mutex_lock(&first);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&second);
	return unused;
}

static void *backward(void *unused)
{
	pthread_mutex_lock(&second);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&first);
	return unused;
}

static void *relock(void *unused)
{
	while (!stop) {
		pthread_mutex_lock(&third);
		pthread_mutex_unlock(&third);
		usleep(1000);
	}
	return unused;
}

static void *wait_condition(void *unused)
{
	pthread_mutex_lock(&third);
	while (!stop)
		pthread_cond_wait(&condition, &third);
	pthread_mutex_unlock(&third);
	return unused;
}

static void *hold(void *unused)
{
	pthread_mutex_lock(&third);
	pthread_barrier_wait(&both);
	while (!stop)
		usleep(1000);
	pthread_mutex_unlock(&third);
	return unused;
}

static void *want(void *unused)
{
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&third);
	pthread_mutex_unlock(&third);
	return unused;
}

static void *nested(void *unused)
{
	while (!stop) {
		pthread_mutex_lock(&first);
		pthread_mutex_lock(&second);
		pthread_mutex_unlock(&second);
		pthread_mutex_unlock(&first);
		sem_post(&turn);
		sem_wait(&turn);
	}
	return unused;
}

static void *leaf(void *unused)
{
	pthread_mutex_lock(&second);
	pthread_mutex_unlock(&second);
	return unused;
}

static void *creator(void *unused)
{
	while (!stop) {
		pthread_t thread;

		if (!pthread_create(&thread, NULL, leaf, NULL))
			pthread_join(thread, NULL);
	}
	return unused;
}

static void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

static const struct {
	const char *how;
	void *(*threads[4])(void *);
	bool joins;
} ways[] = {
	{ "deadlock", { forward, backward, relock }, false },
	{ "lost", { wait_condition, wait_condition }, true },
	{ "holder", { hold, want }, false },
	{ "idle", { wait_condition, wait_condition }, false },
	{ "busy", { nested, nested, creator, creator }, false },
};

int main(int argc, char **argv)
{
	pthread_t threads[4];
	unsigned way = 0, count = 0;
	char byte;

	while (way < sizeof(ways) / sizeof(ways[0]) && (argc < 2 || strcmp(argv[1], ways[way].how)))
		way++;
	if (way == sizeof(ways) / sizeof(ways[0]) || pthread_barrier_init(&both, NULL, 2) ||
	    sem_init(&turn, 0, 0))
		return 99;
	for (; count < 4 && ways[way].threads[count]; count++)
		if (pthread_create(&threads[count], NULL, ways[way].threads[count], NULL))
			return 99;
	say_ready();
	for (unsigned i = 0; ways[way].joins && i < count; i++)
		pthread_join(threads[i], NULL);
	while (read(0, &byte, 1) > 0)
		;
	stop = true;
	pthread_mutex_lock(&third);
	pthread_cond_broadcast(&condition);
	pthread_mutex_unlock(&third);
	puts("over");
	fflush(stdout);
	_exit(3);
}
