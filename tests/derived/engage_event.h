/* SPDX-License-Identifier: MIT */
/*
 * engage_event.h - exercises of libevent's rows, most of them on one base. Absent: nothing is expected.
 */
#ifndef THRUM_TESTS_ENGAGE_EVENT_H
#define THRUM_TESTS_ENGAGE_EVENT_H

#include <netinet/in.h>
#include <sys/socket.h>

static const char *const event[] = { "libevent_core-2.1.so.7", "libevent_extra-2.1.so.7",
				     "libevent-2.1.so.7", NULL };
static const char *const event_openssl[] = { "libevent_openssl-2.1.so.7", NULL };
static const char *const openssl[] = { "libssl.so.3", NULL };

enum { EV_TIMEOUT_ = 1, EV_PERSIST_ = 0x10, EV_ONE_TURN = 3 };

/* Calls it with what follows the types of its parameters. */
#define EVENT(ret, name, params) ((ret(*) params)library_function(event, #name))
#define EVENT_THERE(name) (library_function(event, #name) != NULL)

static void *event_base(void)
{
	static void *base;

	if (!base && EVENT_THERE(event_base_new)) {
		base = EVENT(void *, event_base_new, (void))();
	}
	return base;
}

static void event_called(int fd, short what, void *p)
{
	(void)fd;
	(void)what;
	(void)p;
}

static void *event_made(void)
{
	return EVENT(void *, event_new, (void *, int, short, void *, void *))(event_base(), -1, 0,
									      event_called, NULL);
}

/* Memory of the host that becomes an event, two records after it was added. */
static void *event_added(void *base, short what)
{
	struct timeval hour = { 3600, 0 };
	void *ev = uv_memory();

	EVENT(int, event_assign, (void *, void *, int, short, void *, void *))
	(ev, base, -1, what, event_called, NULL);
	EVENT(int, event_add, (void *, const void *))(ev, &hour);
	return ev;
}

/* RUN, and LEFT */
static void event_go(void)
{
	EVENT(int, event_base_loop, (void *, int))(event_base(), EV_ONE_TURN);
}

#define EVENT_ROW(name, records, ...)                      \
	static int exercise_##name(void)                   \
	{                                                  \
		if (!EVENT_THERE(name) || !event_base()) { \
			return 0;                          \
		}                                          \
		__VA_ARGS__;                               \
		return records;                            \
	}

EVENT_ROW(event_base_loop, 2, event_go())
EVENT_ROW(event_base_dispatch, 2, EVENT(int, event_base_dispatch, (void *))(event_base()))
EVENT_ROW(event_init, 1, EVENT(void *, event_init, (void))(); EVENT(int, event_loopbreak, (void))())
EVENT_ROW(event_loop, 2, EVENT(void *, event_init, (void))(); EVENT(int, event_loop, (int))(2))
EVENT_ROW(event_dispatch, 2, EVENT(void *, event_init, (void))();
	  EVENT(int, event_dispatch, (void))())
EVENT_ROW(event_base_loopbreak, 1, EVENT(int, event_base_loopbreak, (void *))(event_base());
	  event_go())
EVENT_ROW(event_base_loopexit, 1,
	  EVENT(int, event_base_loopexit, (void *, const void *))(event_base(), NULL);
	  event_go())
EVENT_ROW(event_loopbreak, 1, EVENT(void *, event_init, (void))();
	  EVENT(int, event_loopbreak, (void))())
EVENT_ROW(event_loopexit, 1, EVENT(void *, event_init, (void))();
	  EVENT(int, event_loopexit, (const void *))(NULL))
/* The event ends with its base: NEW, ARM, FINISHED, CLOSE. */
EVENT_ROW(event_base_free, 4, void *base = EVENT(void *, event_base_new, (void))();
	  event_added(base, 0); EVENT(void, event_base_free, (void *))(base))
EVENT_ROW(event_base_free_nofinalize, 4, void *base = EVENT(void *, event_base_new, (void))();
	  event_added(base, 0); EVENT(void, event_base_free_nofinalize, (void *))(base))
EVENT_ROW(event_new, 1, event_made())
EVENT_ROW(event_free, 2, EVENT(void, event_free, (void *))(event_made()))
EVENT_ROW(event_free_finalize, 2,
	  EVENT(int, event_free_finalize, (unsigned, void *, void *))(0, event_made(),
								      event_called);
	  event_go())
