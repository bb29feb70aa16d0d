/* SPDX-License-Identifier: MIT */
/*
 * shim_ipc.h - things that other processes can reach: locks in shared mappings, and what has no
 * address at all (file locks, System V semaphores, queues, pipes, socket pairs). Included by shim.h
 * only.
 *
 * Invariants
 *  - An identity (space, dev, ino, offset, length) is the same in every process that reaches the
 *    thing. At most one live object of a process has it: two addresses of one lock are one object
 *    (OBJECT_ALIAS entries lead there), and a mapping that goes while this process holds a lock in it
 *    leaves the object, without an address, for the next address of the same identity.
 *  - Changes take shim.ipc_lock, which ranks above the object locks.
 *  - Descriptors: what a number means is learnt at its first use and forgotten at close, dup2, …; a
 *    number whose close nobody saw (raw system calls) is found out by fstat before long.
 */
#ifndef THRUM_SHIM_IPC_H
#define THRUM_SHIM_IPC_H

struct stat;

enum {
	IDENTITY_BUCKETS = 4096,
	MAPPINGS = 16,
	DESCRIPTORS = 4096, /* numbers above are not followed */
	HOLD_DESCRIPTORS = 4,
	VERIFY_EVERY = 32,
};

struct identity {
	struct identity *next;
	struct object *object; /* the live one */
	uint32_t space;	       /* enum tf_identity_space */
	uint32_t kind;	       /* as struct object's */
	uint64_t dev, ino, offset, length;
};

/* An object without an address. Its identity leads to it. */
struct named {
	struct identity key; /* first: a named of a space other than MEMORY is found through it */
	struct object object;
	/* PIPE, SOCKET: descriptors of this process that lead there; under ipc_lock */
	uint32_t read_ends, write_ends;
	uint32_t ends_told; /* enum ends of the newest definition */
	_Atomic uint32_t defined;
};

enum ends { END_READ = 1, END_WRITE = 2 };

/* What a read or write of a descriptor may do. */
enum descriptor_class {
	DESCRIPTOR_UNKNOWN = 0,
	DESCRIPTOR_QUICK = 1, /* never waits: O_NONBLOCK */
	DESCRIPTOR_PLAIN = 2, /* may wait, for nobody we could name */
	DESCRIPTOR_CHANNEL = 3,
	DESCRIPTOR_FILE = 4, /* waits for a disk at most: of interest inside callbacks alone */
};

struct descriptor {
	uint8_t class;
	uint8_t ends;  /* enum ends that it counts for in its channel */
	uint8_t timed; /* enum ends: of a socket with a timeout for that */
	uint8_t uses;  /* every VERIFY_EVERYth is checked; lost counts do not matter */
	/* Index of the bell that a write of it rings, and of the one that a read of it stills (shim_bell.h); 0 = none. */
	_Atomic uint16_t rings, stills;
	struct named *channel;
};

/* A part of the address space, and what is mapped there. */
struct mapping {
	uintptr_t start, end;
	uint64_t dev, ino, offset; /* of start */
	uint32_t epoch;
	bool is_shared;
};

/* A file lock that this process, or an open description of it, holds. */
struct file_hold {
	struct file_hold *next;
	struct named *lock;
	int fd[HOLD_DESCRIPTORS]; /* known to lead to the description; -1 = none */
	bool shared;
	uint32_t thread; /* the trace says that this one holds it */
};

#endif
