/* SPDX-License-Identifier: MIT */
/*
 * trace_format.h - what the bytes of a trace mean: the one description both sides compile.
 *
 * A trace is a directory. Each process image in it owns two files:
 *
 *   PID.N.map      MAP_SHARED in the recorded process: one header page, then segments of 64 KiB.
 *                  Memory bytes are file bytes, so whatever was stored survives SIGKILL without a flush.
 *   PID.N.events   sealed stream segments, one behind the other: header and `committed` payload bytes each, at a place reserved
 *                  before the write; a write that failed leaves a hole, which a reader steps over to the next header.
 *
 * and the launcher adds run.json. N counts the images of one pid (exec). FORMAT.md has the prose.
 *
 * Invariants
 *  - All integers are little-endian; every struct is a multiple of 8 bytes; reserved bytes are zero.
 *  - A record exists once the segment's `committed` covers it; bytes beyond are ignored.
 *  - Segment 0..n-1 lie at TF_HEADER_BYTES + index * TF_SEGMENT_BYTES of the map file.
 *  - A stream segment in the map is the newest of its stream. (stream, chunk) names a segment's content
 *    uniquely; where .events and .map hold the same chunk, the one with more committed bytes counts.
 *  - Time stamps are in ticks of 16 TSC cycles and never decide who held a lock: sequence numbers do.
 *
 * A reader must treat every value here as hostile. Freestanding: no libc beyond fixed-width
 * integers.
 */
#ifndef THRUM_TRACE_FORMAT_H
#define THRUM_TRACE_FORMAT_H

#include <stdint.h>

#define TF_MAGIC "THRUMTRC"
#define TF_MAJOR 1
#define TF_MINOR 2

#define TF_HEADER_BYTES 4096u
#define TF_SEGMENT_BYTES 65536u
#define TF_SEGMENT_HEADER_BYTES 256u
#define TF_PAYLOAD_BYTES (TF_SEGMENT_BYTES - TF_SEGMENT_HEADER_BYTES)
#define TF_OPS 64u
#define TF_TICK_SHIFT 4 /* one tick = 16 TSC cycles */
#define TF_MAX_FRAMES 32u

/* Numbers of the event records, from spec/events.def. */
enum trace_op {
	TRACE_OP_NONE = 0,
#define EVENT(num, NAME, word, fields, doc) TRACE_##NAME = num,
#include "../spec/events.def"
#undef EVENT
};

/* Numbers of the object kinds, from spec/objects.def. */
enum trace_object_kind {
	TRACE_OBJECT_NONE = 0,
#define OBJECT(num, NAME, word, is_lock, doc) TRACE_OBJECT_##NAME = num,
#include "../spec/objects.def"
#undef OBJECT
};

/* Numbers of the blocking calls, from spec/calls.def. */
enum trace_call {
	TRACE_CALL_NONE = 0,
#define CALL(num, NAME, word, class) TRACE_CALL_##NAME = num,
#include "../spec/calls.def"
#undef CALL
};

/* Numbers of the kinds of tasks, from spec/tasks.def. */
enum trace_task_kind {
	TRACE_TASK_KIND_NONE = 0,
#define TASK(num, NAME, word, library, life) TRACE_TASK_##NAME = num,
#include "../spec/tasks.def"
#undef TASK
};

/*
 * Bits of argument A in REQUEST, ACQUIRE_FAIL, ACQUIRE_OWNERDEAD, COND_WAIT and of trace_wait.mode.
 */
enum trace_mode {
	TRACE_MODE_SHARED = 1, /* read side */
	TRACE_MODE_TRY = 2,
	TRACE_MODE_TIMED = 4,	   /* has a finite timeout */
	TRACE_MODE_UNLOCKED = 256, /* COND_WAIT: the caller does not hold the mutex */
};

/* Above the enum trace_mode bits in HELD. */
enum trace_hold {
	TRACE_HOLD_OWNERDEAD = 512,   /* robust, owner died, not made consistent yet */
	TRACE_HOLD_REACQUIRED = 1024, /* taken back at the end of a condition wait */
	TRACE_HOLD_PRIVATE = 2048,    /* brand new: made by this thread, met by no other */
	TRACE_HOLD_DEPTH_SHIFT = 16,  /* depth - 1 */
};

