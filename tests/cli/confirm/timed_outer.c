/* SPDX-License-Identifier: MIT */
/* FEASIBLE the outer locks are taken by calls that would give up after a minute, by either clock */
#include "confirm.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;

static struct timespec in_a_minute(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	time.tv_sec += 60;
	return time;
}

static int lock_in_time(pthread_mutex_t *m)
{
	struct timespec until = in_a_minute(CLOCK_MONOTONIC);

	return pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &until);
}

static int read_in_time(pthread_rwlock_t *l)
{
	struct timespec until = in_a_minute(CLOCK_REALTIME);

	return pthread_rwlock_timedrdlock(l, &until);
}

#define TIMED_MUTEX pthread_mutex_t, lock_in_time, pthread_mutex_unlock
#define TIMED_READ pthread_rwlock_t, read_in_time, pthread_rwlock_unlock

BOTH(forth, TIMED_MUTEX, WRITE)
BOTH(back, TIMED_READ, MUTEX)

static void part(long number)
{
	if (number)
		back(&table, &mutex);
	else
		forth(&mutex, &table);
}

int main(void)
{
	return run_apart(part, 2);
}
