/* SPDX-License-Identifier: MIT */
/*
 * shim_task.h - tasks of loops and pools: which handle is which task, and whose callback it was.
 *
 * A library's handle, request, source or watcher is known by its address and kind (any kind of handle alike). Where the library keeps the
 * callback to itself, we hand it a trampoline of ours in place of the host's, and keep the host's here. So an
 * entry that has callbacks is never dropped while the library may still call: it goes with the call that ends
 * it, or when another is made at its address. Entries are type-stable: reused, never unmapped; found
 * without a lock. Two threads that use one handle at the same time race in the library too.
 *
 * A library also calls its own exported functions; those calls are its business: see struct task_library.
 */
#ifndef THRUM_SHIM_TASK_H
#define THRUM_SHIM_TASK_H

#include "shim_emit.h"

enum { TASK_CALLBACKS = 3 };

enum task_flag {
	TASK_OVER = 1,		 /* its last callback was called where nothing could be recorded */
	TASK_CLOSING = 2,	 /* CLOSED is written; its close callback follows */
	TASK_ENDS_WITH_LOOP = 4, /* the library drops it with its loop: then it is no leak */
	TASK_ARMED = 8,		 /* of libraries whose handles are told from their memory by it */
};

struct task {
	_Atomic uintptr_t address; /* 0 = dead */
	struct task *next;
	uint32_t id;
	uint32_t loop;	/* object; 0 = not known */
	uint32_t image; /* where it was announced last */
	uint8_t kind;	/* enum trace_task_kind */
	uint8_t space;	/* kinds of one library that share its calls */
	uint8_t flags;	/* enum task_flag */
	uint32_t callback_stack
		[TASK_CALLBACKS];	/* the callback as a stack of one frame; 0 = not made yet */
	void *callback[TASK_CALLBACKS]; /* the host's; NULL = none */
	void *argument; /* the host's, where ours is passed in its place; or the wrappers' own */
};

/* A library whose inner calls are told from the host's: the module that holds its functions. */
struct task_library {
	uintptr_t start, end; /* 0 = not looked up yet */
};

/* BOOT: this process is a new image; maybe a forked one. */
void task_new_image(void);

/*
 * SLOW, the guard held: is a call that returns to `ip` the library's own? From the library: one by name. From here: one that a function of
 * the library, which a wrapper called, jumped on to; not what a callback of the host that we called jumped to.
 */
bool task_is_inner(uintptr_t ip, bool from_library);
/* HOT: is this one of the functions that we give a library in place of a callback? */
static hot_inline bool task_is_trampoline(uintptr_t function)
{
	return function >= (uintptr_t)__start_thrum_callback &&
	       function < (uintptr_t)__stop_thrum_callback;
}

/* SLOW: takes the guard, and the caller's stack, whoever calls. False: nothing is to be recorded. */
bool task_enter_any(struct call *c, struct arch_caller caller);
/*
 * SLOW: takes the guard for a call of the host, and its stack. False: nothing is to be recorded: no stream, inside another
 * hook, or the call is the library's own: `real`, the real function, lies in it.
 */
bool task_enter(struct call *c, struct arch_caller caller, struct task_library *library,
		const void *real);

/* SLOW: the object of a loop or pool; 0 = none. `kind`: KIND_OF_LIBRARY(LOOP or POOL, …). */
uint32_t task_loop(struct call *c, const void *address, unsigned kind);

/* HOT */
struct task *task_find(const void *address, unsigned kind);
/* HOT: does it still belong to what lies there? */
static hot_inline bool task_is_at(const struct task *t, const void *address)
{
	return atomic_load_explicit(&t->address, memory_order_relaxed) == (uintptr_t)address;
}
bool task_is_of_image(const struct task *t); /* HOT: else a parent of this process had it */
/* SLOW: TASK_NEW. One that is there already is LOST. NULL = out of memory. */
struct task *task_new(struct call *c, const void *address, unsigned kind, uint32_t loop);
/* SLOW: the same, beside those that are there: task_find gives one of them. */
struct task *task_add(struct call *c, const void *address, unsigned kind, uint32_t loop);
/* SLOW: the one that is there, else a new one. */
struct task *task_touch(struct call *c, const void *address, unsigned kind, uint32_t loop);
/* SLOW: TASK_ARM. `loop` 0 = as before; `once`: for one callback. */
void task_arm(struct call *c, struct task *t, uint32_t loop, bool once);
/* HOT: before the library can call it. */
void task_set_callback(struct task *t, unsigned slot, void *callback);
/* SLOW: the same, where it is known as a stack of one frame; *stack 0 = not yet. */
void task_set_callback_known(struct task *t, unsigned slot, void *callback, uint32_t *stack);
/* SLOW: TASK with this step, from the caller's stack. */
void task_step(struct call *c, struct task *t, enum trace_task_step step);
/* SLOW: the same, and the task is gone. */
void task_end(struct call *c, struct task *t, enum trace_task_step step);
/*
 * SLOW: FINISHED for all tasks of that kind and those alike for which `matches` holds: for rare calls, it looks at the whole table.
 */
