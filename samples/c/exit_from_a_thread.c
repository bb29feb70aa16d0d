/* SPDX-License-Identifier: MIT */
/* SHOWS exit() called by a worker while main waits to join it */
/* NEVER deadlock stuck-wait self-deadlock */
/* RUN clean exit=5 */
#include "../sample.h"

static void *worker(void *arg)
{
	(void)arg;
	printf("bye\n");
	exit(5);
}

int main(void)
{
	finish(start(worker, NULL));
	return 0;
}
