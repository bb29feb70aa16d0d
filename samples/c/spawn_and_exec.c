/* SPDX-License-Identifier: MIT */
/* SHOWS posix_spawn, vfork and exec, system and popen from a threaded program */
/* NEVER deadlock leaked-thread */
/* RUN clean */
#include "../sample.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int stop;

static void *busy(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		sched_yield();
	}
	return arg;
}

int main(void)
{
	char *const arguments[] = { (char *)"true", NULL };
	pthread_t t = start(busy, NULL);
	int status = -1, sum = 0;
	char line[32] = "";
	pid_t child;
	FILE *pipe;

	MUST(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ));
	waitpid(child, &status, 0);
	sum += status;
	child = vfork();
	if (!child) {
		execve("/bin/true", arguments, environ);
		_exit(127);
	}
	waitpid(child, &status, 0);
	sum += status;
	sum += system("exit 0");
	pipe = popen("echo from the child", "r");
	if (pipe && fgets(line, sizeof(line), pipe))
		fputs(line, stdout);
	if (pipe)
		sum += pclose(pipe);
	step_to(&stop, 1);
	finish(t);
	return sum;
}
