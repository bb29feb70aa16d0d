/* SPDX-License-Identifier: MIT */
/* SHOWS libev, a near miss: a second of work in one turn of the loop, but no callback takes long; libev calls them as it would without thrum */
/* BUILD needs=ev */
/* NEVER loop-stall blocking-call-in-loop leaked-handle */
/* RUN clean */
#include "loop_work.h"

#include <ev.h>

enum { TIMERS = 100 };

static ev_timer timer[TIMERS], extra;
static int calls, last = TIMERS;

/* Of one priority the last that became due comes first; what is fed meanwhile comes before all else. */
static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	int number = (int)(intptr_t)w->data;

	(void)events;
	compute_ms(8);
	GIVES(1, number < last);
	GIVES(TIMERS - 1 - calls, (int)ev_pending_count(loop));
	last = number;
	calls++;
	if (calls == TIMERS - 5) {
		ev_feed_event(loop, &extra, EV_CUSTOM);
		ev_invoke_pending(loop); /* inside: the rest of them is called */
		GIVES(TIMERS, calls);
	}
}

static void on_extra(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)w;
	GIVES(EV_CUSTOM, events);
	GIVES(TIMERS - calls, (int)ev_pending_count(loop));
}

int main(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);

	ev_init(&extra, on_extra);
	for (intptr_t i = 0; i < TIMERS; i++) {
		ev_timer_init(&timer[i], on_timer, 0.001 + (double)(TIMERS - i) * 1e-6, 0.);
		timer[i].data = (void *)i;
		ev_timer_start(loop, &timer[i]);
	}
	sleep_ms(5);
	GIVES(0, ev_run(loop, 0));
	ev_loop_destroy(loop);
	printf("%d\n", calls);
	return 0;
}
