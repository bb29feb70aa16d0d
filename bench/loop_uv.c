/* SPDX-License-Identifier: MIT */
/*
 * loop_uv.c - workloads of libuv: a timer that arms itself again, two loops that wake each other, work on the pool, and timers that
 * are made, closed and leaked by the million.
 */
#include "loop_micro.h"

#include <uv.h>

enum { BATCH = 1000 };

static uv_loop_t loop, other;
static uv_async_t here, there;

static void on_timer(uv_timer_t *timer)
{
	if (++called < wanted)
		MUST(uv_timer_start(timer, on_timer, 0, 0));
	else
		uv_close((uv_handle_t *)timer, NULL);
}

static uint64_t uvtimer(uint64_t n)
{
	uv_timer_t timer;

	(void)n;
	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &timer));
	MUST(uv_timer_start(&timer, on_timer, 0, 0));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	return called;
}

/* Each is called in turn: the word passes from one to the other. */
static void on_word(uv_async_t *mine)
{
	uint64_t n = ++called;

	if (n < wanted)
		MUST(uv_async_send(mine == &here ? &there : &here));
	if (n + 1 >= wanted)
		uv_close((uv_handle_t *)mine, NULL);
}

static void other_main(void *arg)
{
	(void)arg;
	pin();
	MUST(uv_run(&other, UV_RUN_DEFAULT));
}

static uint64_t uvasync(uint64_t n)
{
	uv_thread_t thread;

	wanted = n & ~UINT64_C(1);
	pin();
	MUST(uv_loop_init(&loop));
	MUST(uv_loop_init(&other));
	MUST(uv_async_init(&loop, &here, on_word));
	MUST(uv_async_init(&other, &there, on_word));
	MUST(uv_async_send(&here));
	MUST(uv_thread_create(&thread, other_main, NULL));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_thread_join(&thread));
	MUST(uv_loop_close(&loop));
	MUST(uv_loop_close(&other));
	return called;
}

static void work(uv_work_t *request)
{
	request->data = request;
}

static void after_work(uv_work_t *request, int status)
{
	MUST(status || request->data != request);
	request->data = NULL;
	if (++called < wanted)
		MUST(uv_queue_work(&loop, request, work, after_work));
}

static uint64_t uvwork(uint64_t n)
{
	uv_work_t request;

	(void)n;
	pin();
	MUST(uv_loop_init(&loop));
	MUST(uv_queue_work(&loop, &request, work, after_work));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	return called;
}

/* ---- a million timers ---- */

static void on_never(uv_timer_t *timer)
{
	(void)timer;
}

static void on_closed(uv_handle_t *handle)
{
	called++;
	free(handle);
}

static __attribute__((noinline)) uv_timer_t *make_timer(void)
{
	uv_timer_t *timer = malloc(sizeof(*timer));

	MUST(uv_timer_init(&loop, timer));
	MUST(uv_timer_start(timer, on_never, 1000000, 0));
	return timer;
}

static __attribute__((noinline)) void leak_timer(void)
{
	MUST(uv_timer_init(&loop, malloc(sizeof(uv_timer_t))));
}

/* Ten made and closed for each one that is leaked. */
static uint64_t uvchurn(uint64_t n)
{
	MUST(uv_loop_init(&loop));
	for (uint64_t done = 0; done < n;) {
		for (unsigned i = 0; i < BATCH && done < n; i++, done++) {
			uv_close((uv_handle_t *)make_timer(), on_closed);
			if (done % 10 == 9)
				leak_timer();
		}
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	MUST(uv_loop_close(&loop) != UV_EBUSY);
	return called;
}

WORKLOAD_MAIN({ "uvtimer", uvtimer }, { "uvasync", uvasync }, { "uvwork", uvwork },
	      { "uvchurn", uvchurn })
