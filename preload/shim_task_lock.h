/* SPDX-License-Identifier: MIT */
/*
 * shim_task_lock.h - bounded mode: which task holds which lock, and in which orders tasks take them.
 *
 * Such a lock belongs to no thread, so no KEYFRAME says that it is held. What full mode's records would say is told by definitions here:
 * the holds that a look at the tasks needs, each order of two locks once for each of the first tasks that take them so, and the end of
 * a task that one of these names. All is of fixed size; what does not fit is counted in tf_process.lost_facts.
 *
 * Safety: SLOW, the guard held; one thread at a time: who calls has the interpreter's lock.
 */
#ifndef THRUM_SHIM_TASK_LOCK_H
#define THRUM_SHIM_TASK_LOCK_H

#include "shim_emit.h"

/* From the start where the mode is bounded, or may become so: what tasks hold is kept here. */
static inline bool task_locks_are_kept(const struct stream *s)
{
	return s->bounded != NULL;
}

/* `o` is the task's from now on, or nobody's: recorded, or kept, as the mode has it. */
void task_lock_taken(struct call *c, struct object *o, uint32_t task, uint32_t stack);
void task_lock_given(struct call *c, struct object *o);
/* Of a look: `task` waits for `o`: who has it, and what the task has. */
void task_lock_awaited(struct call *c, struct object *o, uint32_t task, uint32_t look);
/* TF_DEF_AWAIT, over one of an older look. */
void task_look_define(const struct stream *s, struct tf_def_await *def);
/* TF_DEF_TASK_CONTEXT, with its text; bounded mode: over one of an older look, again in each. */
void task_context_define(const struct stream *s, struct tf_def_task_context *def, const char *text);
/* It is over. */
void task_lock_over(uint32_t task);

#endif
