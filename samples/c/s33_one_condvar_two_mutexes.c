/* SPDX-License-Identifier: MIT */
/* SCENARIO S33: two threads wait on one condvar at the same time with two different mutexes */
/* EXPECT cond-wait-wrong-mutex level=error stacks=wait_with_first,wait_with_second threads=2 */
/* RUN */
#include "../sample.h"

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int go_on;
static int tid_first, tid_second;

static void *wait_with_first(void *arg)
{
	pthread_mutex_lock(&first);
	publish_tid(&tid_first);
	while (!__atomic_load_n(&go_on, __ATOMIC_SEQ_CST))
		pthread_cond_wait(&cond, &first);
	pthread_mutex_unlock(&first);
	return arg;
}

static void *wait_with_second(void *arg)
{
	until_asleep(&tid_first);
	pthread_mutex_lock(&second);
	publish_tid(&tid_second);
	while (!__atomic_load_n(&go_on, __ATOMIC_SEQ_CST))
		pthread_cond_wait(&cond, &second);
	pthread_mutex_unlock(&second);
	return arg;
}

int main(void)
{
	pthread_t a = start(wait_with_first, NULL), b = start(wait_with_second, NULL);

	until_asleep(&tid_first);
	until_asleep(&tid_second);
	__atomic_store_n(&go_on, 1, __ATOMIC_SEQ_CST);
	pthread_cond_broadcast(&cond);
	finish(a);
	finish(b);
	return 0;
}
