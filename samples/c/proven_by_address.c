/* SPDX-License-Identifier: MIT */
/* SCENARIO S22: two accounts are always locked in the order of their addresses, in a recorded build */
/* NEVER lock-order-inversion data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../proven.h"

#define ACCOUNTS 6

struct account {
	pthread_mutex_t lock;
	long money;
};

static struct account accounts[ACCOUNTS];

static NOINLINE void transfer(struct account *from, struct account *to)
{
	struct account *low = from < to ? from : to, *high = from < to ? to : from;

	take(&low->lock);
	take(&high->lock);
	from->money--;
	to->money++;
	give(&high->lock);
	give(&low->lock);
}

static void *first(void *arg)
{
	transfer(&accounts[1], &accounts[2]);
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	transfer(&accounts[4], &accounts[3]);
	transfer(&accounts[2], &accounts[1]);
	return arg;
}

int main(void)
{
	for (int i = 0; i < ACCOUNTS; i++)
		MUST(pthread_mutex_init(&accounts[i].lock, NULL));
	run_two(first, second);
	return 0;
}
