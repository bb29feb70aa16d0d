/* SPDX-License-Identifier: MIT */
/*
 * shim_bell.h - who wakes whom: descriptors that one thread writes to so that another, which waits for
 * descriptors, comes back. Types for shim.h, and what shim_descriptor.c tells of the numbers; the calls: wrap_bell.h.
 *
 * A bell is an eventfd, a timerfd, a signalfd, or the reading side of a pipe or socket pair of which this process was seen to
 * wait for data. It remembers where it was first written to since it was last read, and says so, in WOKEN, to the wait
 * that finds it ready.
 *
 * Invariants
 *  - What it tells is true literally: that thread wrote to it there, and nobody whom we see read it since. Two writers at the
 *    same time: neither is named. Writers that no hook sees (system calls made by hand, other processes) leave no trace,
 *    and a wait that nobody whom we saw can have ended is told of nobody.
 *  - A write of a bell that was rung already costs a load and a test, one of any other descriptor the same.
 *  - Entries are type-stable; the number of a bell's state changes with all that it remembers, also from one use of the entry to
 *    the next. Lists and numbers change under ipc_lock.
 *  - The table begins empty in a forked child: a descriptor that it inherited is learnt like any other.
 */
#ifndef THRUM_SHIM_BELL_H
#define THRUM_SHIM_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct call;
struct named;

enum {
	BELLS = 512,	  /* at a time; those beyond wake unseen */
	BELL_FILTER = 64, /* words: of (epoll, data) pairs that are no bells' */
	/* struct shim's watched[] has as many as descriptor[]. */
	BELL_NUMBERS = 4096,
};

/* Bits of bell.state; above them its number. Phases first. */
enum bell_state {
	BELL_STILL = 0,
	BELL_BUSY = 1, /* what it remembers is being written */
	BELL_RUNG = 2,
	BELL_UNSURE = 3, /* by several at the same time */
	BELL_PHASE = 3,
	BELL_FLYING = 4, /* RUNG: that write has not come back yet */
	BELL_TOLD = 8,
	BELL_NUMBER = 16,
};

struct bell {
	_Atomic uint32_t
		state; /* enum bell_state; the release of RUNG pairs with the acquire in tell() */
	uint32_t stack, thread, task; /* RUNG: where, who */
	uint64_t data;		      /* what epoll gives back for it */
	int16_t epoll;		      /* where it is registered; -1 = nowhere, as far as we know */
	uint16_t next;		      /* of the same epoll; of the free ones. 0 = none */
	uint16_t refs;		      /* of struct descriptor: rings and stills */
	uint8_t kind;		      /* enum trace_waker */
	bool edge;		      /* EPOLLET: told once, read or not */
	bool doubtful;	 /* another descriptor of that epoll gives the same data back */
	bool repeats;	 /* a timer that is set once and goes off again and again */
	uint16_t number; /* registered under this one */
};

struct bells {
	struct bell bell[BELLS]; /* 0 stands for none */
	_Atomic uint16_t
		watched[BELL_NUMBERS]; /* by epoll descriptor: first of its bells; 0 = none */
	uint16_t free, used;
	_Atomic uint8_t possible; /* something that may become one was seen */
	uint64_t filter[BELL_FILTER];
};

/* SLOW, under ipc_lock: the number is closed. */
void bell_forget(int fd);
/* SLOW, under ipc_lock: `to` is a duplicate of `from`. */
void bell_duplicate(int from, int to);
/* SLOW, the guard held: the number leads to an anonymous inode. Which? */
void bell_recognise(int fd);

#endif
