/* SPDX-License-Identifier: MIT */
/* SHOWS a block that one thread frees while another uses it, and a variable of main's stack that two threads change */
/* EXPECT data-race confidence=observed stacks=use_block,free_block says=frees+the+memory */
/* EXPECT data-race confidence=observed stacks=change_one,change_two says=stack+variable */
#include "../sample.h"

static pthread_barrier_t go;

static volatile int is_free;

/* The order that makes it a use after a free; ThreadSanitizer sees nothing of it. */
__attribute__((no_sanitize("thread"))) static NOINLINE void await_free(void)
{
	while (!is_free)
		sched_yield();
}

__attribute__((no_sanitize("thread"))) static NOINLINE void say_free(void)
{
	is_free = 1;
}

static NOINLINE void *use_block(void *block)
{
	int *number = block;

	pthread_barrier_wait(&go);
	await_free();
	number[2]++;
	return NULL;
}

static NOINLINE void *free_block(void *block)
{
	pthread_barrier_wait(&go);
	free(block);
	say_free();
	return NULL;
}

static NOINLINE void *change_one(void *number)
{
	pthread_barrier_wait(&go);
	++*(int *)number;
	return NULL;
}

static NOINLINE void *change_two(void *number)
{
	pthread_barrier_wait(&go);
	++*(int *)number;
	return NULL;
}

static void pair(void *(*a)(void *), void *(*b)(void *), void *argument)
{
	pthread_t one, two;

	MUST(pthread_create(&one, NULL, a, argument));
	MUST(pthread_create(&two, NULL, b, argument));
	MUST(pthread_join(one, NULL));
	MUST(pthread_join(two, NULL));
}

int main(void)
{
	int number = 0;

	MUST(pthread_barrier_init(&go, NULL, 2));
	pair(use_block, free_block, calloc(4, sizeof(int)));
	pair(change_one, change_two, &number);
	return number ? 0 : 3;
}
