/* SPDX-License-Identifier: MIT */
/* SHOWS a struct of three words that one thread writes while another copies it */
/* EXPECT data-race count=1..3 confidence=observed threads=2 stacks=write_it,read_it says=read+and+write */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static struct state {
	long a, b, c;
} state;
static volatile long sink;

static void *write_it(void *arg)
{
	for (long i = 0; i < 1000; i++) {
		state = (struct state){ i, i, i };
		__asm__ volatile("" ::: "memory"); /* each is made */
	}
	return arg;
}

static void *read_it(void *arg)
{
	long sum = 0;

	for (int i = 0; i < 1000; i++) {
		struct state copy = state;

		__asm__ volatile("" ::: "memory");
		sum += copy.a + copy.b + copy.c;
	}
	sink = sum;
	return arg;
}

int main(void)
{
	run_two(write_it, read_it);
	return 0;
}
