/* SPDX-License-Identifier: MIT */
/* SCENARIO S30,I4: T1 takes m,A in the right order, but its wait takes m again while it holds A */
/* EXPECT lock-order-inversion confidence=potential stacks=wait_with_both,update */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int value;
static int step, tid;

static NOINLINE void wait_with_both(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_lock(&a);
	publish_tid(&tid);
	while (!value)
		pthread_cond_wait(&changed, &m);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&m);
}

static NOINLINE void update(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_lock(&a);
	value++;
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&m);
}

static void *waiter(void *arg)
{
	wait_with_both();
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *updater(void *arg)
{
	until_asleep(&tid);
	pthread_mutex_lock(&m);
	value = 1;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&m);
	until(&step, 1);
	update();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(waiter, updater);
	return 0;
}
