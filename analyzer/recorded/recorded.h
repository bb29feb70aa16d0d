/* SPDX-License-Identifier: MIT */
/*
 * recorded.h - an image of a trace as a sequence of predict/: its events, and its accesses where they were recorded.
 *
 * What a sequence has no operation for is told by those it has, so that every reordering of the sequence is one of the run. An edge too
 * many can only lose a prediction:
 *
 *  - a read-write lock is a lock for each thread that reads under it, and one of the writers'. Who reads takes his own, who writes takes all;
 *  - a semaphore that is a lock (of value 1 at first, posted by whom took it only) is one. Others, condition variables, barriers, futexes,
 *    tasks, what hands over messages, atomics that release and acquire: a notification, and a wait that ends after all of them;
 *  - an initialiser is a lock while it runs; who passes it takes and drops that lock, and goes on after its end;
 *  - a thread that nobody was seen to make comes after all that was done before.
 *
 * What depends on more than that is not certain (known.h), and from there on the thread is in no proof: attempts that failed, locks that
 * other processes share, reads that race.
 *
 * Feed it as a memory_sink, or with events alone. Memory: 16 bytes an event, up to a limit.
 */
#ifndef THRUM_ANALYZER_RECORDED_RECORDED_H
#define THRUM_ANALYZER_RECORDED_RECORDED_H

#include "../memory_replay.h"
#include "../predict/sequence.h"

struct recorded;

/* Both borrowed; `memory` NULL = there are no accesses. */
struct recorded *recorded_new(const struct trace_process *process, struct trace_memory *memory);
void recorded_free(struct recorded *recorded); /* takes NULL */

/* As of struct memory_sink. */
void recorded_event(struct recorded *recorded, const struct trace_event *event);
void recorded_item(struct recorded *recorded, const struct memory_moment *at,
		   const struct trace_memory_item *item);
void recorded_release(struct recorded *recorded, const struct memory_moment *at,
		      const struct trace_memory_item *item);
void recorded_acquire(struct recorded *recorded, const struct memory_moment *at,
		      const struct trace_memory_item *item);
void recorded_gap(struct recorded *recorded);

/* After the last one; again = the same. The sequence lives as long as `recorded`; its names are keys, see below. */
const struct predict_sequence *recorded_finish(struct recorded *recorded);

/* Why nothing can be proven by it; NULL = it can. After recorded_finish. */
const char *recorded_flaw(const struct recorded *recorded);

/* ---- what the sequence's numbers are ---- */

enum recorded_lock_kind {
	RECORDED_OBJECT,  /* id of an object */
	RECORDED_READER,  /* the part of a read-write lock that is `thread`'s */
	RECORDED_SIGNAL,  /* what is handed over through an object: is never held */
	RECORDED_ROUND,	  /* of a barrier */
	RECORDED_TASK,	  /* the same of a task */
	RECORDED_ADDRESS, /* of an address */
};

struct recorded_lock {
	enum recorded_lock_kind kind;
	uint64_t id;	 /* object, task or address */
	uint32_t thread; /* of READER; of ROUND 0 or 1 */
};

struct recorded_place {
	uint32_t stack; /* of the process; 0 = none, or of `node` */
	uint32_t node;	/* of the memory trace, with pc */
	uint64_t pc;	/* 0 = a place of an event */
	bool is_atomic;
	uint64_t time_ns; /* of its first use */
};

/* Threads of the sequence are those of the process, in another order. */
uint32_t recorded_thread(const struct recorded *recorded, uint32_t thread);
struct recorded_lock recorded_lock(const struct recorded *recorded, uint32_t lock);
struct recorded_place recorded_place(const struct recorded *recorded, uint32_t place);
struct recorded_variable {
	uint64_t address; /* of its first byte; 0 = no such variable */
	uint32_t bytes;	  /* about: of its first access */
	uint16_t generation;
};
struct recorded_variable recorded_variable(const struct recorded *recorded, uint32_t variable);

#endif
