/* SPDX-License-Identifier: MIT */
/*
 * signals [own-group] - says "ready PID", then "got N" for every signal N it receives, and ends with status 5 at SIGUSR2. SIGTSTP stops
 * it as it would any program. With own-group it leaves the process group it was started in.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	sigset_t all;
	int number = 0;

	(void)argv;
	if (argc > 1)
		setpgid(0, 0);
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
