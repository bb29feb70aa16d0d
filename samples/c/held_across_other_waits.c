/* SPDX-License-Identifier: MIT */
/* SHOWS a lock held across waits for a condition variable, a semaphore and a barrier, while another thread wants it */
/* EXPECT lock-held-across-blocking-call confidence=observed level=warning count=3 locks=m roles=holds,blocks,waits */
/* ALLOW hold-time */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;
static int step, tid[3], given;

static void *giver(void *arg)
{
	struct timespec t = { 0, 300000000 };

	for (int i = 0; i < 3; i++) {
		until_asleep(&tid[i]);
		nanosleep(&t, NULL);
		if (i == 0) {
			pthread_mutex_lock(&inner);
			given = 1;
			pthread_cond_signal(&cond);
			pthread_mutex_unlock(&inner);
		} else if (i == 1) {
			sem_post(&sem);
		} else {
			pthread_barrier_wait(&barrier);
		}
	}
	return arg;
}

static NOINLINE void wait_for_condition(void)
{
	pthread_mutex_lock(&inner);
	while (!given)
		pthread_cond_wait(&cond, &inner);
	pthread_mutex_unlock(&inner);
}

static void *holder(void *arg)
{
	for (int i = 0; i < 3; i++) {
		pthread_mutex_lock(&m);
		step_to(&step, 2 * i + 1);
		until_asleep(&tid[i]);
		if (i == 0)
			wait_for_condition();
		else if (i == 1)
			sem_wait(&sem);
		else
			pthread_barrier_wait(&barrier);
		pthread_mutex_unlock(&m);
		until(&step, 2 * i + 2);
	}
	return arg;
}

static void *user(void *arg)
{
	for (int i = 0; i < 3; i++) {
		until(&step, 2 * i + 1);
		publish_tid(&tid[i]);
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		step_to(&step, 2 * i + 2);
	}
	return arg;
}

int main(void)
{
	pthread_t t;

	MUST(sem_init(&sem, 0, 0));
	MUST(pthread_barrier_init(&barrier, NULL, 2));
	MUST(pthread_create(&t, NULL, giver, NULL));
	run_two(holder, user);
	MUST(pthread_join(t, NULL));
	return 0;
}
