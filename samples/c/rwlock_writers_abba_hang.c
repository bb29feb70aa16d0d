/* SPDX-License-Identifier: MIT */
/* SHOWS two rwlocks, both held for writing, crosswise */
/* EXPECT deadlock confidence=observed stacks=left,right threads=2 locks=a,b roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t b = PTHREAD_RWLOCK_INITIALIZER;
static int holding;

static void *left(void *arg)
{
	pthread_rwlock_wrlock(&a);
	meet(&holding, 2);
	pthread_rwlock_wrlock(&b);
	return arg;
}

static void *right(void *arg)
{
	pthread_rwlock_wrlock(&b);
	meet(&holding, 2);
	pthread_rwlock_rdlock(&a);
	return arg;
}

int main(void)
{
	run_two(left, right);
	return 0;
}
