/* SPDX-License-Identifier: MIT */
/* SHOWS libevent: a callback runs another loop until that is done: meanwhile its own loop stands still */
/* BUILD needs=event */
/* EXPECT loop-stall confidence=observed tasks=on_timer says=epoll_wait */
/* EXPECT blocking-call-in-loop confidence=observed tasks=on_timer */
/* RUN clean */
#include "loop_work.h"

#include <event2/event.h>

static void on_inner(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct event_base *inner = event_base_new();
	struct timeval later = { 0, 300000 };

	(void)fd, (void)what, (void)arg;
	MUST(event_base_once(inner, -1, EV_TIMEOUT, on_inner, NULL, &later));
	GIVES(1, event_base_dispatch(inner));
	event_base_free(inner);
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct event *timer = evtimer_new(base, on_timer, NULL);
	struct timeval soon = { 0, 1000 };

	MUST(evtimer_add(timer, &soon));
	GIVES(1, event_base_dispatch(base));
	event_free(timer);
	event_base_free(base);
	puts("done");
	return 0;
}
