/* SPDX-License-Identifier: MIT */
/*
 * engage_signal.h - exercises for the rows of signal.def. Included by engage.c, whose helpers it uses.
 *
 * A handler or mask that is what it was leaves no record, so each exercise changes something.
 */
#ifndef THRUM_TESTS_DERIVED_ENGAGE_SIGNAL_H
#define THRUM_TESTS_DERIVED_ENGAGE_SIGNAL_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

int __sigaction(int, const struct sigaction *, struct sigaction *);
__sighandler_t bsd_signal(int, __sighandler_t);
__sighandler_t __sysv_signal(int, __sighandler_t);

static void on_signal(int number)
{
	(void)number;
}

static int is_handled_by(int number, __sighandler_t handler)
{
	struct sigaction now;

	/* Asked without a new action, it leaves no record. */
	return sigaction(number, NULL, &now) == 0 && now.sa_handler == handler ? 1 : 1000;
}

static int exercise_sigaction(void)
{
	struct sigaction a = { .sa_handler = on_signal };

	return sigaction(SIGUSR1, &a, NULL) == 0 && flags_now() & TF_PROCESS_HANDLERS ? 1 : 1000;
}
static int exercise___sigaction(void)
{
	/* From and to the same place. */
	struct sigaction a = { .sa_handler = SIG_IGN };

	return __sigaction(SIGUSR1, &a, &a) == 0 && a.sa_handler == on_signal
		       ? is_handled_by(SIGUSR1, SIG_IGN)
		       : 1000;
}
static int exercise_signal(void)
{
	return signal(SIGUSR2, on_signal) == SIG_DFL ? is_handled_by(SIGUSR2, on_signal) : 1000;
}
static int exercise_bsd_signal(void)
{
	return bsd_signal(SIGUSR2, SIG_IGN) == on_signal ? is_handled_by(SIGUSR2, SIG_IGN) : 1000;
}
static int exercise_ssignal(void)
{
	return ssignal(SIGUSR2, on_signal) == SIG_IGN ? is_handled_by(SIGUSR2, on_signal) : 1000;
}
static int exercise_sysv_signal(void)
{
	return sysv_signal(SIGUSR2, SIG_IGN) == on_signal ? is_handled_by(SIGUSR2, SIG_IGN) : 1000;
}
static int exercise___sysv_signal(void)
{
	return __sysv_signal(SIGUSR2, on_signal) == SIG_IGN ? is_handled_by(SIGUSR2, on_signal)
							    : 1000;
}
static int exercise_sigset(void)
{
	return sigset(SIGUSR2, SIG_IGN) == on_signal ? is_handled_by(SIGUSR2, SIG_IGN) : 1000;
}

static bool blocks(int number)
{
	sigset_t now;

	return pthread_sigmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, number) == 1;
}
/* Blocks and unblocks: two records, and none for doing it again. */
static int mask_twice(int (*change)(int, const sigset_t *, sigset_t *))
{
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	if (change(SIG_BLOCK, &set, &before) || !blocks(SIGURG) ||
	    change(SIG_BLOCK, &set, &set) || /* from and to the same place */
	    change(SIG_SETMASK, &before, NULL) || blocks(SIGURG) || !change(99, &before, NULL)) {
		return 1000;
	}
	return 2;
}
static int exercise_pthread_sigmask(void)
{
	return mask_twice(pthread_sigmask);
}
static int exercise_sigprocmask(void)
{
	return mask_twice(sigprocmask);
}
static int exercise_sigblock(void)
{
	int before = sigblock(1 << (SIGURG - 1));
	bool blocked = blocks(SIGURG);

	sigsetmask(before);
	return blocked && !blocks(SIGURG) ? 2 : 1000;
}
static int exercise_sigsetmask(void)
{
	return exercise_sigblock();
}
static int exercise_sighold(void)
{
	bool blocked = sighold(SIGURG) == 0 && blocks(SIGURG);

	return sigrelse(SIGURG) == 0 && blocked && !blocks(SIGURG) ? 2 : 1000;
}
static int exercise_sigrelse(void)
{
	return exercise_sighold();
}

static void on_timer(union sigval value)
{
	(void)value;
}
static int exercise_sigpending(void)
{
	sigset_t pending;
	int is_pending;

	sighold(SIGURG);
	raise(SIGURG);
	is_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGURG);
	signal(SIGURG, SIG_IGN);
	sigrelse(SIGURG);
	return is_pending ? 1 : 1000;
}
static int exercise_timer_create(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_timer };
	timer_t t;

	if (timer_create(CLOCK_MONOTONIC, &e, &t)) {
		return 1000;
	}
	timer_delete(t);
	return flags_now() & TF_PROCESS_UNSEEN_THREADS ? 0 : 1000;
}

#pragma GCC diagnostic pop

#endif
