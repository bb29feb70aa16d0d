/* SPDX-License-Identifier: MIT */
/*
 * wait_world.h - the state of a process at the end of its trace as a wait-for graph: who is blocked
 * on what, who could still run, who can never.
 *
 * A wait slot alone proves nothing: the kill may have hit a call that was just about to return. A
 * thread is BLOCKED only where the model says that its call cannot proceed now; else it is RUNNING.
 *
 * Of one image, or of several that are looked at as one (run_processes.h). Only the latter knows
 * who else could end a wait for a child, at a pipe, or on an object in shared memory; looked at
 * alone, such a wait blocks nobody.
 *
 * Two kinds of waits
 *  - hard: locks, joins, initialisers, semaphores used as locks: certain threads must do something
 *    first;
 *  - open: condvars, semaphores, barriers, locks that were unlocked by others than their holders:
 *    anybody who can still run may end them. So an open wait is hopeless only in a closed world,
 *    where nobody can run.
 *
 * Graph: nodes 0 … thread_count - 1 are the threads by id; the others are targets, one for each
 * (object, side) that somebody waits for. thread -> target -> holders; thread -> thread for a join;
 * an open target -> threads known to have given it before (for explanations; the solver does not
 * look at these).
 *
 * Invariants
 *  - A timed wait, a wait on an object that other processes may share, and a wait that cancellation
 *    will end block nobody (but the mutex that a condvar wait must take back does).
 *  - Linear in threads, holds and waits.
 *
 * Not thread-safe. Everything is borrowed from the model and history, which must outlive it.
 */
#ifndef THRUM_ANALYZER_WAIT_WORLD_H
#define THRUM_ANALYZER_WAIT_WORLD_H

#include "model/model.h"
#include "run_processes.h"
#include "wait_graph.h"
#include "wait_history.h"

enum wait_status {
	WAIT_ABSENT,   /* never made, or never seen */
	WAIT_FINISHED, /* gives nothing any more */
	WAIT_RUNNING,  /* not blocked in a hooked call, or its call is about to return */
	WAIT_BLOCKED,
};

/* One thread at the end. */
struct wait_party {
	uint8_t status; /* enum wait_status */
	uint8_t kind; /* enum trace_wait_kind of its slot; NONE = not in a hooked call. Also set when RUNNING */
	bool timed;
	bool woken;	 /* COND: signalled, wants its mutex back */
	uint32_t object; /* of the slot; 0 for a join */
	uint32_t other;	 /* mutex of a COND, thread of a JOIN, call of a CALL */
	/* Whose end it waits for: thread of a JOIN, main thread of a CHILD; 0 = any child, or none */
	uint32_t awaited;
	uint32_t mode; /* enum trace_mode bits */
	uint32_t stack;
	uint32_t
		target; /* node of the lock, semaphore, … or thread of a join it waits for; of a COND the open one unless
			    woken or timed. 0 = none */
	uint32_t
		retake; /* node of the mutex that a COND must take back, when somebody holds it. 0 = none */
	uint64_t since_ns;
};

enum wait_side {
	WAIT_SIDE_EXCLUSIVE, /* all holders must release */
	WAIT_SIDE_SHARED, /* the writer must release, and writers that go first must have had their turn */
	WAIT_SIDE_SEM,	   /* semaphore used as a lock: one of its holders must post */
	WAIT_SIDE_OPEN,	   /* anybody may end it */
	WAIT_SIDE_PROCESS, /* one thread of the child, or of any child, must bring it to its end */
	WAIT_SIDE_CHANNEL, /* one thread of those processes that have the other end must act */
};

struct wait_target {
	uint32_t object;  /* 0 of PROCESS */
	uint8_t side;	  /* enum wait_side */
	uint32_t dead;	  /* a holder that has ended; 0 = none */
	uint32_t waiters; /* blocked threads */
	/* It is this thread's alone, which holds the file lock in another mode; 0 = anybody's */
	uint32_t converter;
};

/*
 * A wait that a task may end, which the waiter posted and nobody is free to run. `weak`: it is a timer, or is only queued to the
 * pool whose work the waiter is: where somebody may still answer that says nothing.
 */
struct wait_task_edge {
	uint32_t waiter, node, task;
	bool weak;
};

