/* SPDX-License-Identifier: MIT */
/*
 * shim.h - the internal contract of libthrum.so: states, safety classes, locks, who may call what.
 * Read before editing.
 *
 * Safety classes (a comment before each function):
 *   ANY   any thread, signal handler, before our constructor, child after fork; no libc but memcpy and friends
 *   HOT   ANY, and bounded, no system call, no lock
 *   SLOW  a thread of the host, guard held; may make system calls and take our spin locks; never the host's heap or locks
 *   BOOT  first use in a process: finds the real functions, opens the trace
 *
 * Invariants
 *  - Enter, record, leave; call the real function with the guard open; enter, record, leave. The guard (stream.busy) is never
 *    held across a real call: that may block, be cancelled, longjmp or run a signal handler.
 *  - errno, signal masks, return values, cancellation points are untouched. Nothing of ours ends the process.
 *  - All mutable state lives in memory marked MADV_WIPEONFORK: a forked child finds zeros, and its first event boots anew.
 *    The map of the trace is MADV_DONTFORK: a child cannot write its parent's file.
 *  - Spin locks rank: thread > object > depot > meta > region. Each is taken with the guard held only, so no signal handler
 *    can want one that its own thread holds.
 *  - What is not recorded is counted: tf_process.lost_*, nested_events, tf_segment.lost.
 */
#ifndef THRUM_SHIM_H
#define THRUM_SHIM_H

#include "../trace/trace_format.h"
#include "shim_arch.h"

#include <stdatomic.h>
#include <stddef.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define hot_inline inline __attribute__((always_inline))
#define cold_call __attribute__((noinline))
#define EXPORT __attribute__((visibility("default")))

enum {
	CONTEXT_SETS = 512, /* per stream, of CONTEXT_WAYS each */
	CONTEXT_WAYS = 4,
	CONTEXT_FRAMES = 24, /* frames kept of a stack */
	FRAME_SLOTS = 512,   /* per stream; direct mapped */
	OBJECT_SLOTS = 4096, /* per stream; direct mapped */
	ONCE_DEPTH = 16,     /* initialisers inside initialisers */
	READ_HELD = 16,	     /* read locks a stream remembers to recognise odd unlocks */
	ROOM = 96,	     /* bytes that must be free before a record is written */
	/* Before an acquire: so that a full segment is written out while no lock is held. */
	ROOM_EARLY = 1024,
};

/* ---- identity of objects (shim_object.c) ---- */

enum object_flag {
	OBJECT_ON_STACK = 1,
	OBJECT_OWNER_UNKNOWN = 2, /* was locked before we saw it */
	/* Kept to recognise a use after destroy, until its memory goes or is written anew. */
	OBJECT_DESTROYED = 4,
};

/*
 * One lock instance. Memory is type-stable: an entry may be reused for another lock, never
 * unmapped.
 */
struct object {
	_Atomic uintptr_t address; /* 0 = dead; pairs with the store in object_retire */
	uint32_t id;
	uint16_t kind;
	uint16_t flags;
	_Atomic uint32_t owner; /* thread id of the exclusive holder; written by the holder only */
	uint32_t depth;	      /* extra acquires of a recursive mutex; written by the holder only */
	uint32_t last_stream; /* stream of the last exclusive acquire; written while held */
	_Atomic uint32_t waiters; /* condvar: threads in a wait; barrier: threads inside */
	uint64_t seq;		  /* exclusive acquires so far; written while held */
	struct object *next;	  /* hash chain; under the object lock of its bucket */
	/*
	 * ON_STACK: where the return address of its frame lies, and what it was. Both must match.
	 */
	uintptr_t frame_slot, frame_return;
	uint32_t frame_thread;
	uint32_t attributes;
};

/* ---- stacks (shim_stack.c, shim_unwind.c) ---- */

struct depot_entry {
	uint64_t hash;
	struct depot_entry *next;
	uint32_t id;
	uint32_t frames;
	uintptr_t ip[]; /* innermost first; those of libthrum included, readers drop them */
};

