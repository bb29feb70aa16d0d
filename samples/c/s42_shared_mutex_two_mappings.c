/* SPDX-License-Identifier: MIT */
/* SCENARIO S42: process-shared mutexes, mapped at different addresses: A,B in one process, later B,A in the other */
/* EXPECT lock-order-inversion confidence=potential level=error stacks=parent_way,child_way threads=2 edges=2 */
/* RUN */
#include "../sample.h"

#include <sys/mman.h>
#include <sys/wait.h>

struct shared {
	pthread_mutex_t a, b;
	int step;
};

static struct shared *map(int fd)
{
	struct shared *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (s == MAP_FAILED)
		_exit(3);
	return s;
}

static NOINLINE void parent_way(struct shared *s)
{
	pthread_mutex_lock(&s->a);
	pthread_mutex_lock(&s->b);
	pthread_mutex_unlock(&s->b);
	pthread_mutex_unlock(&s->a);
}

static NOINLINE void child_way(struct shared *s)
{
	pthread_mutex_lock(&s->b);
	pthread_mutex_lock(&s->a);
	pthread_mutex_unlock(&s->a);
	pthread_mutex_unlock(&s->b);
}

int main(void)
{
	char path[] = "/tmp/thrum-sample-XXXXXX";
	int fd = mkstemp(path), status;
	pthread_mutexattr_t attr;
	struct shared *s;
	pid_t child;

	unlink(path);
	if (fd < 0 || ftruncate(fd, 8192))
		return 3;
	s = map(fd);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->a, &attr);
	pthread_mutex_init(&s->b, &attr);
	child = fork();
	if (!child) {
		struct shared *other = map(fd); /* elsewhere: the old one is still mapped */

		munmap(s, 4096);
		until(&other->step, 1);
		child_way(other);
		_exit(0);
	}
	parent_way(s);
	step_to(&s->step, 1);
	waitpid(child, &status, 0);
	return status != 0;
}
