/* SPDX-License-Identifier: MIT */
/* SHOWS libev, a near miss: a loop is destroyed with watchers that are active, as its manual allows; they are freed then, or used for the next one */
/* BUILD needs=ev */
/* NEVER leaked-handle leaked-task */
/* RUN clean */
#include "loop_work.h"

#include <ev.h>

enum { SESSIONS = 64 };

static int calls;

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)w, (void)events;
	calls++;
	ev_break(loop, EVBREAK_ALL);
}

static void on_idle(int events, void *arg)
{
	(void)events, (void)arg;
}

static void start_guard(struct ev_loop *loop, ev_timer *guard)
{
	ev_timer_init(guard, on_timer, 3600., 0.);
	ev_timer_start(loop, guard);
}

int main(void)
{
	static ev_timer guard[SESSIONS], timer;
	ev_timer *session[SESSIONS];

	for (int round = 0; round < 3; round++) {
		struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);

		for (int i = 0; i < SESSIONS; i++) {
			session[i] = malloc(sizeof(*session[i]));
			start_guard(loop, &guard[i]);
			start_guard(loop, session[i]);
		}
		ev_timer_init(&timer, on_timer, 0.001, 0.001);
		ev_timer_start(loop, &timer);
		ev_once(loop, -1, 0, 3600., on_idle, NULL);
		ev_run(loop, 0);
		ev_loop_destroy(loop);
		for (int i = 0; i < SESSIONS; i++)
			free(session[i]);
	}
	printf("%d\n", calls);
	return 0;
}
