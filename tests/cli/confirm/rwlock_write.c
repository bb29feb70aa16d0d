/* SPDX-License-Identifier: MIT */
/* FEASIBLE a read-write lock and a mutex, the writer comes from the other side */
#include "confirm.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

BOTH(look, READ, MUTEX)
BOTH(change, MUTEX, WRITE)

static void part(long number)
{
	if (number)
		change(&log_lock, &table);
	else
		look(&table, &log_lock);
}

int main(void)
{
	return run_apart(part, 2);
}
