/* SPDX-License-Identifier: MIT */
/* SHOWS libevent: a server of each kind, listener and bufferevents, HTTP, signals, work of another thread: all is ended properly */
/* BUILD needs=event */
/* NEVER loop-stall blocking-call-in-loop leaked-handle leaked-task unbounded-tasks lock-held-across-await */
/* RUN clean */
#include "loop_work.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/thread.h>

enum { CLIENTS = 20, ROUNDS = 30 };

static struct event_base *base;
static int closed, served, answered, over;

static void maybe_end(void)
{
	if (closed == CLIENTS && over == 2)
		event_base_loopexit(base, NULL);
}

/* Both client threads end with this: an answer may still be on its way when the last request was seen. */
static void on_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	over++;
	maybe_end();
}

static void *end_of_thread(void)
{
	MUST(event_base_once(base, -1, EV_TIMEOUT, on_over, NULL, NULL));
	return NULL;
}

static void on_input(struct bufferevent *buffer, void *arg)
{
	(void)arg;
	served++;
	bufferevent_write_buffer(buffer, bufferevent_get_input(buffer));
}

static void on_end(struct bufferevent *buffer, short what, void *arg)
{
	(void)arg;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
		bufferevent_free(buffer);
		closed++;
		maybe_end();
	}
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *client,
		      int bytes, void *arg)
{
	struct bufferevent *buffer =
		bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_THREADSAFE);
	bufferevent_data_cb in = NULL;
	void *found = NULL;

	(void)listener, (void)client, (void)bytes;
	bufferevent_setcb(buffer, on_input, NULL, on_end, arg);
	bufferevent_getcb(buffer, &in, NULL, NULL, &found);
	GIVES(1, in == on_input && found == arg);
	MUST(bufferevent_enable(buffer, EV_READ | EV_WRITE));
}

static void on_http(struct evhttp_request *request, void *arg)
{
	evbuffer_add_printf(evhttp_request_get_output_buffer(request), "%s\n", (char *)arg);
	evhttp_send_reply(request, HTTP_OK, "OK", NULL);
	answered++;
}

static int connect_to(int fd)
{
	struct sockaddr_in a;
	socklen_t bytes = sizeof(a);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	MUST(getsockname(fd, (struct sockaddr *)&a, &bytes));
	MUST(connect(client, (struct sockaddr *)&a, bytes));
	return client;
}

static void *talk(void *listener)
{
	char text[16];

	for (int i = 0; i < CLIENTS; i++) {
		int client = connect_to(evconnlistener_get_fd(listener));

		for (int k = 0; k < ROUNDS; k++) {
			GIVES(5, (int)write(client, "hello", 5));
			GIVES(5, (int)recv(client, text, 5, MSG_WAITALL));
		}
		close(client);
	}
	return end_of_thread();
}

static void *browse(void *socket_)
{
	static const char text[] = "GET /%s HTTP/1.0\r\n\r\n";
	char answer[512], request[64];

	for (int i = 0; i < CLIENTS; i++) {
		int client = connect_to(evhttp_bound_socket_get_fd(socket_));
		int bytes = snprintf(request, sizeof(request), text, i % 2 ? "known" : "other");

		GIVES(bytes, (int)write(client, request, (size_t)bytes));
		while (read(client, answer, sizeof(answer)) > 0)
			;
		close(client);
	}
	return end_of_thread();
}

int main(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct evhttp_bound_socket *bound;
	struct evconnlistener *listener;
	struct evhttp *http;
	pthread_t t[2];

	MUST(evthread_use_pthreads());
	base = event_base_new();
	listener = evconnlistener_new_bind(base, on_accept, base,
					   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 8,
					   (struct sockaddr *)&a, sizeof(a));
	http = evhttp_new(base);
	MUST(evhttp_set_cb(http, "/known", on_http, "known"));
	evhttp_set_gencb(http, on_http, "other");
	bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	MUST(pthread_create(&t[0], NULL, talk, listener));
	MUST(pthread_create(&t[1], NULL, browse, bound));
	event_base_dispatch(base);
	for (int i = 0; i < 2; i++)
		MUST(pthread_join(t[i], NULL));
	evhttp_free(http);
	evconnlistener_free(listener);
	event_base_free(base);
	printf("%d %d\n", closed, answered);
	return 0;
}
