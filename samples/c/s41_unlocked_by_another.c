/* SPDX-License-Identifier: MIT */
/* SCENARIO S41: a NORMAL mutex locked by T1 and unlocked by T2: said once, and no phantom edges afterwards */
/* EXPECT unlock-not-owned confidence=observed level=error stacks=taker,dropper threads=2 locks=l */
/* NEVER lock-order-inversion lock-held-at-thread-exit */
/* RUN */
#include "../sample.h"

static pthread_mutex_t l = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step;

static void *taker(void *arg)
{
	pthread_mutex_lock(&l);
	step_to(&step, 1);
	until(&step, 2);
	pthread_mutex_lock(&b); /* l is no longer held: no edge l->b */
	pthread_mutex_unlock(&b);
	step_to(&step, 3);
	until(&step, 4);
	return arg;
}

static void *dropper(void *arg)
{
	until(&step, 1);
	MUST(pthread_mutex_unlock(&l));
	step_to(&step, 2);
	until(&step, 3);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&l);
	pthread_mutex_unlock(&l);
	pthread_mutex_unlock(&b);
	step_to(&step, 4);
	return arg;
}

int main(void)
{
	run_two(taker, dropper);
	return 0;
}
