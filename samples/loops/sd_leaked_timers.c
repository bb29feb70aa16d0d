/* SPDX-License-Identifier: MIT */
/* SHOWS sd-event: a timer for each request, and no sd_event_source_unref when it has run */
/* BUILD needs=systemd */
/* EXPECT leaked-handle confidence=potential taskkinds=event+source stacks=handle_request */
/* RUN clean */
#include "loop_work.h"

#include <systemd/sd-event.h>

enum { REQUESTS = 200 };

static int handled;

static int on_timeout(sd_event_source *s, uint64_t us, void *data)
{
	(void)s;
	(void)us;
	(void)data;
	return 0;
}

static NOINLINE void handle_request(sd_event *event)
{
	sd_event_source *timer;

	MUST(sd_event_add_time_relative(event, &timer, CLOCK_MONOTONIC, 1000, 1, on_timeout, NULL));
}

static int on_request(sd_event_source *s, uint64_t us, void *data)
{
	sd_event *event = sd_event_source_get_event(s);

	(void)data;
	handle_request(event);
	if (++handled == REQUESTS)
		return sd_event_exit(event, 0);
	MUST(sd_event_source_set_time(s, us + 2000));
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

int main(void)
{
	sd_event_source *source = NULL;
	sd_event *event = NULL;

	GIVES(1, sd_event_default(&event));
	MUST(sd_event_add_time_relative(event, &source, CLOCK_MONOTONIC, 0, 1, on_request, NULL));
	MUST(sd_event_loop(event));
	printf("%d\n", handled);
	return 0;
}
