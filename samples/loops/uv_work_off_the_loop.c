/* SPDX-License-Identifier: MIT */
/* SHOWS libuv: the same slow work as in uv_stall_each_cause, given to the pool and to asynchronous calls: the loop turns on */
/* BUILD needs=uv */
/* NEVER loop-stall blocking-call-in-loop leaked-handle leaked-task */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

static int done;

static void work(uv_work_t *request)
{
	if (request->data)
		compute_ms(300);
	else
		sleep_ms(300);
}

static void after_work(uv_work_t *request, int status)
{
	(void)request;
	done += status == 0;
}

static void on_exit_of_child(uv_process_t *child, int64_t status, int signal)
{
	done += status == 0 && signal == 0;
	uv_close((uv_handle_t *)child, NULL);
}

static void on_named(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	(void)request;
	done += status == 0;
	uv_freeaddrinfo(list);
}

static void on_file(uv_fs_t *request)
{
	done += request->result >= 0;
	uv_fs_req_cleanup(request);
}

int main(void)
{
	char *args[] = { (char *)(uintptr_t) "sleep", (char *)(uintptr_t) "0.3", NULL };
	uv_process_options_t options = { .exit_cb = on_exit_of_child,
					 .file = "sleep",
					 .args = args };
	uv_work_t works[2] = { { .data = works }, { .data = NULL } };
	uv_getaddrinfo_t name;
	uv_process_t child;
	uv_loop_t loop;
	uv_fs_t file;

	MUST(uv_loop_init(&loop));
	for (int i = 0; i < 2; i++)
		MUST(uv_queue_work(&loop, &works[i], work, after_work));
	MUST(uv_spawn(&loop, &child, &options));
	MUST(uv_getaddrinfo(&loop, &name, on_named, "127.0.0.1", NULL, NULL));
	MUST(uv_fs_stat(&loop, &file, "/", on_file));
	MUST(uv_run(&loop, UV_RUN_DEFAULT));
	MUST(uv_loop_close(&loop));
	printf("%d\n", done);
	return 0;
}
