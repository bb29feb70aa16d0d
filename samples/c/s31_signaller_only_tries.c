/* SPDX-License-Identifier: MIT */
/* SCENARIO S31: a wait with A held, and a signaller that only tries for A: it would have signalled without A */
/* NEVER lock-order-inversion deadlock stuck-wait */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t config_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int jobs, step;
static int tid;

static void *consumer(void *arg)
{
	until(&step, 1);
	pthread_mutex_lock(&config_lock);
	pthread_mutex_lock(&m);
	publish_tid(&tid);
	while (!jobs)
		pthread_cond_wait(&work, &m);
	pthread_mutex_unlock(&m);
	pthread_mutex_unlock(&config_lock);
	return arg;
}

static void *producer(void *arg)
{
	int busy = pthread_mutex_trylock(&config_lock);

	pthread_mutex_lock(&m);
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&m);
	if (!busy)
		pthread_mutex_unlock(&config_lock);
	step_to(&step, 1);
	until_asleep(&tid);
	pthread_mutex_lock(&m);
	jobs++;
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	run_two(consumer, producer);
	return 0;
}
