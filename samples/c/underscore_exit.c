/* SPDX-License-Identifier: MIT */
/* SHOWS S64d: _exit with threads blocked and running: a fact, no leak */
/* NEVER deadlock stuck-wait */
/* RUN clean exit=6 */
#include "../sample.h"

static sem_t never;
static int tid;

static void *blocked(void *arg)
{
	publish_tid(&tid);
	sem_wait(&never);
	return arg;
}

int main(void)
{
	sem_init(&never, 0, 0);
	start(blocked, NULL);
	until_asleep(&tid);
	_exit(6);
}
