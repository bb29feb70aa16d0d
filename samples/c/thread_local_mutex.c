/* SPDX-License-Identifier: MIT */
/* SHOWS a mutex in thread-local storage: the next thread's has the same address and is another lock */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static __thread pthread_mutex_t mine;
static void *first_address;
static int joined, alive;

static void *mine_then_other(void *arg)
{
	first_address = &mine;
	pthread_mutex_lock(&mine);
	pthread_mutex_lock(&other);
	pthread_mutex_unlock(&other);
	pthread_mutex_unlock(&mine);
	return arg;
}

static void *other_then_mine(void *arg)
{
	if (first_address != &mine)
		fprintf(stderr, "other address\n");
	pthread_mutex_lock(&other);
	pthread_mutex_lock(&mine);
	pthread_mutex_unlock(&mine);
	pthread_mutex_unlock(&other);
	return arg;
}

static void *joiner(void *arg)
{
	meet(&alive, 2);
	finish(start(mine_then_other, NULL));
	step_to(&joined, 1); /* main is told by no primitive, so the two orders are not ordered */
	return arg;
}

int main(void)
{
	pthread_t j = start(joiner, NULL);

	meet(&alive, 2);
	until(&joined, 1);
	finish(start(other_then_mine, NULL));
	finish(j);
	return 0;
}
