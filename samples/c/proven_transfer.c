/* SPDX-License-Identifier: MIT */
/* SCENARIO S21b: the transfers are between the same two accounts, both ways */
/* EXPECT lock-order-inversion confidence=proven level=error threads=2 stacks=transfer,first,second locks=accounts says=ends+in+it */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
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
	take(&from->lock);
	take(&to->lock);
	from->money--;
	to->money++;
	give(&to->lock);
	give(&from->lock);
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
