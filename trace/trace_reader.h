/* SPDX-License-Identifier: MIT */
/*
 * trace_reader.h - a recorded run as one ordered stream of events per process image.
 *
 * Invariants
 *  - Works on the directory of a finished, a killed and a still running process alike; never writes.
 *  - Every value in the files is hostile: no input makes it crash, loop, or read outside the files.
 *  - Program order of each thread is kept. Exclusive acquires of one lock come out in sequence-number order and
 *    never before the release they followed, whatever the clocks say; else time decides.
 *  - Where records are missing (lost chunks, torn tail) a TRACE_LOST event comes out in place, at least one per gap.
 *  - Ids in events, tables and wait states are below the counts of their tables; one that is not becomes 0. Where A is a thread
 *    (THREAD_BEGIN, CREATE, JOIN, …) that holds for it too; the owner in RELEASE_ODD is one, or UINT64_MAX for "never seen".
 *    REQUEST's P is a thread, every other P an object.
 *  - Deterministic: the same bytes give the same events in the same order.
 *
 * Threads: one reader is used by one thread at a time; different readers are independent.
 */
#ifndef THRUM_TRACE_READER_H
#define THRUM_TRACE_READER_H

#include "trace_diag.h"
#include "trace_format.h"
#include "trace_memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stream of an event that was kept as a fact: its thread's own stream had it once. */
#define TRACE_NO_STREAM UINT32_MAX

/* One decoded record. Fields that the op does not have are 0. Ids index the tables of struct trace_process. */
struct trace_event {
	uint8_t op; /* enum trace_op */
	bool has_seq;
	bool synthetic; /* made by the reader (LOST at a gap), not in the file */
	uint32_t stream;
	uint32_t thread; /* whose event: the thread the stream belonged to */
	uint32_t object;
	uint32_t other; /* P */
	uint32_t stack;
	int32_t result; /* R */
	uint64_t arg;	/* A */
	uint64_t seq;
	uint64_t time_ns; /* since the process's first record */
};

struct trace_stack {
	uint32_t frames;    /* 0 = id never defined (definition lost) */
	const uint64_t *ip; /* return addresses, innermost first; borrowed from the process */
	/* Frames 0 … handler_frames - 1 ran in a signal handler; 0 = none did. */
	uint8_t handler_frames;
	uint8_t signal; /* which, 0 = not known */
};

/* What TF_PLACE + n means: a line of an interpreted program. */
struct trace_code_place {
	uint32_t line, first_line;   /* 0 = unknown */
	uint32_t kind;		     /* enum tf_place_kind */
	const char *function, *file; /* NULL = the number was never defined, or unknown */
};

struct trace_object {
	uint32_t kind; /* enum trace_object_kind; 0 = id never defined */
	uint32_t stack, thread;
	uint32_t attributes;
	uint32_t where; /* enum tf_object_where */
	uint64_t address;
	uint64_t time_ns;
	/* Equal in two objects of any processes = the same object; NULL = private to the process. */
	const struct tf_def_identity *identity;
	const char *name;		     /* a path, or the name given to libc; NULL = none */
	const char *given_name, *class_name; /* annotations; NULL = none */
	const char *
		word; /* what its kind is called, where that is not spec/objects.def's word; NULL = there */
	bool was_locked;    /* when first seen … */
	uint32_t owner_tid; /* … by this kernel thread, 0 = not known */
	/* Bounded mode: initialised at `stack` by `thread`; what was counted while it lived. */
	bool initialised;
	const struct tf_object_live *live; /* NULL = no such counts */
};

/* A variable of a task's context that has a text, a number or a UUID. */
struct trace_context_pair {
	const char *name;
	const char *value; /* NULL = redacted */
};

struct trace_task {
	bool defined;
	uint32_t parent, thread, stack; /* task; thread and stack that created it */
	uint64_t correlation;
	uint64_t time_ns;
	const char *name; /* NULL = none */
	const struct trace_context_pair
		*context; /* whose work it does, as seen last; NULL = nothing … */
	uint32_t context_count, context_look; /* … 0 */
	uint64_t context_ns;		      /* when it was seen */
	/* Bounded mode, of tasks of a loop or pool: what the records said that may be gone; NULL = no more than above. */
	const struct tf_task_live *live;
};

/* What a task waited for when somebody looked: one for each thing. */
struct trace_await {
	uint32_t task;
	uint32_t look;	  /* of one look at all tasks: the same number; the newest counts */
	uint32_t other;	  /* the task it waits for; 0 = something else */
	uint32_t object;  /* the lock it waits for; 0 = something else */
	uint32_t stack;	  /* of its coroutines, the innermost first */
	uint32_t thread;  /* that looked */
	uint64_t subject; /* the address of what else it waits at; 0 = it can go on, or not known */
	uint64_t time_ns;
	uint32_t kind;	/* enum tf_await_kind */
	uint32_t flags; /* enum tf_await_flag */
	uint32_t loop;	/* object; 0 = not known */
};

