/* SPDX-License-Identifier: MIT */
/* SCENARIO S21b: transfer(i, j) locks i, then j; this run has (1, 2) and (4, 3), and no pair both ways */
/* EXPECT lock-order-inversion confidence=hint level=note stacks=transfer threads=2 roles=holds,acquires */
/* RUN clean */
#include "../sample.h"

#define ACCOUNTS 6

struct account {
	pthread_mutex_t lock;
	long money;
};

static struct account accounts[ACCOUNTS];
static pthread_barrier_t ready;

static NOINLINE void transfer(struct account *from, struct account *to, long amount)
{
	pthread_mutex_lock(&from->lock);
	pthread_mutex_lock(&to->lock);
	from->money -= amount;
	to->money += amount;
	pthread_mutex_unlock(&to->lock);
	pthread_mutex_unlock(&from->lock);
}

static void *monday(void *arg)
{
	pthread_barrier_wait(&ready);
	transfer(&accounts[1], &accounts[2], 10);
	return arg;
}

static void *tuesday(void *arg)
{
	pthread_barrier_wait(&ready);
	transfer(&accounts[4], &accounts[3], 20);
	return arg;
}

int main(void)
{
	pthread_t a, b;

	MUST(pthread_barrier_init(&ready, NULL, 2));
	for (int i = 0; i < ACCOUNTS; i++)
		MUST(pthread_mutex_init(&accounts[i].lock, NULL));
	a = start(monday, NULL);
	b = start(tuesday, NULL);
	finish(a);
	finish(b);
	for (int i = 0; i < ACCOUNTS; i++)
		MUST(pthread_mutex_destroy(&accounts[i].lock));
	return 0;
}
