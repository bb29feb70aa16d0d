/* SPDX-License-Identifier: MIT */
/* SHOWS libev: calls are posted to a loop that is destroyed before it runs again: nobody is ever told */
/* BUILD needs=ev */
/* EXPECT leaked-task confidence=observed taskkinds=one-shot stacks=post roles=creates occurs=2 */
/* RUN clean */
#include "loop_work.h"

#include <ev.h>

static int reported;

static void on_posted(int events, void *arg)
{
	(void)events, (void)arg;
	reported++;
}

static NOINLINE void post(struct ev_loop *loop)
{
	ev_once(loop, -1, 0, 0., on_posted, NULL);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)w, (void)events;
	post(loop);
	post(loop);
	ev_break(loop, EVBREAK_ALL);
}

int main(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	ev_timer timer;

	ev_timer_init(&timer, on_timer, 0.001, 0.);
	ev_timer_start(loop, &timer);
	ev_run(loop, 0);
	ev_loop_destroy(loop);
	printf("%d\n", reported);
	return 0;
}