/* What ThreadSanitizer's runtime told, by its interface or in its log. */
struct trace_report {
	uint32_t number; /* 1, 2 …: in the order in which they were made */
	uint32_t kind;	 /* enum tf_report_kind */
	uint32_t thread; /* that it was made on, 0 = not known */
	bool is_logged;	 /* the log has it */
	uint64_t time_ns;
	const char *title; /* what the log calls it; NULL = the log does not have it */
	/* Their stacks are below stack_count. */
	const struct tf_report_part *parts;
	size_t part_count;
};

/* Bounded mode's word of what tasks hold: struct tf_def_task_lock. */
struct trace_task_lock {
	uint32_t what; /* enum tf_task_lock */
	uint32_t object, task, stack, thread;
	uint64_t time_ns;
	uint32_t look;		   /* HELD: which */
	uint32_t held, held_stack; /* ORDER: what the task had then … */
	uint64_t held_ns;
	uint32_t also[TF_TASK_LOCKS_ALSO]; /* … and what besides; 0 = no more */
};

/* A thread that waited for CPython's GIL, or had it while others did. */
struct trace_gil {
	uint32_t thread; /* 0 = of several, which are over */
	uint64_t waits, wait_ns, longest_ns;
	uint64_t kept_ns; /* others waited that long while it had it */
};

struct trace_thread {
	bool defined;
	uint32_t parent, stack, flags; /* enum tf_thread_flag */
	uint32_t tid;		       /* kernel id, 0 = unknown */
	uint64_t start_routine, handle;
	const char *name; /* NULL = none seen; newest */
};

struct trace_module {
	uint64_t start, end, bias;
	uint64_t loaded_ns, unloaded_ns; /* UINT64_MAX = never unloaded */
	bool is_thrum;
	const uint8_t *build_id;
	uint32_t build_id_bytes;
	const char *path;
};

/* Last state of one stream: what its thread was blocked on when the process ended (or now). */
struct trace_wait_state {
	uint32_t thread; /* 0 = stream idle */
	uint32_t tid;
	struct trace_wait wait; /* kind NONE = not blocked in a hooked call */
	uint64_t since_ns;
};

/*
 * A program that this image started, by exec or posix_spawn. Where no image of `pid` began later, it ran untraced:
 * static, set-user-id, of another architecture; or exec failed, which the EXEC event says.
 */
struct trace_exec {
	uint32_t pid;
	uint32_t thread;
	uint32_t how; /* enum tf_exec_how */
	uint64_t time_ns;
	const char *path; /* as the call had it, perhaps cut */
};

/* One process image. All arrays are owned by the reader; index 0 of stacks, objects, threads and tasks is unused. */
struct trace_process {
	const char *name; /* "PID.N" */
	uint32_t pid, ppid, image, parent_image;
	char *command; /* argv joined with blanks */
	bool complete; /* false: killed, still running, torn or lossy; `why` says */
	char why[160];
	uint32_t exit_kind; /* enum trace_exit, 0 = did not pass exit */
	uint32_t flags;	    /* enum tf_process_flag */
	uint64_t lost_events, lost_chunks, lost_defs, nested_events;
	uint64_t lost_in_gaps; /* events of chunks that are not there; known after one full pass */
	uint64_t
		events; /* records in all streams; of a damaged trace exact after one pass to the end */
	uint64_t bytes;		/* of both files */
	uint64_t used_bytes;	/* of them with content: the map is allocated ahead */
	uint64_t start_real_ns; /* wall clock of time 0 */
	uint64_t end_ns;	/* time of the last record */
	uint32_t libc_version;
	uint64_t expired_chunks;   /* bounded mode: dropped as repetitions, no loss */
	uint64_t lost_facts;	   /* bounded mode: new ones that did not fit */
	uint64_t boot_signal_mask; /* of the main thread at start: bit n - 1 = signal n blocked */

