/* SPDX-License-Identifier: MIT */
/* SCENARIO S68: libevent, a near miss: a callback posts a call to another thread's loop and waits for it; that thread answers at once */
/* BUILD needs=event */
/* NEVER deadlock stuck-wait loop-stall leaked-task leaked-handle lock-held-across-await */
/* RUN clean */
#include "loop_work.h"

#include <event2/event.h>
#include <event2/thread.h>

enum { REQUESTS = 20 };

static sem_t answered;
static struct event_base *base, *other;
static struct event *request, *keep;
static int requests;

static void on_posted(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	MUST(sem_post(&answered));
}

static void on_request(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	MUST(event_base_once(other, -1, EV_TIMEOUT, on_posted, NULL, NULL));
	MUST(sem_wait(&answered));
	if (++requests == REQUESTS) {
		MUST(event_base_loopbreak(other));
		MUST(event_base_loopbreak(base));
	}
}

static void *serve(void *arg)
{
	event_base_dispatch(other);
	return arg;
}

int main(void)
{
	struct timeval soon = { 0, 1000 }, hour = { 3600, 0 };
	pthread_t t;

	MUST(sem_init(&answered, 0, 0));
	MUST(evthread_use_pthreads());
	base = event_base_new();
	other = event_base_new();
	keep = event_new(other, -1, EV_PERSIST, on_posted, NULL);
	MUST(event_add(keep, &hour));
	MUST(pthread_create(&t, NULL, serve, NULL));
	request = event_new(base, -1, EV_PERSIST, on_request, NULL);
	MUST(event_add(request, &soon));
	event_base_dispatch(base);
	MUST(pthread_join(t, NULL));
	event_free(keep);
	event_free(request);
	event_base_free(other);
	event_base_free(base);
	printf("%d\n", requests);
	return 0;
}
