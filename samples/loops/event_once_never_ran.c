/* SPDX-License-Identifier: MIT */
/* SHOWS libevent: calls are posted to a base that is freed before it runs again: nobody is ever told */
/* BUILD needs=event */
/* EXPECT leaked-task confidence=observed taskkinds=one-shot+event stacks=post roles=creates occurs=2 */
/* RUN clean */
#include "loop_work.h"

#include <event2/event.h>

static int reported;

static void on_posted(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	reported++;
}

static NOINLINE void post(struct event_base *base)
{
	MUST(event_base_once(base, -1, EV_TIMEOUT, on_posted, NULL, NULL));
}

static void on_timeout(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	post(base);
	post(base);
	event_base_loopbreak(base);
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct timeval soon = { 0, 1000 };

	MUST(event_base_once(base, -1, EV_TIMEOUT, on_timeout, base, &soon));
	event_base_dispatch(base);
	event_base_free(base);
	printf("%d\n", reported);
	return 0;
}
