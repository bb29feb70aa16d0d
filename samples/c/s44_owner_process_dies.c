/* SPDX-License-Identifier: MIT */
/* SCENARIO S44: a process is killed with a robust mutex locked; of two that wait, one gets EOWNERDEAD and makes it consistent */
/* NEVER lock-not-recoverable deadlock stuck-wait unlock-not-owned lock-held-at-exit */
/* RUN clean */
#include "../process.h"

struct area {
	pthread_mutex_t m;
	int locked, ownerdead;
};

static struct area *area;

static int owner(void)
{
	MUST(pthread_mutex_lock(&area->m));
	step_to(&area->locked, 1);
	for (;;)
		pause();
}

static int successor(void)
{
	int rc;

	until(&area->locked, 1);
	rc = pthread_mutex_lock(&area->m);
	if (rc == EOWNERDEAD) {
		__atomic_add_fetch(&area->ownerdead, 1, __ATOMIC_SEQ_CST);
		rc = pthread_mutex_consistent(&area->m);
	}
	MUST(rc);
	MUST(pthread_mutex_unlock(&area->m));
	return 0;
}

int main(void)
{
	pthread_mutexattr_t attr;
	pid_t pid[3];

	area = (struct area *)share(sizeof(*area));
	MUST(pthread_mutexattr_init(&attr));
	MUST(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	MUST(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	MUST(pthread_mutex_init(&area->m, &attr));
	pid[0] = start_child(owner);
	pid[1] = start_child(successor);
	pid[2] = start_child(successor);
	until(&area->locked, 1);
	kill(pid[0], SIGKILL);
	waitpid(pid[0], NULL, 0);
	finish_child(pid[1]);
	finish_child(pid[2]);
	printf("%d\n", area->ownerdead);
	return 0;
}
