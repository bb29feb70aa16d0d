/* SPDX-License-Identifier: MIT */
/* SHOWS a home-made poll loop that a signal handler wakes by a pipe to itself: the stall is told with the handler */
/* EXPECT loop-stall confidence=observed says=woken+through+pipe stacks=on_signal threads=1..2 */
/* NEVER blocking-call-in-loop */
/* RUN clean */
#include "own_loop.h"

#include <fcntl.h>
#include <signal.h>

static int f[2];
static volatile sig_atomic_t next;

static void on_signal(int number)
{
	char what = (char)next;

	(void)number;
	(void)!write(f[1], &what, 1);
}

static void *loop(void *arg)
{
	struct pollfd p = { f[0], POLLIN, 0 };

	do {
		while (poll(&p, 1, -1) < 0)
			GIVES(EINTR, errno);
	} while (serve(f[0]));
	return arg;
}

static void signal_for(pthread_t thread, char what)
{
	int before = __atomic_load_n(&answered, __ATOMIC_ACQUIRE);

	next = what;
	sleep_ms(1);
	MUST(pthread_kill(thread, SIGUSR1));
	until(&answered, before + 1);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t thread;

	MUST(pipe2(f, O_CLOEXEC | O_NONBLOCK));
	MUST(sigaction(SIGUSR1, &action, NULL));
	thread = start(loop, NULL);
	for (int i = 0; i < QUICK; i++)
		signal_for(thread, 'n');
	signal_for(thread, SLOW);
	signal_for(thread, 'n');
	signal_for(thread, STOP);
	finish(thread);
	return 0;
}
