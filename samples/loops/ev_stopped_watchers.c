/* SPDX-License-Identifier: MIT */
/* SHOWS libev, the twin of ev_leaked_watchers: each guard is stopped when its request is over, or has run */
/* BUILD needs=ev */
/* NEVER leaked-handle leaked-task unbounded-tasks */
/* RUN clean */
#include "loop_work.h"

#include <ev.h>

enum { REQUESTS = 300 };

static int handled;

static void on_guard(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop, (void)events;
	free(w); /* it was for once: libev has stopped it */
}

static NOINLINE ev_timer *handle_request(struct ev_loop *loop, double after)
{
	ev_timer *guard = malloc(sizeof(*guard));

	ev_timer_init(guard, on_guard, after, 0.);
	ev_timer_start(loop, guard);
	return guard;
}

static void on_request(struct ev_loop *loop, ev_timer *w, int events)
{
	ev_timer *guard = handle_request(loop, 3600.);

	(void)w, (void)events;
	handle_request(loop, 0.002);
	ev_timer_stop(loop, guard);
	free(guard);
	if (++handled == REQUESTS)
		ev_break(loop, EVBREAK_ALL);
}

int main(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	ev_timer source;

	ev_timer_init(&source, on_request, 0.001, 0.001);
	ev_timer_start(loop, &source);
	ev_run(loop, 0);
	printf("%d\n", handled);
	return 0;
}
