/* SPDX-License-Identifier: MIT */
/* SHOWS a condvar waited on with a mutex that the thread does not hold */
/* EXPECT cond-wait-unlocked confidence=observed level=error stacks=wait_wrongly threads=1 locks=m */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static NOINLINE void wait_wrongly(void)
{
	struct timespec soon = in_ms(CLOCK_REALTIME, 5);

	pthread_cond_timedwait(&cond, &m, &soon); /* returns with m locked */
	pthread_mutex_unlock(&m);
}

int main(void)
{
	wait_wrongly();
	return 0;
}
