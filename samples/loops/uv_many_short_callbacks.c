/* SPDX-License-Identifier: MIT */
/* SHOWS libuv, a near miss: a second of work in one turn of the loop, but no callback takes long */
/* BUILD needs=uv */
/* NEVER loop-stall blocking-call-in-loop leaked-handle */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

enum { TIMERS = 100 };

static int calls;

static void on_timer(uv_timer_t *timer)
{
	compute_ms(8);
	calls++;
	uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
	static uv_timer_t timer[TIMERS];
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	for (int i = 0; i < TIMERS; i++) {
		MUST(uv_timer_init(&loop, &timer[i]));
		MUST(uv_timer_start(&timer[i], on_timer, 1, 0));
	}
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	printf("%d\n", calls);
	return 0;
}