/* Result of TASK. */
enum trace_task_step {
	TRACE_TASK_CREATED = 0,
	TRACE_TASK_STARTED = 1, /* runs on this thread from here on */
	TRACE_TASK_SUSPENDED = 2,
	TRACE_TASK_RESUMED = 3,
	TRACE_TASK_FINISHED = 4,
	TRACE_TASK_CANCELLED = 5,
	TRACE_TASK_DESTROYED = 6,
	/* Of tasks that began with TASK_NEW. CALLED and RETURNED nest as calls do. */
	TRACE_TASK_CALLED = 7, /* its loop calls it back: S = the callback, a stack of one frame */
	TRACE_TASK_RETURNED =
		8, /* that callback returned; S = where its coroutine stands now, after a long step or with a lock */
	TRACE_TASK_STOPPED = 9, /* disarmed; may be armed again */
	TRACE_TASK_CLOSED = 10, /* the program says that it is over */
	TRACE_TASK_LOST = 11,	/* another one was made in its place: it was never closed */
	TRACE_TASK_WORKED = 12, /* RETURNED of a part on a pool's thread: the loop's part follows */
	TRACE_TASK_SWALLOWED = 13, /* it comes to its end although it was cancelled */
	TRACE_TASK_FAILED = 14,	   /* its exception, raised at S, was never looked at */
	TRACE_TASK_UNAWAITED = 15, /* a coroutine that was never begun is thrown away */
	TRACE_TASK_PENDING = 16,   /* not over when its loop was to end: it is cancelled now */
	TRACE_TASK_ASKED = 17,	   /* somebody asks it to cancel itself: S = where */
	TRACE_TASK_MET = 18, /* the cancellation reaches it: S = what it awaits, as AWAIT's stack */
	TRACE_TASK_WENT_ON =
		19, /* it did not handle that any more, and awaited something else at S */
	/* As PENDING, S = what it awaits; it is in no endless loop, and nobody has a reference to it. */
	TRACE_TASK_FORGOTTEN = 20,
};

/* Argument A of LOOP. */
enum trace_loop_step {
	TRACE_LOOP_RUN = 1,   /* this thread drives it from here on; nests */
	TRACE_LOOP_LEFT = 2,  /* until here */
	TRACE_LOOP_CLOSE = 3, /* closed with result R: 0, or it is still in use (EBUSY) */
	TRACE_LOOP_WAKE = 4,  /* woken on purpose */
	TRACE_LOOP_STOP = 5,  /* asked to end */
	/* The program gave its last reference up: what it still has of the loop keeps it alive. */
	TRACE_LOOP_DROPPED = 6,
};

/* Argument A of ACCESS. */
enum trace_access {
	TRACE_ACCESS_WRITE = 1,
	TRACE_ACCESS_DERIVED = 2, /* the value was made of one that the same call had read there */
	TRACE_ACCESS_CHECKED = 4, /* the same call of a coroutine had read it, perhaps to decide */
	TRACE_ACCESS_SUSPENDED = 8, /* the task was suspended between that read and this write … */
	TRACE_ACCESS_OVERWRITES = 16, /* … another task or thread wrote between them */
	TRACE_ACCESS_PUBLISH = 32,    /* not a variable: what this thread did is seen by who … */
	TRACE_ACCESS_OBTAIN = 64,     /* … obtains from the same one */
	/* Not a variable, O = 0: the location of watch number A >> TRACE_WATCH_SHIFT, with R = enum trace_touch bits */
	TRACE_ACCESS_WATCH = 128,
	TRACE_ACCESS_STACK_SHIFT = 8,
	TRACE_WATCH_SHIFT = 9,
	/* Of a WATCH: another thread than the first touched it, and the watch is over. Else the first did, or is about to. */
	TRACE_WATCH_OTHER = 1 << 8,
};

/* R of a WATCH: how one instruction touches memory. */
enum trace_touch {
	TRACE_TOUCH_READ = 1,
	TRACE_TOUCH_WRITE = 2, /* with READ: one instruction that does both, no atomic one */
	TRACE_TOUCH_ATOMIC = 4,
	TRACE_TOUCH_WIDE =
		8, /* more bytes than are read or written at once, or not aligned to them */
	/* A load whose value goes back to where it came from, changed, some instructions later; or that store. */
	TRACE_TOUCH_CHANGES = 16,
	TRACE_TOUCH_NEAR_ATOMIC =
		32, /* a function that runs there has atomic instructions, or calls one that has */
	TRACE_TOUCH_UNKNOWN = 64, /* the instruction could not be told */
	/* Not an instruction of the program: the kernel, in a system call, or a function of libc that is called there. */
	TRACE_TOUCH_CALLED = 128,
	TRACE_TOUCH_SIZE_SHIFT = 8, /* bytes */
};

/*
 * WOKEN, R = descriptor << TRACE_WOKEN_SHIFT | TRACE_WOKEN_MORE | this, and
 * A = task that the writer ran (0 = none) << 32 | thread that wrote (0 = not known, or several at the same time).
 * OTHER: the wait found none of them ready, and says so once after one that did. S = 0 where A = 0.
 */
