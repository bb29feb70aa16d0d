/* SPDX-License-Identifier: MIT */
/* SCENARIO S30: T1 holds A and waits on a condvar with m (so it takes m again while holding A); T2 takes m,A */
/* EXPECT lock-order-inversion confidence=potential stacks=wait_ready,publish */
/* RUN */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready_cond = PTHREAD_COND_INITIALIZER;
static int ready;
static int step, tid;

static NOINLINE void wait_ready(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&m);
	publish_tid(&tid);
	while (!ready)
		pthread_cond_wait(&ready_cond, &m);
	pthread_mutex_unlock(&m);
	pthread_mutex_unlock(&a);
}

static NOINLINE void publish(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_lock(&a);
	ready++;
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&m);
}

static void *waiter(void *arg)
{
	wait_ready();
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *signaller(void *arg)
{
	until_asleep(&tid);
	pthread_mutex_lock(&m);
	ready = 1;
	pthread_cond_signal(&ready_cond);
	pthread_mutex_unlock(&m);
	until(&step, 1);
	publish();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(waiter, signaller);
	return 0;
}
