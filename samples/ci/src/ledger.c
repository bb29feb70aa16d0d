/* SPDX-License-Identifier: MIT */
/* ledger.c - one lock for the accounts, one for the journal; accounts before journal. LEDGER_SEEDED breaks that rule. */
#include "ledger.h"

#include <pthread.h>

#define ACCOUNTS 8

static pthread_mutex_t accounts_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t journal_lock = PTHREAD_MUTEX_INITIALIZER;
static int accounts[ACCOUNTS];
static int journal_lines;

static void journal_add(void)
{
	pthread_mutex_lock(&journal_lock);
	journal_lines++;
	pthread_mutex_unlock(&journal_lock);
}

void ledger_deposit(int account, int amount)
{
	pthread_mutex_lock(&accounts_lock);
	accounts[account] += amount;
	journal_add();
	pthread_mutex_unlock(&accounts_lock);
}

void ledger_transfer(int from, int to, int amount)
{
	pthread_mutex_lock(&accounts_lock);
	accounts[from] -= amount;
	accounts[to] += amount;
	journal_add();
	pthread_mutex_unlock(&accounts_lock);
}

static int sum_accounts(void)
{
	int sum = 0;

	pthread_mutex_lock(&accounts_lock);
	for (int i = 0; i < ACCOUNTS; i++)
		sum += accounts[i];
	pthread_mutex_unlock(&accounts_lock);
	return sum;
}

int ledger_audit(void)
{
	int sum;

#ifdef LEDGER_SEEDED
	pthread_mutex_lock(&journal_lock);
	sum = sum_accounts();
	journal_lines++;
	pthread_mutex_unlock(&journal_lock);
#else
	sum = sum_accounts();
	journal_add();
#endif
	return sum;
}

int ledger_journal_lines(void)
{
	int lines;

	pthread_mutex_lock(&journal_lock);
	lines = journal_lines;
	pthread_mutex_unlock(&journal_lock);
	return lines;
}
