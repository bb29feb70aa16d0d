/* SPDX-License-Identifier: MIT */
/* SCENARIO S67: a fiber locks on one thread, is resumed on another and unlocks there; the program says so: a note only */
/* EXPECT lock-held-across-await confidence=hint level=note stacks=body locks=fiber_lock */
/* NEVER unlock-not-owned unlock-not-locked lock-held-at-thread-exit lock-order-inversion */
/* RUN clean */
#include "../../include/thrum.h"
#include "../sample.h"

#include <ucontext.h>

static pthread_mutex_t fiber_lock = PTHREAD_MUTEX_INITIALIZER;
static ucontext_t fiber, scheduler;
static uint32_t id;
static char stack[256 * 1024];

static NOINLINE void body(void)
{
	pthread_mutex_lock(&fiber_lock);
	thrum_fiber_switch(0);
	swapcontext(&fiber, &scheduler);
	pthread_mutex_unlock(&fiber_lock);
	thrum_fiber_switch(0);
	swapcontext(&fiber, &scheduler);
}

static NOINLINE void run_fiber(void)
{
	thrum_fiber_switch(id);
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

	id = thrum_fiber_create("request");
	getcontext(&fiber);
	fiber.uc_stack.ss_sp = stack;
	fiber.uc_stack.ss_size = sizeof(stack);
	makecontext(&fiber, body, 0);
	MUST(pthread_create(&t, NULL, first, NULL));
	MUST(pthread_join(t, NULL));
	MUST(pthread_create(&t, NULL, second, NULL));
	MUST(pthread_join(t, NULL));
	thrum_fiber_destroy(id);
	return 0;
}
