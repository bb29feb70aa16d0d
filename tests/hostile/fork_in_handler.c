/* SPDX-License-Identifier: MIT */
/*
 * fork_in_handler.c - a handler forks inside waits and lock calls, and the child goes on in them: what the parent's hook
 * had begun ends in the child. Prints how the children ended.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t s;
static volatile sig_atomic_t child = -1;
static volatile int stop;

static void on_alarm(int number)
{
	(void)number;
	if (child < 0) {
		child = fork();
	}
}

static struct timespec soon(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 200000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void in_cond_wait(void)
{
	struct timespec t = soon();

	pthread_mutex_lock(&m);
	pthread_cond_timedwait(&c, &m, &t);
	pthread_mutex_unlock(&m);
}

static void in_sem_wait(void)
{
	struct timespec t = soon();

	while (sem_timedwait(&s, &t) && child < 0) {
	}
}

static void in_locks(void)
{
	while (child < 0) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
}

static void in_wait(void)
{
	pid_t sleeper = fork();

	if (sleeper == 0) {
		usleep(200000);
		_exit(0);
	}
	while (waitpid(sleeper, NULL, 0) < 0 && child < 0) {
	}
}

int main(void)
{
	static void (*const places[])(void) = { in_cond_wait, in_sem_wait, in_locks, in_wait };
	struct sigaction a = { .sa_handler = on_alarm };

	sem_init(&s, 0, 0);
	sigaction(SIGALRM, &a, NULL);
	for (int i = 0; i < 12; i++) {
		int status = -1;

		child = -1;
		ualarm(i % 4 == 2 ? 3000 + 100 * i : 20000, 0);
		places[i % 4]();
		if (child == 0) {
			for (int k = 0; k < 20000; k++) {
				pthread_mutex_lock(&m);
				pthread_mutex_unlock(&m);
			}
			_exit(5);
		}
		while (child < 0) {
		}
		waitpid(child, &status, 0);
		printf("%d: %x\n", i, status);
		fflush(stdout);
	}
	return 0;
}
