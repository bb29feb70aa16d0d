/* SPDX-License-Identifier: MIT */
/* SCENARIO S36: a semaphore that hands over puts one thread's locks after the other's: not proven */
/* EXPECT lock-order-inversion confidence=potential level=error threads=2 stacks=first,second locks=a,b says=Not+proven */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static sem_t turn;
static int step;

static void *first(void *arg)
{
	MUST(pthread_mutex_lock(&a));
	MUST(pthread_mutex_lock(&b));
	MUST(pthread_mutex_unlock(&b));
	MUST(pthread_mutex_unlock(&a));
	MUST(sem_post(&turn));
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	MUST(sem_wait(&turn));
	MUST(pthread_mutex_lock(&b));
	MUST(pthread_mutex_lock(&a));
	MUST(pthread_mutex_unlock(&a));
	MUST(pthread_mutex_unlock(&b));
	return arg;
}

int main(void)
{
	MUST(sem_init(&turn, 0, 0));
	run_two(first, second);
	return 0;
}
