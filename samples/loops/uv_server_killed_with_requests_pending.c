/* SPDX-License-Identifier: MIT */
/* SHOWS libuv, a near miss: a server calls exit() in a callback: its loop was still meant to run, and had work to do */
/* BUILD needs=uv */
/* NEVER leaked-handle leaked-task unbounded-tasks loop-stall */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

static void work(uv_work_t *request)
{
	(void)request;
	sleep_ms(20);
}

static void after(uv_work_t *request, int status)
{
	(void)request;
	(void)status;
}

static void on_timeout(uv_timer_t *timer)
{
	(void)timer;
	exit(0);
}

int main(void)
{
	static uv_work_t request[50];
	uv_timer_t timer, idle;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &timer));
	MUST(uv_timer_init(&loop, &idle));
	MUST(uv_timer_start(&timer, on_timeout, 30, 0));
	for (int i = 0; i < 50; i++)
		MUST(uv_queue_work(&loop, &request[i], work, after));
	return uv_run(&loop, UV_RUN_DEFAULT);
}
