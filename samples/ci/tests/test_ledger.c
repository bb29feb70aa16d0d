/* SPDX-License-Identifier: MIT */
/* test_ledger.c - moves money in one thread and audits in another. Passes, whatever the order of the locks is: see README. */
#include "../src/ledger.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static int moved[2];

static void *mover(void *unused)
{
	for (int i = 0; i < 100; i++)
		ledger_transfer(i % 8, (i + 1) % 8, i);
	return write(moved[1], "", 1) == 1 ? NULL : unused;
}

static void *auditor(void *ret_sum)
{
	char byte;

	/* After the mover: the test never hangs, so it proves nothing. thrum does not need the hang. */
	if (read(moved[0], &byte, 1) == 1)
		*(int *)ret_sum = ledger_audit();
	return NULL;
}

int main(void)
{
	pthread_t threads[2];
	int sum = 0;

	if (pipe(moved))
		return 2;
	ledger_deposit(0, 1000);
	if (pthread_create(&threads[0], NULL, mover, NULL) ||
	    pthread_create(&threads[1], NULL, auditor, &sum))
		return 2;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("sum %d after %d lines\n", sum, ledger_journal_lines());
	return sum == 1000 && ledger_journal_lines() == 102 ? 0 : 1;
}
