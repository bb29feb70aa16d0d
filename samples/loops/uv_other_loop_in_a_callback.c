/* SPDX-License-Identifier: MIT */
/* SHOWS libuv: a callback runs another loop until that is done: meanwhile its own loop stands still */
/* BUILD needs=uv */
/* EXPECT loop-stall confidence=observed tasks=on_timer says=epoll_wait */
/* EXPECT blocking-call-in-loop confidence=observed tasks=on_timer */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

static void on_inner(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
}

static void on_timer(uv_timer_t *timer)
{
	uv_timer_t inner;
	uv_loop_t loop;

	uv_close((uv_handle_t *)timer, NULL);
	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &inner));
	MUST(uv_timer_start(&inner, on_inner, 300, 0));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
}

int main(void)
{
	uv_timer_t timer;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &timer));
	MUST(uv_timer_start(&timer, on_timer, 1, 0));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	puts("done");
	return 0;
}
