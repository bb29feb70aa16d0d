/* SPDX-License-Identifier: MIT */
/*
 * loop_stretch.h - what a thread does without a look at its loop: since when, what it waited for, and where the rest of the time went.
 */
#ifndef THRUM_ANALYZER_CHECKERS_LOOP_STRETCH_H
#define THRUM_ANALYZER_CHECKERS_LOOP_STRETCH_H

#include "loop_stall.h"

enum { MAX_CAUSES = 8, MAX_BLOCKS = 4 };

struct stretch {
	uint64_t since_ns; /* 0 = none yet */
	/* Of the callbacks inside it that are over, the innermost that took nearly all of what is around it. */
	struct model_callback inner;
	uint64_t inner_ns;
	struct cause cause[MAX_CAUSES];
	uint32_t cause_count;
	uint64_t newest_since_ns, newest_ns; /* the last wait */
	/* The last record, and the one before the longest time without a record or a wait. */
	uint64_t last_ns, gap_ns;
	struct model_callback outer; /* the outermost callback, while it runs; task 0 = none */
	uint64_t lost_ns;	     /* the last time that records were missing */
	uint32_t last_stack, gap_stack;
	/* The last request of a lock: who had it then, and since which place and time. Thread 0 = nobody known. */
	uint32_t held_by, held_stack;
	uint64_t held_ns;
	/* BLOCK without its UNBLOCK; more than one where a signal handler blocks inside a call. */
	struct cause block[MAX_BLOCKS];
	uint32_t block_count;
	uint32_t fork_stack; /* of a child that was made, until the next wait */
	/* Of each BUSY: time that went by, and was spent on a processor. */
	uint64_t wall_ns, processor_ns;
};

void stretch_begin(struct stretch *x, uint64_t now_ns);
void stretch_add_cause(struct stretch *x, const struct cause *c);
/* BUSY */
void stretch_note_busy(struct stretch *x, const struct trace_event *event);
/* A callback inside others, until now. */
void stretch_note_inner(struct stretch *x, const struct model_callback *callback, uint64_t now_ns);
/* Since the last record, `after` = the stack that it had where that one had none. */
void stretch_note_gap(struct stretch *x, uint64_t now_ns, uint32_t after);

/* Of a stretch that took so long; UINT64_MAX = not known. */
uint64_t stretch_processor_ns(const struct stretch *x, uint64_t stretch_ns);
uint64_t stretch_waited_ns(const struct stretch *x);
/* NULL = it waited for nothing. */
const struct cause *stretch_worst_cause(const struct stretch *x);
/* Is `part_ns` nearly all of it? */
bool stretch_is_most(uint64_t part_ns, uint64_t whole_ns);

/* ---- loop_stall_meant.c: what takes long because it has to ---- */

/* The thread runs an initialiser: done once in the life of the process. */
bool stall_is_initialising(const struct analysis *a, uint32_t thread);
bool stall_starts_a_thread(const struct analysis *a, const struct cause *c);
bool stall_starts_a_process(const struct analysis *a, const struct stretch *x,
			    const struct cause *c);
/* In a loop of its own that runs until a child process is over. */
bool stall_waits_for_child(struct analysis *a, uint32_t thread);
/* It waits for ever, and that is told. */
bool stall_is_told(const struct analysis *a, uint32_t thread);
/* It ended the process outside of the loop that it seems to be in. */
bool stall_left_before_exit(const struct model *m, const struct model_driver *d, uint32_t id);

#endif