/* One verified call stack: holds while each recorded stack word still holds its return address. */
struct context {
	uintptr_t ip, sp; /* where the wrapper was called from */
	const struct depot_entry *stack;
	uint32_t epoch;			     /* stream.epoch when filled; 0 = never holds */
	uint16_t frames;		     /* as stack->frames, here for the cache line's sake */
	uint16_t offset[CONTEXT_FRAMES - 1]; /* (address of the i+1-th return address - sp) / 8 */
};

/*
 * What the last walk learnt of one return address: how far up its caller's return address lies.
 * Only spreads keys.
 */
struct frame_size {
	uintptr_t ip;
	uintptr_t words;
};

/* ---- streams (shim_thread.c, shim_emit.h) ---- */

/*
 * A once under way. Kept in the stream, not on the wrapper's stack: an exception may end the call
 * behind our back.
 */
struct once_call {
	void (*routine)(void);
	uint32_t object_id;
	uint32_t stack;
	uintptr_t sp; /* of the wrapper's caller: a later event above it means this call is gone */
	bool began;
};

/*
 * What a thread writes its events to. Belongs to one thread at a time; successive threads reuse it.
 */
struct stream {
	uint8_t *cursor, *limit; /* both NULL when the memory was wiped by fork */
	struct tf_segment *segment;
	uint64_t last_ticks;
	uint32_t last_object;
	uint32_t thread;       /* 0 = free */
	volatile uint8_t busy; /* the guard */
	uint8_t ended;	       /* THREAD_END is written; destructors may still run */
	uint8_t exiting;       /* pthread_exit was called */
	uint8_t trampolined;   /* made by a hooked call: the trampoline sees its end */
	uint32_t index;
	uintptr_t busy_sp; /* of the guard holder's caller: above it the guard is stale (longjmp) */
	uintptr_t wait_sp; /* the same for the wait slot */
	uintptr_t stack_low, stack_high;
	/* No live lock on this thread's stack lies below it; UINTPTR_MAX = none at all. */
	_Atomic uintptr_t stack_lowest;
	uint32_t tid;
	uint32_t epoch;
	uint32_t held; /* exclusive and shared locks held now: lets a finished once go unrecorded */
	uint32_t read_held_count;
	struct object *read_held[READ_HELD];
	uint32_t once_count;
	struct once_call once[ONCE_DEPTH];
	struct stream *next_free;
	uint32_t context_victim;
	struct object *objects[OBJECT_SLOTS];
	struct frame_size frame_sizes[FRAME_SLOTS];
	struct context contexts[CONTEXT_SETS][CONTEXT_WAYS];
};

/* One hooked call, from enter to leave. */
struct call {
	struct stream *s;
	struct arch_caller caller;
	uint32_t stack;
	const struct context *context; /* the one that stack came from */
	struct object *object;
	uint32_t object_id;
	bool saved; /* an outer wait was in the slot (we run in a signal handler) */
	uintptr_t outer_wait_sp;
	struct trace_wait outer;
};

extern __thread struct stream *shim_stream __attribute__((tls_model("initial-exec")));

/* ---- entry (shim_thread.c) ---- */

/* SLOW: boots the process or thread, hands out room. False: do not record this call. */
bool shim_enter_slow(struct call *c);
/* SLOW: hands the full segment to the file and starts the next chunk. */
void shim_seal(struct stream *s);

/* HOT */
static hot_inline bool shim_enter_with(struct call *c, struct arch_caller caller, unsigned room)
{
	struct stream *s = shim_stream;

	c->caller = caller;
	c->saved = false;
	if (unlikely(!s || s->busy || (size_t)(s->limit - s->cursor) < room ||
		     caller.sp > atomic_load_explicit(&s->stack_lowest, memory_order_relaxed))) {
		return shim_enter_slow(c);
	}
	s->busy = 1;
	s->busy_sp = caller.sp;
	atomic_signal_fence(memory_order_seq_cst);
	c->s = s;
	return true;
}
#define shim_enter(c) shim_enter_with(c, ARCH_CALLER(), ROOM_EARLY)

/* HOT: opens the guard. */
static hot_inline void shim_leave(struct call *c)
{
	atomic_signal_fence(memory_order_seq_cst);
	c->s->busy = 0;
}

