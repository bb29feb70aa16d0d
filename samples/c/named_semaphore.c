/* SPDX-License-Identifier: MIT */
/* SHOWS named semaphores: open, use as a lock from two threads, close, unlink */
/* NEVER use-after-destroy lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static char name[64];
static long value;

static void *worker(void *arg)
{
	sem_t *sem = sem_open(name, 0);

	if (sem == SEM_FAILED)
		exit(3);
	for (int i = 0; i < 200; i++) {
		sem_wait(sem);
		value++;
		sem_post(sem);
	}
	sem_close(sem);
	return arg;
}

int main(void)
{
	sem_t *sem;

	snprintf(name, sizeof(name), "/thrum-sample-%d", (int)getpid());
	sem = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
	if (sem == SEM_FAILED)
		return 3;
	run_two(worker, worker);
	sem_close(sem);
	sem_unlink(name);
	printf("%ld\n", value);
	return 0;
}
