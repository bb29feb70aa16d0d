/* SPDX-License-Identifier: MIT */
/* SCENARIO S48: a child execs this program with an empty environment, that one forks a daemon twice: the inversion is there */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 */
/* RUN */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *forwards(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *backwards(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	step_to(&step, 2);
	return arg;
}

/* Far from where it started: no descriptors, another directory, no parent. The pipe's end tells the first process. */
static void be_the_daemon(int pipe_fd)
{
	if (daemon(0, 0))
		_exit(3);
	for (int fd = 3; fd < 1024; fd++)
		if (fd != pipe_fd)
			close(fd);
	run_two(forwards, backwards);
	_exit(0);
}

int main(int argc, char **argv)
{
	char *const nothing[] = { NULL };
	char number[16], none;
	int ends[2];
	pid_t child;

	if (argc > 1)
		be_the_daemon(atoi(argv[1]));
	if (pipe(ends))
		return 3;
	child = fork();
	if (!child) {
		close(ends[0]);
		snprintf(number, sizeof(number), "%d", ends[1]);
		execle("/proc/self/exe", argv[0], number, (char *)NULL, nothing);
		_exit(3);
	}
	close(ends[1]);
	waitpid(child, NULL, 0);
	if (read(ends[0], &none, 1) != 0)
		return 3;
	printf("the daemon is gone\n");
	return 0;
}
