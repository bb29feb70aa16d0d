/* SPDX-License-Identifier: MIT */
/* FEASIBLE a read-write lock and a mutex, the writer comes from the other side */
#include "confirm.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void look(void)
{
	pthread_rwlock_rdlock(&table);
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
	pthread_rwlock_unlock(&table);
}

static NOINLINE void change(void)
{
	pthread_mutex_lock(&log_lock);
	pthread_rwlock_wrlock(&table);
	pthread_rwlock_unlock(&table);
	pthread_mutex_unlock(&log_lock);
}

static void *work(void *arg)
{
	if (arg)
		change();
	else
		look();
	return NULL;
}

int main(void)
{
	run_apart(work, 2);
	return 0;
}
