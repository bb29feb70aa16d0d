/* SPDX-License-Identifier: MIT */
/* SHOWS spin locks of the program's own make, annotated, taken crosswise: they hang like any other */
/* EXPECT deadlock confidence=observed level=error stacks=forth,back threads=2 locks=left,right roles=holds,waits */
/* RUN timeout=2 */
#include "../../include/thrum.h"
#include "../sample.h"

static int left, right;
static int holding;

static void spin_lock(int *lock)
{
	thrum_lock_acquiring(lock, 0);
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		usleep(1000);
	thrum_lock_acquired(lock, 0);
}

static NOINLINE void forth(void)
{
	spin_lock(&left);
	meet(&holding, 2);
	spin_lock(&right);
}

static NOINLINE void back(void)
{
	spin_lock(&right);
	meet(&holding, 2);
	spin_lock(&left);
}

static void *one(void *arg)
{
	forth();
	return arg;
}

static void *two(void *arg)
{
	back();
	return arg;
}

int main(void)
{
	pthread_t a, b;

	MUST(pthread_create(&a, NULL, one, NULL));
	MUST(pthread_create(&b, NULL, two, NULL));
	MUST(pthread_join(a, NULL));
	MUST(pthread_join(b, NULL));
	return 0;
}
