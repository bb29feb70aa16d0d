/* SPDX-License-Identifier: MIT */
/* SCENARIO S68: a look-alike: one thread of the pool is left for what the others wait for */
/* BUILD needs=uv */
/* NEVER deadlock stuck-wait loop-stall leaked-task unbounded-tasks */
/* RUN clean */
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

	setenv("UV_THREADPOOL_SIZE", "3", 1);
	MUST(uv_mutex_init(&queue));
	MUST(uv_loop_init(&loop));
	for (int i = 0; i < THREADS; i++) {
		job[i].request.data = job[i].part.data = &job[i];
		MUST(sem_init(&job[i].part_done, 0, 0));
		MUST(uv_queue_work(&loop, &job[i].request, outer, after));
	}
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	puts("done");
	return 0;
}
