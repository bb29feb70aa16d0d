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
 *  - Spin locks rank: thread > ipc > object > depot > meta > region. Each is taken with the guard held only, so no signal handler
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

#include "shim_process.h"

/* ---- identity of objects (shim_object.c) ---- */

enum object_flag {
	OBJECT_ON_STACK = 1,
	OBJECT_OWNER_UNKNOWN = 2, /* was locked before we saw it */
	/* Kept to recognise a use after destroy, until its memory goes or is written anew. */
	OBJECT_DESTROYED = 4,
	OBJECT_SHARED = 8, /* has an identity: other processes may hold it unseen */
	/* No lock of its own: the same as `same`, seen at a second address. Its id is a copy. */
	OBJECT_ALIAS = 16,
	OBJECT_HAS_ALIAS = 32,
	OBJECT_EXTRA_DEFS = 64, /* has definitions beside its OBJECT: its id is never used again */
};

/*
 * What a wrapper and struct object call a kind: a row of spec/objects.def (KIND_OF), and for a lock that
 * a library made itself, whose memory is not glibc's and is never read as such, what the memory
 * cannot tell. All forms of a kind but glibc's own (no bit beyond KIND_MASK) are "foreign".
 */
enum object_kind_form {
	KIND_MASK = 0xff,
	KIND_LIBRARY_SHIFT = 8, /* enum tf_library */
	KIND_FOREIGN = 0xf00,
	KIND_TYPE_1 =
		0x1000, /* bit 0 of the attributes: recursive, of a FUTEX priority-inheriting */
	KIND_TYPE_UNKNOWN = 0x2000,
	/* May be born of zeros, without a call: what is used after its destroy is a new one. */
	KIND_ZERO_BORN = 0x4000,
};
#define KIND_OF(kind) ((kind)&KIND_MASK)

/*
 * One lock instance. Memory is type-stable: an entry may be reused for another lock, never
 * unmapped.
 */
struct object {
	_Atomic uintptr_t address; /* 0 = dead; pairs with the store in object_retire */
	uint32_t id;
	uint16_t kind; /* with enum object_kind_form bits */
	uint16_t flags;
	_Atomic uint32_t owner; /* thread id of the exclusive holder; written by the holder only */
	uint32_t depth; /* extra acquires of a recursive mutex; written by the holder only */
	uint32_t
		last_stream; /* stream.order_key of the last exclusive acquire; written while held */
	_Atomic uint32_t waiters; /* condvar: threads in a wait; barrier: threads inside */
	uint64_t seq;		  /* exclusive acquires so far; written while held */
	struct object *next;	  /* hash chain; under the object lock of its bucket */
	/*
	 * ON_STACK: where the return address of its frame lies, and what it was. Both must match.
	 */
	union {
		uintptr_t frame_slot;
		struct object *same; /* ALIAS: valid while same->id is this id */
	};
	union {
		uintptr_t frame_return;
		struct identity *identity; /* SHARED (never ON_STACK); NULL = out of memory */
	};
	uint32_t frame_thread;
	uint32_t attributes;
	struct story *story; /* bounded mode: see shim_bounded.h; NULL in full mode */
};

/* ---- stacks (shim_stack.c, shim_unwind.c) ---- */

