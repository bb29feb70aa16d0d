/* SPDX-License-Identifier: MIT */
/* SHOWS a process that is killed with a mutex in shared memory locked; its parent waits for it ever after */
/* EXPECT stuck-wait confidence=observed stacks=carry_on,hold_for_ever threads=2 roles=waits,holds */
/* RUN timeout=2 */
#include "../sample.h"

#include <sys/mman.h>
#include <sys/wait.h>

struct shared {
	pthread_mutex_t lock;
	int step;
};

static NOINLINE void hold_for_ever(struct shared *s)
{
	pthread_mutex_lock(&s->lock);
	step_to(&s->step, 1);
	for (;;)
		pause();
}

static NOINLINE void carry_on(struct shared *s)
{
	pthread_mutex_lock(&s->lock);
}

int main(void)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	pid_t child;

	if (s == MAP_FAILED)
		return 3;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->lock, &attr);
	child = fork();
	if (!child)
		hold_for_ever(s);
	until(&s->step, 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	carry_on(s);
	return 0;
}