/* Assigned while it is added: that one is LOST. Its base is not used again. */
EVENT_ROW(event_assign, 3, void *base = EVENT(void *, event_base_new, (void))();
	  void *ev = event_added(base, EV_PERSIST_);
	  EVENT(int, event_assign,
		(void *, void *, int, short, void *, void *))(ev, base, -1, 0, event_called, NULL))
EVENT_ROW(event_set, 3, void *base = EVENT(void *, event_base_new, (void))();
	  void *ev = event_added(base, EV_PERSIST_);
	  EVENT(void, event_set, (void *, int, short, void *, void *))(ev, -1, 0, event_called,
								       NULL))
EVENT_ROW(event_del, 3, EVENT(int, event_del, (void *))(event_added(event_base(), 0)))
EVENT_ROW(event_add, 3, EVENT(int, event_del, (void *))(event_added(event_base(), 0)))
EVENT_ROW(event_del_block, 3, EVENT(int, event_del_block, (void *))(event_added(event_base(), 0)))
EVENT_ROW(event_del_noblock, 3,
	  EVENT(int, event_del_noblock, (void *))(event_added(event_base(), 0)))
EVENT_ROW(event_finalize, 3,
	  EVENT(int, event_finalize, (unsigned, void *, void *))(0, event_added(event_base(), 0),
								 event_called);
	  event_go())
/* Of an event that event_new made: NEW, ARM, RUN, CALLED, RETURNED, LEFT, FINISHED. */
static int event_runs(void)
{
	void *ev = event_made();

	EVENT(void, event_active, (void *, int, short))(ev, EV_TIMEOUT_, 1);
	event_go();
	EVENT(void, event_free, (void *))(ev);
	return 7;
}
EVENT_ROW(event_active, 7, event_runs())
EVENT_ROW(event_debugx_, 7, event_runs())
/* NEW, CALLED, RETURNED, FINISHED, and what the loop leaves. */
EVENT_ROW(event_base_once, 6,
	  EVENT(int, event_base_once,
		(void *, int, short, void *, void *, const void *))(event_base(), -1, EV_TIMEOUT_,
								    event_called, NULL, NULL);
	  event_go())
EVENT_ROW(event_once, 6, EVENT(void *, event_init, (void))();
	  EVENT(int, event_once, (int, short, void *, void *, const void *))(-1, EV_TIMEOUT_,
									     event_called, NULL,
									     NULL);
	  EVENT(int, event_loop, (int))(EV_ONE_TURN))

/* What the recorder switches on for itself is not the program's, and what the program switches on it gets. */
static int event_messages, event_warnings;
static void event_says(int severity, const char *text)
{
	(void)text;
	*(severity ? &event_warnings : &event_messages) += 1;
}
static int event_listen_to(int (*work)(void))
{
	int records, unasked, asked, after;

	event_messages = 0;
	EVENT(void, event_set_log_callback, (void *))(event_says);
	records = work();
	unasked = event_messages;
	EVENT(void, event_enable_debug_logging, (uint32_t))(UINT32_MAX);
	records += work();
	asked = event_messages;
	EVENT(void, event_enable_debug_logging, (uint32_t))(0);
	records += work();
	after = event_messages;
	EVENT(void, event_set_log_callback, (void *))(NULL);
	return unasked == 0 && asked > 0 && after == asked ? records : 1000;
}
EVENT_ROW(event_enable_debug_logging, event_listen_to(event_runs), (void)0)
/* Messages that come another way; and a warning, which comes in any case. */
static int event_tells(void)
{
	void *d = EVENT(void *, evdns_base_new, (void *, int))(event_base(), 0);

	EVENT(int, evdns_base_nameserver_ip_add, (void *, const char *))(d, "127.0.0.1:9");
	EVENT(void, evdns_base_free, (void *, int))(d, 1);
	EVENT(void, event_warnx, (const char *, ...))("a warning");
	return 0;
}
static int exercise_event_logv_(void)
{
	if (!EVENT_THERE(evdns_base_new) || !event_base()) {
		return 0;
	}
	event_warnings = 0;
	return event_listen_to(event_tells) == 0 && event_warnings == 3 ? 0 : 1000;
}

/* ---- bufferevents ---- */

