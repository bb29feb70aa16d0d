/* SPDX-License-Identifier: MIT */
/*
 * steer.h - threads are delayed on purpose: `thrum confirm` (steer=1) and --perturb (perturb=SEED).
 *
 * Nothing of this is on any path of an ordinary run: when one of the two is asked for, the pointers to the real functions are led
 * through functions of ours (steer_calls.c), which find what they need where the wrapper has just put it: in the wait slot.
 *
 * Invariants
 *  - A thread is held back only before a call that may block anyway, without the guard, and for a bounded time (steer_hold.c); a signal
 *    handler runs meanwhile as it would inside the call. errno is left alone.
 *  - While a thread is held back its wait slot is empty: it waits for us, not for the lock.
 *  - A call that gives up after a time is not held back: its time would be gone. What it took, and what was taken by a try, is held.
 *  - steer_state.lock ranks below all others (object, depot, meta and region are never taken under it) and is taken with the guard held.
 *  - A deadlock is never claimed here: the threads are let go and block for real, or not.
 */
#ifndef THRUM_STEER_H
#define THRUM_STEER_H

#include "../../trace/trace_steer.h"
#include "../shim.h"

/* BOOT: after the modules are known, in each image. */
void steer_arm(void);

/* Led, or was at start: whoever does not come through a real function of libc's or a library's asks. */
extern uint32_t steer_is_on;

/* Who sleeps for us may hold a lock that is no part of the plan, as an interpreter's: gives it back meanwhile. */
struct steer_outside {
	void *(*leave)(void);
	void (*enter)(void *left);
};

/* What is remembered of a call over the real function. */
struct steer_call {
	const struct steer_outside *outside; /* NULL = none */
	struct stream *s;		     /* NULL = not steered */
	uintptr_t sp;	      /* of this frame: says which of a thread's calls are over */
	uintptr_t address;    /* of the lock */
	uintptr_t released;   /* of the mutex that a condition wait gives back; 0 = none */
	uint32_t outer;	      /* edges whose outer place this is: held from now on */
	uint32_t released_as; /* the same of `released` */
	bool stands;
};

/*
 * SLOW: the calling thread's stream where `address` is an object of ours and this call is the program's: not our own, and not one
 * that a library makes inside its lock. NULL = leave it alone.
 */
struct stream *steer_stream(uintptr_t address, const struct object **ret_object);

/* ---- steer_calls.c ---- */

/*
 * SLOW, the guard open, or muted by a library's lock: around a real call that takes the lock at `address`, in `mode` of TRACE_MODE_*;
 * `sp` is the caller's frame. After one that gave it back.
 */
void steer_take_before(struct steer_call *c, uintptr_t address, unsigned mode, uintptr_t sp,
		       const struct steer_outside *outside);
void steer_take_after(struct steer_call *c, uintptr_t address, unsigned mode, bool taken,
		      struct arch_caller caller);
void steer_given(uintptr_t address, const struct steer_outside *outside);

/* ---- steer_place.c ---- */

/* Edges, one bit each, whose places a stack is. */
struct steer_match {
	uint32_t outer, inner;
};
/* SLOW: of the stack with that number. */
struct steer_match steer_match_stack(uint32_t stack);
bool steer_plan_open(void); /* BOOT */
extern struct steer_plan *steer_plan;

/* ---- steer_stand.c, steer_hold.c ---- */

bool steer_stand_arm(void); /* BOOT */
/*
 * SLOW, the guard open, or muted by a library's lock: around a real call that takes `address`, which may wait for ever, or for a time;
 * after a try that took it; around a condition wait; after a release.
 */
void steer_before(struct steer_call *c, uintptr_t address, uintptr_t sp, bool for_ever,
		  const struct steer_outside *outside);
void steer_tried(uintptr_t address, struct arch_caller caller);
void steer_wait_before(struct steer_call *c, uintptr_t cond, uintptr_t mutex, uintptr_t sp);
void steer_after(struct steer_call *c, bool taken);
void steer_released(uintptr_t address);
/* SLOW, the guard held: the thread is over, perhaps inside a call that it was cancelled in. Only where steer_is_on. */
void steer_thread_over(struct stream *s);

/* ---- steer_perturb.c ---- */

/* SLOW, the guard open: a pause here, or none. What no wrapper saw (an interpreter's own lock, taken past them) never pauses. */
void steer_perturb(uintptr_t address, const struct steer_outside *outside);
void steer_sleep_us(uint32_t us, const struct steer_outside *outside);
/* ANY: chance: the same for the same three. */
uint64_t steer_draw(uint64_t seed, uint64_t thread, uint64_t call);
/* ANY: how long the thread pauses at that call of it; 0 = not at all. */
uint32_t steer_pause_us(uint64_t seed, uint32_t thread, uint32_t call);

#endif