enum trace_waker {
	TRACE_WAKER_OTHER = 0,
	TRACE_WAKER_EVENTFD = 1,
	TRACE_WAKER_TIMERFD = 2,
	TRACE_WAKER_SIGNALFD = 3,
	TRACE_WAKER_PIPE = 4,
	TRACE_WAKER_SOCKET = 5, /* of a pair */
	TRACE_WOKEN_MORE = 8,	/* the same wait found what the WOKEN before tells of, too */
	TRACE_WOKEN_SHIFT = 4,
};

enum trace_destroy {
	TRACE_DESTROY_LOCKED = 1, /* held by someone */
	TRACE_DESTROY_WAITED = 2, /* threads wait on it */
};

enum trace_gone {
	TRACE_GONE_FREED = 1,
	TRACE_GONE_UNMAPPED = 2,
	TRACE_GONE_STACK = 3,  /* its stack frame or thread is over */
	TRACE_GONE_REINIT = 4, /* initialised again without a destroy */
	TRACE_GONE_MODULE = 5, /* its module was unloaded */
};

enum trace_exit {
	TRACE_EXIT_DESTRUCTORS = 1, /* exit() or return from main: our destructor ran */
	TRACE_EXIT_QUICK = 2,	    /* _exit, _Exit, quick_exit */
	TRACE_EXIT_EXEC = 3,	    /* exec is about to replace this image */
};

/*
 * Record byte of an event:
 *
 *   7        6          5 4 3 2 1 0
 *  +--------+----------+-----------+
 *  | has seq| same obj |    op     |
 *  +--------+----------+-----------+
 *
 * then varint(time delta in ticks since the previous record of this stream; the first record of a
 * segment counts from segment.base_ticks), then the fields of the op in table order as LEB128
 * varints (R is zig-zag), then, if bit 7 is set, varint(sequence number). With bit 6 the O field is
 * left out: it equals the O of the last record of this segment that had one.
 *
 * Example: bytes 0a 05 07  =  RELEASE, 5 ticks later, object 7.
 *
 * Sequence numbers: the n-th successful exclusive acquire of a lock (of any thread) has number n. A
 * record leaves it out when the same stream also made acquire n-1, so each hand-over between
 * threads names it. A shared acquire carries the number of exclusive acquires before it under the
 * same rule.
 */
#define TF_REC_OP_MASK 0x3fu
#define TF_REC_SAME_OBJECT 0x40u
#define TF_REC_HAS_SEQ 0x80u

enum tf_segment_kind {
	TF_SEGMENT_FREE = 0,
	TF_SEGMENT_STREAM = 1,
	TF_SEGMENT_META = 2,
	TF_SEGMENT_RING = 3, /* bounded mode: the payload is TF_SLOTS slots, overwritten in turn */
};

/*
 * What a thread is blocked on, in its stream's segment header: written before each call that may
 * block and cleared after, `kind` last on the way in and first on the way out.
 */
enum trace_wait_kind {
	TRACE_WAIT_NONE = 0,
	TRACE_WAIT_LOCK =
		1, /* object, mode; other = 1: keeps the lock it holds there in the other mode meanwhile */
	TRACE_WAIT_COND = 2,	/* object = condvar, other = mutex; released, to be re-acquired */
	TRACE_WAIT_SEM = 3,	/* object */
	TRACE_WAIT_BARRIER = 4, /* object */
	TRACE_WAIT_ONCE = 5,	/* object: another thread runs the initialiser */
	TRACE_WAIT_JOIN = 6,	/* other = thread id */
	TRACE_WAIT_CHILD = 7,	/* other = pid, 0 = any child; object = 0 */
	TRACE_WAIT_FUTEX = 8,	/* object; other = the value expected */
	/* other = enum trace_call; object = PIPE, SOCKET or QUEUE when known; mode SHARED = for data */
	TRACE_WAIT_CALL = 9,
};

struct trace_wait {
	uint32_t kind; /* enum trace_wait_kind */
	uint32_t mode; /* enum trace_mode bits */
	uint32_t object;
	uint32_t other;
	uint32_t stack;
	uint32_t thread;
	uint64_t ticks; /* since when, 0 = time of the last record */
};

