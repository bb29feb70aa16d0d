/* SPDX-License-Identifier: MIT */
/*
 * loop_ev.c - workload of libev: a timer that is started again in its callback.
 */
#include "loop_micro.h"

#include <ev.h>

static void on_timer(struct ev_loop *loop, ev_timer *timer, int what)
{
	(void)what;
	if (++called < wanted) {
		ev_timer_set(timer, 0., 0.);
		ev_timer_start(loop, timer);
	}
}

static uint64_t evtimer(uint64_t n)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	ev_timer timer;

	(void)n;
	ev_timer_init(&timer, on_timer, 0., 0.);
	ev_timer_start(loop, &timer);
	ev_run(loop, 0);
	ev_loop_destroy(loop);
	return called;
}

WORKLOAD_MAIN({ "evtimer", evtimer })
