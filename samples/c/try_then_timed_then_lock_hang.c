/* SPDX-License-Identifier: MIT */
/* SHOWS a hang where the outer locks were taken by trylock and timedlock: they hold all the same */
/* EXPECT deadlock confidence=observed stacks=left,right threads=2 locks=a,b roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int holding;

static void *left(void *arg)
{
	MUST(pthread_mutex_trylock(&a));
	meet(&holding, 2);
	pthread_mutex_lock(&b);
	return arg;
}

static void *right(void *arg)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 600000);

	MUST(pthread_mutex_timedlock(&b, &later));
	meet(&holding, 2);
	pthread_mutex_lock(&a);
	return arg;
}

int main(void)
{
	run_two(left, right);
	return 0;
}
