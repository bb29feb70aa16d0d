/* SPDX-License-Identifier: MIT */
/* SHOWS a thread connects to a peer that does not accept, with a lock held that another one waits for */
/* EXPECT lock-held-across-blocking-call confidence=observed level=warning stacks=refresh,slow_call,use locks=m roles=holds,blocks,waits */
/* ALLOW hold-time */
/* RUN clean */
#include "../sample.h"

#include <sys/socket.h>
#include <sys/un.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int step, tid;
static struct sockaddr_un name = { .sun_family = AF_UNIX };
static int peer;

static NOINLINE void slow_call(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	step_to(&step, 2);
	if (connect(s, (struct sockaddr *)&name, sizeof(name)))
		abort();
	close(s);
}

static NOINLINE void refresh(void)
{
	pthread_mutex_lock(&m);
	step_to(&step, 1);
	until_asleep(&tid);
	slow_call();
	pthread_mutex_unlock(&m);
}

static void *holder(void *arg)
{
	refresh();
	return arg;
}

static NOINLINE void use(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
}

static void *waiter(void *arg)
{
	until(&step, 1);
	publish_tid(&tid);
	use();
	return arg;
}

static void *acceptor(void *arg)
{
	struct timespec t = { 0, 300000000 };

	until(&step, 2);
	nanosleep(&t, NULL);
	for (int i = 0; i < 2; i++)
		close(accept(peer, NULL, NULL));
	return arg;
}

int main(void)
{
	int first = socket(AF_UNIX, SOCK_STREAM, 0);
	pthread_t t;

	peer = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "thrum-sample-%d", (int)getpid());
	if (bind(peer, (struct sockaddr *)&name, sizeof(name)) || listen(peer, 0) ||
	    connect(first, (struct sockaddr *)&name, sizeof(name)))
		return 1;
	t = start(acceptor, NULL); /* the queue is full now */
	run_two(holder, waiter);
	finish(t);
	close(first);
	close(peer);
	return 0;
}
