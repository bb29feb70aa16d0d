/* SPDX-License-Identifier: MIT */
/* SHOWS libuv: work is queued to the pool faster than it is done, all the time */
/* BUILD needs=uv */
/* EXPECT unbounded-tasks confidence=potential taskkinds=work+request stacks=on_packet */
/* ALLOW leaked-task level=warning */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

enum { PACKETS = 3000, AT_ONCE = 10 };

static int packets;

static void work(uv_work_t *request)
{
	(void)request;
	sleep_ms(5);
}

static void after(uv_work_t *request, int status)
{
	(void)status;
	free(request);
}

static void on_packet(uv_timer_t *timer)
{
	for (int i = 0; i < AT_ONCE; i++)
		MUST(uv_queue_work(timer->loop, malloc(sizeof(uv_work_t)), work, after));
	packets += AT_ONCE;
	if (packets == PACKETS) {
		printf("%d\n", packets);
		fflush(stdout);
		_exit(0);
	}
}

int main(void)
{
	uv_timer_t timer;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &timer));
	MUST(uv_timer_start(&timer, on_packet, 1, 4));
	return uv_run(&loop, UV_RUN_DEFAULT);
}
