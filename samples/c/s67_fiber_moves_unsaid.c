/* SPDX-License-Identifier: MIT */
/* SCENARIO S67: the same without a word from the program: thread one locks, thread two unlocks */
/* EXPECT unlock-not-owned confidence=observed level=error stacks=body threads=2 locks=fiber_lock */
/* NEVER lock-held-across-await */
/* RUN */
#include "../sample.h"

#include <ucontext.h>

static pthread_mutex_t fiber_lock = PTHREAD_MUTEX_INITIALIZER;
static ucontext_t fiber, scheduler;
static char stack[256 * 1024];

static NOINLINE void body(void)
{
	pthread_mutex_lock(&fiber_lock);
	swapcontext(&fiber, &scheduler);
	pthread_mutex_unlock(&fiber_lock);
	swapcontext(&fiber, &scheduler);
}

static NOINLINE void run_fiber(void)
{
	swapcontext(&scheduler, &fiber);
}

static void *first(void *arg)
{
	run_fiber();
	return arg;
}

static void *second(void *arg)
{
	run_fiber();
	return arg;
}

int main(void)
{
	pthread_t t;

	getcontext(&fiber);
	fiber.uc_stack.ss_sp = stack;
	fiber.uc_stack.ss_size = sizeof(stack);
	makecontext(&fiber, body, 0);
	MUST(pthread_create(&t, NULL, first, NULL));
	MUST(pthread_join(t, NULL));
	MUST(pthread_create(&t, NULL, second, NULL));
	MUST(pthread_join(t, NULL));
	return 0;
}
