/* SPDX-License-Identifier: MIT */
/* SHOWS libevent: an event_new for each request, and no event_free when it has run: their number only grows */
/* BUILD needs=event */
/* EXPECT leaked-handle confidence=potential taskkinds=event stacks=handle_request */
/* RUN clean */
#include "loop_work.h"

#include <event2/event.h>

enum { REQUESTS = 300 };

static int handled;

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg; /* it has run: forgotten */
}

static NOINLINE void handle_request(struct event_base *base)
{
	struct timeval soon = { 0, 5000 };

	MUST(evtimer_add(evtimer_new(base, on_timeout, NULL), &soon));
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
