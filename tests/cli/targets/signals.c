/* SPDX-License-Identifier: MIT */
/*
 * signals - says "ready PID", then "got N" for every signal N it receives, and ends with status 5 at SIGUSR2. SIGTSTP stops it as it
 * would any program.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	sigset_t all;
	int number = 0;

	sigfillset(&all);
	sigdelset(&all, SIGTSTP);
	sigprocmask(SIG_BLOCK, &all, NULL);
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (number != SIGUSR2) {
		sigwait(&all, &number);
		printf("got %d\n", number);
		fflush(stdout);
	}
	return 5;
}
