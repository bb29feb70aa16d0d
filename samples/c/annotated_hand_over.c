/* SPDX-License-Identifier: MIT */
/* SHOWS a mutex that one thread locks and another unlocks, handed over by an annotation: nothing to say */
/* NEVER unlock-not-owned unlock-not-locked lock-held-at-thread-exit lock-order-inversion */
/* RUN clean */
#include "../../include/thrum.h"
#include "../sample.h"

static pthread_mutex_t l = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_t finisher_thread;
static int step;

static void *starter(void *arg)
{
	for (int round = 0; round < 2; round++) {
		until(&step, 2 * round);
		pthread_mutex_lock(&l);
		if (round == 0)
			thrum_lock_hand_over(&l);
		else
			thrum_lock_hand_over_to(&l, finisher_thread);
		pthread_mutex_lock(&other); /* l is no longer ours: no order between the two */
		pthread_mutex_unlock(&other);
		step_to(&step, 2 * round + 1);
	}
	return arg;
}

static void *finisher(void *arg)
{
	for (int round = 0; round < 2; round++) {
		until(&step, 2 * round + 1);
		pthread_mutex_unlock(&l);
		pthread_mutex_lock(&other);
		pthread_mutex_lock(&l);
		pthread_mutex_unlock(&l);
		pthread_mutex_unlock(&other);
		step_to(&step, 2 * round + 2);
	}
	return arg;
}

int main(void)
{
	pthread_t a;

	MUST(pthread_create(&finisher_thread, NULL, finisher, NULL));
	MUST(pthread_create(&a, NULL, starter, NULL));
	MUST(pthread_join(a, NULL));
	MUST(pthread_join(finisher_thread, NULL));
	return 0;
}
