/* SPDX-License-Identifier: MIT */
/* SCENARIO S75: the same in a binary as it is: watchpoints meet the two writes, each with its lock */
/* EXPECT data-race confidence=observed level=error threads=2 threadnames=worker,worker locks=balance stacks=change,change occurs=1..1000000 */
/* ALLOW lock-contention|hold-time */
/* RUN once full limit=120 options=--races=auto */
/* BUILD needs=watchpoints flags=-O2 */
#include "race.h"

static long balance;
static pthread_mutex_t in_lock = PTHREAD_MUTEX_INITIALIZER, out_lock = PTHREAD_MUTEX_INITIALIZER;
static __thread pthread_mutex_t *mine;

/* Which of the two a thread uses is settled by its first number: 0 or 3. */
static NOINLINE void change(long n)
{
	if (!mine)
		mine = n ? &out_lock : &in_lock;
	pthread_mutex_lock(mine);
	balance++;
	pthread_mutex_unlock(mine);
}

int main(void)
{
	race_run(change, 4000);
	return balance < 0;
}
