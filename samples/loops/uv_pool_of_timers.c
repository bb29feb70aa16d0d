/* SPDX-License-Identifier: MIT */
/* SHOWS libuv, a near miss: connections keep their timers for the next one; all are alive when the server ends */
/* BUILD needs=uv */
/* NEVER leaked-handle leaked-task unbounded-tasks */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

enum { CONNECTIONS = 200, REQUESTS = 600 };

static uv_timer_t timer[CONNECTIONS];
static int made, handled;

static void on_timeout(uv_timer_t *unused)
{
	(void)unused;
}

/* Connections come in over the first third of the run; then they are used again and again. */
static void on_request(uv_timer_t *source)
{
	uv_timer_t *own = &timer[handled % CONNECTIONS];

	if (made < CONNECTIONS) {
		own = &timer[made++];
		MUST(uv_timer_init(source->loop, own));
	}
	MUST(uv_timer_start(own, on_timeout, 5, 0));
	if (++handled == REQUESTS)
		uv_stop(source->loop);
}

int main(void)
{
	uv_timer_t source;
	uv_loop_t loop;

	MUST(uv_loop_init(&loop));
	MUST(uv_timer_init(&loop, &source));
	MUST(uv_timer_start(&source, on_request, 1, 1));
	uv_run(&loop, UV_RUN_DEFAULT);
	printf("%d\n", handled);
	return 0;
}
