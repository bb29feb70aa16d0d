/* SPDX-License-Identifier: MIT */
/*
 * trace_memory_format.h - memory accesses and atomics on disk: PID.N.memory, beside PID.N.map, written by libthrum_tsan.so inside a
 * program that was compiled with -fsanitize=thread (docs/races.md).
 *
 *  0        4096
 *  +--------+--------------------+-----------+--
 *  | header | chunk: 64 + records| chunk     | …   a chunk is 1 to 16 units of 64 KiB, allocated before it is mapped
 *  +--------+--------------------+-----------+--
 *
 * A *lane* is what one thread writes to, as a stream is in the map: one thread at a time, successive threads go on in it with a THREAD
 * record. Its chunks are numbered 0, 1, 2, …; records are 16 bytes, stored into a shared mapping, the word `a` last: what a killed
 * process had stored is there. A record of zeros is one that was never finished: step over it.
 *
 *      63      56 55      48 47                                0
 *     +----------+----------+-----------------------------------+
 *  a  |   kind   |  extra   |  address, or the number named     |
 *     +----------+----------+-----------------------------------+
 *  b  |     generation      |  program counter: behind the call |
 *     +---------------------+-----------------------------------+
 *
 * Order. Records of a lane are in program order. POSITION says how many records of its thread's *stream* came before what follows:
 * that puts locks, creates and joins in their place. Atomics carry numbers of their own (see TM_SYNC). Two accesses of different
 * threads have no order here: that is what a reader finds out.
 *
 * Sampling leaves out accesses, never the records of kind SYNC and FENCE: what is unordered in the file was unordered in the run.
 *
 * A *generation* tells lives of memory apart: free, munmap and the start of a thread on an old stack change it. Accesses to one
 * address that differ in it are not to the same object.
 *
 * Numbers are never reused and never change their meaning; unknown kinds are skipped.
 */
#ifndef THRUM_TRACE_MEMORY_FORMAT_H
#define THRUM_TRACE_MEMORY_FORMAT_H

#include <stdint.h>

#define TM_MAGIC "THRUMMEM"
enum {
	TM_MAJOR = 1,
	TM_MINOR = 0,
	TM_HEADER_BYTES = 4096,
	TM_UNIT_BYTES = 65536,
	TM_UNITS_MOST = 16, /* of a chunk */
	TM_CHUNK_HEADER_BYTES = 64,
	TM_CHUNK_MAGIC = 0x4b434d54, /* "TMCK" */
	TM_BUCKETS = 1024,
	TM_RANGE_MOST = 1 << 20, /* bytes of one access: of more the first ones are told */
};

/* The header page. Live: written in place while the program runs. */
struct tm_header {
	char magic[8];
	uint16_t major, minor;
	uint32_t header_bytes, unit_bytes, buckets;
	uint32_t mode;	/* enum tm_mode */
	uint32_t flags; /* enum tm_flag */
	uint64_t units; /* given out so far */
	uint64_t max_bytes;
	uint64_t lost;	  /* records that found no room */
	uint32_t lanes;	  /* given out so far */
	uint32_t thinned; /* TM_SAMPLED: 1 = accesses may have been left out */
};

enum tm_mode {
	TM_SAMPLED = 0, /* of each place in each thread, the first executions and then bursts */
	TM_FULL = 1,	/* every access, but those that repeat one with nothing in between */
};

/* The trace was cut: from then on nothing of this image is in the file. */
enum tm_flag {
	TM_CUT_SIZE = 1, /* --max-size */
	TM_CUT_DISK = 2, /* no room on the disk, or the file could not be reached */
};

struct tm_chunk {
	uint32_t magic; /* stored last */
	uint32_t units;
	uint32_t lane; /* 1-based */
	uint32_t number;
	uint64_t
		left_out; /* accesses that sampling passed over while this was the lane's newest chunk; live */
	uint64_t reserved[5];
};

struct tm_record {
	uint64_t a, b;
};

