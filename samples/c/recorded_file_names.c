/* SPDX-License-Identifier: MIT */
/* SHOWS a thread removes a file when its work is done, and another one looks until the file is gone, and then at the work */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

static long work;
static char path[64];

static void *do_it(void *arg)
{
	work = 7;
	MUST(unlink(path));
	return arg;
}

static void *look(void *arg)
{
	while (access(path, F_OK) == 0)
		sched_yield();
	if (work != 7)
		abort();
	return arg;
}

int main(void)
{
	snprintf(path, sizeof(path), "/tmp/thrum-sample-XXXXXX");
	if (close(mkstemp(path)))
		return 1;
	run_two(do_it, look);
	return 0;
}
