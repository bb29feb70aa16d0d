/* SPDX-License-Identifier: MIT */
/* SHOWS libuv: five work items meet at a barrier, and the pool has four threads: the fifth waits for one of them */
/* BUILD needs=uv */
/* EXPECT deadlock confidence=observed threads=4..5 tasks=meet_others taskkinds=work+request stacks=meet_others roles=waits */
/* NEVER stuck-wait loop-stall leaked-thread */
/* RUN timeout=2 */
#include "loop_work.h"

#include <uv.h>

enum { ITEMS = 5 };

static pthread_barrier_t all;

static void meet_others(uv_work_t *request)
{
	(void)request;
	pthread_barrier_wait(&all);
}

static void after(uv_work_t *request, int status)
{
	(void)request;
	(void)status;
}

int main(void)
{
	static uv_work_t item[ITEMS];
	uv_loop_t loop;

	MUST(pthread_barrier_init(&all, NULL, ITEMS));
	MUST(uv_loop_init(&loop));
	for (int i = 0; i < ITEMS; i++)
		MUST(uv_queue_work(&loop, &item[i], meet_others, after));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	return 0;
}
