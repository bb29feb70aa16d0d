/* SPDX-License-Identifier: MIT */
/*
 * wrap_event_kinds.c - libevent: what it makes of events, and keeps to itself: once, listeners, bufferevents, HTTP, DNS.
 */
#include "wrap_event.h"

#include <time.h>

/* ---- callbacks found by our argument ---- */

void event_not_asked(struct loop_call *e, void *argument)
{
	struct task *t;

	if (loop_enter_again(e)) {
		t = task_find(argument, TRACE_TASK_EVENT_EVENT);
		if (t) {
			task_end(&e->call, t, TRACE_TASK_CANCELLED);
		}
		shim_leave(&e->call);
	}
}

EVENT_RUN(run_once, p, 0, TASK_IS_OVER, (int fd, short what, void *p), (int, short, void *),
	  (fd, what, run.argument))
EVENT_RUN(run_http, p, 0, TASK_GOES_ON, (void *request, void *p), (void *, void *),
	  (request, run.argument))
EVENT_RUN(run_answer, p, 0, TASK_IS_OVER,
	  (int result, char type, int count, int ttl, void *list, void *p),
	  (int, char, int, int, void *, void *), (result, type, count, ttl, list, run.argument))
EVENT_RUN(run_addresses, p, 0, TASK_IS_OVER, (int result, void *list, void *p),
	  (int, void *, void *), (result, list, run.argument))

/* ---- once ---- */

/* A call that was posted, not a wait for something that need not happen. */
static bool is_posted(short what, const struct timespec *t)
{
	enum { TIMEOUT = 1 };

	return what == TIMEOUT && (!t || (!t->tv_sec && !t->tv_nsec));
}

static bool ask_once(struct loop_call *e, const void *base, bool posted, void **cb, void **p)
{
	struct task *t = NULL;

	if (*cb && *cb != (void *)run_once) { /* event_once jumps on to event_base_once */
		t = loop_task_new(&e->call, TRACE_TASK_EVENT_ONCE, event_loop_of(&e->call, base),
				  *cb, *p);
	}

	if (t) {
		t->flags |= posted ? 0 : TASK_ENDS_WITH_LOOP;
		*cb = run_once;
		*p = loop_argument(t);
	}
	shim_leave(&e->call);
	return t != NULL;
}

#define ONCE(name, params, args, base)                                        \
	EXPORT int name params                                                \
	{                                                                     \
		struct loop_call e;                                           \
		bool asked = EVENT_ENTER(e, name, CALL_OF_HOST) &&            \
			     ask_once(&e, base, is_posted(what, t), &cb, &p); \
		int rc = LOOP_REAL(e, name) args;                             \
                                                                              \
		if (asked && rc != 0) {                                       \
			event_not_asked(&e, p);                               \
		}                                                             \
		return rc;                                                    \
	}
ONCE(event_base_once, (void *b, int fd, short what, void *cb, void *p, const void *t),
     (b, fd, what, cb, p, t), b)
ONCE(event_once, (int fd, short what, void *cb, void *p, const void *t), (fd, what, cb, p, t),
     event_current)

/* ---- listeners ---- */

enum { ACCEPTED = 0, FAILED = 1 };

EVENT_RUN(run_accepted, n, ACCEPTED, TASK_GOES_ON,
	  (void *n, int fd, void *address, int bytes, void *p), (void *, int, void *, int, void *),
	  (n, fd, address, bytes, p))
EVENT_RUN(run_failed, n, FAILED, TASK_GOES_ON, (void *n, void *p), (void *, void *), (n, p))

/* Its callback is given only now that the listener has an address: another thread may run its loop already. */
static void listener_made(struct loop_call *e, const void *base, void *n, void *cb, void *p)
{
	struct task *t;

	if (!loop_enter_again(e)) {
		return;
	}
	t = task_new(&e->call, n, TRACE_TASK_EVENT_LISTENER, event_loop_of(&e->call, base));
	if (t) {
		task_set_callback(t, ACCEPTED, cb);
		task_arm(&e->call, t, 0, false);
	}
	shim_leave(&e->call);
	if (t && cb) {
		real_evconnlistener_set_cb(n, run_accepted, p);
	}
}

