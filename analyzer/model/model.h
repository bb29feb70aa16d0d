/* SPDX-License-Identifier: MIT */
/*
 * model.h - what a recorded process believed about its locks and threads at one point of the trace.
 * One mutator.
 *
 * Feed every event of one process image, in reader order, to model_apply; between two calls
 * everything below may be read. Checkers never write here, with one exception: model_pin_segment.
 *
 * Invariants
 *  - A hold is in the held set of exactly one thread. object->owner names the thread of the
 *    exclusive hold (0 = none), object->readers counts the shared holds.
 *  - After TRACE_LOST the thread's held set is empty and `uncertain`: what is in it later is true,
 *    but something may be missing. Locks it held have no owner and the flag MODEL_OWNER_LOST until
 *    their next acquire.
 *  - After TRACE_KEYFRAME the thread holds what the HELD events after it say and nothing else, for certain: no
 *    step has a flag for what that changes. It waits for nothing then.
 *  - A held set holds mutexes, rwlocks, spinlocks, loader locks, the once/guard objects whose
 *    initialiser runs, and semaphores that so far were used as locks (MODEL_SEM_LOCK). A semaphore
 *    that loses that flag leaves all held sets.
 *  - State is per object id, thread id and pinned segment; nothing grows with the number of events.
 *  - Ids out of the range of the process's tables are ignored (hostile traces); no event makes the
 *    model crash.
 *
 * Not thread-safe. A failed allocation aborts, as in finding.h.
 */
#ifndef THRUM_ANALYZER_MODEL_MODEL_H
#define THRUM_ANALYZER_MODEL_MODEL_H

#include "../../trace/trace_reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- holds ---- */

enum model_hold_flag {
	MODEL_HOLD_SHARED = 1,	    /* read side */
	MODEL_HOLD_TRY = 2,	    /* taken by a try variant */
	MODEL_HOLD_TIMED = 4,	    /* taken by a timed variant */
	MODEL_HOLD_OWNERDEAD = 8,   /* robust, owner died, not made consistent yet */
	MODEL_HOLD_REACQUIRED = 16, /* taken back at the end of a condition wait */
	MODEL_HOLD_REREAD = 32,	    /* read side taken again while already held for reading */
	MODEL_HOLD_PRIVATE = 64,    /* bounded mode: brand new, nobody else has met it */
};

struct model_held {
	uint32_t object;
	uint32_t stack;	  /* of the outermost acquire; of the condition wait when REACQUIRED */
	uint32_t depth;	  /* >= 1 */
	uint32_t flags;	  /* enum model_hold_flag */
	uint64_t time_ns; /* when acquired */
	uint32_t task;	  /* annotation: the task that the thread ran then; 0 = none */
};

/* ---- objects ---- */

enum model_object_flag {
	MODEL_TOUCHED = 1,	     /* some operation was seen */
	MODEL_DESTROYED = 2,	     /* DESTROY seen, nothing after it */
	MODEL_GONE = 4,		     /* GONE seen */
	MODEL_INIT = 8,		     /* INIT seen */
	MODEL_SEM_LOCK = 16,	     /* semaphore: used as a lock by all we have seen */
	MODEL_EVER_WRITTEN = 32,     /* rwlock: some exclusive acquire or request */
	MODEL_OWNER_LOST = 64,	     /* its holder's records are missing: owner unknown */
	MODEL_NOT_RECOVERABLE = 128, /* robust mutex unlocked in inconsistent state */
	MODEL_SEM_PERMITS =
		512,		/* counting semaphore: posted by who took it, in all we have seen */
	MODEL_ATTRIBUTES = 256, /* `attributes` is known */
};

#define MODEL_MANY_THREADS UINT32_MAX

/* Where and by whom something was done. All 0 = never. */
struct model_site {
	uint32_t thread;
	uint32_t stack;
	uint64_t time_ns;
};

