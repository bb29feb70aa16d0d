/* SPDX-License-Identifier: MIT */
/*
 * wrap_curl.c - libcurl: which transfers a multi handle has, and who waits for one on the thread of a loop.
 *
 * The multi handle stands for a loop, but libcurl is driven by the host's: nothing is bracketed here.
 */
#include "shim_task.h"
#include "wrap_library.h"

enum { CURL_MULTI = KIND_OF_LIBRARY(LOOP, CURL), CURL_DONE = 1 };

static struct task_library curl_library;

/* Of libcurl 7 and 8: the first members. */
struct curl_message {
	int what; /* CURL_DONE */
	void *easy;
};

#define CURL_ENTER(call, name) \
	task_enter(&(call), ARCH_CALLER(), &curl_library, (void *)(uintptr_t)real_##name)

EXPORT int curl_multi_add_handle(void *m, void *e)
{
	int rc = real_curl_multi_add_handle(m, e);
	struct call call;
	struct task *t;

	if (rc == 0 && CURL_ENTER(call, curl_multi_add_handle)) {
		t = task_new(&call, e, TRACE_TASK_CURL_TRANSFER, task_loop(&call, m, CURL_MULTI));
		if (t) {
			task_arm(&call, t, 0, true);
		}
		shim_leave(&call);
	}
	return rc;
}

static void transfer_ends(struct arch_caller caller, const void *real, const void *e,
			  enum trace_task_step step)
{
	struct call call;
	struct task *t;

	if (task_enter(&call, caller, &curl_library, real)) {
		t = task_find(e, TRACE_TASK_CURL_TRANSFER);
		if (t && step == TRACE_TASK_STOPPED) {
			task_step(&call, t, step);
		} else if (t) {
			task_end(&call, t, step);
		}
		shim_leave(&call);
	}
}
#define TRANSFER_ENDS(name, e, step) \
	transfer_ends(ARCH_CALLER(), (void *)(uintptr_t)real_##name, e, step)

EXPORT int curl_multi_remove_handle(void *m, void *e)
{
	int rc = real_curl_multi_remove_handle(m, e);

	if (rc == 0) {
		TRANSFER_ENDS(curl_multi_remove_handle, e, TRACE_TASK_FINISHED);
	}
	return rc;
}

EXPORT void curl_easy_cleanup(void *e)
{
	shim_resolve_once();
	if (e) {
		TRANSFER_ENDS(curl_easy_cleanup, e, TRACE_TASK_FINISHED);
	}
	real_curl_easy_cleanup(e);
}

EXPORT void *curl_multi_info_read(void *m, int *left)
{
	const struct curl_message *message = real_curl_multi_info_read(m, left);

	if (message && message->what == CURL_DONE) {
		TRANSFER_ENDS(curl_multi_info_read, message->easy, TRACE_TASK_STOPPED);
	}
	return (void *)(uintptr_t)message;
}

EXPORT int curl_multi_wakeup(void *m)
{
	struct call call;

	shim_resolve_once();
	if (CURL_ENTER(call, curl_multi_wakeup)) {
		emit_osar(call.s, TRACE_LOOP, task_loop(&call, m, CURL_MULTI), call.stack,
			  TRACE_LOOP_WAKE, 0);
		shim_leave(&call);
	}
	return real_curl_multi_wakeup(m);
}

EXPORT int curl_easy_perform(void *e)
{
	uint64_t since = task_blocks_since();
	int rc = real_curl_easy_perform(e);

	if (since) {
		task_blocked(ARCH_CALLER(), TRACE_CALL_TRANSFER, 0, since, UINT64_MAX);
	}
	return rc;
}
