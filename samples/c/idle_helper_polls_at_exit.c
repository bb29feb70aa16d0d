/* SPDX-License-Identifier: MIT */
/* SHOWS helper threads that wait for input for ever, each in its own call, when main returns: what GLib's and Qt's do */
/* NEVER leaked-thread stuck-wait deadlock */
/* RUN clean */
#include "../sample.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static int wakeup, pair[2];
static atomic_int ready;

static void *event_loop(void *arg)
{
	struct pollfd fd = { .fd = wakeup, .events = POLLIN };

	atomic_fetch_add(&ready, 1);
	while (poll(&fd, 1, -1) < 1)
		;
	return arg;
}

static void *reader(void *arg)
{
	char byte;

	atomic_fetch_add(&ready, 1);
	return read(pair[0], &byte, 1) == 1 ? arg : NULL;
}

int main(void)
{
	wakeup = eventfd(0, EFD_CLOEXEC);
	if (wakeup < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 3;
	start(event_loop, NULL);
	start(reader, NULL);
	while (atomic_load(&ready) < 2)
		usleep(1000);
	usleep(50000);
	return 0;
}
