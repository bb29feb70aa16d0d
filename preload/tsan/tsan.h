/* SPDX-License-Identifier: MIT */
/*
 * tsan.h - the inside of libthrum_tsan.so: lanes, sampling, the shadow stack. Read before editing.
 *
 * The library answers what a compiler's -fsanitize=thread calls, and the functions that a program built so takes from ThreadSanitizer's
 * own library (tsan_forward.c, tsan_bytes.c, tsan_heap.c). It judges nothing: it writes records of trace_memory_format.h, and the
 * analyzer finds the races. It has no shadow memory, and keeps no address free.
 *
 * Safety classes as in shim.h. Invariants
 *  - A lane is written by its own thread only, and by signal handlers that interrupt it: room is taken by one instruction (reserve),
 *    then filled; what a handler writes in between lies behind it.
 *  - Of a record word `a` is stored last: a killed process leaves whole records and zeros.
 *  - No lock, and no allocation from the host's heap. errno stays what it was.
 *  - Everything that changes lies in pages that a forked child finds zeroed. A zeroed lane is off and has no room; the child's first
 *    thread gives it a new one. Only `lane_now`, `world`, and what was looked up stay.
 *  - Accesses may be left out; SYNC and FENCE never, but after a cut, where everything is: struct world.
 */
#ifndef THRUM_PRELOAD_TSAN_TSAN_H
#define THRUM_PRELOAD_TSAN_TSAN_H

#include "../../trace/trace_memory_format.h"
#include "../shim_arch.h"
#include "memory_link.h"

#include <stdatomic.h>

/* What compilers and libc declare themselves. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define hot_inline inline __attribute__((always_inline))
#define cold_call __attribute__((noinline, cold))
#define EXPORT __attribute__((visibility("default")))

enum {
	FILTER = 2048, /* entries; direct mapped */
	FILTER_EPOCHS = 2048,
	PC_SETS = 4096, /* of two places each */
	WHOLE = 1024,	/* executions of a place in a thread that are all recorded */
	SPARSEST = 10,	/* then bursts of 64; at least one in 2^10 */
	DEPTH = 4096,	/* frames of the shadow stack */
	SEEN = 64,	/* addresses whose newest acquire is remembered */
	OWN_COUNTS =
		256, /* threads that begin to count anew; later ones go on where the lane's last one was */
	FINE = 1 << 24,	     /* generations of 16 bytes each; hashed */
	COARSE = 1 << 20,    /* of 64 KiB each */
	STACK_SPAN = 8 << 20 /* frames further apart are not of one stack */
};

/* One place in the program, in one lane. */
struct place {
	uint32_t pc, count; /* pc: low half of the address */
	uint32_t skip;	    /* executions whose number has one of these bits are left out */
	uint32_t met;	    /* `count` when it was recorded last */
};

/* A call under way: where it returns to, and its frame, which tells what a longjmp left behind. */
struct call_frame {
	uintptr_t pc, sp;
};

struct seen_load {
	uintptr_t address;
	uint32_t writes; /* of its bucket; bit 31: it was a relaxed load */
	uint8_t value;	 /* a byte of what it saw */
};

struct lane {
	struct tm_record *next, *end; /* both NULL when wiped by fork */
	bool on;		      /* accesses are recorded */
	bool syncs;		      /* atomics are: there is a second thread, and room */
	bool announced;		      /* THREAD is written */
	bool growing;
	uint32_t depth; /* of the shadow stack: may exceed DEPTH, those beyond are not kept */
	uint32_t valid; /* frames that a reader knows; lower when one of them went */
	uint32_t told;	/* depth that a reader believes in */
	uint32_t epoch; /* of the filter; changes with each record that orders */
	uint32_t ignored;
	const volatile uint64_t *events; /* of the thread's stream; NULL when wiped */
	uint64_t position;		 /* of them, that a reader knows of */
	uint32_t id, number, units;	 /* of its newest chunk */
	struct tm_chunk *chunk;
	struct memory_thread who;
	struct tm_record *start; /* of the newest reservation that found no room */
	struct seen_load seen[SEEN];
	uint64_t filter[FILTER]; /* address << 16 | epoch << 5 | bytes - 1 << 1 | wrote */
	struct place places[PC_SETS][2];
	struct call_frame stack[DEPTH];
};