struct tf_segment {
	uint32_t kind;	    /* enum tf_segment_kind, stored last when a segment is taken into use */
	uint32_t stream;    /* dense id of the stream, never reused within an image */
	uint64_t chunk;	    /* 0, 1, 2 … within the stream */
	uint32_t committed; /* payload bytes that count; release store after each record */
	uint32_t thread;    /* thread the stream belonged to when this chunk began (0 = none) */
	uint64_t base_ticks;
	uint64_t base_mono_ns;	/* CLOCK_MONOTONIC beside base_ticks: calibration */
	uint64_t lost;		/* events of this stream not recorded, so far */
	uint32_t thread_now;	/* thread the stream belongs to now; 0 = idle. Map only */
	uint32_t tid_now;	/* its kernel thread id */
	struct trace_wait wait; /* map only: live state */
	uint64_t events;	/* records written to this stream so far */
	uint8_t reserved[256 - 96];
};

/*
 * One slot of a RING segment: a chunk of its own, which begins with a KEYFRAME. Slot i lies at
 * TF_SEGMENT_HEADER_BYTES + i * TF_SLOT_BYTES; `chunk` of the segment is the number of the newest.
 */
#define TF_SLOTS 8u
#define TF_SLOT_BYTES (TF_PAYLOAD_BYTES / TF_SLOTS)
#define TF_SLOT_PAYLOAD_BYTES (TF_SLOT_BYTES - 32u)
struct tf_slot {
	uint64_t number; /* of the chunk in its stream; number % TF_SLOTS is its place */
	uint64_t base_ticks;
	uint32_t committed; /* payload bytes; 0 while it is being taken into use */
	uint32_t thread;    /* owner when it began */
	uint64_t events;    /* of the stream when it began */
};

/* Page 0 of the map. Counters are live. */
struct tf_process {
	char magic[8]; /* TF_MAGIC */
	uint16_t major, minor;
	uint32_t header_bytes;	/* TF_HEADER_BYTES */
	uint32_t segment_bytes; /* TF_SEGMENT_BYTES */
	uint32_t segments;	/* segments that are allocated in the map */
	uint32_t pid, ppid;
	uint32_t parent_image; /* N of the parent's image when made by fork, else 0 */
	uint32_t flags;	       /* enum tf_process_flag */
	uint64_t start_ticks, start_mono_ns, start_real_ns;
	uint64_t last_ticks, last_mono_ns; /* newest calibration pair */
	uint64_t lost_events;		   /* not in any stream: no thread state or no memory */
	uint64_t lost_chunks; /* sealed chunks that could not be written (or were over max_size) */
	uint64_t lost_defs;   /* definitions that did not fit */
	uint64_t nested_events; /* hooks entered inside a hook (signal handlers), recorded late */
	uint64_t written_bytes; /* of the .events file */
	uint64_t max_bytes;	/* --max-size, 0 = none */
	uint32_t threads;	/* thread ids given out */
	uint32_t objects;	/* object ids given out */
	uint32_t stacks;	/* stack ids given out */
	uint32_t exit_kind;	/* enum trace_exit, 0 while running or when killed */
	uint32_t libc_version;	/* major << 16 | minor */
	uint32_t reserved0;
	/*
	 * Number of varints after the delta, per op: low six bits. Bit 6: the first is O (must be set for ops added after
	 * 1.0 that have one, see FORMAT.md section 8). 0xff = op unknown to the writer.
	 */
	uint8_t op_fields[TF_OPS];
	char command[256]; /* argv[0] … joined by NUL, cut */
	/* Since 1.1; 0 in older files. */
	uint64_t expired_chunks;   /* bounded mode: chunks that were dropped as repetitions */
	uint64_t boot_signal_mask; /* of the first thread at start: bit n - 1 = signal n blocked */
	uint32_t exec_pid_image;   /* N of the image of this pid that called exec, 0 = none */
	uint32_t facts_stream;	   /* bounded mode: stream of the facts, 0 = none yet */
	uint64_t lost_facts;	   /* bounded mode: new ones for which there was no room */
	/* forked children that could make no files: their user or their root was another */
	uint32_t unrecorded_children;
	uint32_t reserved1;
};

enum tf_process_flag {
	TF_PROCESS_FULL = 1,	  /* max_size reached: later chunks were dropped */
	TF_PROCESS_DISK_FULL = 2, /* a write failed for want of space or permission */
	TF_PROCESS_OFF = 4,	  /* recording was switched off by an internal check */
	/* Facts about the host, no loss: */
	TF_PROCESS_HANDLERS = 8, /* it installed a signal handler: that may post a semaphore */
	TF_PROCESS_UNSEEN_THREADS = 16, /* it asked libc for threads of libc's own (SIGEV_THREAD) */
	TF_PROCESS_BOUNDED = 32, /* bounded mode, from the start or since max_size was reached */
	TF_PROCESS_SECCOMP = 64, /* it runs under a seccomp filter; with a loss, that was why */
};

/*
 * Definitions, in META segments: 8-byte aligned, [u16 type][u16 flags][u32 bytes] then the body;
 * `bytes` includes the 8 of the header and the padding. Unknown types are skipped by size.
 */
