/* SPDX-License-Identifier: MIT */
/* SCENARIO S74: one thread has the stream and wants the mutex, the other has the mutex and wants the stream: both hang */
/* EXPECT deadlock confidence=observed stacks=log_line,log_totals threads=2 locks=stderr,totals_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t totals_lock = PTHREAD_MUTEX_INITIALIZER;
static int one_in_hand, other_in_hand;

static NOINLINE void *log_line(void *arg)
{
	flockfile(stderr);
	step_to(&one_in_hand, 1);
	until(&other_in_hand, 1);
	pthread_mutex_lock(&totals_lock);
	pthread_mutex_unlock(&totals_lock);
	funlockfile(stderr);
	return arg;
}

static NOINLINE void *log_totals(void *arg)
{
	pthread_mutex_lock(&totals_lock);
	step_to(&other_in_hand, 1);
	until(&one_in_hand, 1);
	flockfile(stderr);
	funlockfile(stderr);
	pthread_mutex_unlock(&totals_lock);
	return arg;
}

int main(void)
{
	run_two(log_line, log_totals);
	return 0;
}
