/* SPDX-License-Identifier: MIT */
/* SHOWS S21b without pthread_mutex_init: the locks are elements of one array */
/* EXPECT lock-order-inversion confidence=hint level=note stacks=transfer threads=2 locks=accounts */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t accounts[] = {
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
};
static pthread_mutex_t up_one = PTHREAD_MUTEX_INITIALIZER, up_two = PTHREAD_MUTEX_INITIALIZER;
static long moved;

static NOINLINE void transfer(pthread_mutex_t *from, pthread_mutex_t *to)
{
	pthread_mutex_lock(from);
	pthread_mutex_lock(to);
	__atomic_add_fetch(&moved, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(to);
	pthread_mutex_unlock(from);
}

/* Other locks, of no array: they do not belong to it. */
static NOINLINE void together(void)
{
	pthread_mutex_lock(&up_one);
	pthread_mutex_lock(&up_two);
	pthread_mutex_unlock(&up_two);
	pthread_mutex_unlock(&up_one);
}

static void *monday(void *arg)
{
	transfer(&accounts[4], &accounts[3]);
	together();
	return arg;
}

static void *tuesday(void *arg)
{
	transfer(&accounts[1], &accounts[2]);
	together();
	return arg;
}

int main(void)
{
	pthread_t a, b;

	a = start(monday, NULL);
	b = start(tuesday, NULL);
	finish(a);
	finish(b);
	return moved != 2;
}
