/* SPDX-License-Identifier: MIT */
/* SCENARIO S46: a semaphore used as a lock is taken by another thread at the fork; one finding, though the parent waits for the child */
/* EXPECT fork-with-lock-held confidence=observed stacks=add_entry,look_up roles=waits,holds,creates */
/* NEVER deadlock stuck-wait */
/* RUN timeout=2 kill=1 */
#include "../process.h"

static sem_t table;
static int step;

static NOINLINE void *add_entry(void *arg)
{
	sem_wait(&table);
	step_to(&step, 1);
	until(&step, 2);
	sem_post(&table);
	return arg;
}

static NOINLINE int look_up(void)
{
	sem_wait(&table);
	sem_post(&table);
	return 0;
}

int main(void)
{
	pthread_t t;
	pid_t pid;

	MUST(sem_init(&table, 0, 1));
	MUST(pthread_create(&t, NULL, add_entry, NULL));
	until(&step, 1);
	pid = start_child(look_up);
	step_to(&step, 2);
	MUST(pthread_join(t, NULL));
	finish_child(pid);
	return 0;
}
