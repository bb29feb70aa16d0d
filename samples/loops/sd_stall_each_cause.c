/* SPDX-License-Identifier: MIT */
/* SHOWS sd-event: handlers of four kinds of sources hold up their loop for 300 ms, each in another way */
/* BUILD needs=systemd */
/* EXPECT loop-stall confidence=observed tasks=on_time taskkinds=event+source says=on+the+processor stacks=main */
/* EXPECT loop-stall confidence=observed tasks=on_defer taskkinds=floating+event+source says=in+sleep stacks=on_defer */
/* EXPECT loop-stall confidence=observed tasks=on_io says=in+read stacks=on_io */
/* EXPECT loop-stall confidence=observed tasks=on_post says=held+by+thread locks=table threadnames=holder stacks=on_post */
/* EXPECT blocking-call-in-loop confidence=observed count=3 */
/* RUN clean */
#include "loop_work.h"

#include <sys/epoll.h>
#include <systemd/sd-event.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static int held, stop, fifo[2], left = 3;

static int on_time(sd_event_source *s, uint64_t us, void *data)
{
	(void)s;
	(void)us;
	(void)data;
	compute_ms(300);
	left--;
	return 0;
}

static int on_defer(sd_event_source *s, void *data)
{
	(void)s;
	(void)data;
	sleep_ms(300);
	left--;
	return 0;
}

static void *writer(void *arg)
{
	sleep_ms(300);
	GIVES(1, (int)write(fifo[1], "y", 1));
	return arg;
}

/* The first byte is there, the second is not. */
static int on_io(sd_event_source *s, int fd, uint32_t events, void *data)
{
	pthread_t t;
	char byte;

	(void)s;
	(void)events;
	(void)data;
	GIVES(1, (int)read(fd, &byte, 1));
	MUST(pthread_create(&t, NULL, writer, NULL));
	GIVES(1, (int)read(fd, &byte, 1));
	left--;
	return pthread_join(t, NULL);
}

static void *holder(void *arg)
{
	pthread_setname_np(pthread_self(), "holder");
	MUST(pthread_mutex_lock(&table));
	step_to(&held, 1);
	until(&stop, 1);
	compute_ms(300);
	MUST(pthread_mutex_unlock(&table));
	return arg;
}

/* After each of the others; the last time it does something. */
static int on_post(sd_event_source *s, void *data)
{
	sd_event *event = sd_event_source_get_event(s);

	(void)data;
	if (left)
		return 0;
	until(&held, 1);
	step_to(&stop, 1);
	MUST(pthread_mutex_lock(&table));
	MUST(pthread_mutex_unlock(&table));
	return sd_event_exit(event, 0);
}

int main(void)
{
	sd_event_source *time = NULL, *io = NULL, *post = NULL;
	sd_event *event = NULL;
	pthread_t t;

	MUST(pipe(fifo));
	MUST(sd_event_new(&event));
	MUST(pthread_create(&t, NULL, holder, NULL));
	GIVES(1, (int)write(fifo[1], "x", 1));
	MUST(sd_event_add_time_relative(event, &time, CLOCK_MONOTONIC, 0, 1, on_time, NULL));
	MUST(sd_event_add_io(event, &io, fifo[0], EPOLLIN, on_io, NULL));
	MUST(sd_event_add_defer(event, NULL, on_defer, NULL));
	MUST(sd_event_add_post(event, &post, on_post, NULL));
	MUST(sd_event_loop(event));
	sd_event_source_unref(post);
	sd_event_source_unref(io);
	sd_event_source_unref(time);
	sd_event_unref(event);
	MUST(pthread_join(t, NULL));
	puts("done");
	return 0;
}