enum tf_def_type {
	TF_DEF_NONE = 0,
	TF_DEF_STACK = 1,  /* struct tf_def_stack */
	TF_DEF_OBJECT = 2, /* struct tf_def_object */
	TF_DEF_THREAD = 3, /* struct tf_def_thread */
	TF_DEF_MODULE = 4, /* struct tf_def_module */
	TF_DEF_NAME = 5,   /* struct tf_def_name: of a thread; the newest counts */
	TF_DEF_UNLOAD = 6, /* struct tf_def_module with the same start: gone from `ticks` on */
	/* Since 1.1: */
	TF_DEF_IDENTITY = 7, /* struct tf_def_identity: an object that other processes can reach */
	TF_DEF_OBJECT_NAME = 8, /* struct tf_def_object_name: the newest counts */
	TF_DEF_OWNER = 9,	/* struct tf_def_owner: an object that was locked when first seen */
	TF_DEF_TASK = 10,	/* struct tf_def_task */
	TF_DEF_ORDER = 11,	/* struct tf_def_order: an annotation */
	TF_DEF_EXEC = 12,	/* struct tf_def_exec: a program that was started */
	TF_DEF_PLACE = 13,	/* struct tf_def_place: a line of a Python program */
	TF_DEF_RUNTIME =
		14, /* struct tf_def_runtime: an interpreter in the process; the newest counts */
	TF_DEF_AWAIT = 15, /* struct tf_def_await: what a task waited for when somebody looked */
	TF_DEF_SITE_NAME =
		16, /* struct tf_def_site_name: what Python objects are called that are made there */
	TF_DEF_REPORT = 17, /* struct tf_def_report: what a sanitizer's runtime told */
	TF_DEF_CONFLICT =
		18, /* struct tf_def_conflict: two threads met at a location that was watched */
	TF_DEF_WATCHES =
		19, /* struct tf_def_watches: what was watched in this image; the newest counts */
	TF_DEF_MEMORY =
		20,	 /* struct tf_def_memory: memory accesses are recorded, in PID.N.memory */
	TF_DEF_TID = 21, /* struct tf_def_tid: the kernel id of a thread, where reports name that */
	TF_DEF_TASK_LOCK = 22, /* struct tf_def_task_lock: bounded mode's word of what tasks hold */
	TF_DEF_TASK_CONTEXT = 23, /* struct tf_def_task_context: whose work a task does */
	TF_DEF_GIL = 24, /* struct tf_def_gil: how long a thread waited for CPython's GIL */
};

struct tf_def {
	uint16_t type;
	uint16_t flags;
	uint32_t bytes;
};

/*
 * def.flags of a stack whose walk went through a signal frame: bits 0..7 = index of the first frame
 * outside the handler (the interrupted code), bits 8..14 = the signal, 0 = not known.
 */
struct tf_def_stack {
	struct tf_def def;
	uint32_t stack; /* id, 1-based */
	uint32_t frames;
	uint64_t ip
		[]; /* return addresses, innermost first; TF_PLACE + n = place n, a frame of an interpreted language */
};

#include "trace_format_python.h"

struct tf_def_object {
	struct tf_def def;
	uint32_t object; /* id, 1-based */
	uint32_t kind;	 /* enum trace_object_kind */
	uint64_t address;
	uint32_t stack; /* where first seen */
	uint32_t thread;
	uint64_t ticks;
	uint32_t
		attributes; /* as INIT's A, read from the object at first sight where the libc layout is known */
	uint32_t where; /* enum tf_object_where */
};

/* def.flags of an object. */
enum tf_object_flag {
	TF_OBJECT_INIT = 1, /* by the call at `stack`; `attributes` is what it said */
	/* The id had other objects before `ticks`: a record that is older does not mean this one. */
	TF_OBJECT_AGAIN = 2,
};

/* Bounded mode: follows tf_def_object, within its `bytes`. Live. */
struct tf_object_live {
	int64_t value;	      /* semaphore: initial + posts - takes */
	uint64_t waits;	      /* contended acquires that were answered */
	uint64_t wait_ticks;  /* time they took */
	uint64_t worst_ticks; /* the longest … */
	uint32_t worst_stack, worst_thread;
};

enum tf_object_where {
	TF_WHERE_UNKNOWN = 0, /* heap or other mapping */
	TF_WHERE_MODULE = 1,  /* static storage */
	TF_WHERE_STACK = 2,   /* on the stack of the thread that first used it */
};

/*
 * Attributes of a mutex. Of a rwlock: the kind (0 prefer reader, 2 writer non-recursive), PSHARED.
 * Semaphore: value. Barrier: count.
 */
