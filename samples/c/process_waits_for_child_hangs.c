/* SPDX-License-Identifier: MIT */
/* SHOWS a parent that waits for its child with a shared mutex locked, which the child needs to get on */
/* EXPECT deadlock confidence=observed stacks=collect,work threads=2 roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <sys/mman.h>
#include <sys/wait.h>

static pthread_mutex_t *queue_lock;

static NOINLINE void work(void)
{
	pthread_mutex_lock(queue_lock);
	pthread_mutex_unlock(queue_lock);
}

static NOINLINE void collect(pid_t child)
{
	int status;

	waitpid(child, &status, 0);
	pthread_mutex_unlock(queue_lock);
}

int main(void)
{
	pthread_mutexattr_t attr;
	pid_t child;

	queue_lock = mmap(NULL, sizeof(*queue_lock), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (queue_lock == MAP_FAILED)
		return 3;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(queue_lock, &attr);
	pthread_mutex_lock(queue_lock);
	child = fork();
	if (!child) {
		work();
		_exit(0);
	}
	collect(child);
	return 0;
}
