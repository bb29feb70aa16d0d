/* SPDX-License-Identifier: MIT */
/* SCENARIO S76b: a near miss: the second barrier of a round is missing, so the next round's write meets this one's read */
/* EXPECT data-race confidence=observed threads=2 stacks=put,get locks=half says=read+and+write count=1..2 */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

enum { ROUNDS = 20 };

static long half[2];
static pthread_barrier_t phase;

static NOINLINE void put(int mine, long value)
{
	half[mine] = value;
}

static NOINLINE long get(int theirs)
{
	return half[theirs];
}

static void exchange(int mine)
{
	for (long i = 0; i < ROUNDS; i++) {
		put(mine, i);
		pthread_barrier_wait(&phase);
		if (get(1 - mine) < 0)
			abort();
	}
}

static void *first(void *arg)
{
	exchange(0);
	return arg;
}

static void *second(void *arg)
{
	exchange(1);
	return arg;
}

int main(void)
{
	MUST(pthread_barrier_init(&phase, NULL, 2));
	run_two(first, second);
	return 0;
}
