/* SPDX-License-Identifier: MIT */
/* SHOWS libevent, a near miss: events in the program's own memory, assigned by the thousand; few are added at a time, and some when the base is freed */
/* BUILD needs=event */
/* NEVER leaked-handle leaked-task unbounded-tasks loop-stall */
/* RUN clean */
#include "loop_work.h"

#include <event2/event.h>
#include <event2/event_struct.h>

enum { SLOTS = 5000, REQUESTS = 600 };

static struct event slot[SLOTS];
static int handled;

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

/* Each has a timer that runs once, and one that is deleted: both are in memory that is used again, assigned anew each time. */
static void on_request(evutil_socket_t fd, short what, void *arg)
{
	struct timeval soon = { 0, 2000 }, hour = { 3600, 0 };
	struct event_base *base = arg;
	struct event *timer = &slot[handled % 40], *guard = &slot[40 + handled % 40];

	(void)fd, (void)what;
	if (!handled || !evtimer_pending(timer, NULL)) {
		MUST(evtimer_assign(timer, base, on_timeout, NULL));
		MUST(evtimer_add(timer, &soon));
	}
	MUST(event_del(guard));
	MUST(event_assign(guard, base, -1, EV_PERSIST, on_timeout, NULL));
	MUST(event_add(guard, &hour));
	if (++handled == REQUESTS)
		event_base_loopbreak(base);
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct timeval often = { 0, 1000 };
	struct event source;

	for (int i = 0; i < SLOTS; i++)
		MUST(evtimer_assign(&slot[i], base, on_timeout, NULL));
	MUST(event_assign(&source, base, -1, EV_PERSIST, on_request, base));
	MUST(event_add(&source, &often));
	event_base_dispatch(base);
	event_base_free(base);
	printf("%d\n", handled);
	return 0;
}
