/* SPDX-License-Identifier: MIT */
/* SCENARIO S68b: its twin: the timer is closed, the loop runs until that is done, and is closed */
/* BUILD needs=uv */
/* NEVER leaked-handle leaked-task */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

static void on_timeout(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

int main(void)
{
	uv_timer_t timer;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &timer));
	MUST(uv_timer_start(&timer, on_timeout, 1, 0));
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	printf("%d\n", uv_loop_close(&loop));
	return 0;
}
