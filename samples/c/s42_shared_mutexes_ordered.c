/* SPDX-License-Identifier: MIT */
/* SHOWS process-shared mutexes at different addresses, taken in one order by all of four processes; private ones beside them in both */
/* RUN clean */
#include "../process.h"

struct area {
	pthread_mutex_t a, b;
	int step, sum;
};

static int fd;
static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER; /* each process has one of its own */

static struct area *map_it(void)
{
	return (struct area *)mmap(NULL, sizeof(struct area), PROT_READ | PROT_WRITE, MAP_SHARED,
				   fd, 0);
}

static void both(struct area *s)
{
	for (int i = 0; i < 100; i++) {
		MUST(pthread_mutex_lock(&s->a));
		MUST(pthread_mutex_lock(&s->b));
		s->sum++;
		MUST(pthread_mutex_unlock(&s->b));
		MUST(pthread_mutex_unlock(&s->a));
	}
}

static int odd(void)
{
	struct area *s;

	mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s = map_it();
	until(&s->step, 1);
	both(s);
	MUST(pthread_mutex_lock(&own));
	MUST(pthread_mutex_lock(&s->a));
	MUST(pthread_mutex_unlock(&s->a));
	MUST(pthread_mutex_unlock(&own));
	return 0;
}

static int even(void)
{
	struct area *s = map_it();

	until(&s->step, 1);
	both(s);
	MUST(pthread_mutex_lock(&s->a));
	MUST(pthread_mutex_lock(&own));
	MUST(pthread_mutex_unlock(&own));
	MUST(pthread_mutex_unlock(&s->a));
	return 0;
}

int main(void)
{
	struct area *s;
	pid_t pid[4];

	fd = shared_file(sizeof(struct area));
	for (int i = 0; i < 4; i++)
		pid[i] = start_child(i % 2 ? odd : even);
	s = map_it();
	shared_mutex(&s->a);
	shared_mutex(&s->b);
	step_to(&s->step, 1);
	for (int i = 0; i < 4; i++)
		finish_child(pid[i]);
	printf("%d\n", s->sum);
	return 0;
}
