/* SPDX-License-Identifier: MIT */
/* SCENARIO S68: libev: a callback wakes a watcher of its own loop and waits for what that is to tell it, for ever */
/* BUILD needs=ev */
/* EXPECT deadlock confidence=observed threads=1 tasks=on_request,on_wake taskkinds=async+watcher stacks=ask_and_wait,on_request roles=waits */
/* NEVER stuck-wait loop-stall */
/* RUN timeout=2 kill=1 */
#include "loop_work.h"

#include <ev.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;
static int answer;
static ev_async wake;

static void on_wake(struct ev_loop *loop, ev_async *w, int events)
{
	(void)loop, (void)w, (void)events;
	MUST(pthread_mutex_lock(&m));
	answer = 1;
	MUST(pthread_cond_signal(&answered));
	MUST(pthread_mutex_unlock(&m));
}

static NOINLINE void ask_and_wait(struct ev_loop *loop)
{
	ev_async_send(loop, &wake);
	MUST(pthread_mutex_lock(&m));
	while (!answer)
		MUST(pthread_cond_wait(&answered, &m));
	MUST(pthread_mutex_unlock(&m));
}

static void on_request(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)w, (void)events;
	ask_and_wait(loop);
}

int main(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	ev_timer request;

	ev_async_init(&wake, on_wake);
	ev_async_start(loop, &wake);
	ev_timer_init(&request, on_request, 0.001, 0.);
	ev_timer_start(loop, &request);
	ev_run(loop, 0);
	return 0;
}
