/* SPDX-License-Identifier: MIT */
/* SHOWS a near miss: who wrote to an eventfd is not told of a connection that got its number */
/* EXPECT loop-stall confidence=observed threads=1 count=1 */
/* NEVER blocking-call-in-loop */
/* RUN clean */
#include "own_loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static int bell;

static void *writer(void *arg)
{
	uint64_t one = 1;

	MUST(write(bell, &one, sizeof(one)) != sizeof(one));
	return arg;
}

/* A connection to ourselves: its writer is a socket that wakes nobody, as far as can be told. */
static void connected(int f[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	MUST(bind(listener, (struct sockaddr *)&at, sizeof(at)));
	MUST(listen(listener, 1));
	MUST(getsockname(listener, (struct sockaddr *)&at, &bytes));
	f[1] = socket(AF_INET, SOCK_STREAM, 0);
	MUST(connect(f[1], (struct sockaddr *)&at, sizeof(at)));
	f[0] = accept(listener, NULL, NULL);
	close(listener);
}

static void *asker(void *arg)
{
	int to = *(int *)arg;

	ask_often(to);
	ask(to, SLOW);
	ask(to, 'n');
	ask(to, STOP);
	return NULL;
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int q = epoll_create1(0), f[2];
	pthread_t thread;

	connected(f);
	bell = eventfd(0, 0);
	event.data.fd = bell;
	MUST(epoll_ctl(q, EPOLL_CTL_ADD, bell, &event));
	finish(start(writer, NULL));
	GIVES(1, epoll_wait(q, &event, 1, -1));
	finish(start(writer, NULL)); /* rung again, and never waited for */
	close(bell);
	GIVES(bell, dup2(f[0], bell));
	MUST(epoll_ctl(q, EPOLL_CTL_ADD, bell, &event));
	thread = start(asker, &f[1]);
	do
		GIVES(1, epoll_wait(q, &event, 1, -1));
	while (serve(bell));
	finish(thread);
	return 0;
}
