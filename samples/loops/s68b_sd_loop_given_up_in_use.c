/* SPDX-License-Identifier: MIT */
/* SCENARIO S68b: sd-event: a loop is given up, but not a source on it: both live on, and nobody can reach them */
/* BUILD needs=systemd */
/* EXPECT leaked-handle confidence=observed taskkinds=event+source stacks=add_watch,main says=1+event+source */
/* RUN clean */
#include "loop_work.h"

#include <sys/epoll.h>
#include <systemd/sd-event.h>

static int fifo[2];

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *data)
{
	char byte;

	(void)events;
	(void)data;
	GIVES(1, (int)read(fd, &byte, 1));
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int on_exit_of_loop(sd_event_source *s, void *data)
{
	(void)s;
	(void)data;
	return 0;
}

static NOINLINE void add_watch(sd_event *event)
{
	sd_event_source *watch = NULL;

	MUST(sd_event_add_io(event, &watch, fifo[0], EPOLLIN, on_readable, NULL));
}

int main(void)
{
	sd_event_source *exits = NULL;
	sd_event *event = NULL;

	MUST(pipe(fifo));
	GIVES(1, (int)write(fifo[1], "x", 1));
	MUST(sd_event_new(&event));
	MUST(sd_event_add_exit(event, &exits, on_exit_of_loop, NULL));
	add_watch(event);
	MUST(sd_event_loop(event));
	sd_event_source_unref(exits);
	sd_event_unref(event);
	puts("done");
	return 0;
}