#define LISTENER(name, params, args)                            \
	EXPORT void *name params                                \
	{                                                       \
		struct loop_call e;                             \
		bool seen = EVENT_ENTER(e, name, CALL_OF_HOST); \
		void *n;                                        \
                                                                \
		if (seen) {                                     \
			shim_leave(&e.call);                    \
		}                                               \
		n = LOOP_REAL(e, name) args;                    \
		if (seen && n) {                                \
			listener_made(&e, b, n, cb, p);         \
		}                                               \
		return n;                                       \
	}
LISTENER(evconnlistener_new, (void *b, void *cb, void *p, unsigned flags, int backlog, int fd),
	 (b, cb, p, flags, backlog, fd))
LISTENER(evconnlistener_new_bind,
	 (void *b, void *cb, void *p, unsigned flags, int backlog, const void *a, int l),
	 (b, cb, p, flags, backlog, a, l))

/* The trampoline to pass, or the host's own callback where the listener was made out of sight. */
static void *listener_calls(struct loop_call *e, void *n, unsigned slot, void *cb, void *trampoline)
{
	struct task *t = task_find(n, TRACE_TASK_EVENT_LISTENER);

	if (t) {
		task_set_callback(t, slot, cb);
		cb = cb ? trampoline : NULL;
	}
	shim_leave(&e->call);
	return cb;
}

EXPORT void evconnlistener_set_cb(void *n, void *cb, void *p)
{
	struct loop_call e;

	if (EVENT_ENTER(e, evconnlistener_set_cb, CALL_OF_HOST)) {
		cb = listener_calls(&e, n, ACCEPTED, cb, run_accepted);
	}
	LOOP_REAL(e, evconnlistener_set_cb)(n, cb, p);
}

EXPORT void evconnlistener_set_error_cb(void *n, void *cb)
{
	struct loop_call e;

	if (EVENT_ENTER(e, evconnlistener_set_error_cb, CALL_OF_HOST)) {
		cb = listener_calls(&e, n, FAILED, cb, run_failed);
	}
	LOOP_REAL(e, evconnlistener_set_error_cb)(n, cb);
}

/* ---- bufferevents ---- */

enum { READABLE = 0, WRITABLE = 1, HAPPENED = 2, CLOSE_ON_FREE = 1 };

EVENT_RUN(run_readable, v, READABLE, TASK_GOES_ON, (void *v, void *p), (void *, void *), (v, p))
EVENT_RUN(run_writable, v, WRITABLE, TASK_GOES_ON, (void *v, void *p), (void *, void *), (v, p))
EVENT_RUN(run_happened, v, HAPPENED, TASK_GOES_ON, (void *v, short what, void *p),
	  (void *, short, void *), (v, what, p))

static struct task *buffer_made(struct loop_call *e, uint32_t loop, void *v)
{
	struct task *t = NULL;

	if (v && loop_enter_again(e)) {
		t = task_new(&e->call, v, TRACE_TASK_EVENT_BUFFER, loop);
		shim_leave(&e->call);
	}
	return t;
}

/* A filter frees what it filters, where it was told to: that is no longer the host's. */
static void filters(struct loop_call *e, void *v, void *under, int options)
{
	const struct task *t;
	uint32_t loop;

	if (!v || !loop_enter_again(e)) {
		return;
	}
	t = task_find(under, TRACE_TASK_EVENT_BUFFER);
	loop = t ? t->loop : 0;
	if (options & CLOSE_ON_FREE) {
		event_ends(&e->call, under);
	}
	shim_leave(&e->call);
	buffer_made(e, loop, v);
}

#define FILTER(name, params, args)                              \
	EXPORT void *name params                                \
	{                                                       \
		struct loop_call e;                             \
		bool seen = EVENT_ENTER(e, name, CALL_OF_HOST); \
		void *v;                                        \
                                                                \
		if (seen) {                                     \
			shim_leave(&e.call);                    \
		}                                               \
		v = LOOP_REAL(e, name) args;                    \
		if (seen) {                                     \
			filters(&e, v, under, options);         \
		}                                               \
		return v;                                       \
	}
FILTER(bufferevent_openssl_filter_new, (void *b, void *under, void *ssl, int state, int options),
       (b, under, ssl, state, options))
FILTER(bufferevent_filter_new, (void *under, void *in, void *out, int options, void *over, void *p),
       (under, in, out, options, over, p))