/* Threads that ever did something to an object (signalled, posted), with the last time each. */
struct model_actor {
	struct model_site last;
	uint64_t count;
};
struct model_actors {
	struct model_actor *actor;
	uint32_t count, capacity;
	uint32_t recent; /* index of the last one that acted */
};

struct model_cond_waiter {
	struct model_site site;
	uint32_t mutex;
	bool timed;
};

struct model_cond {
	struct model_cond_waiter *waiter; /* threads inside COND_WAIT..COND_WAKE now */
	uint32_t waiter_count, waiter_capacity;
	struct model_actors signallers; /* signal and broadcast */
	struct model_site last_signal;	/* signal or broadcast; thread 0 = never signalled */
	struct model_site last_unheard; /* newest one that found no waiter */
	bool last_was_broadcast;
	uint32_t last_waiters; /* threads waiting just before the last signal */
	uint32_t woken;	       /* of waiter_count: signalled, but not out yet */
	uint64_t signals, broadcasts, unheard, waits, wakes;
};

struct model_sem {
	bool initial_known;
	uint32_t initial;
	int64_t value; /* initial + posts - takes; meaningless unless initial_known */
	struct model_actors posters, takers;
};

struct model_arrival {
	struct model_site site;
};

struct model_barrier {
	uint32_t count;	     /* 0 = unknown */
	uint64_t generation; /* completed ones */
	/* threads that arrived and did not leave: the present generation */
	struct model_arrival *arrival;
	uint32_t arrival_count, arrival_capacity;
	struct model_arrival *leaver; /* threads of the last generation that have not left yet */
	uint32_t leaving, leaver_capacity;
	uint32_t late; /* arrivals of the last generation still to be seen (clock skew) */
	uint32_t node; /* order node of the last generation */
	struct model_actors users; /* threads that ever arrived */
};

enum model_once_state { MODEL_ONCE_NEW, MODEL_ONCE_RUNNING, MODEL_ONCE_DONE };

struct model_once {
	enum model_once_state state;
	struct model_site runner; /* of the present or last run */
};

/* What only some objects need. */
struct model_detail {
	struct model_site init, destroy;
	uint32_t init_epoch;   /* epoch of the initialising thread */
	uint64_t destroy_bits; /* enum trace_destroy */
	uint64_t gone;	       /* enum trace_gone */
	union {
		struct model_cond cond;
		struct model_sem sem;
		struct model_barrier barrier;
		struct model_once once;
	};
};

struct model_object {
	uint8_t kind;	/* enum trace_object_kind; 0 until known */
	uint16_t flags; /* enum model_object_flag */
	uint32_t id;
	uint32_t owner;	      /* exclusive holder; stays set when that thread ends */
	uint32_t readers;     /* shared holds */
	uint32_t only_thread; /* the one thread that touched it; 0 = none, MODEL_MANY_THREADS */
	/* held set of the second thread at its first touch: how others reach the object */
	uint32_t second_set;
	uint32_t attributes; /* as struct trace_object.attributes, newest INIT wins */
	/*
	 * owned; never NULL for touched cond, sem, barrier, once, guard; for others NULL until INIT
	 * or DESTROY. NULL again after GONE unless threads wait there
	 */
	struct model_detail *detail;
};

/* ---- threads ---- */

enum model_thread_state {
	MODEL_THREAD_UNSEEN,  /* in the table only */
	MODEL_THREAD_CREATED, /* pthread_create seen, no event of its own yet */
	MODEL_THREAD_RUNNING,
	MODEL_THREAD_ENDED, /* THREAD_END seen; destructors may still run */
	/* joined, or its stream went to another thread, or the trace ended after THREAD_END */
	MODEL_THREAD_OVER,
	MODEL_THREAD_FAILED, /* was never made */
};

enum model_end { MODEL_END_RETURNED = 0, MODEL_END_EXIT = 1, MODEL_END_CANCELLED = 2 };

/* A blocking request that has not been answered. object 0 = none. */
struct model_request {
	uint32_t object;
	uint32_t stack;
	uint32_t mode;	 /* enum trace_mode bits */
	uint32_t holder; /* thread named by the recorder, 0 = unknown */
	uint64_t time_ns;
};

