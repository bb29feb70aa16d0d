/* SPDX-License-Identifier: MIT */
/*
 * py_rest.c - when a loop comes to rest: whatever loop it is (asyncio's, uvloop's, trio's), it waits at an epoll descriptor then.
 *
 * A long wait is made in two parts: first we wait until something is ready there, but not for long; then one looks at the tasks, and the
 * host's own call waits for the rest of the time. The first part takes nothing: what is ready is left to the host's call.
 */
#include "py_task.h"

#include <errno.h>
#include <sys/poll.h>
#include <time.h>

enum { SHORT_MS = 100 };

static uint64_t now_ms(void)
{
	struct timespec t;

	sys2(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void look(struct arch_caller caller)
{
	int state = py_PyGILState_Ensure();

	py_look_at_awaits(caller);
	py_PyGILState_Release(state);
}

bool python_rest(struct arch_caller caller, int fd, int *ms)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	uint64_t since;
	long rc;

	if (likely(!py_look_is_due()) || !py_PyGILState_GetThisThreadState() ||
	    py_is_finalizing()) {
		return true;
	}
	if (py_look_is_overdue()) {
		look(caller);
		return true;
	}
	if (*ms >= 0 && *ms < 2 * SHORT_MS) {
		return true;
	}
	since = now_ms();
	rc = sys3(SYS_poll, &one, 1, SHORT_MS);
	if (*ms >= 0) {
		uint64_t gone = now_ms() - since;

		*ms = gone >= (uint64_t)*ms ? 0 : *ms - (int)gone;
	}
	if (rc == -EINTR) {
		errno = EINTR;
		return false;
	}
	if (rc == 0) {
		look(caller);
	}
	return true;
}
