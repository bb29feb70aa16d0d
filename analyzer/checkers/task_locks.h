/* SPDX-License-Identifier: MIT */
/*
 * task_locks.h - locks that tasks hold, whatever thread they run on: asyncio.Lock. Who has which, and in which orders they were taken.
 *
 * No held set of the model has these locks. A hold lasts from the ACQUIRE in a step of a task to the RELEASE, by whomever: such a lock
 * knows no owner, so this one is who took it last.
 */
#ifndef THRUM_ANALYZER_CHECKERS_TASK_LOCKS_H
#define THRUM_ANALYZER_CHECKERS_TASK_LOCKS_H

#include "../checker.h"
#include "../model/model_loops.h"

enum { TASK_HELD = 16 }; /* of one task, that are told apart */

struct task_hold {
	uint32_t object, task;
	struct model_site at;
};

/* What is remembered of each task, also when it is over. */
struct task_life {
	uint32_t parent; /* the task in whose step it was made; 0 = none */
	uint32_t kind, callback;
	uint64_t made_ns, ended_ns; /* ended 0 = not yet */
	struct model_site made;
};

/* A task took, or waits for, `to` while it held `from`. */
struct task_order {
	uint32_t from, to, task;
	uint32_t held[TASK_HELD]; /* all of them */
	uint32_t held_count;
	bool limited; /* the wait has a limit of time */
	struct model_site held_at, at;
	uint64_t count;
};

struct task_locks {
	struct task_hold *hold; /* owned; now, the oldest first */
	size_t hold_count, hold_capacity;
	struct task_life *life; /* owned; by task */
	uint32_t life_count;
	struct task_order *order; /* owned */
	size_t order_count, order_capacity;
	size_t told; /* of process->task_locks: those whose tasks' ends are known */
};

void task_locks_release(struct task_locks *l);
/* The event was applied to the model. */
/* A kind of tasks that hold locks themselves, whatever thread they run on. */
bool task_locks_holds(uint32_t kind);
void task_locks_apply(struct task_locks *l, const struct model *m, const struct trace_event *event,
		      const struct model_step *step);
/* The newest holder; NULL = nobody. */
const struct task_hold *task_locks_find(const struct task_locks *l, uint32_t object);
/* A zeroed one for a number that is not known. */
struct task_life task_locks_get_life(const struct task_locks *l, uint32_t task);
/* The task waits at `at` for the lock, `limited`: for some time. Orders with all that it holds. */
void task_locks_wait(struct task_locks *l, uint32_t task, uint32_t object,
		     const struct model_site *at, bool limited);
/* Bounded mode: what tasks hold is known where somebody looked; nothing else is in the other mode. */
void task_locks_look(struct task_locks *l, const struct trace_process *p, uint32_t look,
		     uint64_t time_ns);
/* Circles of orders that tasks side by side can get into. */
void task_locks_report(struct task_locks *l, struct analysis *a);

/* With a word for what it is, its function and where it was made. */
void task_locks_add_task(const struct task_locks *l, struct analysis *a, struct finding *f,
			 uint32_t task);

#endif
