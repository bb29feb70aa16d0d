/* SPDX-License-Identifier: MIT */
/*
 * engage_bell.h - exercises of the rows about descriptors that wake loops: each leaves a WOKEN for every round, where its
 * function is hooked. Many rounds, since the waits themselves leave a record now and then.
 */
#ifndef THRUM_TESTS_ENGAGE_BELL_H
#define THRUM_TESTS_ENGAGE_BELL_H

#include "engage_ipc.h"

#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

enum { BELL_ROUNDS = 20 };

static void wait_for_data(int f)
{
	struct pollfd p = { f, POLLIN, 0 };

	if (poll(&p, 1, 60000) != 1) {
		abort();
	}
}

#define BELL_ROUND(name, make, ring, take)              \
	static int exercise_##name(void)                \
	{                                               \
		uint64_t n = 1;                         \
		int f = (make);                         \
                                                        \
		for (int i = 0; i < BELL_ROUNDS; i++) { \
			if (!(ring)) {                  \
				abort();                \
			}                               \
			wait_for_data(f);               \
			if (!(take)) {                  \
				abort();                \
			}                               \
		}                                       \
		close(f);                               \
		return BELL_ROUNDS;                     \
	}

BELL_ROUND(eventfd, eventfd(0, 0), write(f, &n, 8) == 8, read(f, &n, 8) == 8)
BELL_ROUND(eventfd_write, eventfd(0, EFD_NONBLOCK), !eventfd_write(f, 1), read(f, &n, 8) == 8)
BELL_ROUND(eventfd_read, eventfd(0, 0), write(f, &n, 8) == 8, !eventfd_read(f, &n))

static const struct itimerspec soonest = { .it_value = { 0, 1 } };

BELL_ROUND(timerfd_create, timerfd_create(CLOCK_MONOTONIC, 0),
	   n && !timerfd_settime(f, 0, &soonest, NULL), read(f, &n, 8) == 8)

static int exercise_timerfd_settime(void)
{
	return exercise_timerfd_create();
}

static int exercise_signalfd(void)
{
	uint64_t set = UINT64_C(1) << (SIGUSR2 - 1), old;
	struct signalfd_siginfo info;
	sigset_t mask;
	int f;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, 8); /* past the hook: no record */
	f = signalfd(-1, &mask, 0);
	for (int i = 0; i < BELL_ROUNDS; i++) {
		syscall(SYS_tkill, gettid(), SIGUSR2);
		wait_for_data(f);
		if (read(f, &info, sizeof(info)) != sizeof(info)) {
			abort();
		}
	}
	close(f);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, 8);
	return BELL_ROUNDS;
}

static int exercise_epoll_ctl(void)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 77 };
	int q = epoll_create1(0), f = eventfd(0, 0);
	uint64_t n = 1;

	if (epoll_ctl(q, EPOLL_CTL_ADD, f, &e)) {
		abort();
	}
	for (int i = 0; i < BELL_ROUNDS; i++) {
		if (write(f, &n, 8) != 8 || epoll_wait(q, &e, 1, 60000) != 1 ||
		    read(f, &n, 8) != 8) {
			abort();
		}
	}
	close(f);
	close(q);
	return BELL_ROUNDS;
}

#endif
