/* SPDX-License-Identifier: MIT */
/* SCENARIO S75c: the second thread writes after a semaphore that the first one posts */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

static long total;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t turn;
static int step;

static void *before(void *arg)
{
	total += 2;
	MUST(pthread_mutex_lock(&lock));
	MUST(pthread_mutex_unlock(&lock));
	MUST(sem_post(&turn));
	unseen_step_to(&step, 1);
	return arg;
}

static void *after(void *arg)
{
	unseen_until(&step, 1);
	MUST(sem_wait(&turn));
	MUST(pthread_mutex_lock(&lock));
	MUST(pthread_mutex_unlock(&lock));
	total -= 2;
	return arg;
}

int main(void)
{
	MUST(sem_init(&turn, 0, 0));
	run_two(before, after);
	return 0;
}
