/* SPDX-License-Identifier: MIT */
/*
 * memory_link.h - what libthrum_tsan.so, which records memory accesses, takes from libthrum.so, which records everything else.
 *
 * The names are weak in libthrum_tsan.so: a program that runs without libthrum.so runs unrecorded.
 */
#ifndef THRUM_PRELOAD_TSAN_MEMORY_LINK_H
#define THRUM_PRELOAD_TSAN_MEMORY_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The calling thread, as the trace knows it. */
struct memory_thread {
	const volatile uint64_t
		*events; /* records in its stream so far; valid as long as the process */
	uint32_t thread, stream, tid;
	bool is_main;
	/* Of its stack and what lies above it; both 0 = not known. The main thread's is as large as it may become. */
	uintptr_t stack_low, stack_high;
	/*
	 * For the caller, one for each stream: successive threads that have the stream find what the one before them left.
	 * Never two threads at a time.
	 */
	void **slot;
};

/*
 * Attaches the calling thread. False: not now (a signal handler inside a hook), or not at all, with `ret_never`: nothing is
 * recorded, or the launcher did not ask for accesses. Makes the file at the first call in a process. SLOW.
 */
bool thrum_memory_attach(struct memory_thread *ret_thread, bool *ret_never);
/* Zeroed memory that a forked child finds zeroed again; NULL when there is none. SLOW. */
void *thrum_memory_pages(size_t bytes);
/*
 * The next `units` of the file, mapped, as a chunk of that lane and number; NULL = the trace is cut here. Gone in a forked child. Takes
 * no lock: a signal handler may ask. SLOW.
 */
struct tm_chunk *thrum_memory_chunk(uint32_t lane, uint32_t number, uint32_t units);
/* The header of the file; NULL before the first attach. ANY. */
struct tm_header *thrum_memory_header(void);
/*
 * From now on told of memory that goes, before it is given back, with the return address of the call; and by a thread that is about to
 * make another, guard held. HOT.
 */
void thrum_memory_listen(void (*gone)(uintptr_t start, size_t bytes, uintptr_t pc),
			 void (*thread)(void));

#endif
