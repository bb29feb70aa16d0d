/* SPDX-License-Identifier: MIT */
/* SHOWS libevent, a near miss: a second of work in one turn of the loop, but no callback takes long; a lock is held around each by libevent */
/* BUILD needs=event */
/* NEVER loop-stall blocking-call-in-loop leaked-handle lock-held-across-await */
/* RUN clean */
#include "loop_work.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/thread.h>

enum { TIMERS = 100 };

static int calls;

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	compute_ms(8);
	calls++;
}

int main(void)
{
	static struct event own[TIMERS / 2];
	struct event *timer[TIMERS / 2];
	struct timeval soon = { 0, 1000 };
	struct event_base *base;

	MUST(evthread_use_pthreads());
	base = event_base_new();
	for (int i = 0; i < TIMERS / 2; i++) {
		timer[i] = evtimer_new(base, on_timer, NULL);
		MUST(evtimer_add(timer[i], &soon));
		MUST(evtimer_assign(&own[i], base, on_timer, NULL));
		MUST(evtimer_add(&own[i], &soon));
	}
	GIVES(1, event_base_dispatch(base));
	for (int i = 0; i < TIMERS / 2; i++)
		event_free(timer[i]);
	event_base_free(base);
	printf("%d\n", calls);
	return 0;
}
