/* SPDX-License-Identifier: MIT */
/* SHOWS a supervisor that waits for its worker, which waits for a post of the SIGTERM handler it got by fork: at rest */
/* NEVER deadlock */
/* ALLOW stuck-wait level=note */
/* RUN timeout=2 clean */
#include "../process.h"

static sem_t stop;

static void on_term(int signal)
{
	(void)signal;
	sem_post(&stop);
}

static int worker(void)
{
	while (sem_wait(&stop) && errno == EINTR)
		continue;
	return 0;
}

int main(void)
{
	signal(SIGTERM, on_term);
	MUST(sem_init(&stop, 0, 0));
	finish_child(start_child(worker));
	return 0;
}
