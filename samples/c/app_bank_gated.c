/* SPDX-License-Identifier: MIT */
/* SHOWS a bank where transfers in any order hold the bank's lock, and audits hold it too: a gate in a real setting */
/* NEVER lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

#define ACCOUNTS 8

static pthread_mutex_t bank = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t account[ACCOUNTS];
static long money[ACCOUNTS];

static void transfer(int from, int to, long amount)
{
	pthread_mutex_lock(&bank);
	pthread_mutex_lock(&account[from]);
	pthread_mutex_lock(&account[to]);
	money[from] -= amount;
	money[to] += amount;
	pthread_mutex_unlock(&account[to]);
	pthread_mutex_unlock(&account[from]);
	pthread_mutex_unlock(&bank);
}

static long peek(int i)
{
	long m;

	pthread_mutex_lock(&account[i]); /* alone: no order */
	m = money[i];
	pthread_mutex_unlock(&account[i]);
	return m;
}

static void *teller(void *arg)
{
	unsigned seed = (unsigned)(intptr_t)arg + 3;

	for (int i = 0; i < 500; i++) {
		int from = (int)((seed = seed * 1664525u + 1013904223u) >> 8) % ACCOUNTS;
		int to = (int)((seed = seed * 1664525u + 1013904223u) >> 8) % ACCOUNTS;

		if (from != to)
			transfer(from, to, peek(from) / 10);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[3];
	long total = 0;

	for (int i = 0; i < ACCOUNTS; i++) {
		MUST(pthread_mutex_init(&account[i], NULL));
		money[i] = 100;
	}
	for (intptr_t i = 0; i < 3; i++)
		t[i] = start(teller, (void *)i);
	for (int i = 0; i < 3; i++)
		finish(t[i]);
	for (int i = 0; i < ACCOUNTS; i++)
		total += money[i];
	printf("%ld\n", total);
	return 0;
}
