/* SPDX-License-Identifier: MIT */
/* SHOWS races before an exec of the program itself, after it, and in a forked child: each process image has its own */
/* EXPECT data-race confidence=observed locks=g_before stacks=change_before */
/* EXPECT data-race confidence=observed locks=g_after stacks=change_after */
/* EXPECT data-race confidence=observed locks=g_child stacks=change_in_child */
#include "../sample.h"

#include <sys/wait.h>

static long g_before, g_after, g_child;
static pthread_barrier_t go;

static NOINLINE void *change_before(void *unused)
{
	pthread_barrier_wait(&go);
	g_before++;
	return unused;
}

static NOINLINE void *change_after(void *unused)
{
	pthread_barrier_wait(&go);
	g_after++;
	return unused;
}

static NOINLINE void *change_in_child(void *unused)
{
	pthread_barrier_wait(&go);
	g_child++;
	return unused;
}

static void race(void *(*routine)(void *))
{
	pthread_t one, two;

	MUST(pthread_barrier_init(&go, NULL, 2));
	MUST(pthread_create(&one, NULL, routine, NULL));
	MUST(pthread_create(&two, NULL, routine, NULL));
	MUST(pthread_join(one, NULL));
	MUST(pthread_join(two, NULL));
	MUST(pthread_barrier_destroy(&go));
}

int main(int argc, char **argv)
{
	pid_t child;
	int status;

	if (argc < 2) {
		race(change_before);
		execl("/proc/self/exe", argv[0], "again", (char *)NULL);
		return 3;
	}
	race(change_after);
	child = fork();
	if (!child) {
		race(change_in_child);
		_exit(0);
	}
	return waitpid(child, &status, 0) == child && !status ? 0 : 3;
}