/* Inside COND_WAIT..COND_WAKE. cond 0 = not. */
struct model_waiting {
	uint32_t cond, mutex;
	uint32_t mode; /* enum trace_mode bits */
	struct model_site site;
	bool was_held;
	struct model_held saved; /* the mutex's hold, restored at wake; valid with was_held */
};

/*
 * Taken from a counting semaphore (MODEL_SEM_PERMITS) and not posted yet: a shared gate with room
 * for few.
 */
struct model_permit {
	uint32_t object, count;
};

struct model_thread {
	uint32_t id;
	uint8_t state;	  /* enum model_thread_state */
	uint8_t end_kind; /* enum model_end, from ENDED on */
	bool uncertain;	  /* records are missing: see above */
	bool detached;	  /* created detached or detached later */
	bool joined;	  /* a join returned 0 */
	bool exited;	  /* pthread_exit called */
	uint32_t stream;
	uint32_t held_count, held_capacity;
	struct model_held *held; /* in order of acquire, oldest first */
	uint64_t held_hash; /* of the holds' objects, modes and stacks: equal sets, equal hash */
	struct model_permit *permit; /* owned; not in `held`, but in interned sets and the hash */
	uint32_t permit_count, permit_capacity;
	/* advances at create, join, barrier: contexts of different epochs may differ in order */
	uint32_t epoch;
	uint64_t busy_ns; /* when a join last found it not over (EBUSY), 0 = never */
	uint32_t segment; /* newest order node */
	bool segment_pinned, segment_left; /* see model_order.c */
	struct model_request request;
	struct model_waiting waiting;
	uint32_t at_barrier; /* object; 0 = not inside */
	uint32_t task;	     /* annotation: runs here now; 0 = none */
	/*
	 * Signals it blocks outside of handlers, bit n - 1 = signal n; see model_signal_mask. Known
	 * but after LOST.
	 */
	uint64_t signal_mask;
	bool signal_mask_unknown;
	struct model_site create, join, detach, end, exit, cancel;
	uint64_t first_ns, last_ns; /* of its events */
	uint64_t events;
	uint64_t lost;
};

/* ---- annotated tasks and fibers ---- */

struct model_task {
	uint8_t state;	 /* newest enum trace_task_step */
	uint32_t thread; /* runs there; 0 = nowhere */
	struct model_site last;
	/* owned; what it holds while it is suspended */
	struct model_held *held;
	uint32_t held_count, held_capacity;
};

/* ---- the model ---- */

struct model {
	const struct trace_process *process; /* borrowed until model_free */
	struct model_object *objects;	     /* object_count entries, by id; entry 0 unused */
	size_t object_count;
	struct model_thread **threads; /* thread_count entries, by id; NULL = never mentioned */
	size_t thread_count;
	uint64_t events;
	uint64_t now_ns;
	uint32_t exit_kind; /* enum trace_exit once PROCESS_EXIT was seen, else 0 */
	uint32_t exit_thread;
	uint64_t exit_ns;
	uint32_t exit_stack;
	uint32_t forks;
	/* Signals, bit n - 1 = signal n: with a handler now; of which a SIGNAL_ACTION was seen. */
	uint64_t handled_signals, known_signals;
	uint64_t handler_blocks[65]; /* by signal: blocked while its handler runs */
	struct model_task *tasks; /* owned; task_count entries, by id; NULL = none was mentioned */
	size_t task_count;
	struct model_loops *loops;     /* owned, opaque: model_loops.h; NULL = no record of one */
	struct model_order *order;     /* owned, opaque */
	struct model_sets *sets;       /* owned, opaque */
	struct model_streams *streams; /* owned, opaque: stream -> thread */
	uint32_t *wait_index; /* owned: thread -> index + 1 in process->waits, 0 = not blocked */
	size_t finish_cursor;
};