struct wait_world {
	const struct model *model;
	const struct wait_history *history;
	const struct run_processes *run; /* NULL = one image by itself */
	uint32_t thread_count;
	struct wait_party *party; /* by thread id; owned */
	struct wait_graph graph;
	struct wait_target *target; /* of node thread_count + i; owned */
	uint32_t target_count, target_capacity;
	uint32_t *plain_node, *shared_node; /* by object id, 0 = none; owned */
	uint32_t *process_node; /* by image, then one for the children of each; 0 = none; owned */
	/*
	 * By node, owned: can go on when open waits may be ended by anybody; when nobody ends them.
	 */
	uint8_t *can, *can_closed;
	struct wait_task_edge *task_edge; /* owned */
	uint32_t task_edge_count;
	uint32_t exit_kind; /* enum trace_exit; 0 = killed, still there, or hung inside exit() */
	/* The process passed exit(): this thread wakes nobody any more. 0 = it did not. */
	uint32_t exit_thread;
	bool closed; /* some thread is blocked and none can run, not counting the exiting one */
	bool lossy;  /* records are missing: an open wait may have been ended by one of them */
};

/* `run` is NULL for one image by itself. */
struct wait_world *wait_world_new(const struct model *m, const struct wait_history *h,
				  const struct run_processes *run);
void wait_world_free(struct wait_world *w); /* takes NULL */

static inline bool wait_node_is_thread(const struct wait_world *w, uint32_t node)
{
	return node < w->thread_count;
}

static inline const struct wait_target *wait_world_get_target(const struct wait_world *w,
							      uint32_t node)
{
	return &w->target[node - w->thread_count];
}

/* It exists and has not ended. */
static inline bool wait_world_is_alive(const struct wait_world *w, uint32_t thread)
{
	return thread && thread < w->thread_count && w->party[thread].status >= WAIT_RUNNING;
}

/* The wait is by itself an open one and nothing hard stands in its way. */
bool wait_world_is_open_wait(const struct wait_world *w, uint32_t thread);

/* The wait at `node` is a matter between processes: one image by itself cannot be asked about it. */
bool wait_world_crosses(const struct wait_world *w, uint32_t node);

/* Signals that a handler waits for: not crashes (ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS), not PIPE. */
#define WAIT_SIGNALS_FROM_OUTSIDE                                                      \
	(~(UINT64_C(1) << 3 | UINT64_C(1) << 4 | UINT64_C(1) << 5 | UINT64_C(1) << 6 | \
	   UINT64_C(1) << 7 | UINT64_C(1) << 10 | UINT64_C(1) << 12 | UINT64_C(1) << 30))
/* Of these, what comes by itself: ALRM, VTALRM, PROF, and the real-time ones of timers. */
#define WAIT_SIGNALS_OF_TIMERS \
	(UINT64_C(1) << 13 | UINT64_C(1) << 25 | UINT64_C(1) << 26 | ~UINT64_C(0) << 33)

/* Bit n - 1: the process of `thread` has a handler for signal n. */
uint64_t wait_handlers(const struct wait_world *w, uint32_t thread);

/*
 * A signal handler of the waiter's process may end its wait at `node`: by a post that no thread ever made; the
 * handler of a timer's signal, any wait for a child or at a pipe.
 */
bool wait_handler_may_end(const struct wait_world *w, uint32_t thread, uint32_t node);

/* A message queue that other processes can open. */
bool wait_is_queue(const struct wait_world *w, uint32_t object);

/* Blocked for ever, whoever else runs. */
static inline bool wait_world_is_hard_stuck(const struct wait_world *w, uint32_t thread)
{
	return w->party[thread].status == WAIT_BLOCKED && !w->can[thread];
}

/*
 * Calls `visit` for each thread known to have ended waits of an open kind at `object` before:
 * signalled, posted, arrived.
 */
void wait_world_visit_givers(const struct wait_world *w, uint32_t object,
			     void (*visit)(void *cookie, uint32_t thread), void *cookie);

/*
 * Adds an edge from each open target to the threads that may give it: those above that live,
 * whoever holds units of a semaphore, whoever ever locked the mutex of a condvar. For
 * wait_world_new.
 */
void wait_world_add_givers(struct wait_world *w);
/* The same with the threads that are to run what a waiter posted: task_edge. */
void wait_world_add_task_givers(struct wait_world *w);

/* Who could go on: somebody; only event loops that wait for descriptors; and of these none hears from outside. */
enum wait_rest { WAIT_REST_NONE, WAIT_REST_OPEN, WAIT_REST_SEALED };
enum wait_rest wait_world_get_rest(const struct wait_world *w);

#endif