EXPORT int bufferevent_pair_new(void *b, int options, void **pair)
{
	struct loop_call e;
	bool seen = EVENT_ENTER(e, bufferevent_pair_new, CALL_OF_HOST);
	uint32_t loop = 0;
	int rc;

	if (seen) {
		loop = event_loop_of(&e.call, b);
		shim_leave(&e.call);
	}
	rc = LOOP_REAL(e, bufferevent_pair_new)(b, options, pair);
	if (seen && rc == 0) {
		buffer_made(&e, loop, pair[0]);
		buffer_made(&e, loop, pair[1]);
	}
	return rc;
}

/* SLOW: the host's callbacks into the task, ours in their place. */
static void buffer_calls(struct loop_call *e, void *v, void **in, void **out, void **cb)
{
	struct task *t = task_find(v, TRACE_TASK_EVENT_BUFFER);

	if (!t && (*in || *out || *cb)) { /* libevent made it, and will free it */
		t = task_new(&e->call, v, TRACE_TASK_EVENT_BUFFER, 0);
		if (t) {
			t->flags |= TASK_ENDS_WITH_LOOP;
		}
	}
	if (t) {
		task_set_callback(t, READABLE, *in);
		task_set_callback(t, WRITABLE, *out);
		task_set_callback(t, HAPPENED, *cb);
		*in = *in ? run_readable : NULL;
		*out = *out ? run_writable : NULL;
		*cb = *cb ? run_happened : NULL;
		if (*in || *out || *cb) {
			task_arm(&e->call, t, 0, false);
		}
	}
}

EXPORT void bufferevent_setcb(void *v, void *in, void *out, void *cb, void *p)
{
	struct loop_call e;

	if (EVENT_ENTER(e, bufferevent_setcb, CALL_OF_HOST)) {
		buffer_calls(&e, v, &in, &out, &cb);
		shim_leave(&e.call);
	}
	LOOP_REAL(e, bufferevent_setcb)(v, in, out, cb, p);
}

EXPORT void bufferevent_getcb(void *v, void **in, void **out, void **cb, void **p)
{
	const struct task *t = task_find(v, TRACE_TASK_EVENT_BUFFER);
	struct loop_call e;

	if (EVENT_ENTER(e, bufferevent_getcb, CALL_OF_HOST)) {
		shim_leave(&e.call);
	}
	LOOP_REAL(e, bufferevent_getcb)(v, in, out, cb, p);
	if (t && !e.is_inner) {
		if (in && *in == (void *)run_readable) {
			*in = t->callback[READABLE];
		}
		if (out && *out == (void *)run_writable) {
			*out = t->callback[WRITABLE];
		}
		if (cb && *cb == (void *)run_happened) {
			*cb = t->callback[HAPPENED];
		}
	}
}

EXPORT void *bufferevent_new(int fd, void *in, void *out, void *cb, void *p)
{
	struct loop_call e;
	bool seen = EVENT_ENTER(e, bufferevent_new, CALL_OF_HOST);
	void *v;

	if (seen) {
		shim_leave(&e.call);
	}
	v = LOOP_REAL(e, bufferevent_new)(fd, in, out, cb, p);
	if (seen && buffer_made(&e, 0, v) && loop_enter_again(&e)) {
		buffer_calls(&e, v, &in, &out, &cb);
		shim_leave(&e.call);
		real_bufferevent_setcb(v, in, out, cb, p);
	}
	return v;
}

EXPORT void bufferevent_free(void *v)
{
	struct loop_call e;

	if (EVENT_ENTER(e, bufferevent_free, CALL_OF_ANY)) {
		event_ends(&e.call, v);
		shim_leave(&e.call);
	}
	LOOP_REAL(e, bufferevent_free)(v);
}

/* ---- HTTP servers: each callback of one is a task that goes with it ---- */

enum { OWNER = 2, GENERAL = 1 }; /* places in task.callback that hold no callback here */

static bool is_of_server(const struct task *t, const void *h)
{
	return t->kind == TRACE_TASK_EVENT_HTTP_CALLBACK && t->callback[OWNER] == h;
}

static bool is_general(const struct task *t, const void *h)
{
	return is_of_server(t, h) && t->callback[GENERAL];
}

