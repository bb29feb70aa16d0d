/* SPDX-License-Identifier: MIT */
/* SCENARIO S42: two process-shared mutexes at different addresses in two processes, in one order there and in the other here */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards */
/* RUN */
#include "../process.h"

struct area {
	pthread_mutex_t a, b;
	int step;
};

static int fd;

static struct area *map_it(void)
{
	void *p = mmap(NULL, sizeof(struct area), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return (struct area *)p;
}

static NOINLINE void forwards(struct area *s)
{
	MUST(pthread_mutex_lock(&s->a));
	MUST(pthread_mutex_lock(&s->b));
	MUST(pthread_mutex_unlock(&s->b));
	MUST(pthread_mutex_unlock(&s->a));
}

static NOINLINE void backwards(struct area *s)
{
	MUST(pthread_mutex_lock(&s->b));
	MUST(pthread_mutex_lock(&s->a));
	MUST(pthread_mutex_unlock(&s->a));
	MUST(pthread_mutex_unlock(&s->b));
}

static int child(void)
{
	struct area *s;

	/* Something else where the parent has its mapping or near it: ours lands elsewhere. */
	mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s = map_it();
	until(&s->step, 1);
	forwards(s);
	step_to(&s->step, 2);
	until(&s->step, 3);
	return 0;
}

int main(void)
{
	struct area *s;
	pid_t pid;

	fd = shared_file(sizeof(struct area));
	pid = start_child(child);
	s = map_it();
	shared_mutex(&s->a);
	shared_mutex(&s->b);
	step_to(&s->step, 1);
	until(&s->step, 2);
	backwards(s);
	step_to(&s->step, 3);
	finish_child(pid);
	return 0;
}
