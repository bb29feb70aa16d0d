/* SPDX-License-Identifier: MIT */
/*
 * loop_epoll.c - workload of a loop of the program's own: two threads wake each other through an eventfd and epoll_wait.
 */
#include "loop_micro.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct party {
	int bell, queue;
	struct party *peer;
	uint64_t rings;
};

static void make(struct party *p, struct party *peer)
{
	struct epoll_event e = { .events = EPOLLIN };

	p->peer = peer;
	MUST((p->bell = eventfd(0, EFD_NONBLOCK)) < 0);
	MUST((p->queue = epoll_create1(0)) < 0);
	MUST(epoll_ctl(p->queue, EPOLL_CTL_ADD, p->bell, &e));
}

static void *turn(void *arg)
{
	struct party *p = arg;
	struct epoll_event e;
	uint64_t value, one = 1;

	pin();
	while (p->rings < wanted / 2) {
		MUST(epoll_wait(p->queue, &e, 1, -1) != 1);
		MUST(read(p->bell, &value, sizeof(value)) != sizeof(value) || value != 1);
		p->rings++;
		MUST(write(p->peer->bell, &one, sizeof(one)) != sizeof(one));
	}
	return NULL;
}

static uint64_t eventfds(uint64_t n)
{
	static struct party a, b;
	uint64_t one = 1;
	pthread_t thread;

	wanted = n & ~UINT64_C(1);
	make(&a, &b);
	make(&b, &a);
	MUST(write(a.bell, &one, sizeof(one)) != sizeof(one));
	MUST(pthread_create(&thread, NULL, turn, &b));
	turn(&a);
	MUST(pthread_join(thread, NULL));
	return a.rings + b.rings;
}

WORKLOAD_MAIN({ "eventfds", eventfds })
