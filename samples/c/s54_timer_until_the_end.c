/* SPDX-License-Identifier: MIT */
/* SCENARIO S54: a fast timer, whose handler posts a semaphore, goes on while the process exits: it ends, and nothing is wrong */
/* NEVER stuck-wait deadlock signal-handler-lock */
/* RUN clean */
#include "../sample.h"

#include <sys/time.h>

static sem_t ticks;

static void on_alarm(int number)
{
	(void)number;
	sem_post(&ticks);
}

int main(void)
{
	struct itimerval often = { { 0, 100 }, { 0, 100 } };
	struct sigaction a = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };

	MUST(sem_init(&ticks, 0, 0));
	MUST(sigaction(SIGALRM, &a, NULL));
	MUST(setitimer(ITIMER_REAL, &often, NULL));
	for (int i = 0; i < 200; i++)
		while (sem_wait(&ticks) < 0)
			;
	return 0;
}
