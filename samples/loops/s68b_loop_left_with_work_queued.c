/* SPDX-License-Identifier: MIT */
/* SCENARIO S68b: libuv: the loop is left for good while requests wait: their callbacks are never called */
/* BUILD needs=uv */
/* EXPECT leaked-task taskkinds=work+request stacks=post roles=creates occurs=2 */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

static int left, worked;

static void work(uv_work_t *request)
{
	(void)request;
	until(&left, 1); /* or its second half would run in the turn that uv_stop ends */
	__atomic_add_fetch(&worked, 1, __ATOMIC_SEQ_CST);
}

static void after(uv_work_t *request, int status)
{
	(void)status;
	free(request);
}

static NOINLINE void post(uv_loop_t *loop)
{
	MUST(uv_queue_work(loop, malloc(sizeof(uv_work_t)), work, after));
}

static void on_timeout(uv_timer_t *timer)
{
	post(timer->loop);
	post(timer->loop);
	uv_close((uv_handle_t *)timer, NULL);
	uv_stop(timer->loop);
}

int main(void)
{
	static uv_timer_t timer; /* the pool's threads use them until the end */
	static uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &timer));
	MUST(uv_timer_start(&timer, on_timeout, 1, 0));
	uv_run(&loop, UV_RUN_DEFAULT);
	__atomic_store_n(&left, 1, __ATOMIC_SEQ_CST);
	until(&worked, 2);
	puts("done");
	return 0;
}
