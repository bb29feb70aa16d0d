/* SPDX-License-Identifier: MIT */
/* FEASIBLE two read-write locks, each held for reading and wanted for writing */
#include "confirm.h"

static pthread_rwlock_t table[2] = { PTHREAD_RWLOCK_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER };

BOTH(move, READ, WRITE)

static void part(long number)
{
	move(&table[number], &table[!number]);
}

int main(void)
{
	return run_apart(part, 2);
}
