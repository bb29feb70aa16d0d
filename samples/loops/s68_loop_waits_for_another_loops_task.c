/* SPDX-License-Identifier: MIT */
/* SCENARIO S68: a look-alike: the task is posted to another thread's loop, and answered */
/* BUILD needs=uv */
/* NEVER deadlock stuck-wait leaked-handle leaked-task */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

static uv_async_t posted;
static sem_t answered, ready;
static int answers;

static void on_posted(uv_async_t *async)
{
	if (answers == 20)
		uv_close((uv_handle_t *)async, NULL);
	MUST(sem_post(&answered));
}

static void *other(void *arg)
{
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_async_init(&loop, &posted, on_posted));
	MUST(sem_post(&ready));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	return arg;
}

static void on_request(uv_timer_t *timer)
{
	if (++answers == 20)
		uv_close((uv_handle_t *)timer, NULL);
	MUST(uv_async_send(&posted));
	MUST(sem_wait(&answered));
}

int main(void)
{
	uv_timer_t timer;
	uv_loop_t loop;
	pthread_t t;

	MUST(sem_init(&answered, 0, 0));
	MUST(sem_init(&ready, 0, 0));
	MUST(pthread_create(&t, NULL, other, NULL));
	MUST(sem_wait(&ready));
	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &timer));
	MUST(uv_timer_start(&timer, on_request, 1, 1));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	MUST(pthread_join(t, NULL));
	printf("%d\n", answers);
	return 0;
}