/* SLOW: what to pass, in `cb` and `p`; opens the guard. */
static bool server_calls(struct loop_call *e, void *h, bool general, void **cb, void **p)
{
	const struct task *server = task_find(h, TRACE_TASK_EVENT_HTTP);
	struct task *t = NULL;

	if (*cb) {
		t = loop_task_new(&e->call, TRACE_TASK_EVENT_HTTP_CALLBACK,
				  server ? server->loop : 0, *cb, *p);
	}
	if (t) {
		t->callback[OWNER] = h;
		t->callback[GENERAL] = general ? h : NULL;
		*cb = run_http;
		*p = loop_argument(t);
	}
	shim_leave(&e->call);
	return t != NULL;
}

EXPORT int evhttp_set_cb(void *h, const char *path, void *cb, void *p)
{
	struct loop_call e;
	bool asked = EVENT_ENTER(e, evhttp_set_cb, CALL_OF_HOST) &&
		     server_calls(&e, h, false, &cb, &p);
	int rc = LOOP_REAL(e, evhttp_set_cb)(h, path, cb, p);

	if (asked && rc != 0) {
		event_not_asked(&e, p);
	}
	return rc;
}

EXPORT void evhttp_set_gencb(void *h, void *cb, void *p)
{
	struct loop_call e;

	if (EVENT_ENTER(e, evhttp_set_gencb, CALL_OF_HOST)) {
		task_end_all(&e.call, TRACE_TASK_EVENT_HTTP_CALLBACK, is_general, h);
		server_calls(&e, h, true, &cb, &p);
	}
	LOOP_REAL(e, evhttp_set_gencb)(h, cb, p);
}

EXPORT int evhttp_add_virtual_host(void *h, const char *pattern, void *other)
{
	struct loop_call e;

	if (EVENT_ENTER(e, evhttp_add_virtual_host, CALL_OF_HOST)) {
		event_ends(&e.call, other);
		shim_leave(&e.call);
	}
	return LOOP_REAL(e, evhttp_add_virtual_host)(h, pattern, other);
}

EXPORT void evhttp_free(void *h)
{
	struct loop_call e;
	bool seen = EVENT_ENTER(e, evhttp_free, CALL_OF_ANY);

	if (seen) {
		event_ends(&e.call, h);
		shim_leave(&e.call);
	}
	LOOP_REAL(e, evhttp_free)(h);
	if (seen && loop_enter_again(&e)) {
		task_end_all(&e.call, TRACE_TASK_EVENT_HTTP_CALLBACK, is_of_server, h);
		shim_leave(&e.call);
	}
}

/* ---- DNS ---- */

static bool ask_dns(struct loop_call *e, void *trampoline, void **cb, void **p)
{
	struct task *t = *cb ? loop_task_new(&e->call, TRACE_TASK_EVENT_DNS, 0, *cb, *p) : NULL;

	if (t) {
		*cb = trampoline;
		*p = loop_argument(t);
	}
	shim_leave(&e->call);
	return t != NULL;
}

/* NULL: it failed, or the callback was called already. */
#define DNS(name, params, args, trampoline)                        \
	EXPORT void *name params                                   \
	{                                                          \
		struct loop_call e;                                \
		bool asked = EVENT_ENTER(e, name, CALL_OF_HOST) && \
			     ask_dns(&e, trampoline, &cb, &p);     \
		void *request = LOOP_REAL(e, name) args;           \
                                                                   \
		if (asked && !request) {                           \
			event_not_asked(&e, p);                    \
		}                                                  \
		return request;                                    \
	}
#define DNS_ANSWER(name)                                                                        \
	DNS(name, (void *d, const char *n, int flags, void *cb, void *p), (d, n, flags, cb, p), \
	    run_answer)
#define DNS_REVERSE(name)                                                                       \
	DNS(name, (void *d, const void *a, int flags, void *cb, void *p), (d, a, flags, cb, p), \
	    run_answer)
DNS_ANSWER(evdns_base_resolve_ipv4)
DNS_ANSWER(evdns_base_resolve_ipv6)
DNS_REVERSE(evdns_base_resolve_reverse)
DNS_REVERSE(evdns_base_resolve_reverse_ipv6)
DNS(evdns_getaddrinfo,
    (void *d, const char *node, const char *service, const void *hints, void *cb, void *p),
    (d, node, service, hints, cb, p), run_addresses)
