/* SPDX-License-Identifier: MIT */
/* SHOWS libevent, the twin of event_once_never_ran: what was posted ran; a timeout and a wait for data that need not come go with the base */
/* BUILD needs=event */
/* NEVER leaked-task leaked-handle */
/* RUN clean */
#include "loop_work.h"

#include <event2/event.h>

static int reported;

static void on_posted(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	if (++reported == 2)
		event_base_loopexit(base, NULL);
}

static void on_idle(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	puts("late");
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct timeval hour = { 3600, 0 };
	int fifo[2];

	MUST(pipe(fifo));
	MUST(event_base_once(base, -1, EV_TIMEOUT, on_idle, NULL, &hour));
	MUST(event_base_once(base, fifo[0], EV_READ, on_idle, NULL, NULL));
	for (int i = 0; i < 2; i++)
		MUST(event_base_once(base, -1, EV_TIMEOUT, on_posted, base, NULL));
	event_base_dispatch(base);
	event_base_free(base);
	printf("%d\n", reported);
	return 0;
}