static void *event_buffer(int options)
{
	return EVENT(void *, bufferevent_socket_new, (void *, int, int))(event_base(), -1, options);
}
static void event_buffer_over(void *v)
{
	EVENT(void, bufferevent_free, (void *))(v);
}
EVENT_ROW(bufferevent_socket_new, 2, event_buffer_over(event_buffer(0)))
EVENT_ROW(bufferevent_free, 2, event_buffer_over(event_buffer(0)))
/* The filter has the other one freed: both are made, both end. */
EVENT_ROW(bufferevent_filter_new, 4,
	  event_buffer_over(EVENT(void *, bufferevent_filter_new,
				  (void *, void *, void *, int, void *,
				   void *))(event_buffer(1), NULL, NULL, 1, NULL, NULL)))
EVENT_ROW(bufferevent_pair_new, 4, void *pair[2];
	  EVENT(int, bufferevent_pair_new, (void *, int, void **))(event_base(), 0, pair);
	  event_buffer_over(pair[0]); event_buffer_over(pair[1]))
EVENT_ROW(bufferevent_new, 3, EVENT(void *, event_init, (void))();
	  event_buffer_over(EVENT(void *, bufferevent_new,
				  (int, void *, void *, void *, void *))(-1, event_called, NULL,
									 NULL, NULL)))
static void event_calls(void *v, void *in)
{
	EVENT(void, bufferevent_setcb, (void *, void *, void *, void *, void *))
	(v, in, NULL, NULL, v);
}
EVENT_ROW(bufferevent_setcb, 3, void *v = event_buffer(0); event_calls(v, event_called);
	  event_buffer_over(v))
/* The program finds its own callback. */
static int exercise_bufferevent_getcb(void)
{
	void *v, *in = NULL, *p = NULL;

	if (!EVENT_THERE(bufferevent_getcb) || !event_base()) {
		return 0;
	}
	v = event_buffer(0);
	event_calls(v, event_called);
	EVENT(void, bufferevent_getcb, (void *, void **, void **, void **, void **))
	(v, &in, NULL, NULL, &p);
	event_buffer_over(v);
	return in == (void *)event_called && p == v ? 3 : 1000;
}

#define SSL_CALL(ret, name, params) ((ret(*) params)library_function(openssl, #name))
static void *event_ssl(void)
{
	static void *context;

	if (!library_function(event_openssl, "bufferevent_openssl_socket_new") ||
	    !library_function(openssl, "TLS_method")) {
		return NULL;
	}
	if (!context) {
		context = SSL_CALL(void *, SSL_CTX_new,
				   (void *))(SSL_CALL(void *, TLS_method, (void))());
	}
	return SSL_CALL(void *, SSL_new, (void *))(context);
}
enum { SSL_CONNECTING = 1 };
static int exercise_bufferevent_openssl_socket_new(void)
{
	void *ssl = event_base() ? event_ssl() : NULL;

	if (!ssl) {
		return 0;
	}
	event_buffer_over(((void *(*)(void *, int, void *, int, int))library_function(
		event_openssl, "bufferevent_openssl_socket_new"))(event_base(), -1, ssl,
								  SSL_CONNECTING, 1));
	return 2;
}
static int exercise_bufferevent_openssl_filter_new(void)
{
	void *ssl = event_base() ? event_ssl() : NULL;

	if (!ssl) {
		return 0;
	}
	event_buffer_over(((void *(*)(void *, void *, void *, int, int))library_function(
		event_openssl, "bufferevent_openssl_filter_new"))(event_base(), event_buffer(1),
								  ssl, SSL_CONNECTING, 1));
	return 4;
}

/* ---- listeners ---- */

static void event_accepted(void *listener, int fd, void *address, int bytes, void *p)
{
	(void)listener;
	(void)address;
	(void)bytes;
	(void)p;
	close(fd);
}
static void event_failed(void *listener, void *p)
{
	(void)listener;
	(void)p;
}
static void *event_listener(void)
{
	struct sockaddr_in a = uv_here(0);

	return EVENT(void *, evconnlistener_new_bind,
		     (void *, void *, void *, unsigned, int, const void *, int))(
		event_base(), event_accepted, NULL, 2 /* closes its socket */, 5, &a, sizeof(a));
}
static int event_socket_of(void *n)
{
	return EVENT(int, evconnlistener_get_fd, (void *))(n);
}
/* Made, armed, called for a connection, freed. */
static int event_listens(void *n)
{
	int client = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t bytes = sizeof(struct sockaddr_in);
	struct sockaddr_in a;

	getsockname(event_socket_of(n), (struct sockaddr *)&a, &bytes);
	connect(client, (struct sockaddr *)&a, bytes);
	event_go();
	close(client);
	EVENT(void, evconnlistener_free, (void *))(n);
	return 7;
}
EVENT_ROW(evconnlistener_new_bind, 7, event_listens(event_listener()))
EVENT_ROW(evconnlistener_free, 7, event_listens(event_listener()))
EVENT_ROW(evconnlistener_new, 7, int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	  event_listens(EVENT(void *, evconnlistener_new,
			      (void *, void *, void *, unsigned, int,
			       int))(event_base(), event_accepted, NULL, 2, 5, fd)))
