/* SPDX-License-Identifier: MIT */
/* SHOWS two processes that each hold a mutex in shared memory and wait for the other's */
/* EXPECT deadlock confidence=observed stacks=parent_way,child_way threads=2 roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <sys/mman.h>

struct shared {
	pthread_mutex_t a, b;
	int both;
};

static NOINLINE void parent_way(struct shared *s)
{
	pthread_mutex_lock(&s->a);
	meet(&s->both, 2);
	pthread_mutex_lock(&s->b);
}

static NOINLINE void child_way(struct shared *s)
{
	pthread_mutex_lock(&s->b);
	meet(&s->both, 2);
	pthread_mutex_lock(&s->a);
}

int main(void)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;

	if (s == MAP_FAILED)
		return 3;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->a, &attr);
	pthread_mutex_init(&s->b, &attr);
	if (!fork())
		child_way(s);
	else
		parent_way(s);
	return 0;
}
