/* SPDX-License-Identifier: MIT */
/* SHOWS a reference count in a heap block, counted without atomics: the report names the block and where it was allocated */
/* EXPECT data-race confidence=observed threads=2 stacks=drop says=heap+block+of+16+bytes */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static struct shared {
	long references, data;
} * shared;

static void *drop(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		shared->references++;
		__asm__ volatile("" ::: "memory"); /* both are made */
		shared->references--;
	}
	return arg;
}

int main(void)
{
	shared = calloc(1, sizeof(*shared));
	run_two(drop, drop);
	free(shared);
	return 0;
}
