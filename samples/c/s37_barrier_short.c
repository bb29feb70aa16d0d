/* SPDX-License-Identifier: MIT */
/* SCENARIO S37: a barrier for three, only two arrive */
/* EXPECT stuck-wait confidence=observed level=error stacks=arrive threads=2..3 locks=line roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_barrier_t line;

static NOINLINE void arrive(void)
{
	pthread_barrier_wait(&line);
}

static void *runner(void *arg)
{
	arrive();
	return arg;
}

int main(void)
{
	MUST(pthread_barrier_init(&line, NULL, 3));
	run_two(runner, runner);
	return 0;
}
