/* SPDX-License-Identifier: MIT */
/* SHOWS a daemon: double fork, setsid, descriptors closed, directory changed; threads in the grandchild, all correct */
/* NEVER deadlock leaked-thread lock-held-at-exit */
/* RUN clean */
#include "../sample.h"

#include <sys/mman.h>
#include <sys/wait.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int *shared;

static void *work(void *arg)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
	return arg;
}

static void grandchild(void)
{
	if (chdir("/"))
		_exit(3);
	for (int fd = 0; fd < 256; fd++)
		close(fd);
	run_two(work, work);
	step_to(shared, 1);
	_exit(0);
}

int main(void)
{
	pid_t child;

	shared = (int *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	work(NULL);
	child = fork();
	if (!child) {
		setsid();
		if (!fork())
			grandchild();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	until(shared, 1);
	printf("daemon ran\n");
	return 0;
}
