/* SPDX-License-Identifier: MIT */
/* SHOWS libevent, the twin of event_leaked_timers: each event is freed when it has run */
/* BUILD needs=event */
/* NEVER leaked-handle leaked-task unbounded-tasks */
/* RUN clean */
#include "loop_work.h"

#include <event2/event.h>

enum { REQUESTS = 300 };

static int handled;

static void on_timeout(evutil_socket_t fd, short what, void *timer)
{
	(void)fd, (void)what;
	event_free(timer);
}

static NOINLINE void handle_request(struct event_base *base)
{
	struct event *timer = evtimer_new(base, on_timeout, event_self_cbarg());
	struct timeval soon = { 0, 5000 };

	MUST(evtimer_add(timer, &soon));
}

static void on_request(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	handle_request(base);
	if (++handled == REQUESTS)
		event_base_loopbreak(base);
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct event *source = event_new(base, -1, EV_PERSIST, on_request, base);
	struct timeval often = { 0, 1000 };

	MUST(event_add(source, &often));
	event_base_dispatch(base);
	printf("%d\n", handled);
	return 0;
}
