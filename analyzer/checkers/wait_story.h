/* SPDX-License-Identifier: MIT */
/*
 * wait_story.h - the parts that findings about waits share: who waits for what in words, WAITS and
 * HOLDS stacks.
 *
 * Words name threads and objects of the finding's lists as {thread:ID} and {lock:ID}. Threads that
 * are not in the lists (those behind a knot: which ones is chance, so they must not change the
 * fingerprint) are named in plain text.
 */
#ifndef THRUM_ANALYZER_WAIT_STORY_H
#define THRUM_ANALYZER_WAIT_STORY_H

#include "../checker.h"
#include "../wait_knots.h"

#include <stdio.h>

/* What the checkers of waits share for one image. */
struct wait_report {
	struct analysis *a;
	struct wait_world *w;
	uint8_t *
		explained; /* by thread id: a deadlock or a stuck lock is reported that it is in or behind of; owned */
	unsigned deadlocks; /* knots that are cycles, reported or left out by --rules */
};

/* The parts, in this order: see their files. Returns how many threads wait for a lock of a ghost. */
unsigned fork_lock_report(struct wait_report *r);
void deadlock_report(struct wait_report *r);
void stuck_wait_report(struct wait_report *r);
void thread_leak_report(struct wait_report *r);

/* Text under construction: print to `out`, then story_text_take. */
struct story_text {
	FILE *out;
	char *buffer;
	size_t bytes;
};
void story_text_begin(struct story_text *t);
/* The text in the finding list's memory; ends `t`. */
const char *story_text_take(struct story_text *t, struct analysis *a);

/* Times below are not told: they would read 0.0 s. */
#define STORY_TOLD_NS UINT64_C(50000000)

/* Plural: "", "s". */
static inline const char *story_s(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/*
 * Prints ", in a handler of SIGUSR1" and returns true where the thread waits in a signal handler.
 */
bool story_print_handler(FILE *out, const struct wait_world *w, uint32_t thread);

/*
 * Prints "{thread:3} waits for {lock:2}" for the wait of `thread` that leads to `node` (its target
 * or its retake).
 */
void story_print_wait(FILE *out, const struct wait_world *w, uint32_t thread, uint32_t node);

/*
 * Prints ", held by {thread:4}": how `next` stands in the way at target `node`. Nothing for a join.
 */
void story_print_obstacle(FILE *out, const struct wait_world *w, uint32_t node, uint32_t next);

/* Prints "{thread:1}, {thread:2} and {thread:3}", at most `most` of them, then "and 7 more". */
void story_print_threads(FILE *out, const uint32_t *threads, size_t count, size_t most);

/* Prints "thread 7 \"logger\"" from the trace: for threads that are not in the lists. */
void story_print_outsider(FILE *out, struct analysis *a, uint32_t thread);

/*
 * WAITS stack of the wait of `thread` that leads to `node`, with thread, object and "for at least
 * 2.1 s".
 */
void story_add_wait(struct wait_report *r, struct finding *f, uint32_t thread, uint32_t node);

/* HOLDS stack of `object`, when `thread` holds it. */
void story_add_hold(struct wait_report *r, struct finding *f, uint32_t thread, uint32_t object);

/*
 * SIGNALS stack of the newest signal, post or arrival of `thread` at `object`, when there was one.
 */
void story_add_gift(struct wait_report *r, struct finding *f, uint32_t thread, uint32_t object,
		    const char *note);

/*
 * Several processes are looked at, and this is a matter of one of them that was told when that one
 * was looked at alone. `hard`: whoever else runs; else it took that nobody in the process could run.
 */
bool story_told_alone(const struct wait_world *w, uint32_t process, bool hard);

/* The wait of `thread` that the graph is about: its target, or its retake when it has no other. */
uint32_t story_wait_node(const struct wait_world *w, uint32_t thread);

#endif
