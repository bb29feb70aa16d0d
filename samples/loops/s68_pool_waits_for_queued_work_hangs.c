/* SPDX-License-Identifier: MIT */
/* SCENARIO S68: libuv: every thread of the pool waits in its work item for items that are still queued to that pool */
/* BUILD needs=uv */
/* EXPECT deadlock level=warning..error threads=2..4 tasks=outer,inner taskkinds=work+request stacks=outer roles=waits */
/* NEVER stuck-wait loop-stall leaked-thread */
/* RUN timeout=2 kill=1 */
#include "loop_work.h"

#include <uv.h>

enum { THREADS = 2 };

struct job {
	uv_work_t request, part;
	sem_t part_done;
};

static uv_mutex_t queue; /* uv_queue_work is for one thread at a time */
static int started;

static void inner(uv_work_t *request)
{
	MUST(sem_post(&((struct job *)request->data)->part_done));
}

static void after(uv_work_t *request, int status)
{
	(void)request;
	(void)status;
}

/* Splits off a part, and waits for it: right as long as a thread of the pool is free. */
static void outer(uv_work_t *request)
{
	struct job *job = request->data;

	meet(&started, THREADS);
	uv_mutex_lock(&queue);
	MUST(uv_queue_work(request->loop, &job->part, inner, after));
	uv_mutex_unlock(&queue);
	MUST(sem_wait(&job->part_done));
}

int main(void)
{
	static struct job job[THREADS];
	uv_loop_t loop;

	setenv("UV_THREADPOOL_SIZE", "2", 1);
	MUST(uv_mutex_init(&queue));
	MUST(uv_loop_init(&loop));
	for (int i = 0; i < THREADS; i++) {
		job[i].request.data = job[i].part.data = &job[i];
		MUST(sem_init(&job[i].part_done, 0, 0));
		MUST(uv_queue_work(&loop, &job[i].request, outer, after));
	}
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	return 0;
}
