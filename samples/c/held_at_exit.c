/* SPDX-License-Identifier: MIT */
/* SHOWS exit() called with a lock held: a note */
/* EXPECT lock-held-at-exit level=note stacks=fatal locks=log_lock */
/* RUN clean exit=4 */
#include "../sample.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void fatal(void)
{
	pthread_mutex_lock(&log_lock);
	exit(4);
}

int main(void)
{
	fatal();
	return 0;
}
