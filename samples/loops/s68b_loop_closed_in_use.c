/* SPDX-License-Identifier: MIT */
/* SCENARIO S68b: libuv: a loop is closed while a timer of it was never closed */
/* BUILD needs=uv */
/* EXPECT leaked-handle confidence=observed taskkinds=timer stacks=start_session,main roles=creates,destroys */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

static void on_timeout(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static NOINLINE void start_session(uv_loop_t *loop, uv_timer_t *timer)
{
	MUST(uv_timer_init(loop, timer));
	MUST(uv_timer_start(timer, on_timeout, 1, 0));
}

int main(void)
{
	uv_timer_t timer;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	start_session(&loop, &timer);
	uv_run(&loop, UV_RUN_DEFAULT);
	printf("%d\n", uv_loop_close(&loop) == UV_EBUSY);
	return 0;
}
