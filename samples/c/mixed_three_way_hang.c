/* SPDX-License-Identifier: MIT */
/* SHOWS a ring through three kinds: mutex, rwlock and spinlock */
/* EXPECT deadlock confidence=observed stacks=one,two,three threads=3 locks=a,b roles=holds,waits */
/* RUN timeout=2 */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t b = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t c;
static int holding;

static void *one(void *arg)
{
	pthread_mutex_lock(&a);
	meet(&holding, 3);
	pthread_rwlock_rdlock(&b);
	return arg;
}

static void *two(void *arg)
{
	pthread_rwlock_wrlock(&b);
	meet(&holding, 3);
	pthread_spin_lock(&c);
	return arg;
}

static void *three(void *arg)
{
	pthread_spin_lock(&c);
	meet(&holding, 3);
	pthread_mutex_lock(&a);
	return arg;
}

int main(void)
{
	pthread_t t[3];

	pthread_spin_init(&c, 0);
	t[0] = start(one, NULL);
	t[1] = start(two, NULL);
	t[2] = start(three, NULL);
	for (int i = 0; i < 3; i++)
		finish(t[i]);
	return 0;
}
