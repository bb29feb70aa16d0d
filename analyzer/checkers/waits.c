/* SPDX-License-Identifier: MIT */
/*
 * waits.c - the checker of deadlock, self-deadlock, stuck-wait, leaked-thread and (with fork_lock.c)
 * fork-with-lock-held: follows the run, then builds one wait-for graph of its end that all are told
 * from.
 */
#include "wait_story.h"

#include <stdlib.h>

static void *waits_begin(struct analysis *a)
{
	return wait_history_new(a->model);
}

static void waits_on_event(void *state, struct analysis *a, const struct trace_event *event,
			   const struct model_step *step)
{
	(void)a;
	wait_history_apply(state, event, step);
}

/* Of all processes: one that waits for a lock which nobody can unlock is the cause of what waits for it. */
static unsigned count_ghosts(const struct analysis *a)
{
	unsigned count = 0;

	for (size_t i = 0; i < finding_list_count(a->findings); i++)
		count += finding_list_get(a->findings, i)->rule == RULE_FORK_WITH_LOCK_HELD;
	return count;
}

static void waits_finish(void *state, struct analysis *a)
{
	struct wait_report r = { .a = a };
	unsigned ghosts;

	r.w = wait_world_new(a->model, state, a->run);
	r.explained = calloc(r.w->thread_count, 1);
	if (!r.explained)
		abort();
	ghosts = a->run ? count_ghosts(a) : fork_lock_report(&r);
	deadlock_report(&r);
	if (!ghosts)
		stuck_wait_report(&r);
	if (!a->run) /* a matter of each process */
		thread_leak_report(&r);
	free(r.explained);
	wait_world_free(r.w);
}

static void waits_release(void *state)
{
	wait_history_free(state);
}

const struct checker checker_waits = {
	.name = "waits",
	.in_run = true,
	.consumes = WAIT_HISTORY_CONSUMES,
	.begin = waits_begin,
	.on_event = waits_on_event,
	.finish = waits_finish,
	.release = waits_release,
};
