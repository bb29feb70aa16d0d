/* SPDX-License-Identifier: MIT */
/* SHOWS libuv, the twin of uv_unbounded_work: no more is taken in while 20 items are pending */
/* BUILD needs=uv */
/* NEVER unbounded-tasks leaked-task leaked-handle */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

enum { PACKETS = 600, PENDING = 20 };

static int packets, pending;

static void work(uv_work_t *request)
{
	(void)request;
	sleep_ms(2);
}

static void after(uv_work_t *request, int status)
{
	(void)status;
	free(request);
	pending--;
}

static void on_packet(uv_timer_t *timer)
{
	for (; pending < PENDING && packets < PACKETS; packets++, pending++)
		MUST(uv_queue_work(timer->loop, malloc(sizeof(uv_work_t)), work, after));
	if (packets == PACKETS)
		uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
	uv_timer_t timer;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &timer));
	MUST(uv_timer_start(&timer, on_packet, 1, 2));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	printf("%d\n", packets);
	return 0;
}
