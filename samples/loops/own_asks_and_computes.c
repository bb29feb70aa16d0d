/* SPDX-License-Identifier: MIT */
/* SHOWS no loop: a program asks a peer again and again, waits for each answer by poll or select, and computes in between */
/* NEVER loop-stall */
/* NEVER blocking-call-in-loop */
/* RUN clean */
#include "own_loop.h"

enum { TIMES = 24 };

static int pair[2];

static void *peer(void *arg)
{
	char what;

	while (read(pair[1], &what, 1) == 1) {
		sleep_ms(2);
		MUST(write(pair[1], &what, 1) != 1);
	}
	return arg;
}

static NOINLINE void by_poll(void)
{
	struct pollfd p = { pair[0], POLLIN, 0 };
	char what = 'p';

	MUST(write(pair[0], &what, 1) != 1);
	MUST(poll(&p, 1, -1) != 1);
	MUST(read(pair[0], &what, 1) != 1);
}

static NOINLINE void by_select(void)
{
	struct timeval end = { 60, 0 };
	fd_set readable;
	char what = 's';

	MUST(send(pair[0], &what, 1, 0) != 1);
	FD_ZERO(&readable);
	FD_SET(pair[0], &readable);
	MUST(select(pair[0] + 1, &readable, NULL, NULL, &end) != 1);
	MUST(read(pair[0], &what, 1) != 1);
}

int main(void)
{
	pthread_t thread;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(pthread_create(&thread, NULL, peer, NULL));
	for (int i = 1; i <= TIMES; i++) {
		by_poll();
		if (i % 12 == 0 || i == TIMES - 3)
			compute_ms(150);
	}
	for (int i = 1; i <= TIMES; i++) {
		by_select();
		if (i % 12 == 0 || i == TIMES - 3)
			compute_ms(150);
	}
	MUST(shutdown(pair[0], SHUT_WR));
	MUST(pthread_join(thread, NULL));
	return 0;
}
