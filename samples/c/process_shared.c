/* SPDX-License-Identifier: MIT */
/* SHOWS process-shared mutex, condvar, semaphore, rwlock and barrier between a parent and its child, used correctly */
/* NEVER deadlock stuck-wait unlock-not-owned lock-held-at-exit lock-not-recoverable */
/* RUN clean */
#include "../sample.h"

#include <sys/mman.h>
#include <sys/wait.h>

struct area {
	pthread_mutex_t m;
	pthread_cond_t cond;
	pthread_rwlock_t rw;
	pthread_barrier_t barrier;
	sem_t sem;
	int turn, sum;
};

static struct area *area;

static void play(int me)
{
	pthread_barrier_wait(&area->barrier);
	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(&area->m);
		while (area->turn != me)
			pthread_cond_wait(&area->cond, &area->m);
		area->sum++;
		area->turn = !me;
		pthread_cond_signal(&area->cond);
		pthread_mutex_unlock(&area->m);
		pthread_rwlock_rdlock(&area->rw);
		pthread_rwlock_unlock(&area->rw);
	}
}

int main(void)
{
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pthread_rwlockattr_t ra;
	pthread_barrierattr_t ba;
	int status;
	pid_t child;

	area = (struct area *)mmap(NULL, sizeof(*area), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(pthread_mutexattr_init(&ma));
	MUST(pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED));
	MUST(pthread_mutex_init(&area->m, &ma));
	MUST(pthread_condattr_init(&ca));
	MUST(pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED));
	MUST(pthread_cond_init(&area->cond, &ca));
	MUST(pthread_rwlockattr_init(&ra));
	MUST(pthread_rwlockattr_setpshared(&ra, PTHREAD_PROCESS_SHARED));
	MUST(pthread_rwlock_init(&area->rw, &ra));
	MUST(pthread_barrierattr_init(&ba));
	MUST(pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED));
	MUST(pthread_barrier_init(&area->barrier, &ba, 2));
	MUST(sem_init(&area->sem, 1, 0));
	child = fork();
	if (!child) {
		play(1);
		sem_post(&area->sem);
		_exit(0);
	}
	play(0);
	sem_wait(&area->sem);
	waitpid(child, &status, 0);
	printf("%d %d\n", area->sum, status);
	return 0;
}
