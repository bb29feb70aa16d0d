/* SPDX-License-Identifier: MIT */
/* SHOWS two processes that take shared mutexes in both orders, but the second one only after the first was waited for */
/* NEVER lock-order-inversion deadlock stuck-wait fork-with-lock-held */
/* RUN clean */
#include "../sample.h"

#include <sys/mman.h>
#include <sys/wait.h>

struct shared {
	pthread_mutex_t a, b;
};

static void take(pthread_mutex_t *first, pthread_mutex_t *second)
{
	pthread_mutex_lock(first);
	pthread_mutex_lock(second);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
}

int main(void)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	int status;
	pid_t child;

	if (s == MAP_FAILED)
		return 3;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->a, &attr);
	pthread_mutex_init(&s->b, &attr);
	take(&s->b, &s->a); /* before the child is there */
	for (int i = 0; i < 2; i++) {
		child = fork();
		if (!child) {
			if (i)
				take(&s->b, &s->a);
			else
				take(&s->a, &s->b);
			_exit(0);
		}
		waitpid(child, &status, 0);
	}
	return 0;
}
