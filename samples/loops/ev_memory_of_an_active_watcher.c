/* SPDX-License-Identifier: MIT */
/* SHOWS libev: a session ends, and its watcher is initialised anew for the next one, while the loop still has it */
/* BUILD needs=ev */
/* EXPECT leaked-handle confidence=observed taskkinds=io+watcher stacks=start_session */
/* RUN clean */
#include "loop_work.h"

#include <ev.h>

static ev_io session;

static void on_input(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop, (void)w, (void)events;
}

static NOINLINE void start_session(struct ev_loop *loop, int fd)
{
	ev_io_init(&session, on_input, fd, EV_READ);
	ev_io_start(loop, &session);
}

int main(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	int fifo[2][2];

	MUST(pipe(fifo[0]));
	MUST(pipe(fifo[1]));
	start_session(loop, fifo[0][0]);
	ev_run(loop, EVRUN_NOWAIT);
	start_session(loop, fifo[1][0]);
	ev_run(loop, EVRUN_NOWAIT);
	puts("done");
	return 0;
}
