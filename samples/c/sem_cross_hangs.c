/* SPDX-License-Identifier: MIT */
/* SHOWS two threads that each wait for the other's semaphore before they post their own */
/* EXPECT deadlock|stuck-wait confidence=observed stacks=left,right threads=2..3 roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static sem_t to_left, to_right;

static void *left(void *arg)
{
	for (int i = 0; i < 5; i++) {
		sem_wait(&to_left);
		sem_post(&to_right);
	}
	return arg;
}

static void *right(void *arg)
{
	for (int i = 0; i < 5; i++) {
		sem_wait(&to_right);
		sem_post(&to_left);
	}
	return arg;
}

int main(void)
{
	MUST(sem_init(&to_left, 0, 0)); /* one of them should begin with 1 */
	MUST(sem_init(&to_right, 0, 0));
	run_two(left, right);
	return 0;
}
