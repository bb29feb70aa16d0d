/* SPDX-License-Identifier: MIT */
/* SCENARIO S38: a join under a lock that the joined thread takes too, when it has said under that lock that it is done: a note */
/* EXPECT lock-order-inversion level=note confidence=hint stacks=reap,worker locks=pool_lock */
/* NEVER deadlock stuck-wait */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_less = PTHREAD_COND_INITIALIZER;
static int running = 1, joined;

static void *worker(void *arg)
{
	pthread_mutex_lock(&pool_lock);
	running--;
	pthread_cond_broadcast(&one_less);
	pthread_mutex_unlock(&pool_lock);
	return arg;
}

/* Joins who is done, and waits for the rest; here nobody is left to wait for. */
static NOINLINE void reap(pthread_t t)
{
	pthread_mutex_lock(&pool_lock);
	while (!joined) {
		if (!running) {
			pthread_join(t, NULL);
			joined = 1;
		} else {
			pthread_cond_wait(&one_less, &pool_lock);
		}
	}
	pthread_mutex_unlock(&pool_lock);
}

int main(void)
{
	pthread_t t = start(worker, NULL);

	until_alone();
	reap(t);
	return 0;
}
