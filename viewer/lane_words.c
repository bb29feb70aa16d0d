/* SPDX-License-Identifier: MIT */
/*
 * lane_words.c - what lanes and spans are called.
 */
#include "lanes.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- words ---- */

const struct lane_thread *lanes_find(const struct lanes *lanes, size_t process, uint32_t thread)
{
	const struct lane_process *p = process < lanes->process_count ? &lanes->process[process]
								      : NULL;

	if (!p || !p->lane || thread >= p->process->thread_count || !p->lane[thread])
		return NULL;
	return &lanes->thread[p->lane[thread] - 1];
}

const char *lanes_thread_name(const struct lanes *lanes, const struct lane_thread *thread,
			      char *buffer, size_t bytes)
{
	const struct trace_process *p = lanes->process[thread->process].process;
	const struct trace_thread *t = &p->threads[thread->thread];

	if (thread->thread == 1 || t->flags & TF_THREAD_MAIN)
		snprintf(buffer, bytes, "main");
	else if (t->name && *t->name)
		snprintf(buffer, bytes, "%s", t->name);
	else
		snprintf(buffer, bytes, "thread %" PRIu32, thread->thread);
	return buffer;
}

const char *lane_state_word(unsigned state)
{
	static const char *const words[LANE_STATES] = {
		[LANE_NOTHING] = "runs",
		[LANE_IDLE] = "waits for events",
		[LANE_WAITS_SIGNAL] = "waits for a signal",
		[LANE_RUNS_CALLBACK] = "runs a callback",
		[LANE_RUNS_TASK] = "runs a task",
		[LANE_HOLDS_SHARED] = "holds for reading",
		[LANE_HOLDS] = "holds",
		[LANE_HOLDS_WANTED] = "holds, others wait",
		[LANE_CALLS] = "in a blocking call",
		[LANE_JOINS] = "joins",
		[LANE_WAITS_LOCK] = "waits for a lock",
	};

	return state < LANE_STATES ? words[state] : "unknown";
}

const char *lane_arrow_word(unsigned arrow)
{
	static const char *const words[] = {
		[LANE_ARROW_NONE] = "",
		[LANE_ARROW_WOKEN] = "woken by",
		[LANE_ARROW_POSTED] = "posted by",
		[LANE_ARROW_JOINED] = "waited for",
		[LANE_ARROW_CREATED] = "created by",
	};

	return arrow < sizeof(words) / sizeof(words[0]) ? words[arrow] : "";
}
