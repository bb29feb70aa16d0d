/* SPDX-License-Identifier: MIT */
/* SHOWS libevent: each packet posts more calls than the loop gets done before the next one */
/* BUILD needs=event */
/* EXPECT unbounded-tasks confidence=potential taskkinds=one-shot+event stacks=on_packet */
/* RUN clean */
#include "loop_work.h"

#include <event2/event.h>

enum { PACKETS = 300, AT_ONCE = 10 };

static int packets, done;

static void on_call(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	done++;
}

/* They are to be made up for later, each after a second. */
static void on_packet(evutil_socket_t fd, short what, void *base)
{
	struct timeval later = { 1, 0 };

	(void)fd, (void)what;
	for (int i = 0; i < AT_ONCE; i++)
		MUST(event_base_once(base, -1, EV_TIMEOUT, on_call, NULL, &later));
	if (++packets == PACKETS)
		event_base_loopbreak(base);
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct event *source = event_new(base, -1, EV_PERSIST, on_packet, base);
	struct timeval often = { 0, 2000 };

	MUST(event_add(source, &often));
	event_base_dispatch(base);
	printf("%d\n", packets);
	return 0;
}