struct depot_entry {
	uint64_t hash;
	struct depot_entry *next;
	uint32_t id;
	uint16_t frames;
	uint16_t signal; /* flags of its tf_def_stack: not 0 = innermost frames ran in a handler */
	uintptr_t ip[];	 /* innermost first; those of libthrum included, readers drop them */
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

#include "shim_stream.h"

/* ---- boot (shim_boot.c) ---- */

enum shim_state { SHIM_COLD = 0, SHIM_BOOTING = 1, SHIM_LIVE = 2, SHIM_OFF = 3 };

/* BOOT: idempotent. Resolves real functions, and opens the trace when the options ask for one. */
void shim_boot(void);
/* BOOT: asks libc to tell us of every fork, those inside libc included. */
void fork_watch(void);
const char *shim_library_name(void); /* BOOT: as the loader knows us; "" = not found */
/* SLOW: in a forked child, at once: files are made while it has its parent's view and rights. */
void shim_child(void);
void shim_resolve_all(void);
void shim_resolve_once(void); /* for wrappers that must not go through a stub */
/* BOOT: has a library been found that has the function of that pointer? */
bool shim_resolve_is_found(void *const *real);
/* SLOW: a module went: real functions in it are looked for anew. */
void shim_resolve_forget(uintptr_t start, uintptr_t end);
/* SLOW: counts the copies of libraries that are hooked beside libc: shim->many_copies. */
void shim_resolve_note_module(const char *path);
/* SLOW: enum module_loops of a module, and the same. */
unsigned shim_resolve_loops(const char *path, uintptr_t bias);
/* SLOW: was the module that lies there loaded with the program? */
bool shim_resolve_from_start(uintptr_t bias);
extern int shim_deep_binding; /* RTLD_DEEPBIND was used: some look at their own symbols first */
/*
 * SLOW: the place in the module around `address` through which it reaches the symbol `name`, a function that it calls or a variable:
 * what the loader bound it to lies there, now or after the first call. NULL = it does not go by the name.
 */
uintptr_t *shim_resolve_slot(uintptr_t address, const char *name);
/* SLOW: the name of what is reached by the place `slot` of a module; NULL = none, or no such place. */
const char *shim_resolve_slot_name(uintptr_t slot);
/* SLOW: what the module around `address` defines by that name; NULL = nothing. */
void *shim_resolve_beside(uintptr_t address, const char *name);
/* BOOT: the load bias of the first module, in load order, that defines that function. */
bool shim_resolve_home(const char *name, uintptr_t *ret_bias);
/* BOOT: what the module with that bias exports by that name; NULL, 0 = nothing. The size: of a variable. */
void *shim_resolve_in(uintptr_t bias, const char *name, bool is_data);
size_t shim_resolve_size(uintptr_t bias, const char *name);
/* SLOW: with many copies, the one that the module around `caller` means; `usual` when it names none. */
void *shim_resolve_for(uintptr_t caller, const char *name, void *usual);

/*
 * The real functions. Each starts as a stub that resolves and calls, so no wrapper tests for NULL.
 */
#include "shim_bell.h"
#include "shim_ipc.h"
#include "shim_real.h"

#include "shim_state.h"

/* ---- region (shim_region.c) ---- */

/* SLOW: creates PID.N.map and .events in `dir`. False: no trace can be written. */
bool region_open(const char *dir);
/* SLOW: allocates a piece of a file of ours and maps it, shared, not for a forked child; NULL = no room. */
void *region_map(int fd, uint64_t offset, uint64_t bytes);
/* SLOW: "PID.N" of this image and `suffix`, into at least 40 bytes. */
void region_name(char *to, size_t room, const char *suffix);
/* SLOW: gives the disk back what is allocated and unused. At the end of an image. */
void region_trim(void);
/* SLOW: that image goes on after all; switches the recorder off where the disk is full now. */
void region_untrim(void);
/* SLOW: after a fork that made no trace: the parent's header counts it. */
void region_tell_parent(void);
bool region_parent_is_recorded(void); /* BOOT: has our parent process an image in the directory? */
/* SLOW: a free 64 KiB segment of the map, or NULL (counted by the caller). */
struct tf_segment *region_new_segment(void);
/* SLOW: appends a sealed segment to the events file; false and counted when it could not. */
bool region_write(const struct tf_segment *segment);
/*
 * SLOW: appends a definition; `def->bytes` is set by this. Pieces are concatenated and padded. Returns where it
 * lies, NULL when it was lost.
 */
void *region_define(struct tf_def *def, size_t head_bytes, const void *tail, size_t tail_bytes,
		    const void *tail2, size_t tail2_bytes);
uint64_t region_mono_ns(void);
/* SLOW: as microseconds, as far as the clock is known yet. */
uint64_t region_ticks_us(uint64_t ticks);
/* SLOW: a fresh pair of clock readings into the header. */
void region_calibrate(void);

#include "shim_stack.h"

/* ---- signals (shim_signal.c) ---- */

/* SLOW: flags of the tf_def_stack of a walk that ended in `frame`. */
uint16_t signal_flags(const uintptr_t *ip, const struct signal_frame *frame);
/* SLOW: the thread's mask at its first event, into the trace when it is not what readers assume. */
void signal_attach(struct stream *s, uint32_t thread_flags, uint64_t mask);
uint64_t signal_mask_now(void); /* ANY */

/* ---- modules ---- */

const struct module *module_find(uintptr_t address);  /* SLOW: rescans when the address is new */
const struct module *module_known(uintptr_t address); /* SLOW: no rescan; NULL = none */
/* SLOW: as module_find, or made at run time, as far as the last scan saw; *ret_may_be: that was before now. Set when false. */
bool module_is_code(uintptr_t address, bool *ret_may_be);
/*
 * SLOW: reads /proc/self/maps; returns how many modules went, the first `max` of them in
 * `ret_gone`.
 */
uint32_t module_scan(struct module_range *ret_gone, uint32_t max);
/* SLOW: its build-id, at most `room` bytes; returns how many, 0 = none. */
uint32_t module_build_id(const struct module *m, uint8_t *ret, uint32_t room);
bool module_read(uintptr_t from, void *to, size_t bytes); /* SLOW: memory that may not be there */
/* Without /proc: modules by the loader's list, unsorted; their names (of the program, the file that was started). SLOW. */
struct link_place {
	uintptr_t start, name; /* of the ELF header, of the text; no text = the program */
};
uint32_t links_find(struct link_place *ret, uint32_t max);
void links_name(const struct link_place *place, char *to, size_t room);
size_t links_program(char *to, size_t room); /* the program's file; its length, 0 = unknown */
uintptr_t links_stack_top(
	uintptr_t here); /* of the stack that the process began with, if `here` is in it; else 0 */
/* SLOW: bounds of the mapping around address. */
bool module_mapping(uintptr_t address, uintptr_t *ret_low, uintptr_t *ret_high);
/* SLOW: the same, with what is mapped there; mapping.epoch is left alone. */
bool module_mapping_of(uintptr_t address, struct mapping *ret);

/* ---- objects ---- */

/* HOT on a hit: the instance at `address`, made when new. NULL only when memory is out. */
struct object *object_find_slow(struct call *c, uintptr_t address, unsigned kind);

/* ANY: a semaphore's value as its attributes and INIT tell it: the bits above are not its own. */
static inline uint32_t sem_attribute(uint32_t value)
{
	return value < TF_SEM_MOST ? value : TF_SEM_MOST;
}
/* SLOW: a new instance whatever was there before (init). */
struct object *object_renew(struct call *c, uintptr_t address, unsigned kind);
/* SLOW: the end of its life. Emits GONE unless `why` is 0 (a DESTROY was recorded). */
void object_retire(struct call *c, struct object *o, unsigned why);
/* SLOW: every object inside the range. */
void object_retire_range(struct call *c, uintptr_t start, size_t bytes, unsigned why);
/* HOT: from now on one may lie there. */
void object_note_page(uintptr_t address);
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
/* SLOW: the range moved to `to` as it is (mremap). */
void object_move_range(uintptr_t start, size_t bytes, uintptr_t to);
struct object *object_peek(uintptr_t address); /* SLOW: NULL when not known */
/* SLOW: memory for one, zeroed or not; back to the pool. */
struct object *object_entry_new(void);
void object_entry_free(struct object *o);
/* SLOW: into the table at `address`; the caller saw that nothing is there. */
void object_link(struct object *o, uintptr_t address);
/* SLOW: what include/thrum.h said of an address before a lock was seen there (wrap_annotate.c). */
void annotation_meet(struct call *c, struct object *o);
void annotation_forget(uintptr_t address);
bool object_has_waiter(uint32_t id); /* SLOW: does another thread's wait slot name it? */

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

/* HOT for most: the host gives a block of its heap back. */
void memory_block_goes(struct arch_caller caller, uintptr_t block, size_t bytes);

/* ---- what other processes can reach (shim_identity.c, shim_descriptor.c) ---- */

/*
 * SLOW: may a lock at `address`, about to become an object, be another process's too? Then its
 * identity.
 */
bool identity_of_memory(uintptr_t address, unsigned kind, uint32_t *attributes,
			struct identity *ret_key);
/* SLOW: the object that has this identity already, linked to `address` as well; NULL = none. */
struct object *identity_adopt(const struct identity *key, uintptr_t address, unsigned kind);
/* SLOW: `o` has this identity from now on; defines that. */
void identity_bind(struct object *o, const struct identity *key);
/*
 * SLOW: the address of `o` goes, its memory does not. True: it lives on without one, since it is held
 * here or known at another address.
 */
bool identity_detach(struct object *o);
/* SLOW: `o` has no identity any more. */
void identity_unbind(struct object *o);
/* HOT: what was known of mappings in this range holds no more. Before and after the change. */
void identity_forget_mappings(uintptr_t start, size_t bytes);

/* SLOW: the object without address of this key, made when new; NULL when memory is out. */
struct named *named_lookup_or_add(const struct identity *key);
struct named *named_find(const struct identity *key); /* SLOW: NULL = none */
/* SLOW: gives it an id and defines it. `name` may be NULL. */
void named_define(const struct call *c, struct named *n, const char *name, unsigned source);
/* HOT */
static hot_inline bool named_is_defined(struct named *n)
{
	return atomic_load_explicit(&n->defined, memory_order_acquire);
}
/* SLOW: the ends that this process has open, if they are others than last told. */
void named_tell_ends(struct named *n);
/* SLOW: it is no more. Emits GONE when `gone` and it was defined. */
void named_retire(struct call *c, struct named *n, bool gone);
/* SLOW: writes where /proc/self/fd/N leads; false when nowhere. */
bool descriptor_path(int fd, char *path, size_t bytes);
void object_define_name(uint32_t object, const char *name, unsigned source); /* SLOW */

bool descriptor_inode(int fd, uint64_t *ret_dev, uint64_t *ret_ino); /* SLOW */
/*
 * SLOW: the same for one that is asked for again and again: an answer holds for a millisecond, as long as this
 * process closes nothing.
 */
bool descriptor_inode_soon(struct stream *s, int fd, uint64_t *ret_dev, uint64_t *ret_ino);
/* SLOW: what `fd` is, learnt now when not known. */
unsigned descriptor_learn(int fd);
/*
 * SLOW: the channel of a descriptor, defined; NULL when it is none any more. `ret_timed`: it is a
 * socket whose reads (or writes) end after a while.
 */
struct named *descriptor_channel(struct call *c, int fd, bool *ret_timed, bool reads);
/* SLOW: all that are open. At boot. */
void descriptor_scan(void);
/* SLOW: defines every channel that a child would inherit. Before fork, guard held. */
void descriptor_before_fork(struct call *c);
/* HOT for most: `fd` is about to be closed or replaced. */
void descriptor_closing(struct arch_caller caller, int fd);
void descriptor_closing_range(struct arch_caller caller, unsigned from, unsigned to);
/* SLOW: takes the guard for a change of the table. False: not live, or the table is not ours to change. */
bool descriptor_begin(struct call *c, struct arch_caller caller);
/* HOT: has the number to do with a bell? */
static hot_inline bool bell_is_known(int fd)
{
	const struct descriptor *d = &shim->descriptor[fd];

	return atomic_load_explicit(&d->rings, memory_order_relaxed) ||
	       atomic_load_explicit(&d->stills, memory_order_relaxed) ||
	       atomic_load_explicit(&shim->bells.watched[fd], memory_order_relaxed);
}
/* SLOW, the guard held: the number means nothing any more. */
void descriptor_forget(struct call *c, int fd);
/* SLOW where the numbers are of pipes, else HOT: `to` is a duplicate of `from` now. */
void descriptor_duplicated(struct arch_caller caller, int from, int to);
/* The same: its flags changed. */
void descriptor_changed(struct arch_caller caller, int fd);
/* SLOW: pipe, socketpair or popen made these. */
void descriptor_pair_made(struct arch_caller caller, const int *fd, unsigned count);

/* HOT */
static hot_inline unsigned descriptor_class(int fd)
{
	return likely(shim && (unsigned)fd < DESCRIPTORS)
		       ? __atomic_load_n(&shim->descriptor[fd].class, __ATOMIC_RELAXED)
		       : DESCRIPTOR_PLAIN;
}

/* SLOW (wrap_file.c): file locks that go with a close of `fd`; that a duplicate shares. */
void file_locks_closing(struct call *c, int fd);
void file_locks_duplicated(int from, int to);

/* ---- threads ---- */

enum thread_state { THREAD_LIVE = 0, THREAD_ENDED = 1, THREAD_DETACHED = 2, THREAD_JOINED = 3 };

uint32_t thread_new(uint32_t parent, uint32_t stack, uint32_t flags,
		    uintptr_t routine); /* SLOW: an id and its definition */
void thread_register(uintptr_t handle, uint32_t id, struct stream *s); /* SLOW */
struct thread_entry *thread_find(uintptr_t handle);		       /* SLOW: NULL = unknown */
/*
 * SLOW: gives this thread a stream. Until it has one there is no guard: the caller has blocked all
 * signals, or a handler's hook would want the spin locks that its own thread holds. `mask`: the
 * signals that were blocked before.
 */
bool thread_attach(uint32_t id, uint32_t flags, uint64_t mask);
uint64_t signals_off(void);	/* SLOW: blocks all; returns the mask to give back */
void signals_on(uint64_t mask); /* SLOW */
void thread_reclaim(struct stream *s, uint32_t thread); /* SLOW: its thread is really over */
/*
 * SLOW: tells which threads have ended, in their start routine, and are in their destructors still: one may
 * detach itself there (GLib's do), so nobody can say that it is not going to be collected. Waits up to 20 ms for them.
 */
void threads_tell_ending(struct call *c);
extern const char __start_thrum_trampoline[] __attribute__((visibility("hidden")));
extern const char __stop_thrum_trampoline[] __attribute__((visibility("hidden")));
#define TRAMPOLINE __attribute__((section("thrum_trampoline"), noinline))
/* Of all other functions that call the host's: what a callback jumps to, at its end, is the host's call. See task_is_inner. */
extern const char __start_thrum_callback[] __attribute__((visibility("hidden")));
extern const char __stop_thrum_callback[] __attribute__((visibility("hidden")));
#define CALLS_BACK __attribute__((section("thrum_callback"), noinline))

/* BOOT: the launcher's options. */
struct shim_options {
	char dir[3800];
	uint64_t max_size;
	bool enabled;
	bool drop;	  /* what we start is not to be recorded: exec takes our variables away */
	bool bounded;	  /* mode=bounded */
	uint64_t flight;  /* bytes of a thread's ring that are used */
	bool follow_none; /* follow_children=none */
	bool redact_args; /* redact=args: argv[0] alone goes into the trace */
	bool python_races;
	bool races_off,
		races_forced; /* races=off, or record; races=force: whatever the kernel's version */
	bool steer, perturb;  /* steer=1, perturb=SEED: preload/steer/ */
	uint64_t perturb_seed;
	bool races_deep; /* races=deep */
	/* races=record, record-full */
	enum memory_option { MEMORY_NONE, MEMORY_SAMPLED, MEMORY_FULL } memory;
};
extern struct shim_options shim_options;
void options_read(void); /* once */

#endif
