/* SPDX-License-Identifier: MIT */
/* SHOWS a program of one thread that waits on a condvar: nobody is there to signal */
/* EXPECT stuck-wait confidence=observed stacks=wait_for_nobody threads=1 locks=cond roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static NOINLINE void wait_for_nobody(void)
{
	pthread_mutex_lock(&m);
	pthread_cond_wait(&cond, &m);
	pthread_mutex_unlock(&m);
}

int main(void)
{
	wait_for_nobody();
	return 0;
}
