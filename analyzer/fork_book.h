/* SPDX-License-Identifier: MIT */
/*
 * fork_book.h - what was locked at each fork whose child is in the trace: kept from the analysis of
 * the parent until that of the child, which comes later.
 *
 * fork copies locks with their memory, but of the threads only the one that called it. What another
 * thread held stays locked in the child for ever.
 *
 * Invariants
 *  - Only locks of the process's own memory: what is shared is still held by its holder.
 *  - An entry lives until its child was analysed. At most FORK_BOOK_LOCKS for each fork.
 *
 * Not thread-safe. A failed allocation ends the program.
 */
#ifndef THRUM_ANALYZER_FORK_BOOK_H
#define THRUM_ANALYZER_FORK_BOOK_H

#include "../trace/trace_reader.h"

#define FORK_BOOK_LOCKS 4096u

/* A lock that was held at a fork. */
struct fork_lock {
	uint64_t address;
	uint64_t since_ns; /* taken, in the time of the process that took it */
	size_t process;	 /* image of the holder, index in the trace: the parent, or one before it */
	uint32_t kind;	 /* enum trace_object_kind */
	uint32_t thread; /* holder */
	uint32_t tid;	 /* its kernel id, 0 = not known */
	uint32_t stack;	 /* where it was taken */
	uint32_t flags;	 /* enum model_hold_flag */
	bool by_forker;	 /* held by the thread that forked: the child is that thread */
};

/* One fork. */
struct fork_page {
	size_t parent;		  /* index in the trace */
	uint32_t child;		  /* pid; 0 = not known: daemon() does not tell */
	uint32_t thread, stack;	  /* who forked, where */
	uint64_t time_ns, end_ns; /* FORK_BEGIN and FORK, in the time of the parent */
	struct fork_lock *lock;	  /* owned; ascending by address */
	uint32_t count;
};

struct fork_book {
	struct trace_reader *reader; /* borrowed */
	struct fork_page *page;	     /* owned */
	uint32_t count, capacity;
};

void fork_book_init(struct fork_book *book, struct trace_reader *reader);
void fork_book_release(struct fork_book *book);

/* True when a later image of pid `child` (0 = any) was made by fork in process `parent`. */
bool fork_book_is_wanted(const struct fork_book *book, size_t parent, uint32_t child);

/* Takes over `page->lock`, which the caller allocated with malloc and sorted. */
void fork_book_add(struct fork_book *book, const struct fork_page *page);

/* The fork that made image `child` (index in the trace); NULL = not seen, or nothing was locked. */
const struct fork_page *fork_book_find(const struct fork_book *book, size_t child);

/* The child was analysed. */
void fork_book_drop(struct fork_book *book, size_t child);

/*
 * Who had the lock at `address` at some moment of the fork, from the parent's events: other threads
 * run on between FORK_BEGIN and FORK. `tid` is the holder's kernel id, 0 = any. Reads the parent's
 * events again: for locks that a child hangs at. False = nobody.
 */
bool fork_page_search(const struct fork_book *book, const struct fork_page *page, uint64_t address,
		      uint32_t tid, struct fork_lock *ret_lock);

/* NULL = the lock at `address` was free. */
const struct fork_lock *fork_page_find(const struct fork_page *page, uint64_t address);

#endif
