/* SPDX-License-Identifier: MIT */
/* SHOWS three locks taken in a circle by three threads that come one after the other: proven in a recorded build */
/* EXPECT lock-order-inversion confidence=proven level=error threads=3 locks=left,middle,right says=ends+in+it */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, middle = PTHREAD_MUTEX_INITIALIZER,
		       right = PTHREAD_MUTEX_INITIALIZER;
static int step;

static NOINLINE void take(pthread_mutex_t *one, pthread_mutex_t *two, int turn)
{
	unseen_until(&step, turn);
	MUST(pthread_mutex_lock(one));
	MUST(pthread_mutex_lock(two));
	MUST(pthread_mutex_unlock(two));
	MUST(pthread_mutex_unlock(one));
	unseen_step_to(&step, turn + 1);
}

static void *first(void *arg)
{
	take(&left, &middle, 0);
	return arg;
}

static void *second(void *arg)
{
	take(&middle, &right, 1);
	return arg;
}

static void *third(void *arg)
{
	take(&right, &left, 2);
	return arg;
}

int main(void)
{
	pthread_t thread[3];

	MUST(pthread_create(&thread[0], NULL, first, NULL));
	MUST(pthread_create(&thread[1], NULL, second, NULL));
	MUST(pthread_create(&thread[2], NULL, third, NULL));
	for (int i = 0; i < 3; i++)
		MUST(pthread_join(thread[i], NULL));
	return 0;
}
