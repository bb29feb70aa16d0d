/* SPDX-License-Identifier: MIT */
/* SHOWS libev: a loop is destroyed before the watchers of its sessions were stopped, and they are not freed either */
/* BUILD needs=ev */
/* EXPECT leaked-handle confidence=observed taskkinds=timer+watcher stacks=start_session roles=creates occurs=3 */
/* RUN clean */
#include "loop_work.h"

#include <ev.h>

struct session {
	char name[40];
	ev_timer guard;
};

static void on_guard(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop, (void)w, (void)events;
}

static NOINLINE void start_session(struct ev_loop *loop)
{
	struct session *s = calloc(1, sizeof(*s));

	ev_timer_init(&s->guard, on_guard, 3600., 0.);
	ev_timer_start(loop, &s->guard);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)w, (void)events;
	start_session(loop);
	ev_break(loop, EVBREAK_ALL);
}

int main(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	ev_timer timer;

	ev_timer_init(&timer, on_timer, 0.001, 0.001);
	ev_timer_start(loop, &timer);
	for (int i = 0; i < 3; i++)
		ev_run(loop, 0);
	ev_loop_destroy(loop);
	puts("done");
	return 0;
}