struct bucket {
	/* Numbers given out, in the low 40 bits; releases among them in the others, for who looks whether there was a new one. */
	_Atomic uint64_t state;
	uint64_t pad[7];
};
#define BUCKET_NUMBER ((UINT64_C(1) << 40) - 1)
#define BUCKET_RELEASE ((UINT64_C(1) << 40) + 1)

struct world {
	_Atomic uint32_t threaded; /* a second thread was made, or is about to be */
	_Atomic uint32_t fences;   /* a fence was seen: from now on relaxed operations order */
	_Atomic uint32_t threads;
	struct lane *_Atomic first;
	struct bucket bucket[TM_BUCKETS];
	uint16_t coarse[COARSE];
	uint16_t fine[FINE];
};

extern __thread struct lane *lane_now __attribute__((tls_model("initial-exec")));
extern struct world *world;	      /* NULL before the first lane */
extern struct tm_header *tsan_header; /* of the image's file; NULL in a child that has none yet */
extern uint32_t tsan_whole;	      /* WHOLE, or no limit */

/* SLOW: the calling thread's lane; one that records nothing when there is none, or not yet. Never NULL. */
struct lane *lane_begin(void);
/* SLOW: room for `n` records in a new chunk; a scratch when the trace is cut. */
struct tm_record *lane_grow(struct lane *t, unsigned n);
/* HOT mostly: what a reader must know before the next record: thread, position, frames. */
void lane_context(struct lane *t, uintptr_t sp);
/* HOT: a place that is not where it was looked for. */
struct place *place_find(struct lane *t, uintptr_t pc);
/* HOT: memory changes hands. */
void generation_end(uintptr_t start, size_t bytes);

#if defined(__clang__)
#define CALLER_SP() ((uintptr_t)__builtin_frame_address(0) + 16)
#else
#define CALLER_SP() ((uintptr_t)__builtin_dwarf_cfa())
#endif
#define CALLER_PC() ((uintptr_t)__builtin_return_address(0))

static hot_inline struct lane *lane_get(void)
{
	struct lane *t = lane_now;

	return likely(t != NULL) ? t : lane_begin();
}

/* One instruction, so that a signal handler gets room of its own. */
static hot_inline struct tm_record *reserve(struct lane *t, unsigned n)
{
	uintptr_t r = (uintptr_t)n * sizeof(struct tm_record);

	__asm__ volatile("xaddq %0, %1" : "+r"(r), "+m"(t->next) : : "memory", "cc");
	if (unlikely(r + n * sizeof(struct tm_record) > (uintptr_t)t->end)) {
		return lane_grow(t, n);
	}
	return (struct tm_record *)r;
}

static hot_inline void record_put(struct tm_record *r, uint64_t a, uint64_t b)
{
	r->b = b;
	__atomic_store_n(&r->a, a, __ATOMIC_RELEASE);
}

static hot_inline void epoch_next(struct lane *t)
{
	if (unlikely(++t->epoch % FILTER_EPOCHS == 0)) {
		for (unsigned i = 0; i < FILTER; i++) {
			t->filter[i] = 0;
		}
	}
}

static hot_inline uint16_t *generation_fine(uintptr_t address)
{
	return &world->fine[((address >> 4) ^ (address >> 29)) % FINE];
}
static hot_inline uint16_t *generation_coarse(uintptr_t address)
{
	return &world->coarse[((address >> 16) ^ (address >> 37)) % COARSE];
}
static hot_inline unsigned generation(uintptr_t address)
{
	return (uint16_t)(*generation_fine(address) + *generation_coarse(address));
}

/* HOT: is this execution of the place at `pc` one to record? Counts it. */
static hot_inline bool sample(struct lane *t, uintptr_t pc)
{
	struct place *p = &t->places[(pc ^ pc >> 12) % PC_SETS][0];

	if (unlikely(p->pc != (uint32_t)pc)) {
		p = place_find(t, pc);
	}
	return !(p->count++ & p->skip);
}

