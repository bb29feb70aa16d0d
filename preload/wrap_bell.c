/* SPDX-License-Identifier: MIT */
/*
 * wrap_bell.c - what makes, rings, stills and registers bells: eventfd, timerfd, signalfd, epoll_ctl. Writes and reads of them
 * are in block.def. Passed on as they are; records come from the waits that they end.
 */
#include "wrap_bell.h"
#include "shim_races.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

EXPORT int eventfd(unsigned n, int flags)
{
	int fd = real_eventfd(n, flags);

	bell_made(ARCH_CALLER(), fd, TRACE_WAKER_EVENTFD);
	return fd;
}

EXPORT int timerfd_create(clockid_t clock, int flags)
{
	int fd = real_timerfd_create(clock, flags);

	bell_made(ARCH_CALLER(), fd, TRACE_WAKER_TIMERFD);
	return fd;
}

EXPORT int signalfd(int f, const sigset_t *mask, int flags)
{
	int fd = real_signalfd(f, mask, flags);

	races_keep_from(mask);
	if (f == -1) {
		bell_made(ARCH_CALLER(), fd, TRACE_WAKER_SIGNALFD);
	}
	return fd;
}

/* libc's own write and read inside these pass no hook. */
EXPORT int eventfd_write(int f, uint64_t n)
{
	unsigned bell = bell_rung_by(f);
	uint32_t token = bell_writes(ARCH_CALLER(), bell);
	int rc = real_eventfd_write(f, n);

	bell_written(bell, token, rc == 0);
	return rc;
}

EXPORT int eventfd_read(int f, uint64_t *n)
{
	int rc = real_eventfd_read(f, n);

	bell_read(f, rc == 0);
	return rc;
}

/* What it was set to is forgotten before: a short one may have gone off when this comes back. */
EXPORT int timerfd_settime(int f, int flags, const struct itimerspec *t, struct itimerspec *old)
{
	unsigned bell = bell_of_timer(f);
	int rc = real_timerfd_settime(f, flags, t, old);

	if (bell && rc == 0 && (t->it_value.tv_sec || t->it_value.tv_nsec)) {
		bell_timer_set(ARCH_CALLER(), bell,
			       t->it_interval.tv_sec || t->it_interval.tv_nsec);
	}
	return rc;
}

EXPORT int epoll_ctl(int q, int op, int f, struct epoll_event *e)
{
	int rc = real_epoll_ctl(q, op, f, e);

	if (rc == 0 && bell_is_possible()) {
		bell_registered(ARCH_CALLER(), q, f, op == EPOLL_CTL_DEL ? NULL : e);
	}
	return rc;
}
