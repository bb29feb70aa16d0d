/* SPDX-License-Identifier: MIT */
/*
 * shim_stream.h - what a thread writes its events to, and the guard: in and out of a hook. Included by
 * shim.h only.
 */
#ifndef THRUM_SHIM_STREAM_H
#define THRUM_SHIM_STREAM_H

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

/* A callback under way, for the same reason: a jump or an exception may leave it. See shim_task.c. */
struct callback_level {
	uint32_t task, outer; /* outer: stream.task before */
	uintptr_t sp;	      /* of what called it */
	/* Late: its library does not show when it comes back; see task_called_late. NULL = it does. */
	const struct task_library *late;
	uint64_t since;	  /* late: ticks */
	uint32_t depth;	  /* late: stream.event_depth */
	bool inner, over; /* late: it is the library's own; it is called no more */
};
enum {
	CALLBACK_LEVELS = 8
}; /* callbacks inside callbacks; those further in are not told from the last */

enum busy {
	BUSY_NOT = 0,
	BUSY_GUARD = 1, /* inside a hook; a hook called now runs in a signal handler */
	/*
	 * Inside the real function of a library's own lock, whose one event we write: what that
	 * function calls in turn goes unrecorded and uncounted. Code that interrupts it for long (a
	 * signal handler's trampoline) may save `busy` and `busy_sp`, clear `busy` and put both back.
	 */
	BUSY_MUTED = 2,
	/*
	 * A vfork child runs on this thread's stack and thread-local storage, the thread itself sleeps.
	 * Ends with the thread's first event in its own process.
	 */
	BUSY_VFORK = 3,
	BUSY_OFF = 4, /* for good: a seccomp filter would end the process for our system calls */
};

/*
 * What a thread writes its events to. Belongs to one thread at a time; successive threads reuse it.
 */
struct stream {
	uint8_t *cursor, *limit; /* both NULL when the memory was wiped by fork */
	struct tf_segment *segment;
	uint64_t last_ticks;
	uint32_t last_object;
	uint32_t order_key;	 /* index, and in a ring the slot: who made the acquire before */
	struct bounded *bounded; /* NULL in full mode without a size limit */
	_Atomic uint32_t *committed; /* of the segment, or of the slot of a ring … */
	uint8_t *payload;	     /* … and where its records begin */
	uint32_t thread;	     /* 0 = free */
	volatile uint8_t busy;	     /* the guard: enum busy */
	uint8_t ended;		     /* THREAD_END is written; destructors may still run */
	uint8_t exiting;	     /* pthread_exit was called */
	uint8_t woken;		     /* the newest wait for descriptors was ended by a bell */
	uint8_t blocks; /* in a library's call that may block: those inside it are part of it */
	uint8_t turns; /* waits for descriptors that were turns of a loop, as far as TURNS_A_LOOP */
	uint8_t looks; /* such waits in a row that did not wait, only looked */
	int given; /* the descriptor that it wrote to last since its newest such wait; 0 = none */
	uint8_t trampolined; /* made by a hooked call: the trampoline sees its end */
	uint32_t index;
	uintptr_t busy_sp; /* of the guard holder's caller: above it the guard is stale (longjmp) */
	uintptr_t wait_sp; /* the same for the wait slot */
	uintptr_t
		muted_ip; /* return address below busy_sp while busy is BUSY_MUTED; 0 = not looked at */
	uintptr_t stack_low, stack_high;
	/* No live lock on this thread's stack lies below it; UINTPTR_MAX = none at all. */
	_Atomic uintptr_t stack_lowest;
	uint32_t tid;
	uint32_t epoch;
	uint32_t perturbed; /* calls of this thread that --perturb looked at */
	uint32_t held; /* exclusive and shared locks held now: lets a finished once go unrecorded */
	uint32_t read_held_count;
	struct object *read_held[READ_HELD];
	uint32_t once_count;
	struct once_call once[ONCE_DEPTH];
	struct stream *next_free;
	uint32_t context_victim;
	struct vfork_child vforked; /* what the parent records of it */
	uint32_t fork_stack;	    /* of the fork under way, 0 = none */
	struct {
		int fd;
		uint32_t epoch; /* shim->descriptor_epoch then; 0 = nothing seen */
		uint64_t ticks, dev, ino;
	} inode_seen;  /* the newest answer of descriptor_inode_soon */
	uint32_t task; /* the task or fiber that runs here, 0 = none */
	uint32_t callback_count;
	struct callback_level callback[CALLBACK_LEVELS];
	uint32_t event_depth;	      /* loops of libevent that it is in */
	const void *event_base;	      /* the newest that its thread began to drive: wrap_event.c */
	uintptr_t loop_code;	      /* the newest function of libevent or libev that it called */
	const void *ev_loop;	      /* whose pending watchers it calls, one by one: wrap_ev.c */
	uint64_t turn_ticks;	      /* when the newest TURN was written */
	uint64_t accesses;	      /* ACCESS records among segment->events */
	uint64_t busy_ticks, busy_us; /* the last look at the thread's processor time */
	/* Blocked outside of handlers, as last recorded: bit n - 1 = signal n. */
	uint64_t signal_mask;
	uintptr_t dlopen_ip; /* where the dlopen that the wait slot tells of returns to */
	uintptr_t trap_sp;   /* a trap of ours is handled: where it interrupted the thread */
	uint8_t scheduling;  /* its policy: 0 = not asked, 1 = of ordinary threads, 2 = another */
	void *memory;	     /* of libthrum_tsan.so; NULL = none yet */
	void *python;	     /* stacks that py_stack.c remembers; NULL = none yet */
	int32_t python_held; /* of threading.Lock, taken here less given back here */
	int32_t step_held;   /* py_locks_held() when the step of trio's began that runs … */
	uint64_t step_ticks; /* … and when */
	_Atomic(struct gil_waiter *)
		gil; /* python/py_gil.c; NULL = it had nothing to do with the GIL yet */
	struct object *objects[OBJECT_SLOTS];
	struct frame_size frame_sizes[FRAME_SLOTS];
	struct context contexts[CONTEXT_SETS][CONTEXT_WAYS];
};

enum { TURNS_A_LOOP = 16 }; /* from then on what the thread waits for is the loop's matter */

/* SLOW (shim_task.c): RETURNED of callbacks whose frames are gone: code at `sp` runs on this thread. */
void task_drop_left(struct stream *s, uintptr_t sp);

/* HOT mostly: does the code at `sp` run in a callback, or in an annotated task? The guard is held. */
static hot_inline bool task_is_inside(struct stream *s, uintptr_t sp)
{
	if (unlikely(s->callback_count)) {
		task_drop_left(s, sp);
	}
	return s->task || s->callback_count;
}

/* The same, or on the thread of a loop that nobody told us of: do others wait for what it waits for? */
static hot_inline bool task_is_awaited(struct stream *s, uintptr_t sp)
{
	return task_is_inside(s, sp) || s->turns >= TURNS_A_LOOP;
}

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

/* HOT: guard open, hooks of this thread silent until shim_reenter or shim_unmute. */
static hot_inline void shim_mute(struct call *c)
{
	struct stream *s = c->s;

	s->muted_ip = c->caller.ip;
	s->busy_sp = c->caller.sp;
	atomic_signal_fence(memory_order_seq_cst);
	s->busy = BUSY_MUTED;
}
#define shim_unmute(c) shim_leave(c)

/* SLOW (wrap_fork.c): s->busy is BUSY_VFORK. True in the vfork child, which stays silent; else that is over. */
bool vfork_child_runs(struct call *c, struct stream *s);

#endif
