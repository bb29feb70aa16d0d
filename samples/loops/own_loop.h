/* SPDX-License-Identifier: MIT */
/*
 * own_loop.h - home-made event loops: turns that a writer asks for one by one, each answered before the next is asked for.
 */
#ifndef THRUM_SAMPLES_OWN_LOOP_H
#define THRUM_SAMPLES_OWN_LOOP_H

#include "loop_work.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	QUICK = 40, /* turns of a millisecond or two, which make it a loop */
	STOP = 'q',
	SLOW = 's',
};

static int answered __attribute__((unused));

static inline void answer(void)
{
	step_to(&answered, answered + 1);
}

/* A byte through a pipe or pair, once the loop has answered all before. */
static NOINLINE __attribute__((unused)) void ask(int fd, char what)
{
	int before = __atomic_load_n(&answered, __ATOMIC_ACQUIRE);

	sleep_ms(1);
	MUST(write(fd, &what, 1) != 1);
	until(&answered, before + 1);
}

static __attribute__((unused)) void ask_often(int fd)
{
	for (int i = 0; i < QUICK; i++)
		ask(fd, 'n');
}

/* What a loop does with a byte; false = that was the last one. */
static __attribute__((unused)) bool serve(int fd)
{
	char what;

	MUST(read(fd, &what, 1) != 1);
	if (what == SLOW)
		compute_ms(300);
	answer();
	return what != STOP;
}

#endif