EVENT_ROW(evconnlistener_set_cb, 7, void *n = event_listener();
	  EVENT(void, evconnlistener_set_cb, (void *, void *, void *))(n, event_accepted, n);
	  event_listens(n))
EVENT_ROW(evconnlistener_set_error_cb, 7, void *n = event_listener();
	  EVENT(void, evconnlistener_set_error_cb, (void *, void *))(n, event_failed);
	  shutdown(event_socket_of(n), SHUT_RDWR); event_listens(n))

/* ---- HTTP, DNS ---- */

static void *event_http(void)
{
	return EVENT(void *, evhttp_new, (void *))(event_base());
}
static int event_http_over(void *h)
{
	EVENT(void, evhttp_free, (void *))(h);
	return 0;
}
EVENT_ROW(evhttp_new, 2, event_http_over(event_http()))
EVENT_ROW(evhttp_free, 2, event_http_over(event_http()))
EVENT_ROW(evhttp_set_cb, 4, void *h = event_http();
	  EVENT(int, evhttp_set_cb, (void *, const char *, void *, void *))(h, "/", event_failed,
									    NULL);
	  event_http_over(h))
EVENT_ROW(evhttp_set_gencb, 6, void *h = event_http();
	  EVENT(void, evhttp_set_gencb, (void *, void *, void *))(h, event_failed, NULL);
	  EVENT(void, evhttp_set_gencb, (void *, void *, void *))(h, event_failed, h);
	  event_http_over(h))
EVENT_ROW(evhttp_add_virtual_host, 4, void *h = event_http();
	  EVENT(int, evhttp_add_virtual_host, (void *, const char *, void *))(h, "*", event_http());
	  event_http_over(h))

/* Made, called, returned, over: when the DNS base is freed, at the latest. */
#define EVENT_DNS(name, params, ...)                                                               \
	EVENT_ROW(name, 4,                                                                         \
		  void *d = EVENT(void *, evdns_base_new, (void *, int))(event_base(), 0);         \
		  EVENT(int, evdns_base_nameserver_ip_add, (void *, const char *))(d,              \
										   "127.0.0.1:9"); \
		  EVENT(void *, name, params)(d, __VA_ARGS__);                                     \
		  EVENT(void, evdns_base_free, (void *, int))(d, 1); event_go())
static const unsigned char event_address[16] = { 127, 0, 0, 1 };
static void event_answered(int result, char type, int count, int ttl, void *list, void *p)
{
	(void)result;
	(void)type;
	(void)count;
	(void)ttl;
	(void)list;
	(void)p;
}
static void event_resolved(int result, void *list, void *p)
{
	(void)result;
	(void)p;
	if (list) {
		EVENT(void, evutil_freeaddrinfo, (void *))(list);
	}
}
EVENT_DNS(evdns_base_resolve_ipv4, (void *, const char *, int, void *, void *), "a.test", 0,
	  event_answered, NULL)
EVENT_DNS(evdns_base_resolve_ipv6, (void *, const char *, int, void *, void *), "a.test", 0,
	  event_answered, NULL)
EVENT_DNS(evdns_base_resolve_reverse, (void *, const void *, int, void *, void *), event_address, 0,
	  event_answered, NULL)
EVENT_DNS(evdns_base_resolve_reverse_ipv6, (void *, const void *, int, void *, void *),
	  event_address, 0, event_answered, NULL)
EVENT_DNS(evdns_getaddrinfo, (void *, const char *, const char *, const void *, void *, void *),
	  "127.0.0.1", "80", NULL, event_resolved, NULL)

#endif
