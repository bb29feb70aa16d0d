/* SPDX-License-Identifier: MIT */
/* SHOWS libevent: seven callbacks hold up their loop for 300 ms, each of another kind of event and in another way */
/* BUILD needs=event */
/* EXPECT loop-stall confidence=observed tasks=on_compute taskkinds=event says=on+the+processor stacks=main */
/* EXPECT loop-stall confidence=observed tasks=on_sleep taskkinds=event says=in+sleep stacks=on_sleep */
/* EXPECT loop-stall confidence=observed tasks=on_lock taskkinds=one-shot+event says=held+by+thread locks=table threadnames=holder stacks=on_lock */
/* EXPECT loop-stall confidence=observed tasks=on_input taskkinds=bufferevent says=in+read stacks=on_input */
/* EXPECT loop-stall confidence=observed tasks=on_accept taskkinds=listener says=in+getaddrinfo stacks=on_accept */
/* EXPECT loop-stall confidence=observed tasks=on_join taskkinds=event says=in+pthread_join stacks=on_join */
/* EXPECT loop-stall confidence=observed tasks=on_signal taskkinds=event says=in+waitpid stacks=on_signal */
/* EXPECT blocking-call-in-loop confidence=observed count=6 */
/* RUN clean */
#include "loop_work.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/listener.h>
#include <netdb.h>
#include <resolv.h>
#include <signal.h>
#include <sys/wait.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static struct event_base *base;
static int held, stop, fifo[2];

static void on_compute(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	compute_ms(300);
}

static void on_sleep(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	sleep_ms(300);
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

static void on_lock(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	until(&held, 1);
	step_to(&stop, 1);
	MUST(pthread_mutex_lock(&table));
	MUST(pthread_mutex_unlock(&table));
}

static void *writer(void *arg)
{
	sleep_ms(300);
	GIVES(1, (int)write(fifo[1], "x", 1));
	return arg;
}

/* Data came; and then it reads something else, which did not. */
static void on_input(struct bufferevent *buffer, void *arg)
{
	pthread_t t;
	char byte;

	(void)arg;
	evbuffer_drain(bufferevent_get_input(buffer), 16);
	MUST(pthread_create(&t, NULL, writer, NULL));
	GIVES(1, (int)read(fifo[0], &byte, 1));
	MUST(pthread_join(t, NULL));
}

/* Asks a name server that does not answer who the client is. */
static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *client,
		      int client_bytes, void *arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(a);
	int server = socket(AF_INET, SOCK_DGRAM, 0);
	struct addrinfo *list = NULL;

	(void)listener, (void)client, (void)client_bytes, (void)arg;
	MUST(bind(server, (struct sockaddr *)&a, sizeof(a)));
	MUST(getsockname(server, (struct sockaddr *)&a, &bytes));
	MUST(res_init());
	_res.nsaddr_list[0] = a;
	_res.nscount = 1;
	_res.retrans = 1;
	_res.retry = 1;
	if (getaddrinfo("nobody.invalid.", NULL, NULL, &list) == 0)
		freeaddrinfo(list);
	close(server);
	close(fd);
}

static void *slow(void *arg)
{
	compute_ms(300);
	return arg;
}

static void on_join(evutil_socket_t fd, short what, void *arg)
{
	pthread_t t;

	(void)fd, (void)what, (void)arg;
	MUST(pthread_create(&t, NULL, slow, NULL));
	MUST(pthread_join(t, NULL));
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	int status;
	pid_t child = fork();

	(void)number, (void)what, (void)arg;
	if (child == 0) {
		sleep_ms(300);
		_exit(0);
	}
	GIVES(child, waitpid(child, &status, 0));
}

/* Until nothing is added any more, or what can be done at once is done. */
static void run(void)
{
	GIVES(1, event_base_loop(base, EVLOOP_ONCE) >= 0);
}

static void stall_in_listener(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(a);
	struct evconnlistener *listener = evconnlistener_new_bind(
		base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 5, (struct sockaddr *)&a, sizeof(a));
	int client = socket(AF_INET, SOCK_STREAM, 0);

	MUST(getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&a, &bytes));
	MUST(connect(client, (struct sockaddr *)&a, sizeof(a)));
	run();
	close(client);
	evconnlistener_free(listener);
}

static void stall_in_buffer(void)
{
	struct bufferevent *pair[2];

	MUST(bufferevent_pair_new(base, BEV_OPT_DEFER_CALLBACKS, pair));
	bufferevent_setcb(pair[0], on_input, NULL, NULL, NULL);
	MUST(bufferevent_enable(pair[0], EV_READ));
	MUST(bufferevent_write(pair[1], "hello", 5));
	run();
	bufferevent_free(pair[0]);
	bufferevent_free(pair[1]);
}

int main(void)
{
	struct timeval soon = { 0, 1000 };
	struct event *timer, *handler, own, other;
	pthread_t t;

	MUST(pipe(fifo));
	base = event_base_new();
	timer = evtimer_new(base, on_compute, NULL);
	MUST(evtimer_add(timer, &soon));
	run();
	event_free(timer);
	MUST(event_assign(&own, base, -1, EV_PERSIST, on_sleep, NULL));
	MUST(event_add(&own, &soon));
	run();
	MUST(event_del(&own));
	MUST(pthread_create(&t, NULL, holder, NULL));
	MUST(event_base_once(base, -1, EV_TIMEOUT, on_lock, NULL, NULL));
	run();
	stall_in_buffer();
	stall_in_listener();
	MUST(event_assign(&other, base, -1, 0, on_join, NULL));
	event_active(&other, EV_TIMEOUT, 1);
	run();
	handler = evsignal_new(base, SIGUSR1, on_signal, NULL);
	MUST(evsignal_add(handler, NULL));
	MUST(raise(SIGUSR1));
	run();
	event_free(handler);
	event_base_free(base);
	MUST(pthread_join(t, NULL));
	puts("done");
	return 0;
}
