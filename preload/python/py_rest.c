/* SPDX-License-Identifier: MIT */
/*
 * py_rest.c - when a loop comes to rest: whatever loop it is (asyncio's, uvloop's, trio's), it waits at an epoll descriptor then.
 *
 * A long wait is made in two parts: first we wait until something is ready there, but not for long; then one looks at the tasks, and the
 * host's own call waits for the rest of the time. The first part takes nothing: what is ready is left to the host's call.
 */
#include "py_task.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/poll.h>
#include <sys/wait.h>
#include <time.h>

enum { SHORT_MS = 100 };

/* ---- what a loop waits for that cannot be asked ---- */

static void add_number(char *to, size_t *at, unsigned n)
{
	char digits[10];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + n % 10);
	} while (n /= 10);
	while (count) {
		to[(*at)++] = digits[--count];
	}
}

/* The watched descriptors as the kernel has them: "tfd: 8 events: …" a line. -1 = not all of them. */
static int read_set(int epoll, unsigned *ret_fd, int room)
{
	static const char folder[] = "/proc/self/fdinfo/";
	char path[40], text[4096];
	size_t at = sizeof(folder) - 1;
	int count = 0;
	long fd, bytes;

	__builtin_memcpy(path, folder, at);
	add_number(path, &at, (unsigned)epoll);
	path[at] = 0;
	fd = sys4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0) {
		return -1;
	}
	bytes = sys3(SYS_read, fd, (long)text, sizeof(text));
	sys1(SYS_close, fd);
	if (bytes <= 0 || bytes == sizeof(text)) {
		return -1;
	}
	for (long i = 0; i + 4 < bytes; i++) {
		unsigned n = 0;

		if (__builtin_memcmp(text + i, "tfd:", 4)) {
			continue;
		}
		if (count == room) {
			return -1;
		}
		for (i += 4; i < bytes && text[i] == ' '; i++) {
		}
		for (; i < bytes && text[i] >= '0' && text[i] <= '9'; i++) {
			n = n * 10 + (unsigned)(text[i] - '0');
		}
		ret_fd[count++] = n;
	}
	return count;
}

/* Loops of libuv and libev wake themselves through an eventfd and a pipe, uvloop is told of signals by a socket pair. */
static bool is_own_set(int epoll)
{
	enum { MOST = 4 };
	unsigned fd[MOST], events = 0, pipes = 0, sockets = 0;
	int count = read_set(epoll, fd, MOST);
	char path[64];

	for (int i = 0; i < count; i++) {
		if (!descriptor_path((int)fd[i], path, sizeof(path))) {
			return false;
		}
		events += py_text_has(path, "[eventfd]");
		pipes += !__builtin_memcmp(path, "pipe:", 5);
		sockets += !__builtin_memcmp(path, "socket:", 7);
	}
	return count >= 0 && events <= 1 && pipes <= 1 &&
	       sockets <= (sys0(SYS_gettid) == sys0(SYS_getpid)) &&
	       events + pipes + sockets == (unsigned)count;
}

static bool has_child(void)
{
	return sys6(SYS_waitid, P_ALL, 0, 0, WEXITED | WNOHANG | WNOWAIT, 0, 0) != -ECHILD;
}

bool py_signals_are_handled(void)
{
	static const uint8_t signals[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGTERM };
	PyObject *ask = py_get(py_module("_signal"), "getsignal");
	bool handled = !ask || ask->type != py_data_PyCFunction_Type || !py_PyLong_FromLong;

	for (size_t i = 0; i < sizeof(signals) && !handled; i++) {
		PyObject *number = py_PyLong_FromLong(signals[i]);
		PyObject *handler = py_PyObject_CallFunctionObjArgs(ask, number, NULL);

		handled = handler && handler != PY_NONE && handler->type != py_data_PyLong_Type;
		py_drop(handler);
		py_drop(number);
	}
	py_PyErr_Clear();
	py_drop(ask);
	return handled;
}

uint32_t py_rest_flags(const struct py_rest *rest)
{
	if (!rest) {
		return TF_AWAIT_LOOP_UNKNOWN;
	}
	return (rest->is_endless ? 0u : TF_AWAIT_LOOP_TIMERS) |
	       (is_own_set(rest->fd) && !has_child() && !py_signals_are_handled()
			? 0u
			: TF_AWAIT_LOOP_WATCHES);
}

/* ---- the wait ---- */

static uint64_t now_ms(void)
{
	struct timespec t;

	sys2(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void look(struct arch_caller caller, const struct py_rest *rest)
{
	int state = py_PyGILState_Ensure();

	py_look_at_awaits(caller, rest);
	py_PyGILState_Release(state);
}

bool python_rest(struct arch_caller caller, int fd, int *ms)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	struct py_rest rest = { .fd = fd, .is_endless = *ms < 0 };
	uint64_t since;
	bool is_short = *ms >= 0 && *ms < 2 * SHORT_MS, is_overdue;
	long rc;

	if (likely(!py_look_is_due())) {
		return true;
	}
	is_overdue = py_look_is_overdue();
	if (likely((is_short && !is_overdue)) || !py_PyGILState_GetThisThreadState() ||
	    py_is_finalizing()) {
		return true;
	}
	if (is_overdue) {
		look(caller, &rest);
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
		look(caller, &rest);
	}
	return true;
}