enum tf_mutex_attribute {
	TF_MUTEX_TYPE_MASK = 3, /* PTHREAD_MUTEX_NORMAL, RECURSIVE, ERRORCHECK, ADAPTIVE */
	TF_MUTEX_ROBUST = 16,
	TF_MUTEX_PRIO_INHERIT = 32,
	TF_MUTEX_PRIO_PROTECT = 64,
	TF_PSHARED = 128,
	TF_COUNT_SHARED =
		1
		<< 30, /* semaphore, barrier: other processes may take part; the rest is the value or count */
	/* The greatest value of a semaphore that is told: above are the library's bits. */
	TF_SEM_MOST = (1 << 24) - 1,
	/* SysV semaphore: first used with SEM_UNDO: the end of a process gives back what it took */
	TF_SEM_UNDO = 1 << 28,
	TF_ATTRIBUTES_UNKNOWN = 1u << 31,
};

enum tf_futex_attribute {
	TF_FUTEX_PI =
		1, /* priority-inheriting: bits 0..29 of the word are its owner's kernel thread id */
};

/*
 * Of every kind: which library's own lock this is (its memory is not glibc's), and how it is
 * shared. Bits 24..27 of the attributes of a MUTEX, RWLOCK, COND, SEM, ONCE, LOOP, POOL; see TF_PSHARED for the rest.
 */
enum tf_library {
	TF_LIBRARY_SHIFT = 24,
	TF_LIBRARY_MASK = 15,
	TF_LIBRARY_LIBC = 0,
	TF_LIBRARY_GLIB = 1,
	TF_LIBRARY_QT = 2,
	TF_LIBRARY_OPENMP = 3,
	TF_LIBRARY_SYSV = 4,	  /* semop */
	TF_LIBRARY_ANNOTATED = 5, /* thrum.h */
	TF_LIBRARY_STDIO = 6,	  /* the lock of a FILE */
	TF_LIBRARY_UV = 7,
	TF_LIBRARY_EVENT = 8,
	TF_LIBRARY_EV = 9,
	TF_LIBRARY_SD = 10,
	TF_LIBRARY_CURL = 11,
	TF_LIBRARY_ARES = 12,
	TF_LIBRARY_URING = 13,
	TF_LIBRARY_PYTHON = 14,	 /* threading */
	TF_LIBRARY_ASYNCIO = 15, /* held by tasks, not by threads */
};

/* Attributes of a PIPE or SOCKET. */
enum tf_channel {
	TF_CHANNEL_MADE_HERE = 1, /* by pipe, socketpair or popen of this process */
};

/* What an object is, whatever it is mapped at: equal in two processes = the same object. */
struct tf_def_identity {
	struct tf_def def;
	uint32_t object;
	uint32_t space;	   /* enum tf_identity_space */
	uint64_t dev, ino; /* of the file; of SYSV: key and id */
	/*
	 * In the file; first byte of a FILE_LOCK's range; index of a semaphore; of a PIPE the ends that
	 * this process has open: 1 = for reading, 2 = for writing; of a SOCKET 1 = open here. The newest
	 * definition counts.
	 */
	uint64_t offset;
	uint64_t length; /* of a FILE_LOCK's range, 0 = to the end; of a SOCKET the peer's inode */
};

enum tf_identity_space {
	TF_IDENTITY_MEMORY = 1, /* shared mapping of (dev, ino) at offset; shmem has an inode too */
	TF_IDENTITY_FLOCK = 2,	/* flock: owned by the open file description */
	TF_IDENTITY_POSIX_LOCK = 3, /* fcntl, lockf: owned by the process */
	TF_IDENTITY_OFD_LOCK = 4,   /* F_OFD_SETLK: owned by the open file description */
	TF_IDENTITY_SYSV_SEM = 5,
	TF_IDENTITY_PIPE = 6,
	TF_IDENTITY_SOCKET = 7,
	TF_IDENTITY_QUEUE = 8, /* POSIX: (dev, ino); System V: ino = id, dev = ~0 */
};

struct tf_def_object_name {
	struct tf_def def;
	uint32_t object;
	uint16_t source; /* enum tf_name_source */
	uint16_t bytes;	 /* of name, without the NUL */
	char name[];
};

/* Objects of library PYTHON that were first seen at this stack, and have no name of their own. */
struct tf_def_site_name {
	struct tf_def def;
	uint32_t stack;
	uint32_t bytes; /* of name, without the NUL; as TF_NAME_PYTHON */
	char name[];
};

