/* SPDX-License-Identifier: MIT */
/* SHOWS detached helpers parked at exit in a timed wait, a sleep, a read and a poll loop: each a service, no leak */
/* NEVER stuck-wait deadlock */
/* ALLOW leaked-thread level=note */
/* RUN clean */
#include "../sample.h"

#include <poll.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t tick = PTHREAD_COND_INITIALIZER;
static int tid[4], ends[2];

static void *ticker(void *arg)
{
	pthread_mutex_lock(&m);
	for (;;) {
		struct timespec soon = in_ms(CLOCK_REALTIME, 1);

		pthread_cond_timedwait(&tick, &m, &soon);
		publish_tid(&tid[0]);
	}
	return arg;
}

static void *sleeper(void *arg)
{
	publish_tid(&tid[1]);
	for (;;)
		sleep(1000);
	return arg;
}

static void *reader(void *arg)
{
	char c;

	publish_tid(&tid[2]);
	while (read(ends[0], &c, 1) == 1)
		;
	return arg;
}

static void *poller(void *arg)
{
	struct pollfd fd = { ends[0], POLLIN, 0 };

	publish_tid(&tid[3]);
	while (poll(&fd, 1, -1) >= 0)
		;
	return arg;
}

int main(void)
{
	void *(*routine[])(void *) = { ticker, sleeper, reader, poller };

	if (pipe(ends))
		return 3;
	for (int i = 0; i < 4; i++)
		MUST(pthread_detach(start(routine[i], NULL)));
	for (int i = 0; i < 4; i++)
		until_asleep(&tid[i]);
	return 0;
}