/* HOT: takes the guard again after the real call. */
static hot_inline void shim_reenter(struct call *c)
{
	struct stream *s = c->s;

	s->busy = 1;
	s->busy_sp = c->caller.sp;
	atomic_signal_fence(memory_order_seq_cst);
	if (unlikely((size_t)(s->limit - s->cursor) < ROOM)) {
		shim_seal(s);
	}
}

/* ---- boot (shim_boot.c) ---- */

enum shim_state { SHIM_COLD = 0, SHIM_BOOTING = 1, SHIM_LIVE = 2, SHIM_OFF = 3 };

/* BOOT: idempotent. Resolves real functions, and opens the trace when the options ask for one. */
void shim_boot(void);
void shim_resolve_all(void);
void shim_resolve_once(void); /* for wrappers that must not go through a stub */

/*
 * The real functions. Each starts as a stub that resolves and calls, so no wrapper tests for NULL.
 */
#include "shim_real.h"

/* ---- process-wide state, in wiped-on-fork memory ---- */

typedef _Atomic uint32_t spin_t;

enum {
	WINDOW_SEGMENTS = 4,
	WINDOWS = 16384,
	OBJECT_BUCKETS = 1 << 18,
	OBJECT_LOCKS = 256,
	DEPOT_BUCKETS = 16384,
	THREAD_BUCKETS = 4096,
	PAGE_FILTER_BITS = 20,
	PAGE_HINT_BITS = 15
};

struct thread_entry {
	uintptr_t handle;
	struct thread_entry *next;
	uint32_t id;
	_Atomic uint32_t state; /* enum thread_state */
	struct stream *stream;
};

struct module {
	uintptr_t start, end, bias;
	uintptr_t eh_frame_hdr; /* 0 = none */
	uint32_t id;
	bool is_thrum;
	bool gone;
};

struct shim {
	_Atomic uint32_t state; /* enum shim_state */
	spin_t region_lock, meta_lock, depot_lock, thread_lock, module_lock;
	spin_t object_lock[OBJECT_LOCKS];

	/* region */
	struct tf_process *process;
	uint8_t *window[WINDOWS];
	uint32_t segments_used, segments_allocated;
	int map_fd, events_fd;
	uint64_t map_dev, map_ino, events_dev, events_ino;
	char map_path[4096], events_path[4096];
	struct tf_segment *meta;
	uint32_t meta_stream;

	/* streams */
	struct stream *streams[65536];
	uint32_t stream_count;
	struct stream *free_streams;
	_Atomic uint32_t ended_streams;

	/* arena for objects, depot, threads */
	uint8_t *arena, *arena_end;
	struct object *free_objects;
	struct thread_start *free_starts;

	/* ids */
	_Atomic uint32_t next_thread, next_object;
	uint32_t next_stack, next_module;

	/* modules */
	struct module *modules; /* sorted by start; replaced as a whole, never freed */
	uint32_t module_count;
	_Atomic uint32_t modules_stale; /* a dlopen may have added some */
	uint64_t last_scan_ticks;

	struct object *objects[OBJECT_BUCKETS];
	struct depot_entry *depot[DEPOT_BUCKETS];
	struct thread_entry *threads[THREAD_BUCKETS];
	/*
	 * a bit per hashed page that ever held a live object: lets free() of anything else go at
	 * once
	 */
	uint8_t page_filter[(1 << PAGE_FILTER_BITS) / 8];
	/* The same, coarser: 4 KiB that stay in the first-level cache. Asked first. */
	uint8_t page_hint[(1 << PAGE_HINT_BITS) / 8];
};

extern struct shim *shim; /* NULL until boot */

static inline void spin_lock(spin_t *l)
{
	uint32_t spins = 0;

	while (atomic_exchange_explicit(l, 1, memory_order_acquire)) {
		while (atomic_load_explicit(l, memory_order_relaxed)) {
			if (++spins % 64 == 0) {
				sys0(SYS_sched_yield); /* the holder may wait for this processor */
			}
			__builtin_ia32_pause();
		}
	}
}
static inline void spin_unlock(spin_t *l)
{
	atomic_store_explicit(l, 0, memory_order_release);
}

