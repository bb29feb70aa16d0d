/* SPDX-License-Identifier: MIT */
/* SHOWS libuv, the twin of uv_leaked_timers: each timer is closed when it has run */
/* BUILD needs=uv */
/* NEVER leaked-handle leaked-task unbounded-tasks */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

enum { REQUESTS = 300 };

static int handled;

static void on_closed(uv_handle_t *timer)
{
	free(timer);
}

static void on_timeout(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, on_closed);
}

static NOINLINE void handle_request(uv_loop_t *loop)
{
	uv_timer_t *timer = malloc(sizeof(*timer));

	MUST(uv_timer_init(loop, timer));
	MUST(uv_timer_start(timer, on_timeout, 5, 0));
}

static void on_request(uv_timer_t *source)
{
	handle_request(source->loop);
	if (++handled == REQUESTS)
		uv_stop(source->loop);
}

int main(void)
{
	uv_timer_t source;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &source));
	MUST(uv_timer_start(&source, on_request, 1, 1));
	uv_run(&loop, UV_RUN_DEFAULT);
	printf("%d\n", handled);
	return 0;
}
