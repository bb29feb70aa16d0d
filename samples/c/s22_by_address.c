/* SPDX-License-Identifier: MIT */
/* SCENARIO S22: two accounts are always locked in the order of their addresses */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#define ACCOUNTS 32
#define WORKERS 4

struct account {
	pthread_mutex_t lock;
	long money;
};

static struct account *accounts[ACCOUNTS];

static NOINLINE void transfer(struct account *from, struct account *to, long amount)
{
	struct account *low = from < to ? from : to, *high = from < to ? to : from;

	pthread_mutex_lock(&low->lock);
	pthread_mutex_lock(&high->lock);
	from->money -= amount;
	to->money += amount;
	pthread_mutex_unlock(&high->lock);
	pthread_mutex_unlock(&low->lock);
}

static void *teller(void *arg)
{
	unsigned seed = (unsigned)(intptr_t)arg + 17;

	for (int i = 0; i < 2000; i++) {
		unsigned from = (seed = seed * 1664525u + 1013904223u) >> 8;
		unsigned to = (seed = seed * 1664525u + 1013904223u) >> 8;

		if (from % ACCOUNTS != to % ACCOUNTS)
			transfer(accounts[from % ACCOUNTS], accounts[to % ACCOUNTS], 1);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[WORKERS];
	long total = 0;

	for (int i = 0; i < ACCOUNTS; i++) {
		accounts[i] = (struct account *)calloc(1, sizeof(struct account));
		MUST(pthread_mutex_init(&accounts[i]->lock, NULL));
		accounts[i]->money = 1000;
	}
	for (intptr_t i = 0; i < WORKERS; i++)
		t[i] = start(teller, (void *)i);
	for (int i = 0; i < WORKERS; i++)
		finish(t[i]);
	for (int i = 0; i < ACCOUNTS; i++) {
		total += accounts[i]->money;
		MUST(pthread_mutex_destroy(&accounts[i]->lock));
		free(accounts[i]);
	}
	printf("%ld\n", total);
	return 0;
}