/* HOT: did this thread do the same since its newest record that orders? Remembers it. */
static hot_inline bool filter(struct lane *t, uintptr_t address, unsigned kind, unsigned bytes)
{
	uint64_t *f = &t->filter[(address >> 2 ^ address >> 13) % FILTER];
	uint64_t key = address << 16 | (uint64_t)(t->epoch % FILTER_EPOCHS) << 5 |
		       (uint64_t)(bytes - 1) << 1;
	bool wrote = kind & TM_WRITE;

	if (*f == key + 1 || (!wrote && *f == key)) {
		return true;
	}
	*f = key + wrote;
	return false;
}

static hot_inline bool lane_is_behind(const struct lane *t)
{
	return t->position != *t->events || t->told != t->depth || t->valid != t->depth;
}

/* HOT: the rest of access_note, when it is one to record: away from the path of the many that are not. */
void access_record(struct lane *t, uintptr_t address, unsigned kind, unsigned bytes, uintptr_t pc,
		   uintptr_t sp);

/* HOT mostly: the whole of it, for the first time in a thread or at a place. */
void access_first(uintptr_t address, unsigned kind, unsigned bytes, uintptr_t pc, uintptr_t sp);

/* HOT: one access of 1 to 16 bytes, all in one block of 16. */
static hot_inline void access_note(uintptr_t address, unsigned kind, unsigned bytes, uintptr_t pc,
				   uintptr_t sp)
{
	struct lane *t = lane_now;
	struct place *p;

	if (unlikely(!t)) {
		access_first(address, kind, bytes, pc, sp);
		return;
	}
	if (!t->on) {
		return;
	}
	p = &t->places[(pc ^ pc >> 12) % PC_SETS][0];
	if (unlikely(p->pc != (uint32_t)pc)) {
		access_first(address, kind, bytes, pc, sp);
		return;
	}
	if (!(p->count++ & p->skip)) {
		access_record(t, address, kind, bytes, pc, sp);
	}
}

/* SLOW: any number of bytes, cut where generations change. */
void access_range(uintptr_t address, size_t bytes, unsigned kind, uintptr_t pc, uintptr_t sp);
/* HOT: the same for a call that has one decision for several ranges: true = record them with access_range_sampled. */
void access_range_sampled(struct lane *t, uintptr_t address, size_t bytes, unsigned kind,
			  uintptr_t pc, uintptr_t sp);

/* HOT: the number of a release, before the operation; 0 = nothing is recorded. */
static hot_inline uint64_t release_number(const struct lane *t, uintptr_t address)
{
	return likely(t->syncs)
		       ? (atomic_fetch_add_explicit(&world->bucket[tm_bucket(address)].state,
						    BUCKET_RELEASE, memory_order_seq_cst) &
			  BUCKET_NUMBER) +
				 1
		       : 0;
}
/*
 * HOT: after it, its record. `before` as release_number gave it; `extra` as of TM_SYNC; `values`: what it saw in bits 0-7, left in 8-15,
 * from 16 on enum tm_values.
 */
void sync_note(struct lane *t, uintptr_t address, unsigned extra, uint64_t before, uint64_t values,
	       uintptr_t pc, uintptr_t sp);
/* The same, for annotations and functions of libraries: what this thread did until now is seen by who acquires it. SLOW. */
void sync_release(uintptr_t address, uintptr_t pc, uintptr_t sp);
void sync_acquire(uintptr_t address, uintptr_t pc, uintptr_t sp);

/* HOT: is that code compiled with -fsanitize=thread? (It called __tsan_init.) */
bool code_is_watched(uintptr_t pc);

/* HOT: the lane, when the call at `pc` of a function of libc is one whose accesses to record; else NULL. Counts it. */
static hot_inline struct lane *lane_watching(uintptr_t pc)
{
	struct lane *t = lane_now;

	return t && t->on && code_is_watched(pc) && sample(t, pc) ? t : NULL;
}

/* BOOT: the next definition of a name after this library, of that version ("" = any). NULL = none. */
void *tsan_real(const char *name, const char *version);
/* SLOW at first: the real NAME, kept in real_NAME. */
#define FIND(name)                                                                   \
	({                                                                           \
		if (unlikely(!real_##name)) {                                        \
			real_##name = (__typeof__(real_##name))tsan_real(#name, ""); \
		}                                                                    \
		real_##name;                                                         \
	})

#endif
