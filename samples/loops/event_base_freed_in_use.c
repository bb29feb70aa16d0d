/* SPDX-License-Identifier: MIT */
/* SHOWS libevent: a base is freed before an event, a bufferevent and a listener of it */
/* BUILD needs=event */
/* EXPECT leaked-handle confidence=observed tasks=on_timeout taskkinds=event stacks=start_timer,main roles=creates,destroys */
/* EXPECT leaked-handle confidence=observed tasks=on_input taskkinds=bufferevent stacks=start_session,main roles=creates,destroys */
/* EXPECT leaked-handle confidence=observed tasks=on_accept taskkinds=listener stacks=start_server,main roles=creates,destroys */
/* RUN clean */
#include "loop_work.h"

#include <arpa/inet.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

static void on_timeout(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	event_base_loopbreak(base);
}

static NOINLINE void start_timer(struct event_base *base)
{
	struct timeval soon = { 0, 1000 };

	MUST(evtimer_add(evtimer_new(base, on_timeout, base), &soon));
}

static void on_input(struct bufferevent *buffer, void *arg)
{
	(void)buffer, (void)arg;
}

static NOINLINE void start_session(struct event_base *base)
{
	struct bufferevent *buffer = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	bufferevent_setcb(buffer, on_input, NULL, NULL, NULL);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *client,
		      int bytes, void *arg)
{
	(void)listener, (void)fd, (void)client, (void)bytes, (void)arg;
}

static NOINLINE void start_server(struct event_base *base)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	GIVES(1, evconnlistener_new_bind(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 5,
					 (struct sockaddr *)&a, sizeof(a)) != NULL);
}

int main(void)
{
	struct event_base *base = event_base_new();

	start_timer(base);
	start_session(base);
	start_server(base);
	event_base_dispatch(base);
	event_base_free(base);
	puts("done");
	return 0;
}
