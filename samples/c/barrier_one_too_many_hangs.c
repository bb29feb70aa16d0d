/* SPDX-License-Identifier: MIT */
/* SHOWS four threads at a barrier for three: three pass, the fourth waits for two that never come */
/* EXPECT stuck-wait confidence=observed stacks=worker threads=1..2 locks=line roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_barrier_t line;

static void *worker(void *arg)
{
	pthread_barrier_wait(&line);
	return arg;
}

int main(void)
{
	pthread_t t[4];

	MUST(pthread_barrier_init(&line, NULL, 3));
	for (int i = 0; i < 4; i++)
		t[i] = start(worker, NULL);
	for (int i = 0; i < 4; i++)
		finish(t[i]);
	return 0;
}
