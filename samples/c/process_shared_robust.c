/* SPDX-License-Identifier: MIT */
/* SHOWS S44 across processes: a child dies with a robust process-shared mutex, the parent recovers it */
/* NEVER lock-not-recoverable unlock-not-owned lock-held-at-thread-exit deadlock */
/* RUN clean */
#include "../sample.h"

#include <sys/mman.h>
#include <sys/wait.h>

int main(void)
{
	pthread_mutex_t *m = (pthread_mutex_t *)mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE,
						     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	pid_t child;

	MUST(pthread_mutexattr_init(&attr));
	MUST(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	MUST(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	MUST(pthread_mutex_init(m, &attr));
	child = fork();
	if (!child) {
		MUST(pthread_mutex_lock(m));
		_exit(0);
	}
	waitpid(child, NULL, 0);
	GIVES(EOWNERDEAD, pthread_mutex_lock(m));
	MUST(pthread_mutex_consistent(m));
	MUST(pthread_mutex_unlock(m));
	MUST(pthread_mutex_destroy(m));
	return 0;
}
