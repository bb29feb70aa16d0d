/* SPDX-License-Identifier: MIT */
/* SHOWS sd-event: sources of each request that are given up in every way: unref, disabled, floating, after their loop; re-armed ones */
/* BUILD needs=systemd */
/* NEVER leaked-handle leaked-task loop-stall unbounded-tasks */
/* RUN clean */
#include "loop_work.h"

#include <systemd/sd-event.h>

enum { REQUESTS = 200 };

static int handled, calls, open_timers;
static sd_event_source *kept[REQUESTS];

static int on_last(sd_event_source *s, uint64_t us, void *data)
{
	(void)us;
	(void)data;
	calls++;
	if (--open_timers == 0 && handled == REQUESTS)
		sd_event_exit(sd_event_source_get_event(s), 0);
	sd_event_source_unref(s);
	return 0;
}

static int on_defer(sd_event_source *s, void *data)
{
	(void)s;
	(void)data;
	calls++;
	return 0;
}

static void handle_request(sd_event *event)
{
	sd_event_source *one = NULL, *two = NULL;

	MUST(sd_event_add_time_relative(event, &one, CLOCK_MONOTONIC, 1000, 1, on_last, NULL));
	open_timers++;
	MUST(sd_event_add_defer(event, &two, on_defer, NULL));
	if (handled < 10) /* a few that stay, and are used again */
		MUST(sd_event_add_defer(event, &kept[handled], on_defer, NULL));
	else
		MUST(sd_event_source_set_enabled(kept[handled % 10], SD_EVENT_ONESHOT));
	sd_event_source_disable_unref(two);
}

static int on_request(sd_event_source *s, uint64_t us, void *data)
{
	sd_event *event = sd_event_source_get_event(s);

	(void)data;
	handle_request(event);
	if (++handled == REQUESTS)
		return 0;
	MUST(sd_event_source_set_time(s, us + 2000));
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static int on_exit_of_loop(sd_event_source *s, void *data)
{
	(void)s;
	(void)data;
	calls++;
	return 0;
}

int main(void)
{
	sd_event_source *source = NULL;
	sd_event *event = NULL;

	GIVES(1, sd_event_default(&event));
	MUST(sd_event_add_exit(event, NULL, on_exit_of_loop, NULL));
	MUST(sd_event_add_time_relative(event, &source, CLOCK_MONOTONIC, 0, 1, on_request, NULL));
	MUST(sd_event_loop(event));
	sd_event_unref(event);
	for (int i = 0; i < 10; i++)
		sd_event_source_unref(kept[i]);
	sd_event_source_unref(source);
	puts(calls >= REQUESTS ? "done" : "too few");
	return 0;
}
