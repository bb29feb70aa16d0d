/* SPDX-License-Identifier: MIT */
/* SHOWS a home-made loop around a timerfd: the stall is told with the place that set the timer */
/* EXPECT loop-stall confidence=observed says=woken+through+timerfd stacks=set_for_much threads=1 */
/* NEVER blocking-call-in-loop */
/* RUN clean */
#include "own_loop.h"

#include <sys/timerfd.h>

static int timer;

static void set(void)
{
	struct itimerspec soon = { .it_value.tv_nsec = 1500000 };

	MUST(timerfd_settime(timer, 0, &soon, NULL));
}

static NOINLINE void set_for_little(void)
{
	set();
	GIVES(timer, timer);
}

static NOINLINE void set_for_much(void)
{
	set();
	GIVES(timer, timer);
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 5 };
	int q = epoll_create1(0);
	uint64_t times;

	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	MUST(epoll_ctl(q, EPOLL_CTL_ADD, timer, &event));
	for (int i = 0; i < QUICK + 3; i++) {
		if (i == QUICK)
			set_for_much();
		else
			set_for_little();
		GIVES(1, epoll_pwait(q, &event, 1, -1, NULL));
		GIVES(8, read(timer, &times, sizeof(times)));
		if (i == QUICK)
			compute_ms(300);
	}
	return 0;
}