enum tf_name_source {
	TF_NAME_PATH = 1,   /* of a file */
	TF_NAME_LIBC = 2,   /* given to sem_open, mq_open */
	TF_NAME_GIVEN = 3,  /* annotation: goes before a symbol */
	TF_NAME_CLASS = 4,  /* annotation: class of the lock */
	TF_NAME_PYTHON = 5, /* "queue.Queue jobs": the class, a blank, the variable if it has one */
};

struct tf_def_owner {
	struct tf_def def;
	uint32_t object;
	uint32_t tid; /* kernel id of the holder, as the lock's memory says; 0 = it does not say */
};

struct tf_def_task {
	struct tf_def def;
	uint32_t task;	      /* id, 1-based */
	uint32_t parent;      /* task that created it, 0 = none */
	uint32_t thread;      /* that created it */
	uint32_t stack;	      /* where */
	uint64_t correlation; /* the program's own id, 0 = none */
	uint64_t ticks;
	uint32_t bytes; /* of name, without the NUL */
	uint32_t reserved;
	char name[];
};

/* def.flags of a task. */
enum tf_task_flag {
	TF_TASK_SLOT = 1, /* it ends with struct tf_task_live */
	/* Its number was another's before `ticks`: a record that is older does not mean this one. */
	TF_TASK_AGAIN = 2,
};

/* Bounded mode, of tasks of a loop or pool, whose TASK_NEW and TASK_ARM are no facts. The last bytes of their tf_def_task. Live. */
struct tf_task_live {
	uint32_t kind;			    /* enum trace_task_kind; 0 = it is being written */
	uint32_t loop;			    /* object, as TASK_NEW has it */
	uint64_t armed_ticks;		    /* of the newest TASK_ARM; 0 = none … */
	uint32_t armed_stack, armed_thread; /* … and its S, its thread, */
	uint32_t armed_loop, callback;	    /* its O and R */
	uint64_t over_ticks;		    /* of its end; 0 = it lives */
	uint32_t over_step, over_thread;    /* of its end: enum trace_task_step */
};

/* Declared: `before` is always taken before `after`. Either may be a class name's object. */
struct tf_def_order {
	struct tf_def def;
	uint32_t before, after; /* objects */
	uint32_t stack;
	uint32_t reserved;
};

/* A path whose process has no later image was run untraced. */
struct tf_def_exec {
	struct tf_def def;
	uint32_t pid;	 /* of the process that runs it: this one, or a child */
	uint32_t thread; /* that asked for it */
	uint32_t how;	 /* enum tf_exec_how */
	uint32_t bytes;	 /* of path, without the NUL; cut at 231 */
	uint64_t ticks;
	char path[]; /* as the call had it */
};

enum tf_exec_how {
	TF_EXEC_SELF = 1,  /* exec: the path takes this image's place, unless EXEC has an error */
	TF_EXEC_SPAWN = 2, /* posix_spawn, by path */
	TF_EXEC_SPAWN_SEARCH = 3, /* posix_spawnp, by $PATH */
	TF_EXEC_VFORK = 4,	  /* exec in a child of vfork */
};

struct tf_def_thread {
	struct tf_def def;
	uint32_t thread; /* id, 1-based; 1 = main */
	uint32_t parent; /* 0 = unknown: first seen running */
	uint32_t stack;	 /* where created */
	uint32_t flags;	 /* enum tf_thread_flag */
	uint64_t start_routine;
	uint64_t handle; /* pthread_t */
	uint64_t ticks;
};

enum tf_thread_flag {
	TF_THREAD_MAIN = 1,
	TF_THREAD_DETACHED = 2, /* created detached */
	TF_THREAD_FOREIGN = 4,	/* not made through a hooked call */
};

/* def.flags of a thread: as TF_OBJECT_AGAIN. */
enum { TF_THREAD_AGAIN = 2 };

struct tf_def_module {
	struct tf_def def;
	uint64_t start, end; /* mapped range */
	uint64_t bias;	     /* load bias: address - bias = ELF virtual address */
	uint64_t ticks;	     /* when first seen (or found gone) */
	uint32_t id;	     /* dense */
	uint32_t flags;	     /* 1 = libthrum itself */
	uint32_t build_id_bytes;
	uint32_t path_bytes; /* without the NUL */
	char data[];	     /* build id, then path, then NUL */
};

struct tf_def_name {
	struct tf_def def;
	uint32_t thread;
	uint32_t bytes; /* of name, without the NUL */
	char name[];
};

/* The program brought libthrum_tsan.so: trace_memory_format.h tells what it writes. */
struct tf_def_memory {
	struct tf_def def;
	uint32_t version; /* TM_MAJOR << 16 | TM_MINOR */
	uint32_t mode;	  /* enum tm_mode */
};

