/* SPDX-License-Identifier: MIT */
/*
 * steer_state.h - what steer_stand.c keeps of who holds and who stands, for steer_hold.c. Both only.
 *
 * All but the first two functions, and what only reads the plan, are called under state->lock: between enter and leave.
 */
#ifndef THRUM_STEER_STATE_H
#define THRUM_STEER_STATE_H

#include "steer.h"

enum {
	HOLDS = 1024,
	STANDING = 128,
};

/* A lock that was taken at an outer place. */
struct hold {
	uint32_t thread; /* 0 = free */
	uint32_t edges;
	uintptr_t address;
};

struct standing {
	uint32_t thread; /* 0 = free */
	uint32_t edges;
	uintptr_t asks, sp;
	bool go;
	bool is_late; /* before its outer lock, until the others stand */
};

/* In wiped memory. */
struct steer_state {
	spin_t lock; /* the arrays; taken with the guard held, nothing is taken under it */
	_Atomic uint32_t turn; /* a futex: changes when somebody may go */
	_Atomic uint32_t
		spent_ms; /* by all threads, as it was meant: how long it took on a busy machine does not count */
	_Atomic uint32_t came; /* times that somebody came to stand */
	struct hold hold[HOLDS];
	struct standing standing[STANDING];
};
extern struct steer_state *steer_state;

/* SLOW: takes the guard and the lock; returns how the guard was, for leave. */
uint32_t steer_state_enter(struct stream *s);
void steer_state_leave(struct stream *s, uint32_t was);

/* A lock that was taken at an outer place of `edges`; the edges that one was held for, 0 = it is not among them. */
void steer_hold_add(uint32_t thread, uintptr_t address, uint32_t edges);
uint32_t steer_hold_remove(uint32_t thread, uintptr_t address);

/* Those of `edges` for which the thread holds a lock other than the one it asks for. */
uint32_t steer_edges_played(uint32_t thread, uint32_t edges, uintptr_t asks);
/* Of those edges, the ones that are meant by a lock of that number at the outer place, or at the inner one. Needs no lock. */
uint32_t steer_edges_meant(uint32_t edges, uint32_t object, bool is_outer);

/* NULL: there are too many. Dropped is what the thread's frames below `sp` left by a jump or a cancellation, and the one at it. */
struct standing *steer_standing_add(struct steer_call *c, uint32_t edges, uintptr_t asks);
void steer_standing_drop(uint32_t thread, uintptr_t sp);
/* It is over: it stands nowhere, and what it did not give back it gives to nobody. */
void steer_thread_drop(uint32_t thread);

/* All of a circle stand: all may go. Who came too early for its outer lock may take it when all others stand. */
void steer_circle_look(void);
void steer_late_look(void);

void steer_count_up(uint32_t *counter); /* ANY */

#endif