/*
 * SLOW: zeroed memory that lives as long as the process and is wiped in a forked child; NULL when
 * there is none.
 */
void *shim_pages(size_t bytes);
/* SLOW: the same in small pieces; the caller holds no lock of rank region or below. */
void *shim_alloc(size_t bytes);

/* ---- region (shim_region.c) ---- */

/* SLOW: creates PID.N.map and .events in `dir`. False: no trace can be written. */
bool region_open(const char *dir);
/* SLOW: a free 64 KiB segment of the map, or NULL (counted by the caller). */
struct tf_segment *region_new_segment(void);
/* SLOW: appends a sealed segment to the events file; false and counted when it could not. */
bool region_write(const struct tf_segment *segment);
/* SLOW: appends a definition; `def->bytes` is set by this. Pieces are concatenated and padded. */
void region_define(struct tf_def *def, size_t head_bytes, const void *tail, size_t tail_bytes,
		   const void *tail2, size_t tail2_bytes);
uint64_t region_mono_ns(void);
/* SLOW: a fresh pair of clock readings into the header. */
void region_calibrate(void);

/* ---- stacks ---- */

/* SLOW: the walk, for a stack that no context of `set` holds. */
uint32_t stack_id_slow(struct call *c, struct context *set);
/* SLOW: the one entry of these frames; NULL when memory is out. */
const struct depot_entry *depot_intern(const uintptr_t *ip, uint32_t frames);

static hot_inline struct frame_size *frame_size_of(struct stream *s, uintptr_t ip)
{
	return &s->frame_sizes[(ip * 0x9e3779b97f4a7c15u) >> 55];
}

/*
 * HOT: the key is where the call came from and, where earlier walks tell how, the next two return
 * addresses.
 */
static hot_inline struct context *context_set(struct stream *s, uintptr_t ip, uintptr_t sp)
{
	uint64_t h = ip ^ sp * 0x9e3779b97f4a7c15u;

	for (int i = 0; i < 2; i++) {
		const struct frame_size *f = frame_size_of(s, ip);
		uintptr_t slot = sp + f->words * 8;

		if (f->ip != ip || slot >= s->stack_high - 8 || sp < s->stack_low) {
			break;
		}
		ip = *(const uintptr_t *)slot;
		sp = slot + 8;
		h = (h ^ ip) * 0x9e3779b97f4a7c15u;
	}
	return s->contexts[(h * 0xd6e8feb86659fd93u) >> 55];
}

static hot_inline bool context_holds(const struct context *x, const struct call *c)
{
	const uintptr_t *base = (const uintptr_t *)c->caller.sp;
	uintptr_t diff = 0;

	if (x->ip != c->caller.ip || x->sp != c->caller.sp || x->epoch != c->s->epoch) {
		return false;
	}
	for (uint32_t i = 1; i < x->frames; i++) {
		diff |= base[x->offset[i - 1]] ^ x->stack->ip[i];
	}
	return !diff;
}

/* HOT on a hit, SLOW on a miss: id of the stack that leads to the caller. */
static hot_inline uint32_t stack_id(struct call *c)
{
	struct context *set = context_set(c->s, c->caller.ip, c->caller.sp);

	for (int way = 0; way < CONTEXT_WAYS; way++) {
		if (likely(context_holds(&set[way], c))) {
			c->context = &set[way];
			return set[way].stack->id;
		}
	}
	return stack_id_slow(c, set);
}

/*
 * SLOW: return addresses and the addresses of their slots, innermost first. `low`..`high` bound the
 * stack.
 */
uint32_t unwind(struct arch_caller caller, uintptr_t low, uintptr_t high, uintptr_t *ret_ip,
		uintptr_t *ret_slot, uint32_t max);
/* SLOW: forgets all learnt frame rules (a module went). */
void unwind_forget(void);
/* SLOW: start of the function around ip, 0 = unknown. */
uintptr_t unwind_function(uintptr_t ip);

/* ---- modules ---- */

