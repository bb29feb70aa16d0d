/* SPDX-License-Identifier: MIT */
/* SHOWS libuv: uv_loop_close fails, twice, and nobody looks: a timer was never closed; another one was, in between */
/* BUILD needs=uv */
/* EXPECT leaked-handle confidence=observed taskkinds=timer stacks=forget_to_close says=never+closed */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
}

static NOINLINE void forget_to_close(uv_loop_t *loop, uv_timer_t *timer)
{
	MUST(uv_timer_init(loop, timer));
	MUST(uv_timer_start(timer, on_timer, 1, 0));
}

int main(void)
{
	static uv_timer_t forgotten, closed;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	forget_to_close(&loop, &forgotten);
	MUST(uv_timer_init(&loop, &closed));
	uv_close((uv_handle_t *)&closed, NULL);
	(void)uv_loop_close(&loop);
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	(void)uv_loop_close(&loop);
	return 0;
}
