/* SPDX-License-Identifier: MIT */
/* SHOWS libuv, a near miss: callbacks leave the loop by longjmp; what main does then for 300 ms is no stall of theirs */
/* BUILD needs=uv */
/* NEVER loop-stall blocking-call-in-loop leaked-handle */
/* RUN clean */
#include "loop_work.h"

#include <setjmp.h>
#include <uv.h>

static jmp_buf out;
static int calls;

static void on_timer(uv_timer_t *timer)
{
	uv_timer_stop(timer);
	calls++;
	longjmp(out, 1);
}

int main(void)
{
	static uv_timer_t timer;
	static uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &timer));
	for (volatile int i = 0; i < 3; i++) {
		MUST(uv_timer_start(&timer, on_timer, 1, 0));
		if (!setjmp(out))
			uv_run(&loop, UV_RUN_DEFAULT);
		sleep_ms(150);
	}
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	MUST(uv_loop_close(&loop));
	printf("%d\n", calls);
	return 0;
}
