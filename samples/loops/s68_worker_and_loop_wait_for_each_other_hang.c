/* SPDX-License-Identifier: MIT */
/* SCENARIO S68: libuv: a callback joins a thread that waits for what it posted to that callback's loop */
/* BUILD needs=uv */
/* EXPECT deadlock confidence=observed threads=2 tasks=on_result stacks=on_stop,worker roles=waits */
/* NEVER stuck-wait loop-stall leaked-thread */
/* RUN timeout=2 kill=1 */
#include "loop_work.h"

#include <uv.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t taken = PTHREAD_COND_INITIALIZER;
static uv_async_t result;
static pthread_t thread;
static int is_taken, is_stopping;

static void on_result(uv_async_t *async)
{
	(void)async;
	MUST(pthread_mutex_lock(&m));
	is_taken = 1;
	MUST(pthread_cond_signal(&taken));
	MUST(pthread_mutex_unlock(&m));
}

/* Gives its result to the loop and waits until it was taken. */
static void *worker(void *arg)
{
	until(&is_stopping, 1);
	MUST(uv_async_send(&result));
	MUST(pthread_mutex_lock(&m));
	while (!is_taken)
		MUST(pthread_cond_wait(&taken, &m));
	MUST(pthread_mutex_unlock(&m));
	return arg;
}

static void on_stop(uv_timer_t *timer)
{
	(void)timer;
	step_to(&is_stopping, 1);
	MUST(pthread_join(thread, NULL));
}

int main(void)
{
	uv_timer_t timer;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_async_init(&loop, &result, on_result));
	MUST(uv_timer_init(&loop, &timer));
	MUST(uv_timer_start(&timer, on_stop, 1, 0));
	MUST(pthread_create(&thread, NULL, worker, NULL));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	return 0;
}
