/* SPDX-License-Identifier: MIT */
/* SCENARIO S31: T1 waits on a condvar and holds the unrelated A; the signaller needs A first: both hang */
/* EXPECT deadlock confidence=observed stacks=wait_for_work,give_work threads=2 roles=waits,holds locks=config_lock */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t config_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int jobs, done;
static int tid;

static NOINLINE void wait_for_work(void)
{
	pthread_mutex_lock(&m);
	while (!jobs)
		pthread_cond_wait(&work, &m);
	jobs--;
	pthread_mutex_unlock(&m);
}

static NOINLINE void give_work(void)
{
	pthread_mutex_lock(&config_lock);
	pthread_mutex_lock(&m);
	jobs++;
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&m);
	pthread_mutex_unlock(&config_lock);
}

static void *consumer(void *arg)
{
	wait_for_work();
	step_to(&done, 1);
	pthread_mutex_lock(&config_lock);
	publish_tid(&tid);
	wait_for_work(); /* while it holds config_lock */
	pthread_mutex_unlock(&config_lock);
	return arg;
}

static void *producer(void *arg)
{
	give_work();
	until(&done, 1);
	until_asleep(&tid);
	give_work();
	return arg;
}

int main(void)
{
	run_two(consumer, producer);
	return 0;
}