void task_end_all(struct call *c, unsigned kind, bool (*matches)(const struct task *, const void *),
		  const void *argument);

/* SLOW: the same look at those of one kind and this image; they must not be made nor end meanwhile. */
void task_each(unsigned kind, void (*visit)(struct task *, void *), void *cookie);

/* SLOW: the task at this address, if it still has one, ends with the memory. It is there while free() goes uncounted otherwise. */
void task_watch_memory(uintptr_t address);
/* SLOW, the guard held: that much memory goes. */
void task_memory_gone(struct call *c, uintptr_t start, size_t bytes);
extern uint32_t task_watched; /* 0 = none of them */

enum task_after {
	TASK_GOES_ON,
	TASK_IS_OVER,
	TASK_HAS_WORKED, /* on a thread of the pool; the loop's part follows */
};

/* A callback under way. */
struct task_run {
	struct stream *s; /* NULL = not recorded */
	uint32_t task, outer;
	uint32_t level; /* in stream.callback */
	uint64_t since; /* ticks */
	uint64_t until; /* when it came back; 0 = when that is told */
	uint32_t stood; /* where a coroutine stands now: RETURNED's stack; 0 = nobody asked */
	enum task_after after;
	void *callback; /* the host's; NULL = there is none to call */
	void *argument;
};

/*
 * ANY: in a trampoline, before the host's callback: CALLED. With TASK_IS_OVER the task is gone from here on. False: the host
 * gave no callback.
 */
bool task_called(struct task_run *ret_run, struct arch_caller caller, const void *address,
		 unsigned kind, unsigned slot, enum task_after after);
/* The same of a task that was found. */
bool task_called_as(struct task_run *ret_run, struct arch_caller caller, struct task *t,
		    unsigned slot, enum task_after after);
/* SLOW: after it: RETURNED or WORKED, and FINISHED when it is over. */
void task_returned(struct task_run *run, struct arch_caller caller);
/* SLOW: RETURNED or WORKED, and the guard is held, without a stack. False: nothing is to be recorded. */
bool task_returned_enter(struct call *c, struct task_run *run, struct arch_caller caller);
/* SLOW, after that: it is over as well, and gone. */
void task_end_at_return(struct call *c, struct task *t, enum trace_task_step step);

/*
 * SLOW, the guard held: CALLED of a callback that its library calls itself, by a frame of `c->caller`. It is over when the same
 * frame calls the next one, when that library waits for descriptors, or when its loop is left. `inner`: the callback is the
 * library's own; a callback of the host that it calls takes its place. `over`: the task is gone from here on.
 */
void task_called_late(struct call *c, struct task *t, void *callback,
		      const struct task_library *library, bool inner, bool over);
/* SLOW */
void task_end_late(struct arch_caller caller);
/* SLOW, the guard held: and those that began after there were `level` callbacks. */
void task_end_late_above(struct stream *s, uint32_t level);
/* HOT: a wait for descriptors begins. */
static hot_inline void task_wait_begins(struct arch_caller caller)
{
	const struct stream *s = shim_stream;

	if (unlikely(s && s->callback_count && s->callback[s->callback_count - 1].late)) {
		task_end_late(caller);
	}
}

/*
 * HOT: ticks when a library's call that may block begins inside a callback; 0 = not inside one, or inside another such call. What
 * it calls in turn is part of it. task_blocked has to follow.
 */
static hot_inline uint64_t task_blocks_since(void)
{
	struct stream *s = shim_stream;

	if (likely(!s || !(s->task || s->callback_count) || s->blocks)) {
		return 0;
	}
	s->blocks = 1;
	return arch_ticks();
}
/* SLOW: it came back. BLOCKED, when that took long. */
/* `most_us`: no more than that is said; the rest the system gave to others, or took to wake it. */
void task_blocked(struct arch_caller caller, unsigned number, uint32_t object, uint64_t since,
		  uint64_t most_us);

enum { TASK_BUSY_TICKS = 20000000 >> TF_TICK_SHIFT }; /* about 10 ms: that is long */
/* SLOW, the guard held: a callback that began then ends now: BUSY, when that was long. */
void task_took_long(struct stream *s, uint64_t since);
/* SLOW, the guard held: LOOP, from the caller's stack. */
void task_loop_step(struct call *c, uint32_t loop, enum trace_loop_step step, int64_t result);

enum { TASK_TURN_TICKS = 1000000 >> TF_TICK_SHIFT }; /* about half a millisecond */
/* HOT: may a wait for descriptors that began then, and only looked, be the end of a turn that is worth a record? */
static hot_inline bool task_turn_may_end(uint64_t since)
{
	return shim_stream && (int64_t)(since - shim_stream->turn_ticks) >= TASK_TURN_TICKS;
}
/* HOT mostly: a wait for descriptors came back. TURN, unless one was written just before. */
void task_turn(struct arch_caller caller, uint64_t since, bool endless, int64_t result);

#endif
