/* SPDX-License-Identifier: MIT */
/*
 * wrap_sigwait.c - signals that are taken without a handler. A thread that blocks SIGTRAP has the traps of our watchpoints pending, and a
 * program that waits for all signals, or lets them all through while it waits, would be told: they are taken out of its way.
 */
#include "shim_races.h"
#include "wrap_block.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

static inline int result_of(int rc)
{
	return rc == -1 ? errno : 0;
}

static int64_t now_ns(void)
{
	struct timespec t;

	sys2(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool is_ours(int signal, const siginfo_t *info)
{
	return signal == SIGTRAP && races_is_trap(info);
}

static int wait_info(const sigset_t *m, siginfo_t *i)
{
	siginfo_t info;
	int rc;

	do {
		rc = real_sigwaitinfo(m, i ? i : &info);
	} while (unlikely(is_ours(rc, i ? i : &info)));
	return rc;
}

/* What is no time stays so: the kernel says what is wrong with it. */
static int wait_timed(const sigset_t *m, siginfo_t *i, const struct timespec *t)
{
	bool ends = t && t->tv_sec >= 0 && t->tv_sec < 1 << 30;
	int64_t until = ends ? now_ns() + t->tv_sec * INT64_C(1000000000) + t->tv_nsec : 0, left;
	struct timespec rest;
	siginfo_t info;
	int rc;

	for (;;) {
		rc = real_sigtimedwait(m, i ? i : &info, t);
		if (likely(!is_ours(rc, i ? i : &info))) {
			return rc;
		}
		if (ends) {
			left = until - now_ns();
			left = left > 0 ? left : 0;
			rest = (struct timespec){ left / 1000000000, left % 1000000000 };
			t = &rest;
		}
	}
}

/* It returns the error, and none is EINTR. */
static int wait_number(const sigset_t *m, int *n)
{
	int error = errno, rc;

	if (likely(!races_may_trap(m))) {
		return real_sigwait(m, n);
	}
	while ((rc = wait_info(m, NULL)) < 0 && errno == EINTR) {
	}
	if (rc < 0) {
		rc = errno;
	} else {
		*n = rc;
		rc = 0;
	}
	errno = error;
	return rc;
}

#define SIGNAL_WAIT(kind, name, params, mode, wait)                                               \
	EXPORT int name params                                                                    \
	{                                                                                         \
		struct call call;                                                                 \
		uint64_t note;                                                                    \
		int rc;                                                                           \
                                                                                                  \
		if (!block_before(&call, ARCH_CALLER(), TRACE_CALL_##kind, ON_NOTHING, mode,      \
				  &note)) {                                                       \
			return wait;                                                              \
		}                                                                                 \
		rc = wait;                                                                        \
		block_after(&call, note, note == BLOCK_WAS_SAID ? result_of(rc) : 0, UINT64_MAX); \
		return rc;                                                                        \
	}

SIGNAL_WAIT(SIGNAL_WAIT, sigwait, (const sigset_t *restrict m, int *restrict n), 0,
	    wait_number(m, n))
SIGNAL_WAIT(SIGNAL_WAIT, sigwaitinfo, (const sigset_t *restrict m, siginfo_t *restrict i), 0,
	    races_may_trap(m) ? wait_info(m, i) : real_sigwaitinfo(m, i))
SIGNAL_WAIT(SIGNAL_WAIT, sigtimedwait,
	    (const sigset_t *restrict m, siginfo_t *restrict i, const struct timespec *restrict t),
	    UNTIL_TIME(t), races_may_trap(m) ? wait_timed(m, i, t) : real_sigtimedwait(m, i, t))

static int suspend(const sigset_t *m)
{
	races_take_traps();
	races_masks(m); /* a handler that ends the wait has it, too */
	return real_sigsuspend(m);
}

SIGNAL_WAIT(PAUSE, sigsuspend, (const sigset_t *m), 0, suspend(m))

EXPORT int sigpending(sigset_t *set)
{
	races_take_traps();
	return real_sigpending(set);
}
