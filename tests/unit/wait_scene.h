/* SPDX-License-Identifier: MIT */
/*
 * wait_scene.h - a made-up run in memory for tests of the wait checkers: threads and objects act, then the trace ends.
 *
 *	struct scene *s = scene_new();
 *	scene_mutex(s, A); scene_mutex(s, B);
 *	scene_spawn(s, 1, 2);
 *	scene_lock(s, 2, A);
 *	scene_blocked(s, 2, TRACE_WAIT_LOCK, B, 0);
 *	scene_end(s, KILLED);
 *	assert_int_equal(scene_count(s, RULE_DEADLOCK), 1);
 *	scene_free(s);
 *
 * Rules
 *  - Thread 1 is the main thread and runs from the start. Ids are small numbers below SCENE_IDS unless scene_reserve.
 *  - The stack id of an action depends on the object and on `site`, not on the thread: threads run the same code.
 *  - Each event takes one millisecond.
 *  - scene_blocked writes the wait slot a thread has at the end. Actions that block do not write it by themselves.
 *    For a semaphore it also records the request.
 */
#ifndef THRUM_TESTS_WAIT_SCENE_H
#define THRUM_TESTS_WAIT_SCENE_H

#include "../../analyzer/checker.h"

enum { SCENE_IDS = 64, KILLED = 0 };

struct scene {
	struct trace_process process;
	struct trace_event *events;
	size_t event_count, event_capacity;
	struct finding_list *findings;
	struct analyze_options options;
	uint32_t site; /* code location of the following actions; 1 at first */
	uint64_t now_ns;
};

struct scene *scene_new(void);
/* As many threads and objects as ids below `ids`. Before anything else. */
void scene_reserve(struct scene *s, uint32_t ids);
void scene_free(struct scene *s);

/* ---- objects ---- */
void scene_object(struct scene *s, uint32_t object, enum trace_object_kind kind,
		  uint32_t attributes);
static inline void scene_mutex(struct scene *s, uint32_t object)
{
	scene_object(s, object, TRACE_OBJECT_MUTEX, 0);
}

/* ---- actions ---- */
void scene_event(struct scene *s, enum trace_op op, uint32_t thread, uint32_t object,
		 uint32_t other, uint64_t arg, int32_t result);
/* Thread `by` creates `thread`, which begins. */
void scene_spawn(struct scene *s, uint32_t by, uint32_t thread);
void scene_thread_end(struct scene *s, uint32_t thread);
void scene_join(struct scene *s, uint32_t by, uint32_t thread);
void scene_lock(struct scene *s, uint32_t thread, uint32_t object);
void scene_read(struct scene *s, uint32_t thread, uint32_t object);
void scene_unlock(struct scene *s, uint32_t thread, uint32_t object);
void scene_cond_wait(struct scene *s, uint32_t thread, uint32_t cond, uint32_t mutex);
void scene_cond_wake(struct scene *s, uint32_t thread, uint32_t cond, uint32_t mutex);
void scene_signal(struct scene *s, uint32_t thread, uint32_t cond, uint32_t waiters);
void scene_broadcast(struct scene *s, uint32_t thread, uint32_t cond, uint32_t waiters);
void scene_post(struct scene *s, uint32_t thread, uint32_t sem);
void scene_arrive(struct scene *s, uint32_t thread, uint32_t barrier);
void scene_leave(struct scene *s, uint32_t thread, uint32_t barrier);
/* exit() in `thread`. */
void scene_exit(struct scene *s, uint32_t thread);

/* ---- the end ---- */
/* `object` is a thread for a join. */
void scene_blocked(struct scene *s, uint32_t thread, enum trace_wait_kind kind, uint32_t object,
		   uint32_t other);
void scene_blocked_mode(struct scene *s, uint32_t thread, enum trace_wait_kind kind,
			uint32_t object, uint32_t other, uint32_t mode);
/* COND_WAIT and the slot. */
void scene_in_cond(struct scene *s, uint32_t thread, uint32_t cond, uint32_t mutex);
/* BARRIER_ARRIVE and the slot. */
void scene_at_barrier(struct scene *s, uint32_t thread, uint32_t barrier);

/* Runs the checker. `exit_kind` KILLED or enum trace_exit. */
void scene_end(struct scene *s, uint32_t exit_kind);

/* ---- what it said ---- */
size_t scene_total(const struct scene *s);
size_t scene_count(const struct scene *s, enum rule rule);
/* The one finding of the rule; fails the test unless there is exactly one, of this confidence, and no other finding. */
const struct finding *scene_only(const struct scene *s, enum rule rule, enum confidence confidence);
/* Stack with this role, thread and object (0 = any); NULL = none. */
const struct finding_stack *scene_stack(const struct finding *f, enum stack_role role,
					uint32_t thread, uint32_t object);

#endif
