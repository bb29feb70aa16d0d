/* SPDX-License-Identifier: MIT */
/* SHOWS libuv: uv_loop_close says that handles are open; the program closes them, runs the loop and closes it then: near uv_loop_in_use */
/* BUILD needs=uv */
/* NEVER leaked-handle */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

static void close_it(uv_handle_t *handle, void *argument)
{
	(void)argument;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
}

int main(void)
{
	uv_timer_t timer[3];
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	for (int i = 0; i < 3; i++) {
		MUST(uv_timer_init(&loop, &timer[i]));
		MUST(uv_timer_start(&timer[i], on_timer, 60000, 0));
	}
	MUST(uv_loop_close(&loop) != UV_EBUSY);
	uv_walk(&loop, close_it, NULL);
	MUST(uv_loop_close(&loop) != UV_EBUSY); /* they are closing */
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	return 0;
}
