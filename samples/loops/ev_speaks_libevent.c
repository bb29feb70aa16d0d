/* SPDX-License-Identifier: MIT */
/* SHOWS libev, a near miss: a program of libevent's API on libev, whose struct event is another one; its stall is told, nothing else */
/* BUILD needs=ev */
/* EXPECT loop-stall confidence=observed stacks=on_slow says=in+sleep */
/* EXPECT blocking-call-in-loop confidence=observed */
/* RUN clean */
#include "loop_work.h"

/* As libev's event.h has it; libevent's may be installed in its place. */
struct event_base;
struct event {
	char io[48], timer[64];
	struct event_base *base;
	void (*callback)(int, short, void *);
	void *arg;
	int fd, pri, res, flags;
	short events;
	char more[64];
};
struct event_base *event_base_new(void);
void event_base_free(struct event_base *base);
int event_base_dispatch(struct event_base *base);
int event_base_loopexit(struct event_base *base, struct timeval *after);
void event_set(struct event *ev, int fd, short events, void (*cb)(int, short, void *), void *arg);
int event_base_set(struct event_base *base, struct event *ev);
int event_add(struct event *ev, struct timeval *after);
int event_del(struct event *ev);

static struct event slow, often;
static int calls;

static void on_slow(int fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	sleep_ms(300);
}

static void on_often(int fd, short what, void *base)
{
	struct timeval soon = { 0, 1000 }, now = { 0, 0 };

	(void)fd, (void)what;
	if (++calls < 50) {
		event_set(&often, -1, 0, on_often, base);
		MUST(event_base_set(base, &often));
		MUST(event_add(&often, &soon));
	} else {
		event_base_loopexit(base, &now);
	}
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct timeval soon = { 0, 1000 };

	event_set(&slow, -1, 0, on_slow, NULL);
	MUST(event_base_set(base, &slow));
	MUST(event_add(&slow, &soon));
	event_set(&often, -1, 0, on_often, base);
	MUST(event_base_set(base, &often));
	MUST(event_add(&often, &soon));
	event_base_dispatch(base);
	event_base_free(base);
	printf("%d\n", calls);
	return 0;
}
