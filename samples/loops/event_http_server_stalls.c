/* SPDX-License-Identifier: MIT */
/* SHOWS libevent: a request to an HTTP server holds up all others for 300 ms, once for each cause */
/* BUILD needs=event */
/* EXPECT loop-stall confidence=observed tasks=on_report taskkinds=HTTP+callback says=on+the+processor stacks=main */
/* EXPECT loop-stall confidence=observed tasks=on_retry says=in+sleep stacks=on_retry */
/* EXPECT loop-stall confidence=observed tasks=on_session says=held+by+thread locks=sessions threadnames=sweeper stacks=on_session,session_sweeper roles=blocks,holds */
/* EXPECT loop-stall confidence=observed tasks=on_list says=in+read+of+pipe stacks=on_list */
/* EXPECT loop-stall confidence=observed tasks=on_proxy says=in+recv stacks=on_proxy */
/* EXPECT loop-stall confidence=observed tasks=on_lookup says=in+getaddrinfo stacks=on_lookup */
/* EXPECT loop-stall confidence=observed tasks=on_picture says=in+pthread_join+of+thread stacks=on_picture */
/* EXPECT blocking-call-in-loop confidence=observed count=6 */
/* RUN clean */
#include "stall_causes.h"

#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>

static const char *const paths[] = { "/report", "/retry",   "/session", "/list", "/proxy",
				     "/lookup", "/picture", "/end",	NULL };

#define HANDLER(name, cause)                                        \
	static void name(struct evhttp_request *request, void *arg) \
	{                                                           \
		(void)arg;                                          \
		cause();                                            \
		evhttp_send_reply(request, HTTP_OK, "OK", NULL);    \
	}

HANDLER(on_report, stall_on_processor)
HANDLER(on_retry, stall_in_sleep)
HANDLER(on_session, stall_on_lock)
HANDLER(on_list, stall_on_file)
HANDLER(on_proxy, stall_on_socket)
HANDLER(on_lookup, stall_on_name)
HANDLER(on_picture, stall_in_join)

static void on_end(struct evhttp_request *request, void *arg)
{
	evhttp_send_reply(request, HTTP_OK, "OK", NULL);
	event_base_loopexit(arg, &(struct timeval){ 0, 50000 });
}

int main(void)
{
	static void (*const handlers[])(struct evhttp_request *,
					void *) = { on_report, on_retry,  on_session, on_list,
						    on_proxy,  on_lookup, on_picture, on_end };
	struct event_base *base = event_base_new();
	struct evhttp *server = evhttp_new(base);
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(server, "127.0.0.1", 0);
	pid_t client = stall_client(address_of(evhttp_bound_socket_get_fd(bound)).sin_port, paths);

	stall_prepare();
	for (int i = 0; paths[i]; i++)
		MUST(evhttp_set_cb(server, paths[i], handlers[i], base));
	MUST(event_base_dispatch(base));
	evhttp_free(server);
	event_base_free(base);
	stall_end(client);
	puts("done");
	return 0;
}
