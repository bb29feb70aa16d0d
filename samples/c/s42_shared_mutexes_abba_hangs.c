/* SPDX-License-Identifier: MIT */
/* SCENARIO S42: two processes, each holds a process-shared mutex and wants the other's; mapped at different addresses */
/* EXPECT deadlock confidence=observed stacks=forwards,backwards */
/* ALLOW lock-order-inversion level=any */
/* RUN timeout=2 */
#include "../process.h"

struct area {
	pthread_mutex_t a, b;
	int step, met;
};

static int fd;

static struct area *map_it(void)
{
	return (struct area *)mmap(NULL, sizeof(struct area), PROT_READ | PROT_WRITE, MAP_SHARED,
				   fd, 0);
}

static NOINLINE void forwards(struct area *s)
{
	MUST(pthread_mutex_lock(&s->a));
	meet(&s->met, 2);
	MUST(pthread_mutex_lock(&s->b));
}

static NOINLINE void backwards(struct area *s)
{
	MUST(pthread_mutex_lock(&s->b));
	meet(&s->met, 2);
	MUST(pthread_mutex_lock(&s->a));
}

static int child(void)
{
	struct area *s;

	mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s = map_it();
	until(&s->step, 1);
	forwards(s);
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
	backwards(s);
	finish_child(pid);
	return 0;
}