const struct module *module_find(uintptr_t address); /* SLOW: rescans when the address is new */
bool module_covers(uintptr_t address);		     /* SLOW: no rescan */
struct module_range {
	uintptr_t start, end;
};
/*
 * SLOW: reads /proc/self/maps; returns how many modules went, the first `max` of them in
 * `ret_gone`.
 */
uint32_t module_scan(struct module_range *ret_gone, uint32_t max);
bool module_read(uintptr_t from, void *to, size_t bytes); /* SLOW: memory that may not be there */
/* SLOW: bounds of the mapping around address. */
bool module_mapping(uintptr_t address, uintptr_t *ret_low, uintptr_t *ret_high);

/* ---- objects ---- */

/* HOT on a hit: the instance at `address`, made when new. NULL only when memory is out. */
struct object *object_find_slow(struct call *c, uintptr_t address, unsigned kind);
/* SLOW: a new instance whatever was there before (init). */
struct object *object_renew(struct call *c, uintptr_t address, unsigned kind);
/* SLOW: the end of its life. Emits GONE unless `why` is 0 (a DESTROY was recorded). */
void object_retire(struct call *c, struct object *o, unsigned why);
/* SLOW: every object inside the range. */
void object_retire_range(struct call *c, uintptr_t start, size_t bytes, unsigned why);
/* HOT: false when no object can lie in the range. */
bool object_range_may_match(uintptr_t start, size_t bytes);

static hot_inline uint64_t page_hash(uintptr_t address)
{
	return (address >> 12) * 0x9e3779b97f4a7c15u;
}

/* HOT: the same, for the two pages that a small block can touch; true for larger ones. */
static hot_inline bool object_block_may_match(uintptr_t start, size_t bytes)
{
	uint64_t first = page_hash(start) >> (64 - PAGE_HINT_BITS);
	uint64_t last = page_hash(start + bytes) >> (64 - PAGE_HINT_BITS);

	return bytes > 4096 || shim->page_hint[first / 8] >> (first % 8) & 1 ||
	       shim->page_hint[last / 8] >> (last % 8) & 1;
}
struct object *object_peek(uintptr_t address); /* SLOW: NULL when not known */
bool object_has_waiter(uint32_t id);	       /* SLOW: does another thread's wait slot name it? */

static hot_inline struct object **object_slot(struct stream *s, uintptr_t address)
{
	return &s->objects[(address * 0x9e3779b97f4a7c15u) >> 52];
}

static hot_inline struct object *object_find(struct call *c, const volatile void *address,
					     unsigned kind)
{
	struct stream *s = c->s;
	uintptr_t a = (uintptr_t)address;
	struct object *o = *object_slot(s, a);

	if (likely(o && atomic_load_explicit(&o->address, memory_order_relaxed) == a &&
		   o->kind == kind && !(o->flags & (OBJECT_ON_STACK | OBJECT_DESTROYED)))) {
		return o;
	}
	return object_find_slow(c, a, kind);
}

/* ---- threads ---- */

enum thread_state { THREAD_LIVE = 0, THREAD_ENDED = 1, THREAD_DETACHED = 2, THREAD_JOINED = 3 };

uint32_t thread_new(uint32_t parent, uint32_t stack, uint32_t flags,
		    uintptr_t routine); /* SLOW: an id and its definition */
void thread_register(uintptr_t handle, uint32_t id, struct stream *s); /* SLOW */
struct thread_entry *thread_find(uintptr_t handle);		       /* SLOW: NULL = unknown */
bool thread_attach(uint32_t id, uint32_t flags);	/* SLOW: gives this thread a stream */
void thread_reclaim(struct stream *s, uint32_t thread); /* SLOW: its thread is really over */
extern const char __start_thrum_trampoline[] __attribute__((visibility("hidden")));
extern const char __stop_thrum_trampoline[] __attribute__((visibility("hidden")));
#define TRAMPOLINE __attribute__((section("thrum_trampoline"), noinline))

/* BOOT: the launcher's options. */
struct shim_options {
	char dir[3800];
	uint64_t max_size;
	bool enabled;
};
extern struct shim_options shim_options;
void options_read(void);

#endif
