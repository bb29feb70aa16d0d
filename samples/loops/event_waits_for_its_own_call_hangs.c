/* SPDX-License-Identifier: MIT */
/* SCENARIO S68: libevent: a callback posts a call to its own loop and waits for it, for ever */
/* BUILD needs=event */
/* EXPECT deadlock confidence=observed threads=1 tasks=on_request,on_posted taskkinds=one-shot+event stacks=ask_and_wait,on_request roles=waits */
/* NEVER stuck-wait loop-stall */
/* RUN timeout=2 kill=1 */
#include "loop_work.h"

#include <event2/event.h>

static sem_t answered;

static void on_posted(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	MUST(sem_post(&answered));
}

static NOINLINE void ask_and_wait(struct event_base *base)
{
	MUST(event_base_once(base, -1, EV_TIMEOUT, on_posted, NULL, NULL));
	MUST(sem_wait(&answered));
}

static void on_request(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	ask_and_wait(base);
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct event *request = evtimer_new(base, on_request, base);
	struct timeval soon = { 0, 1000 };

	MUST(sem_init(&answered, 0, 0));
	MUST(evtimer_add(request, &soon));
	event_base_dispatch(base);
	return 0;
}