	struct trace_stack *stacks;
	size_t stack_count;
	struct trace_object *objects;
	size_t object_count;
	struct trace_thread *threads;
	size_t thread_count;
	struct trace_module *modules;
	size_t module_count;
	struct trace_wait_state *waits;
	size_t wait_count;
	struct trace_task *tasks; /* index 0 unused */
	size_t task_count;
	struct trace_code_place *places; /* index 0 unused */
	size_t place_count;
	struct trace_await *awaits; /* in the order in which they were written */
	size_t await_count;
	struct trace_context_pair *contexts; /* of all tasks */
	size_t context_count;
	struct trace_task_lock *task_locks; /* the same */
	size_t task_lock_count;
	struct trace_gil *gils;
	size_t gil_count;
	const struct tf_def_runtime *runtime; /* the newest; NULL = no interpreter was found */
	const struct tf_def_watches *watches; /* NULL = nothing said of watched memory */
	const struct tf_def_conflict **
		conflicts; /* in the order in which they were written; ids are as they were found there */
	size_t conflict_count;
	const struct tf_def_order **orders; /* declared by annotations */
	size_t order_count;
	uint32_t exec_image; /* N of the image of this pid that this one replaced, 0 = none */
	uint32_t unrecorded_children; /* forked ones that could make no files of their own */
	const char *
		memory_path; /* of PID.N.memory, see trace_memory.h; NULL = accesses were not recorded */
	struct trace_memory_look memory; /* the same file, from its outside */
	struct trace_exec *execs;	 /* in the order of their definitions */
	size_t exec_count;
	struct trace_report *reports; /* by number */
	size_t report_count;
};

struct trace_reader;

/*
 * Opens the trace directory `path`. Fails with THRUM_EFORMAT where it holds no readable process, THRUM_EVERSION
 * where it is from the future, THRUM_EIO, THRUM_ENOMEM. Caller frees with trace_reader_free.
 */
int trace_reader_open(const char *path, struct trace_reader **ret_reader, struct diag *diag);
void trace_reader_free(struct trace_reader *reader);

/* Number of process images, ordered by start time. */
size_t trace_reader_process_count(const struct trace_reader *reader);
const struct trace_process *trace_reader_get_process(const struct trace_reader *reader,
						     size_t index);

/*
 * One more stack in the table of a process of a reader: what an analysis finds in files beside the events. Copies the addresses.
 * Returns its id, 0 = out of memory. Pointers into the table hold no longer, ids do.
 */
uint32_t trace_process_add_stack(const struct trace_process *process, const uint64_t *ip,
				 uint32_t frames);

/* Starts (again) at the first event of process `index`. */
int trace_reader_rewind(struct trace_reader *reader, size_t index, struct diag *diag);

/* Returns 1 and fills `ret_event`, 0 at the end. */
int trace_reader_next(struct trace_reader *reader, struct trace_event *ret_event);

/*
 * Several images side by side: a pass reads one image from its first event, independently of rewind
 * and next, and its events carry run time: nanoseconds since the first image began, by one clock for
 * all images. Borrowed from the reader, which must outlive it; costs a file descriptor.
 */
struct trace_pass;
int trace_pass_new(struct trace_reader *reader, size_t index, struct trace_pass **ret_pass,
		   struct diag *diag);
void trace_pass_free(struct trace_pass *pass); /* takes NULL */
int trace_pass_next(struct trace_pass *pass,
		    struct trace_event *ret_event); /* as trace_reader_next */

/*
 * A piece of a stream, as the header before it says: where a trace is too long to be read at once, what went on when. In order of
 * streams, then of time. An image's pieces do not change while it is read.
 */
struct trace_piece {
	uint32_t thread; /* whose it was when it began; 0 = not known, or nothing is in it */
	uint64_t start_ns, end_ns; /* up to the next piece of the stream, or its last record */
	uint64_t events;
};
size_t trace_reader_piece_count(const struct trace_reader *reader, size_t index);
struct trace_piece trace_reader_get_piece(const struct trace_reader *reader, size_t index,
					  size_t piece);

/* Run time at which image `index` began: add it to a time of the image to get run time. */
uint64_t trace_reader_get_start_ns(const struct trace_reader *reader, size_t index);

/* Text of run.json, NULL when the launcher wrote none. Borrowed. */
const char *trace_reader_get_run_json(const struct trace_reader *reader);

/* "request_id=42, user=anna"; a name alone where the value was redacted; what does not fit is cut. Returns the bytes, 0 = nothing. */
size_t trace_context_text(const struct trace_context_pair *pair, size_t count, char *buffer,
			  size_t bytes);

/* Names from spec/: never NULL. */
const char *trace_op_name(unsigned op);
const char *trace_object_kind_name(unsigned kind);
const char *trace_call_name(unsigned call);
/* Word and library of an enum trace_task_kind; "task" and "" for a number out of a file. */
const char *trace_task_word(unsigned kind);
const char *trace_waker_word(unsigned kind); /* enum trace_waker */
const char *trace_task_library(unsigned kind);
bool trace_object_kind_is_lock(unsigned kind);

#endif
