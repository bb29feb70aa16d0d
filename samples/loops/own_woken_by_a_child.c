/* SPDX-License-Identifier: MIT */
/* SHOWS a near miss: a thread wrote to the eventfd before, but what woke the loop this time is a child process: nobody is named */
/* EXPECT loop-stall confidence=observed threads=1 count=1 */
/* NEVER blocking-call-in-loop */
/* RUN clean */
#include "own_loop.h"

static int bell;

static void ring(uint64_t what)
{
	MUST(write(bell, &what, sizeof(what)) != sizeof(what));
}

static void *writer(void *arg)
{
	for (int i = 0; i < QUICK; i++) {
		sleep_ms(1);
		ring(1);
		until(&answered, i + 1);
	}
	return arg;
}

static uint64_t turn(int q)
{
	struct epoll_event event;
	uint64_t what;

	GIVES(1, epoll_wait(q, &event, 1, -1));
	MUST(read(bell, &what, sizeof(what)) != sizeof(what));
	return what;
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int q = epoll_create1(0), status;
	pthread_t thread;
	pid_t pid = 0;

	bell = eventfd(0, 0);
	MUST(epoll_ctl(q, EPOLL_CTL_ADD, bell, &event));
	thread = start(writer, NULL);
	for (int i = 0; i < QUICK + 3; i++) {
		if (i == QUICK) {
			finish(thread);
			pid = fork();
			if (!pid) {
				sleep_ms(2);
				ring(2);
				_exit(0);
			}
		} else if (i > QUICK) {
			sleep_ms(1);
			ring(1);
		}
		if (turn(q) == 2)
			compute_ms(300);
		answer();
	}
	GIVES(pid, waitpid(pid, &status, 0));
	return 0;
}
