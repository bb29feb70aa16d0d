/* SPDX-License-Identifier: MIT */
/* SHOWS libuv: uv_walk closes all handles, its callback compiled to a jump to uv_close: nothing is left open */
/* BUILD needs=uv flags=-O2 */
/* NEVER leaked-handle leaked-task */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

enum { HANDLES = 50 };

static void close_it(uv_handle_t *handle, void *argument)
{
	(void)argument;
	uv_close(handle, NULL);
}

static void on_timer(uv_timer_t *timer)
{
	uv_walk(timer->loop, close_it, NULL);
}

int main(void)
{
	static uv_timer_t timer[HANDLES];
	static uv_idle_t idle;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_idle_init(&loop, &idle));
	for (int i = 0; i < HANDLES; i++) {
		MUST(uv_timer_init(&loop, &timer[i]));
		MUST(uv_timer_start(&timer[i], on_timer, i ? 60000 : 1, 0));
	}
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	printf("%d\n", uv_loop_close(&loop));
	return 0;
}
