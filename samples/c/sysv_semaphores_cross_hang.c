/* SPDX-License-Identifier: MIT */
/* SHOWS two processes, each holds one System V semaphore of a set as a lock and wants the other */
/* EXPECT deadlock|stuck-wait stacks=forwards,backwards */
/* ALLOW lock-order-inversion level=any */
/* RUN timeout=2 */
#include "../process.h"

#include <sys/ipc.h>
#include <sys/sem.h>

static int set, *both;

static int change(unsigned short index, short by)
{
	struct sembuf op = { index, by, 0 };

	return semop(set, &op, 1);
}

static NOINLINE int forwards(void)
{
	for (int i = 0; i < 3; i++) {
		MUST(change(0, -1));
		MUST(change(0, 1));
		MUST(change(1, -1));
		MUST(change(1, 1));
	}
	meet(both, 2);
	MUST(change(0, -1));
	meet(both, 4);
	MUST(change(1, -1));
	return 0;
}

static NOINLINE void backwards(void)
{
	for (int i = 0; i < 3; i++) {
		MUST(change(1, -1));
		MUST(change(1, 1));
		MUST(change(0, -1));
		MUST(change(0, 1));
	}
	meet(both, 2);
	MUST(change(1, -1));
	meet(both, 4);
	MUST(change(0, -1));
}

int main(void)
{
	pid_t pid;

	both = (int *)share(sizeof(int));
	set = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
	semctl(set, 0, SETVAL, 1);
	semctl(set, 1, SETVAL, 1);
	pid = start_child(forwards);
	backwards();
	finish_child(pid);
	semctl(set, 0, IPC_RMID);
	return 0;
}
