/* SPDX-License-Identifier: MIT */
/* SHOWS two read-write locks made of a mutex and a condvar, taken crosswise: only waits on condvars are to be seen */
/* EXPECT stuck-wait|deadlock confidence=observed stacks=my_write_lock,left,right threads=2..3 roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

struct my_rwlock {
	pthread_mutex_t m;
	pthread_cond_t free;
	int readers, writer;
};

static struct my_rwlock a = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };
static struct my_rwlock b = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };
static int holding;

static NOINLINE void my_write_lock(struct my_rwlock *l)
{
	pthread_mutex_lock(&l->m);
	while (l->writer || l->readers)
		pthread_cond_wait(&l->free, &l->m);
	l->writer = 1;
	pthread_mutex_unlock(&l->m);
}

static NOINLINE void my_unlock(struct my_rwlock *l)
{
	pthread_mutex_lock(&l->m);
	l->writer = 0;
	pthread_cond_broadcast(&l->free);
	pthread_mutex_unlock(&l->m);
}

static void *left(void *arg)
{
	my_write_lock(&a);
	meet(&holding, 2);
	my_write_lock(&b);
	my_unlock(&b);
	my_unlock(&a);
	return arg;
}

static void *right(void *arg)
{
	my_write_lock(&b);
	meet(&holding, 2);
	my_write_lock(&a);
	my_unlock(&a);
	my_unlock(&b);
	return arg;
}

int main(void)
{
	run_two(left, right);
	return 0;
}