_Static_assert(sizeof(struct trace_wait) == 32, "on disk");
_Static_assert(sizeof(struct tf_segment) == TF_SEGMENT_HEADER_BYTES, "on disk");
_Static_assert(sizeof(struct tf_process) <= TF_HEADER_BYTES, "one page");
_Static_assert(sizeof(struct tf_slot) == 32 && TF_SLOT_BYTES % 8 == 0, "on disk");
_Static_assert(sizeof(struct tf_object_live) == 40, "on disk");
/* One side of a conflict. Program counters as in stacks: behind the instruction. */
struct tf_touch {
	uint32_t thread, stack;
	uint32_t touch; /* enum trace_touch */
	uint32_t call;	/* CALLED by the kernel: enum trace_call; else 0 */
	uint64_t ip;
	uint64_t registers
		[16]; /* as instructions number them: rax rcx rdx rbx rsp rbp rsi rdi r8 … r15; first: before it, second: behind it */
};
struct tf_def_conflict {
	struct tf_def def;
	uint32_t watch;
	uint32_t flags; /* enum tf_conflict */
	uint64_t address;
	uint32_t bytes; /* watched */
	uint32_t pad;
	uint64_t before, after; /* what was there when the watch began; behind the second access */
	struct tf_touch side[2];
};
enum tf_conflict {
	/* The first thread stood still in front of its access while the second made its own: no order was between them. */
	TF_CONFLICT_PAUSED = 1,
	TF_CONFLICT_CHANGED = 2, /* before and after differ */
};

/* Live: written in place while the program runs. */
struct tf_def_watches {
	struct tf_def def;
	uint32_t state;	 /* enum tf_watch_state */
	uint32_t detail; /* of it: errno, or the kernel's version as major << 16 | minor */
	uint32_t slots;	 /* debug registers that we got for data */
	uint32_t rate;	 /* samples a second of a thread's processor time, now */
	uint32_t samples, choices, traps; /* stacks taken; instructions chosen; of those, reached */
	uint32_t sites;			  /* different instructions that were reached */
	uint32_t
		private_; /* traps that touched the thread's own stack, or nothing that can be watched */
	uint32_t pauses, residents; /* watches by kind */
	uint32_t conflicts;	    /* watches that another thread met */
	uint32_t dropped;	    /* traps that came too late, or while we were busy */
	uint32_t
		deep; /* --races=deep: enum tf_watch_deep; above TF_DEEP_SHIFT how many were planted */
	uint64_t paused_us; /* threads stood still for that long, in all */
	uint64_t spent_us;  /* processor time in our handler */
};
enum tf_watch_deep {
	TF_DEEP_NOT = 0, /* not asked for */
	TF_DEEP_ON = 1,
	TF_DEEP_NO_MEMORY = 2, /* /proc/self/mem cannot be written */
	TF_DEEP_BLOCKED = 3,   /* a thread or a handler blocks SIGTRAP, or is about to */
	TF_DEEP_OVER = 4,      /* with the watching, whose state says why */
	TF_DEEP_MASK = 0xff,
	TF_DEEP_SHIFT = 8,
};
enum tf_watch_state {
	TF_WATCH_ON = 0,
	TF_WATCH_REFUSED = 2, /* perf_event_open: detail = errno */
	TF_WATCH_OLD_KERNEL = 3,
	TF_WATCH_NO_REGISTERS = 4, /* a debugger or another tool has them */
	TF_WATCH_SIGTRAP = 5,	   /* the program uses that signal itself */
	TF_WATCH_TRACED = 6,	   /* a debugger is attached */
	TF_WATCH_SANITIZER = 7,	   /* the program brings its own checks of memory accesses */
	TF_WATCH_PYTHON = 8,	   /* an interpreter whose lock is not recorded */
	TF_WATCH_SMALL_STACKS = 9, /* a thread has too little stack for a signal */
	TF_WATCH_CONFINED = 10,	   /* a seccomp filter */
	TF_WATCH_SLOW = 11,	   /* threads are made so often that it would take too long */
	TF_WATCH_LATE = 12,	   /* the first thread was made by another than the first one */
};

_Static_assert(sizeof(struct tf_def_object) == 48 && sizeof(struct tf_def_thread) == 48, "on disk");
_Static_assert(sizeof(struct tf_def_identity) == 48 && sizeof(struct tf_def_owner) == 16,
	       "on disk");
_Static_assert(sizeof(struct tf_def_object_name) == 16 && sizeof(struct tf_def_order) == 24,
	       "on disk");
_Static_assert(sizeof(struct tf_def_exec) == 32, "on disk");
_Static_assert(sizeof(struct tf_def_module) == 56 && sizeof(struct tf_def_stack) == 16, "on disk");

#include "trace_format_report.h"

#endif
