/* SPDX-License-Identifier: MIT */
/* SHOWS a loop waits for one number of a pipe, and is woken through others; the first ones are closed */
/* EXPECT loop-stall confidence=observed says=written+to+by+thread threadnames=asker stacks=ask threads=2 */
/* NEVER blocking-call-in-loop */
/* RUN clean */
#include "own_loop.h"

#include <fcntl.h>

static int f[2], from, to;

static void *asker(void *arg)
{
	pthread_setname_np(pthread_self(), "asker");
	ask_often(to);
	ask(to, SLOW);
	ask(to, 'n');
	ask(to, STOP);
	return arg;
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int q = epoll_create1(0);
	pthread_t thread;

	MUST(pipe2(f, O_NONBLOCK));
	from = dup(f[0]);
	MUST(epoll_ctl(q, EPOLL_CTL_ADD, from, &event));
	to = fcntl(f[1], F_DUPFD_CLOEXEC, 100);
	GIVES(100, to);
	close(f[0]);
	close(f[1]);
	thread = start(asker, NULL);
	do
		GIVES(1, epoll_wait(q, &event, 1, -1));
	while (serve(from));
	finish(thread);
	return 0;
}
