/* SPDX-License-Identifier: MIT */
/* SHOWS a home-made loop around a signalfd: the stall is told to follow a signal, sent by nobody we know */
/* EXPECT loop-stall confidence=observed says=woken+through+signalfd threads=1 */
/* NEVER blocking-call-in-loop */
/* RUN clean */
#include "own_loop.h"

#include <signal.h>
#include <sys/signalfd.h>

int main(void)
{
	struct signalfd_siginfo info;
	fd_set readable;
	sigset_t mask;
	int f;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	MUST(pthread_sigmask(SIG_BLOCK, &mask, NULL));
	f = signalfd(-1, &mask, SFD_CLOEXEC);
	for (int i = 0; i < QUICK + 3; i++) {
		sleep_ms(1);
		MUST(raise(SIGUSR1));
		FD_ZERO(&readable);
		FD_SET(f, &readable);
		GIVES(1, select(f + 1, &readable, NULL, NULL, NULL));
		GIVES((int)sizeof(info), (int)read(f, &info, sizeof(info)));
		if (i == QUICK)
			compute_ms(300);
	}
	return 0;
}
