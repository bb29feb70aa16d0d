/* SPDX-License-Identifier: MIT */
/* SHOWS a variable that one thread changes atomically and another reads plainly: its type is atomic, that access is not */
/* EXPECT data-race confidence=observed threads=2 stacks=add,look says=read+and+write */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

#include <stdatomic.h>

static atomic_long counter;
static volatile long sink;

static void *add(void *arg)
{
	for (int i = 0; i < 1000; i++)
		atomic_fetch_add(&counter, 1);
	return arg;
}

static void *look(void *arg)
{
	for (int i = 0; i < 1000; i++)
		sink += *(volatile long *)(void *)&counter;
	return arg;
}

int main(void)
{
	run_two(add, look);
	return 0;
}
