/* SPDX-License-Identifier: MIT */
/* FEASIBLE transfers between ten accounts: most pairs are no circle, the right instances must meet */
#include "confirm.h"

enum { ACCOUNTS = 10, BACK = 4 };

static pthread_mutex_t account[ACCOUNTS];

BOTH(transfer, MUTEX, MUTEX)

static void part(long number)
{
	for (int i = 0; i + 1 < ACCOUNTS; i++) {
		int back = number && i == BACK;

		transfer(&account[i + back], &account[i + !back]);
	}
}

int main(void)
{
	for (int i = 0; i < ACCOUNTS; i++)
		MUST(pthread_mutex_init(&account[i], NULL));
	return run_apart(part, 2);
}