#define TM_ADDRESS_BITS 48
#define TM_ADDRESS_MASK ((UINT64_C(1) << TM_ADDRESS_BITS) - 1)
#define TM_KIND(a) ((unsigned)((a) >> 56))
#define TM_EXTRA(a) ((unsigned)((a) >> 48 & 0xff))
#define TM_ADDRESS(a) ((a)&TM_ADDRESS_MASK)
#define TM_PC(b) ((b)&TM_ADDRESS_MASK)
#define TM_GENERATION(b) ((unsigned)((b) >> 48))
#define TM_A(kind, extra, address) \
	((uint64_t)(kind) << 56 | (uint64_t)(extra) << 48 | ((address)&TM_ADDRESS_MASK))
#define TM_B(generation, pc) ((uint64_t)(generation) << 48 | ((pc)&TM_ADDRESS_MASK))

enum tm_kind {
	TM_NONE = 0,
	TM_THREAD =
		1, /* from here on the lane is of thread `address`; b = its stream << 32 | kernel id */
	TM_POSITION = 2, /* `address` records of the stream came before what follows */
	/* The shadow stack: frame number `address` (0 = outermost) is b, a return address; those beyond are gone. */
	TM_FRAME = 3,
	TM_DEPTH = 4, /* the shadow stack has `address` frames now */
	TM_LENGTH =
		5, /* bytes of the next record: of an access whose size is 0, of an ALLOC or FREED */
	/*
	 * An atomic operation or an annotation that orders. extra = enum tm_sync | access << 4; b as of an access. Always
	 * followed by TM_NUMBERS.
	 */
	TM_SYNC = 6,
	/*
	 * `address` = number of its release, taken before the operation, b = number of its acquire, taken after it; both of the
	 * bucket of its address, from 1 on; 0 = it has no such half. What an acquire may have seen has a lower number.
	 * extra = enum tm_values; generation of b = a byte made of the value that it saw, and above it one of that which it left:
	 * all bytes of the value, exclusive or.
	 */
	TM_NUMBERS = 7,
	TM_FENCE = 8, /* extra = enum tm_sync */
	TM_ALLOC = 9, /* a block of LENGTH bytes was made at `address`; b as of an access */
	TM_FREED = 10,
	TM_CUT = 11,	/* the lane ends here: enum tm_flag */
	TM_STACK = 12,	/* the thread's stack: from `address` up to b */
	TM_BENIGN = 13, /* LENGTH bytes at `address`: races there are meant so */
	/* From here on accesses: bit 7 set, the others enum tm_access; extra = bytes, 0 = as LENGTH said. */
	TM_ACCESS = 0x80,
};

enum tm_access {
	TM_READ = 1,
	TM_WRITE = 2, /* with READ: one call for both */
	TM_ATOMIC = 4,
	TM_VOLATILE = 8,
	TM_VPTR = 16,	 /* of an object's table of virtual functions */
	TM_FREE = 32,	 /* the memory is given back: a write of all of it */
	TM_LIBRARY = 64, /* by a function of libc that is called there */
};

/* Low half of the extra of SYNC and FENCE; SYNC's high half: 0 = no access, else 1 + log2(bytes) + 8 when it wrote. */
enum tm_sync {
	TM_ACQUIRE = 1,
	TM_RELEASE = 2,
	/* Relaxed, in a program that has fences: acquires with the next acquire fence of its thread … */
	TM_MAY_ACQUIRE = 4,
	TM_MAY_RELEASE = 8, /* … releases what its thread did before its newest release fence. */
};

enum tm_values {
	TM_SAW = 1, /* it read, and what is known */
	TM_LEFT = 2,
};

static inline unsigned tm_bucket(uint64_t address)
{
	return (unsigned)(((address >> 3) * UINT64_C(0x9e3779b97f4a7c15)) >> 54);
}

_Static_assert(sizeof(struct tm_chunk) == TM_CHUNK_HEADER_BYTES, "on disk");
_Static_assert(sizeof(struct tm_header) <= TM_HEADER_BYTES && sizeof(struct tm_record) == 16,
	       "on disk");

#endif
