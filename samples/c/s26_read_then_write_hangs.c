/* SPDX-License-Identifier: MIT */
/* SCENARIO S26: the same, each with its read lock in hand: both hang */
/* EXPECT deadlock confidence=observed stacks=copy_forth,copy_back threads=2 roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t b = PTHREAD_RWLOCK_INITIALIZER;
static int holding;

static NOINLINE void copy_forth(void)
{
	pthread_rwlock_rdlock(&a);
	meet(&holding, 2);
	pthread_rwlock_wrlock(&b);
	pthread_rwlock_unlock(&b);
	pthread_rwlock_unlock(&a);
}

static NOINLINE void copy_back(void)
{
	pthread_rwlock_rdlock(&b);
	meet(&holding, 2);
	pthread_rwlock_wrlock(&a);
	pthread_rwlock_unlock(&a);
	pthread_rwlock_unlock(&b);
}

static void *first(void *arg)
{
	copy_forth();
	return arg;
}

static void *second(void *arg)
{
	copy_back();
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
