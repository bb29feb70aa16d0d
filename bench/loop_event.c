/* SPDX-License-Identifier: MIT */
/*
 * loop_event.c - workloads of libevent: a timer that is added again in its callback, and timers that are made, freed and leaked by
 * the million.
 */
#include "loop_micro.h"

#include <event2/event.h>

static const struct timeval at_once = { 0, 0 }, later = { 1000, 0 };
static struct event *event;

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	if (++called < wanted)
		MUST(event_add(event, &at_once));
}

static uint64_t eventadd(uint64_t n)
{
	struct event_base *base = event_base_new();

	(void)n;
	event = evtimer_new(base, on_event, NULL);
	MUST(event_add(event, &at_once));
	MUST(event_base_dispatch(base) < 0);
	event_free(event);
	event_base_free(base);
	return called;
}

/* ---- a million timers ---- */

static __attribute__((noinline)) struct event *make_event(struct event_base *base)
{
	struct event *made = evtimer_new(base, on_event, NULL);

	MUST(!made || event_add(made, &later));
	return made;
}

static __attribute__((noinline)) void leak_event(struct event_base *base)
{
	struct event *made = evtimer_new(base, on_event, NULL);

	MUST(!made || event_add(made, &later));
}

/* Ten made and freed for each one that is leaked. */
static uint64_t eventchurn(uint64_t n)
{
	struct event_base *base = event_base_new();

	for (uint64_t done = 0; done < n; done++) {
		event_free(make_event(base));
		if (done % 10 == 9)
			leak_event(base);
		called++;
	}
	event_base_free(base);
	return called;
}

WORKLOAD_MAIN({ "eventadd", eventadd }, { "eventchurn", eventchurn })