/* What one event changed; valid until the next model_apply. */
enum model_step_flag {
	MODEL_STEP_HOLD = 1,  /* a new hold: thread->held[held_count - 1] */
	MODEL_STEP_DEPTH = 2, /* a recursive acquire or release: the hold stays */
	/* `released` is the hold that ended; `loser` had it. DESTROY, GONE: one of them */
	MODEL_STEP_RELEASED = 4,
	MODEL_STEP_UNKNOWN_RELEASE = 8, /* RELEASE of something the model did not see held */
	/* acquired although `loser` still held it: records are missing */
	MODEL_STEP_TAKEN_OVER = 16,
	MODEL_STEP_REQUESTED = 32,	/* `request` is the contended request this event answers */
	MODEL_STEP_AFTER_DESTROY = 64,	/* the object was destroyed before this event */
	MODEL_STEP_NOW_SHARED = 128,	/* the object's second thread touched it with this event */
	MODEL_STEP_NO_WAITER = 256,	/* signal or broadcast that nobody heard */
	MODEL_STEP_JOINED_BEFORE = 512, /* JOIN, DETACH of `peer`: it was joined already */
	MODEL_STEP_DETACHED_BEFORE = 1024,
	MODEL_STEP_OVER = 2048,	       /* `peer` is over as of this event */
	MODEL_STEP_GENERATION = 4096,  /* BARRIER_LEAVE: first of its generation */
	MODEL_STEP_SEM_DEMOTED = 8192, /* the semaphore is no lock any more */
	/* who held the object before is not known: records are missing */
	MODEL_STEP_OWNER_LOST = 16384,
	MODEL_STEP_RETURNED = 32768, /* `callback` is over */
	MODEL_STEP_CALLED = 65536,   /* TASK: a callback began */
	MODEL_STEP_ENDED = 131072,   /* TASK: `ended` is no more */
};

struct model_callback {
	uint32_t task;
	uint32_t kind;	/* enum trace_task_kind; 0 = not known */
	uint32_t stack; /* the callback: one frame */
	uint32_t
		stood; /* RETURNED: where its coroutine stands now, innermost first; 0 = not known */
	uint32_t loop;		  /* object; 0 = not known */
	struct model_site posted; /* armed, or made; stack 0 = not known */
	uint64_t since_ns;
	uint32_t held; /* locks that the thread held when it began */
	uint32_t
		lock; /* the newest of them: libevent's own, which it releases meanwhile; 0 = none */
	uint32_t runs; /* of loops that the thread was in when it began */
	bool in_pool;  /* work, on a thread of its pool: no loop waits for it */
};

struct model_job;
struct model_step {
	uint32_t flags;		     /* enum model_step_flag */
	uint32_t owner_before;	     /* object's exclusive holder before the event */
	struct model_thread *thread; /* whose event; NULL = id out of range: nothing was done */
	struct model_object *object; /* event.object; NULL = none */
	struct model_object *other;  /* event.other as an object (COND_*); NULL = none */
	/*
	 * thread in event.arg of CREATE, JOIN, DETACH, CANCEL; previous thread of the stream of
	 * THREAD_BEGIN; NULL = none
	 */
	struct model_thread *peer;
	struct model_thread *loser;
	struct model_held released;
	struct model_request request;
	struct model_waiting waited; /* COND_WAKE: the wait that is over */
	struct model_callback callback;
	const struct model_job *ended; /* model_loops.h; as it was before */
	uint32_t callback_depth;       /* RETURNED: callbacks that the thread is still in */
	uint64_t turn_before_ns;       /* TURN: when the one before came back; 0 = none */
};

struct model *model_new(const struct trace_process *process);
void model_free(struct model *m); /* takes NULL */

/* Applies one event; fills `ret_step`. */
void model_apply(struct model *m, const struct trace_event *event, struct model_step *ret_step);

/*
 * After the last event: threads that have ended are over. Returns the next thread that this made
 * over, NULL when done; call until NULL.
 */
