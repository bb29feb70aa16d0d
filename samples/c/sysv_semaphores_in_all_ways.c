/* SPDX-License-Identifier: MIT */
/* SHOWS System V semaphores used correctly: as a lock with SEM_UNDO, as a counter, waits for zero, tries, timeouts, removal under a waiter */
/* RUN clean */
#include "../process.h"

#include <sys/ipc.h>
#include <sys/sem.h>

static int set, *ready;

static int change(unsigned short index, short by, short flags)
{
	struct sembuf op = { index, by, flags };

	return semop(set, &op, 1);
}

static int worker(void)
{
	for (int i = 0; i < 20; i++) {
		MUST(change(0, -1, SEM_UNDO));
		MUST(change(0, 1, SEM_UNDO));
	}
	MUST(change(1, 3, 0));
	MUST(change(0, -1, SEM_UNDO));
	return 0; /* the kernel gives it back */
}

static int takes_both_at_once(void)
{
	struct sembuf take[2] = { { 0, -1, 0 }, { 2, 0, 0 } }, give = { 0, 1, 0 };

	for (int i = 0; i < 20; i++) {
		MUST(semop(set, take, 2));
		MUST(semop(set, &give, 1));
	}
	MUST(change(1, 3, 0));
	return 0;
}

static int waits_for_removal(void)
{
	step_to(ready, 1);
	return change(3, -1, 0) == -1 && errno == EIDRM ? 0 : 1;
}

int main(void)
{
	unsigned short values[4] = { 1, 0, 0, 0 };
	struct sembuf down = { 1, -1, 0 };
	struct timespec soon = { 0, 1000000 };
	pid_t pid[3];

	ready = (int *)share(sizeof(int));
	set = semget(IPC_PRIVATE, 4, IPC_CREAT | 0600);
	semctl(set, 0, SETALL, values);
	GIVES(-1, change(1, -1, IPC_NOWAIT));
	GIVES(-1, semtimedop(set, &down, 1, &soon));
	pid[0] = start_child(worker);
	pid[1] = start_child(takes_both_at_once);
	pid[2] = start_child(waits_for_removal);
	MUST(change(1, -6, 0));
	finish_child(pid[0]);
	finish_child(pid[1]);
	until(ready, 1);
	usleep(20000);
	semctl(set, 0, IPC_RMID);
	finish_child(pid[2]);
	return 0;
}
