/* SPDX-License-Identifier: MIT */
/* SHOWS The transfers of S21b where it cannot matter: under a lock of the bank; by one thread; one day after the other */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#define ACCOUNTS 12

static pthread_mutex_t *bank, *first_branch, *second_branch;

static NOINLINE pthread_mutex_t *open_accounts(void)
{
	pthread_mutex_t *account = (pthread_mutex_t *)calloc(ACCOUNTS, sizeof(*account));

	for (int i = 0; i < ACCOUNTS; i++)
		MUST(pthread_mutex_init(&account[i], NULL));
	return account;
}

static NOINLINE void transfer(pthread_mutex_t *from, pthread_mutex_t *to)
{
	pthread_mutex_lock(from);
	pthread_mutex_lock(to);
	pthread_mutex_unlock(to);
	pthread_mutex_unlock(from);
}

static NOINLINE void guarded(pthread_mutex_t *from, pthread_mutex_t *to)
{
	pthread_mutex_lock(&bank[0]);
	pthread_mutex_lock(from);
	pthread_mutex_lock(to);
	pthread_mutex_unlock(to);
	pthread_mutex_unlock(from);
	pthread_mutex_unlock(&bank[0]);
}

static NOINLINE void alone(pthread_mutex_t *from, pthread_mutex_t *to)
{
	pthread_mutex_lock(from);
	pthread_mutex_lock(to);
	pthread_mutex_unlock(to);
	pthread_mutex_unlock(from);
}

static void *monday(void *arg)
{
	guarded(&first_branch[1], &first_branch[2]);
	alone(&second_branch[1], &second_branch[2]);
	alone(&second_branch[4], &second_branch[3]);
	return arg;
}

static void *tuesday(void *arg)
{
	guarded(&first_branch[4], &first_branch[3]);
	return arg;
}

static void *wednesday(void *arg)
{
	transfer(&first_branch[5], &first_branch[6]);
	return arg;
}

static void *thursday(void *arg)
{
	transfer(&first_branch[8], &first_branch[7]);
	return arg;
}

int main(void)
{
	pthread_t a, b;

	bank = open_accounts();
	first_branch = open_accounts();
	second_branch = open_accounts();
	a = start(monday, NULL);
	b = start(tuesday, NULL);
	finish(a);
	finish(b);
	finish(start(wednesday, NULL));
	finish(start(thursday, NULL));
	free(bank);
	free(first_branch);
	free(second_branch);
	return 0;
}
