/* SPDX-License-Identifier: MIT */
/* SHOWS a rwlock that another thread has for writing while the process forks; the child wants to read */
/* EXPECT fork-with-lock-held confidence=observed stacks=look_up,reload threads=2..3 locks=table_lock roles=waits,holds */
/* RUN timeout=2 */
#include "../sample.h"

#include <sys/wait.h>

static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static int step;

static NOINLINE void reload(void)
{
	pthread_rwlock_wrlock(&table_lock);
	step_to(&step, 1);
	until(&step, 2);
	pthread_rwlock_unlock(&table_lock);
}

static void *reloader(void *arg)
{
	reload();
	return arg;
}

static NOINLINE void look_up(void)
{
	pthread_rwlock_rdlock(&table_lock);
	pthread_rwlock_unlock(&table_lock);
}

int main(void)
{
	pthread_t t = start(reloader, NULL);
	pid_t child;
	int status;

	until(&step, 1);
	child = fork();
	if (!child) {
		look_up();
		_exit(0);
	}
	step_to(&step, 2);
	pthread_join(t, NULL);
	waitpid(child, &status, 0);
	return 0;
}
