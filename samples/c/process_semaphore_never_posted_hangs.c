/* SPDX-License-Identifier: MIT */
/* SHOWS a child that ends without the post its parent waits for: the semaphore lies in shared memory */
/* EXPECT stuck-wait confidence=observed stacks=await_child threads=1..2 roles=waits */
/* RUN timeout=2 */
#include "../sample.h"

#include <sys/mman.h>
#include <sys/wait.h>

static sem_t *ready;

static NOINLINE void await_child(void)
{
	while (sem_wait(ready))
		;
}

int main(void)
{
	pid_t child;

	ready = mmap(NULL, sizeof(*ready), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (ready == MAP_FAILED || sem_init(ready, 1, 0))
		return 3;
	child = fork();
	if (!child)
		_exit(1);
	waitpid(child, NULL, 0);
	await_child();
	return 0;
}
