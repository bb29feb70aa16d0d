/* SPDX-License-Identifier: MIT */
/*
 * run_processes.h - which process images of a run are looked at together, and what became of each.
 *
 * In such a united view all images are one process with one table of threads, objects and stacks:
 * an id of image i is the image's base plus the local id, and objects that are the same thing by
 * identity have one id. Everything that was written for one process (model, wait-for graph,
 * lock-order graph) then works for all of them; what only the border between processes decides is
 * asked here.
 *
 * Invariants
 *  - Images are in order of their start; local id 0 stays 0.
 *  - `ended` is what the run shows: reaped by its parent, past exit, or replaced by exec. A process
 *    that was killed and whose parent did not say so counts as alive, and then as running: no
 *    finding comes from it.
 *
 * Not thread-safe. Borrowed from the trace reader.
 */
#ifndef THRUM_ANALYZER_RUN_PROCESSES_H
#define THRUM_ANALYZER_RUN_PROCESSES_H

#include "../trace/trace_reader.h"

#define RUN_NO_PROCESS UINT32_MAX

struct run_process {
	size_t index; /* in the trace */
	const struct trace_process *process;
	uint64_t start_ns;				  /* in run time */
	uint32_t first_thread, first_object, first_stack; /* bases */
	uint32_t *object_of;				  /* local object id -> united id; owned */
	uint32_t parent;      /* index here, RUN_NO_PROCESS = not among them */
	uint32_t successor;   /* image that exec made of it, RUN_NO_PROCESS = none */
	uint32_t exit_thread; /* local: called exit; 0 = none */
	uint32_t fork_thread; /* local: a fork is under way; 0 = none */
	uint32_t fork_stack;
	uint64_t
		handlers; /* bit n - 1: it has a handler for signal n at its end, its own or inherited */
	bool created; /* its main thread was said to be made */
	bool ended, reaped;
};

/* A pipe or a socket as one image has it, at its end. */
struct run_end {
	uint32_t object;  /* united id */
	uint32_t process; /* index here */
	/* offset: enum run_end_open bits; of a socket, length = inode of its peer, 0 = not known */
	const struct tf_def_identity *identity;
	bool made_here; /* this image made it: the other end is in the run */
};

enum run_end_open { RUN_END_READ = 1, RUN_END_WRITE = 2 };

struct run_processes {
	struct run_process *process; /* owned */
	uint32_t count;
	struct run_end *end; /* owned; by image, then object */
	uint32_t end_count;
	bool open; /* some process of the run is not seen: it may do anything */
};

/* The image of united thread `thread` (or object, stack: by the base given). */
uint32_t run_process_of_thread(const struct run_processes *run, uint32_t thread);
uint32_t run_process_of_object(const struct run_processes *run, uint32_t object);
uint32_t run_process_of_stack(const struct run_processes *run, uint32_t stack);

/* The newest image of `pid`, RUN_NO_PROCESS when it is not among them. */
uint32_t run_find_pid(const struct run_processes *run, uint32_t pid);

/* United id of the image's main thread. */
uint32_t run_main_thread(const struct run_processes *run, uint32_t process);

/* "process 123 (worker)": the command's base name, cut. Never NULL; bytes >= 64 is enough. */
const char *run_process_words(const struct trace_process *process, char *buffer, size_t bytes);

/*
 * Two file locks that are not the same object: do they stand in each other's way? Same file, same
 * kind of lock, ranges that overlap. Modes are the caller's business.
 */
bool run_ranges_meet(const struct trace_object *a, const struct trace_object *b);

/*
 * Calls `visit` for each live process that can end a wait at pipe or socket `object`: for data, who
 * can write to it; for room, who can read. False where that cannot be told: the other end may be
 * outside the run.
 */
bool run_visit_partners(const struct run_processes *run, uint32_t object, bool for_data,
			void (*visit)(void *cookie, uint32_t process), void *cookie);

void run_processes_release(struct run_processes *run);

#endif
