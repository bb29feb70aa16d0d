/* SPDX-License-Identifier: MIT */
/* SHOWS a prefork server at rest: workers read jobs from a pipe, the master sleeps in poll; no deadlock, though all wait */
/* NEVER deadlock self-deadlock stuck-wait lock-order-inversion fork-with-lock-held */
/* RUN timeout=2 status=any */
#include "../sample.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>

static pthread_mutex_t *accept_lock;

static void worker(int jobs, int results)
{
	char job;

	for (;;) {
		pthread_mutex_lock(accept_lock);
		if (read(jobs, &job, 1) != 1)
			_exit(0);
		pthread_mutex_unlock(accept_lock);
		if (write(results, &job, 1) != 1)
			_exit(3);
	}
}

int main(void)
{
	int jobs[2], results[2];
	pthread_mutexattr_t attr;
	char job = 'x';

	accept_lock = mmap(NULL, sizeof(*accept_lock), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(accept_lock, &attr);
	if (pipe(jobs) || pipe(results))
		return 3;
	for (int i = 0; i < 3; i++)
		if (!fork())
			worker(jobs[0], results[1]);
	for (int i = 0; i < 100; i++) {
		struct pollfd ready = { .fd = results[0], .events = POLLIN };

		if (write(jobs[1], &job, 1) != 1)
			return 3;
		poll(&ready, 1, -1);
		if (read(results[0], &job, 1) != 1)
			return 3;
	}
	for (;;) {
		struct pollfd ready = { .fd = results[0], .events = POLLIN };

		poll(&ready, 1, -1);
	}
}
