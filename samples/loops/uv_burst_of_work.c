/* SPDX-License-Identifier: MIT */
/* SHOWS libuv, a near miss: 2000 items are queued at once when the program begins, and worked off */
/* BUILD needs=uv */
/* NEVER unbounded-tasks leaked-task leaked-handle */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

enum { ITEMS = 2000 };

static int done;

static void work(uv_work_t *request)
{
	if ((uintptr_t)request->data % 16 == 0)
		sleep_ms(1);
}

static void after(uv_work_t *request, int status)
{
	(void)request;
	done += status == 0;
}

int main(void)
{
	static uv_work_t item[ITEMS];
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	for (uintptr_t i = 0; i < ITEMS; i++) {
		item[i].data = (void *)i;
		MUST(uv_queue_work(&loop, &item[i], work, after));
	}
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	printf("%d\n", done);
	return 0;
}
