/* SPDX-License-Identifier: MIT */
/* SHOWS a mutex in main's frame while main runs coroutines on heap stacks: it lives on, and its inversion is found */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 */
/* NEVER unlock-not-owned */
/* RUN */
#include "../sample.h"

#include <ucontext.h>

static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER, tick = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t *local_lock;
static ucontext_t main_context, coroutine_context;
static int step;

static void coroutine(void)
{
	for (;;) {
		pthread_mutex_lock(&tick); /* seen far from main's stack */
		pthread_mutex_unlock(&tick);
		swapcontext(&coroutine_context, &main_context);
	}
}

static void *forwards(void *arg)
{
	until(&step, 1);
	pthread_mutex_lock(local_lock);
	pthread_mutex_lock(&other);
	pthread_mutex_unlock(&other);
	pthread_mutex_unlock(local_lock);
	step_to(&step, 2);
	until(&step, 4);
	return arg;
}

static void *backwards(void *arg)
{
	until(&step, 3);
	pthread_mutex_lock(&other);
	pthread_mutex_lock(local_lock);
	pthread_mutex_unlock(local_lock);
	pthread_mutex_unlock(&other);
	step_to(&step, 4);
	return arg;
}

int main(void)
{
	pthread_mutex_t local = PTHREAD_MUTEX_INITIALIZER;
	size_t room = 256 * 1024;
	char *stack = (char *)malloc(room);
	pthread_t a, b;

	local_lock = &local;
	getcontext(&coroutine_context);
	coroutine_context.uc_stack.ss_sp = stack;
	coroutine_context.uc_stack.ss_size = room;
	makecontext(&coroutine_context, coroutine, 0);
	pthread_mutex_lock(&local);
	swapcontext(&main_context, &coroutine_context);
	pthread_mutex_unlock(&local);
	a = start(forwards, NULL);
	b = start(backwards, NULL);
	step_to(&step, 1);
	until(&step, 2);
	for (int i = 0; i < 3; i++)
		swapcontext(&main_context, &coroutine_context);
	step_to(&step, 3);
	finish(a);
	finish(b);
	free(stack);
	return 0;
}
