/* SPDX-License-Identifier: MIT */
/* SCENARIO S68: libuv: a callback posts a task to its own loop and waits for it, for ever */
/* BUILD needs=uv */
/* EXPECT deadlock confidence=observed threads=1 tasks=on_request,on_posted taskkinds=async+handle stacks=ask_and_wait,on_request roles=waits */
/* NEVER stuck-wait loop-stall */
/* RUN timeout=2 kill=1 */
#include "loop_work.h"

#include <uv.h>

static uv_async_t posted;
static sem_t answered;

static void on_posted(uv_async_t *async)
{
	(void)async;
	MUST(sem_post(&answered));
}

static NOINLINE void ask_and_wait(void)
{
	MUST(uv_async_send(&posted));
	MUST(sem_wait(&answered));
}

static void on_request(uv_timer_t *timer)
{
	(void)timer;
	ask_and_wait();
}

int main(void)
{
	uv_timer_t timer;
	uv_loop_t loop;

	MUST(sem_init(&answered, 0, 0));
	MUST(uv_loop_init(&loop));
	MUST(uv_async_init(&loop, &posted, on_posted));
	MUST(uv_timer_init(&loop, &timer));
	MUST(uv_timer_start(&timer, on_request, 1, 0));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	return 0;
}
