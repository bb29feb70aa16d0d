/* SPDX-License-Identifier: MIT */
/* SHOWS home-made loops around each call that waits for descriptors: a stall in each, told with who woke it */
/* EXPECT loop-stall confidence=observed stacks=by_ppoll says=woken+through+pipe */
/* EXPECT loop-stall confidence=observed stacks=by_pselect says=woken+through+pipe */
/* EXPECT loop-stall confidence=observed stacks=by_epoll_pwait2 says=woken+through+pipe */
/* EXPECT loop-stall confidence=observed stacks=by_pair says=woken+through+socket threadnames=asker */
/* NEVER blocking-call-in-loop */
/* RUN clean */
#include "own_loop.h"

static int to[2];

static NOINLINE void by_ppoll(int f)
{
	struct pollfd p[2] = { { -1, POLLIN, 0 }, { f, POLLIN, 0 } };

	do
		GIVES(1, ppoll(p, 2, NULL, NULL));
	while (serve(f));
}

static NOINLINE void by_pselect(int f)
{
	fd_set readable;

	do {
		FD_ZERO(&readable);
		FD_SET(f, &readable);
		GIVES(1, pselect(f + 1, &readable, NULL, NULL, NULL, NULL));
	} while (serve(f));
}

static NOINLINE void by_epoll_pwait2(int f)
{
	struct timespec end = { 60, 0 };
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = f };
	int q = epoll_create1(0);

	MUST(epoll_ctl(q, EPOLL_CTL_ADD, f, &event));
	do
		GIVES(1, epoll_pwait2(q, &event, 1, &end, NULL));
	while (serve(f));
	close(q);
}

static NOINLINE void by_pair(int f)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = UINT64_MAX };
	int q = epoll_create1(0);

	MUST(epoll_ctl(q, EPOLL_CTL_ADD, f, &event));
	do
		GIVES(1, epoll_wait(q, &event, 1, 60000));
	while (serve(f));
	close(q);
}

static void *asker(void *arg)
{
	pthread_setname_np(pthread_self(), "asker");
	ask_often(to[1]);
	ask(to[1], SLOW);
	ask(to[1], 'n');
	ask(to[1], STOP);
	return arg;
}

static void with(void (*loop)(int), int from)
{
	pthread_t thread = start(asker, NULL);

	loop(from);
	finish(thread);
	close(to[0]);
	close(to[1]);
}

int main(void)
{
	static void (*const loops[])(int) = { by_ppoll, by_pselect, by_epoll_pwait2 };

	for (int i = 0; i < 3; i++) {
		MUST(pipe(to));
		with(loops[i], to[0]);
	}
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, to));
	with(by_pair, to[0]);
	return 0;
}