struct model_thread *model_finish(struct model *m);

static inline struct model_object *model_get_object(const struct model *m, uint32_t id)
{
	return id != 0 && id < m->object_count ? &m->objects[id] : NULL;
}

/* NULL = no such id, or no event mentioned a task. */
const struct model_task *model_get_task(const struct model *m, uint32_t id);

/* NULL = no such id, or never mentioned by an event. */
static inline struct model_thread *model_get_thread(const struct model *m, uint32_t id)
{
	return id < m->thread_count ? m->threads[id] : NULL;
}

/* The thread's hold of `object`, NULL = none. */
const struct model_held *model_find_held(const struct model_thread *t, uint32_t object);

/*
 * Every thread that holds `object`, in id order: call with *iterator = 0 first; NULL at the end.
 * Linear in threads. Threads that are over still count: they never released it.
 */
struct model_thread *model_next_holder(const struct model *m, uint32_t object, size_t *iterator);

/*
 * Last wait slot of the thread (what it was blocked on when the trace ended), NULL = not blocked in
 * a hooked call.
 */
const struct trace_wait_state *model_get_wait(const struct model *m, uint32_t thread);

/*
 * Signals that the thread blocks while code with this stack runs, in a handler or not; all where it
 * is not known.
 */
uint64_t model_signal_mask(const struct model *m, const struct model_thread *t, uint32_t stack);

/* The stack's entry in the process's table; NULL = id out of range. */
const struct trace_stack *model_get_stack(const struct model *m, uint32_t stack);

/* True for kinds that can be in a held set, semaphores that are used as locks included. */
bool model_object_is_lock(const struct model_object *object);

/* A lock of asyncio's: tasks hold it, no held set has it. */
static inline bool model_object_is_of_tasks(const struct model *m, uint32_t id)
{
	return m->process->objects && id < m->process->object_count &&
	       (m->process->objects[id].attributes >> TF_LIBRARY_SHIFT & TF_LIBRARY_MASK) ==
		       TF_LIBRARY_ASYNCIO;
}

/* rwlock that lets a waiting writer go before new readers. */
bool model_object_prefers_writer(const struct model_object *object);

/* ---- interned held sets ---- */

/* An element of a set: object id << 1 | shared. */
#define MODEL_SET_OBJECT(element) ((element) >> 1)
#define MODEL_SET_SHARED(element) ((element)&1u)

/*
 * The thread's present held set without the hold of `except` (0 = all), and its permits of counting
 * semaphores as shared elements. Id 0 is the empty set; ids are dense.
 */
uint32_t model_intern_set(struct model *m, const struct model_thread *t, uint32_t except);
/* Elements in ascending order. Borrowed until the next model_intern_set. */
const uint32_t *model_get_set(const struct model *m, uint32_t set, uint32_t *ret_count);
bool model_set_has(const struct model *m, uint32_t set, uint32_t object);
/*
 * True when both sets hold one lock and at least one of them exclusively: the two cannot be held at
 * the same time.
 */
bool model_sets_exclude(const struct model *m, uint32_t a, uint32_t b);

/* ---- fork-join-barrier order ---- */

/*
 * Names the present stretch of the thread for later model_is_before; 0 is never returned. Pinned
 * segments live as long as the model, so pin only what is kept.
 */
uint32_t model_pin_segment(struct model *m, struct model_thread *t);

/*
 * True when everything in segment `a` happens before everything in `b` by program order, create,
 * join or a barrier in every schedule. Memoised; meant for candidates only.
 */
bool model_is_before(struct model *m, uint32_t a, uint32_t b);
/* As above, and the path needs a barrier (else create and join suffice): for the reason counts. */
bool model_is_before_by_barrier(struct model *m, uint32_t a, uint32_t b);
uint32_t model_segment_thread(const struct model *m, uint32_t segment);
/* The thread's oldest segment, 0 = it has none. t->segment is the newest. */
uint32_t model_first_segment(const struct model *m, const struct model_thread *t);

#endif
