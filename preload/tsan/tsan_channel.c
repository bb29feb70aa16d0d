/* SPDX-License-Identifier: MIT */
/*
 * tsan_channel.c - order that comes through the kernel and through libc: what is written to a pipe, socket or eventfd was done before
 * what is done after reading it; what an initialiser of pthread_once did, before what its callers do.
 *
 * Too much order is harmless here, too little is a false alarm: all sockets are one, and so are all files that are one by chance of
 * their number.
 */
#define _GNU_SOURCE
#include "tsan.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <threads.h>

/* Addresses that nothing lies at. */
enum { FIRST = 64, SLOTS = 7000, ALL_SOCKETS = FIRST + 8 * (SLOTS + 1) };

/* SLOW: a number for what is behind the descriptor. */
static uintptr_t channel_of(int fd)
{
	struct stat st;

	if (sys2(SYS_fstat, fd, &st) < 0) {
		return 0;
	}
	if (S_ISSOCK(st.st_mode)) {
		return ALL_SOCKETS;
	}
	/* eventfd, epoll and their like share one inode. */
	return FIRST +
	       8 * ((S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode) ? st.st_ino * 31 : (uintptr_t)fd) %
		    SLOTS);
}

static hot_inline void before_write(int fd, uintptr_t pc, uintptr_t sp)
{
	struct lane *t = lane_now;

	if (t && t->syncs && fd >= 0) {
		sync_release(channel_of(fd), pc, sp);
	}
}
static hot_inline void after_read(int fd, long result, uintptr_t pc, uintptr_t sp)
{
	struct lane *t = lane_now;

	if (t && t->syncs && result >= 0 && fd >= 0) {
		sync_acquire(channel_of(fd), pc, sp);
	}
}

#define WRITES(type, name, params, args, fd)                \
	static type(*real_##name) params;                   \
	EXPORT type name params                             \
	{                                                   \
		before_write(fd, CALLER_PC(), CALLER_SP()); \
		return FIND(name) args;                     \
	}
#define READS(type, name, params, args, fd)                       \
	static type(*real_##name) params;                         \
	EXPORT type name params                                   \
	{                                                         \
		type result = FIND(name) args;                    \
                                                                  \
		after_read(fd, result, CALLER_PC(), CALLER_SP()); \
		return result;                                    \
	}

WRITES(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), fd)
WRITES(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), fd)
WRITES(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags), fd)
WRITES(ssize_t, sendto,
       (int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t bytes),
       (fd, p, n, flags, to, bytes), fd)
WRITES(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags), fd)
WRITES(int, epoll_ctl, (int fd, int op, int other, struct epoll_event *e), (fd, op, other, e), fd)
WRITES(int, close, (int fd), (fd), fd)
WRITES(int, shutdown, (int fd, int how), (fd, how), fd)

READS(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n), fd)
READS(ssize_t, readv, (int fd, const struct iovec *v, int n), (fd, v, n), fd)
READS(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags), fd)
READS(ssize_t, recvfrom,
      (int fd, void *p, size_t n, int flags, struct sockaddr *from, socklen_t *bytes),
      (fd, p, n, flags, from, bytes), fd)
READS(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags), fd)
READS(int, epoll_wait, (int fd, struct epoll_event *e, int n, int timeout), (fd, e, n, timeout), fd)
READS(int, epoll_pwait, (int fd, struct epoll_event *e, int n, int timeout, const sigset_t *mask),
      (fd, e, n, timeout, mask), fd)
READS(int, accept, (int fd, struct sockaddr *from, socklen_t *bytes), (fd, from, bytes), fd)
READS(int, accept4, (int fd, struct sockaddr *from, socklen_t *bytes, int flags),
      (fd, from, bytes, flags), fd)

/* ---- once: libthrum.so does not record those that find it done ---- */

static __thread struct once {
	void (*routine)(void);
	void *control;
} once_now __attribute__((tls_model("initial-exec")));

static void run_once(void)
{
	struct once once = once_now;

	once.routine();
	sync_release((uintptr_t)once.control, CALLER_PC(), CALLER_SP());
}

static int (*real_pthread_once)(pthread_once_t *, void (*)(void));
EXPORT int pthread_once(pthread_once_t *control, void (*routine)(void))
{
	int rc;

	once_now = (struct once){ routine, control };
	rc = FIND(pthread_once)(control, run_once);
	sync_acquire((uintptr_t)control, CALLER_PC(), CALLER_SP());
	return rc;
}

static void (*real_call_once)(once_flag *, void (*)(void));
EXPORT void call_once(once_flag *control, void (*routine)(void))
{
	once_now = (struct once){ routine, control };
	FIND(call_once)(control, run_once);
	sync_acquire((uintptr_t)control, CALLER_PC(), CALLER_SP());
}
