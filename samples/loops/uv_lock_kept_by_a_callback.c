/* SPDX-License-Identifier: MIT */
/* SHOWS libuv: a callback returns to its loop with a mutex held, another one releases it */
/* BUILD needs=uv */
/* EXPECT lock-held-across-await confidence=hint tasks=on_begin locks=table stacks=on_begin roles=holds,awaits */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

static void on_begin(uv_timer_t *timer)
{
	MUST(pthread_mutex_lock(&table));
	uv_close((uv_handle_t *)timer, NULL);
}

static void on_end(uv_timer_t *timer)
{
	MUST(pthread_mutex_unlock(&table));
	uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
	uv_timer_t begin, end;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &begin));
	MUST(uv_timer_init(&loop, &end));
	MUST(uv_timer_start(&begin, on_begin, 1, 0));
	MUST(uv_timer_start(&end, on_end, 10, 0));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	puts("done");
	return 0;
}
