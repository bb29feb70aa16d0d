/* SPDX-License-Identifier: MIT */
/* SHOWS a home-made loop that sleeps, and that waits for a slow peer, or a child, between two waits for descriptors */
/* EXPECT loop-stall confidence=observed stacks=take_a_nap says=sleep */
/* EXPECT loop-stall confidence=observed stacks=ask_the_backend says=read */
/* EXPECT loop-stall confidence=observed stacks=run_a_child says=waitpid */
/* EXPECT blocking-call-in-loop confidence=observed stacks=take_a_nap */
/* EXPECT blocking-call-in-loop confidence=observed stacks=run_a_child */
/* EXPECT blocking-call-in-loop confidence=observed stacks=ask_the_backend */
/* RUN clean */
#include "own_loop.h"

enum { NAP = 'z', ASK = 'b', CHILD = 'c' };

static int to[2], backend[2];

static NOINLINE void take_a_nap(void)
{
	sleep_ms(300);
}

static NOINLINE void ask_the_backend(void)
{
	char what = 'q';

	MUST(write(backend[0], &what, 1) != 1);
	MUST(read(backend[0], &what, 1) != 1);
}

static NOINLINE void run_a_child(void)
{
	pid_t pid = fork();

	MUST(pid < 0);
	if (!pid) {
		sleep_ms(300);
		_exit(0);
	}
	MUST(waitpid(pid, NULL, 0) != pid);
}

static void *slow_backend(void *arg)
{
	char what;

	MUST(read(backend[1], &what, 1) != 1);
	sleep_ms(300);
	MUST(write(backend[1], &what, 1) != 1);
	return arg;
}

static void *asker(void *arg)
{
	ask_often(to[1]);
	ask(to[1], NAP);
	ask_often(to[1]);
	ask(to[1], ASK);
	ask_often(to[1]);
	ask(to[1], CHILD);
	ask_often(to[1]);
	ask(to[1], STOP);
	return arg;
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	pthread_t thread[2];
	char what = 0;
	int q;

	MUST(pipe(to));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, backend));
	q = epoll_create1(0);
	MUST(epoll_ctl(q, EPOLL_CTL_ADD, to[0], &event));
	MUST(pthread_create(&thread[0], NULL, asker, NULL));
	MUST(pthread_create(&thread[1], NULL, slow_backend, NULL));
	while (what != STOP) {
		MUST(epoll_wait(q, &event, 1, -1) != 1);
		MUST(read(to[0], &what, 1) != 1);
		if (what == NAP)
			take_a_nap();
		else if (what == ASK)
			ask_the_backend();
		else if (what == CHILD)
			run_a_child();
		answer();
	}
	MUST(pthread_join(thread[0], NULL));
	MUST(pthread_join(thread[1], NULL));
	return 0;
}
