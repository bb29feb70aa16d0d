/* SPDX-License-Identifier: MIT */
/* SHOWS a home-made epoll loop that two threads wake by an eventfd: the stall is told with the one that asked for it, and where */
/* EXPECT loop-stall confidence=observed says=by+thread threadnames=asker stacks=ask_for_much threads=2 */
/* NEVER blocking-call-in-loop */
/* RUN clean */
#include "own_loop.h"

enum { LITTLE = 1, MUCH = 1000, END = 1000000 };

static int bell;

static NOINLINE void ask_for(uint64_t what)
{
	int before = __atomic_load_n(&answered, __ATOMIC_ACQUIRE);

	sleep_ms(1);
	MUST(write(bell, &what, sizeof(what)) != sizeof(what));
	until(&answered, before + 1);
}

static NOINLINE void ask_for_little(void)
{
	ask_for(LITTLE);
}

static NOINLINE void ask_for_much(void)
{
	ask_for(MUCH);
}

static void *helper(void *arg)
{
	pthread_setname_np(pthread_self(), "helper");
	for (int i = 0; i < QUICK; i++)
		ask_for_little();
	return arg;
}

static void *asker(void *arg)
{
	pthread_setname_np(pthread_self(), "asker");
	ask_for_much();
	return arg;
}

static void *loop(void *arg)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &bell };
	int q = epoll_create1(0);
	uint64_t what = 0;

	MUST(epoll_ctl(q, EPOLL_CTL_ADD, bell, &event));
	while (what != END) {
		GIVES(1, epoll_wait(q, &event, 1, -1));
		MUST(read(bell, &what, sizeof(what)) != sizeof(what));
		if (what == MUCH)
			compute_ms(300);
		answer();
	}
	close(q);
	return arg;
}

int main(void)
{
	pthread_t thread;

	bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	thread = start(loop, NULL);
	finish(start(helper, NULL));
	finish(start(asker, NULL));
	finish(start(helper, NULL));
	ask_for(END);
	finish(thread);
	return 0;
}
