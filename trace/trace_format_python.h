/* SPDX-License-Identifier: MIT */
/*
 * trace_format_python.h - definitions that only a program of an interpreted language has. A part of trace_format.h, which includes it.
 */
#ifndef THRUM_TRACE_FORMAT_PYTHON_H
#define THRUM_TRACE_FORMAT_PYTHON_H

#ifndef THRUM_TRACE_FORMAT_H
#error "include trace_format.h"
#endif

/* In the place of a return address: no user-space address has these bits. */
#define TF_PLACE (UINT64_C(0x8000) << 48)
#define TF_IS_PLACE(ip) ((ip) >> 48 == 0x8000)

struct tf_def_place {
	struct tf_def def;
	uint32_t place;			     /* 1-based */
	uint32_t line, first_line;	     /* of the place, and of its function; 0 = unknown */
	uint32_t kind;			     /* enum tf_place_kind */
	uint16_t function_bytes, file_bytes; /* without the NULs */
	uint32_t reserved;
	char text[]; /* function, NUL, file, NUL */
};

enum tf_place_kind {
	TF_PLACE_PROGRAM = 0,
	TF_PLACE_PACKAGE = 1, /* installed beside the interpreter */
	TF_PLACE_LIBRARY = 2, /* the interpreter's own library */
};

/* One for each thing that a task waits for; 0 edges = it can go on. Of one look at all tasks: the same number. */
struct tf_def_await {
	struct tf_def def;
	uint32_t task;
	uint32_t look;	  /* 1, 2 …: the newest counts */
	uint32_t other;	  /* the task that it waits for, 0 = something else */
	uint32_t object;  /* the lock that it waits for, 0 = something else */
	uint32_t stack;	  /* of the task: the innermost coroutine first */
	uint32_t thread;  /* that looked */
	uint64_t subject; /* what else it waits at: its address, 0 = not known */
	uint64_t ticks;
	uint32_t kind; /* enum tf_await_kind */
	uint32_t loop; /* object; 0 = not known */
};

enum tf_await_kind {
	TF_AWAIT_UNKNOWN = 0, /* a future that somebody will set */
	TF_AWAIT_NOTHING = 1, /* it can go on */
	TF_AWAIT_TASK = 2,    /* the end of `other` */
	TF_AWAIT_LOCK = 3,
	TF_AWAIT_SEMAPHORE = 4,
	TF_AWAIT_EVENT = 5,
	TF_AWAIT_CONDITION = 6,
	TF_AWAIT_GET = 7,  /* something in a queue */
	TF_AWAIT_PUT = 8,  /* room in a queue */
	TF_AWAIT_DONE = 9, /* the end of the work on what was put into a queue */
	TF_AWAIT_SLEEP = 10,
	TF_AWAIT_BARRIER = 11,
	TF_AWAIT_IO = 12, /* a descriptor, or a signal */
};

/* def.flags of an await. */
enum tf_await_flag {
	TF_AWAIT_TIMED = 1, /* the wait has a limit of time */
	TF_AWAIT_ANY = 2,   /* one of the tasks that it waits for is enough */
	/* Of its loop: who else may give what it waits for. */
	TF_AWAIT_LOOP_TIMERS = 4,   /* callbacks that wait for their time, or for their turn */
	TF_AWAIT_LOOP_WATCHES = 8,  /* descriptors besides its own, or signals */
	TF_AWAIT_LOOP_UNKNOWN = 16, /* not asyncio's own loop */
	TF_AWAIT_LOOP_OVER = 32,    /* gevent: it gives up, nothing is left to wait for */
};

/*
 * What the context of a task holds that tells whose work it is: context variables with a text, a number or a UUID. The newest look's
 * counts, of one look the last.
 */
struct tf_def_task_context {
	struct tf_def def; /* flags: enum tf_context_flag */
	uint32_t task;
	uint32_t look;	/* of struct tf_def_await, the newest so far */
	uint32_t bytes; /* of text, with the NULs; at most TF_CONTEXT_TEXT */
	uint32_t reserved;
	uint64_t ticks;
	char text[]; /* name, NUL, value, NUL; at most TF_CONTEXT_PAIRS times */
};

enum {
	TF_CONTEXT_PAIRS = 4,
	TF_CONTEXT_NAME = 40, /* bytes of one, without its NUL */
	TF_CONTEXT_VALUE = 64,
	TF_CONTEXT_TEXT = TF_CONTEXT_PAIRS * (TF_CONTEXT_NAME + TF_CONTEXT_VALUE + 2),
};
enum tf_context_flag { TF_CONTEXT_REDACTED = 1 /* the values are empty: --redact */ };

/* Bounded mode: a lock of library ASYNCIO. def.flags say what is told. */
struct tf_def_task_lock {
	struct tf_def def;
	uint32_t object, task;
	uint32_t stack, thread; /* where it was taken, or is waited for */
	uint64_t ticks;		/* when */
	uint32_t look;		/* HELD: of struct tf_def_await */
	uint32_t held;		/* ORDER: what the task had then … */
	uint32_t held_stack, reserved;
	uint64_t held_ticks; /* … since when … */
	uint32_t also[8];    /* … and what besides; 0 = no more */
};

enum { TF_TASK_LOCKS_ALSO = 8 };
enum tf_task_lock {
	TF_TASK_LOCK_HELD = 1,
	TF_TASK_LOCK_ORDER = 2,
	TF_TASK_LOCK_OVER = 3, /* `task`, that others of these name, came to its end at `ticks` */
};

/* A thread that waited for the interpreter's lock, or had it while others did. Live: written in place while the program runs. */
struct tf_def_gil {
	struct tf_def def;
	uint32_t thread; /* 0 = of several, which are over (bounded mode) */
	uint32_t reserved;
	uint64_t waits, wait_ticks; /* waits that began; time in them */
	uint64_t longest_ticks;
	uint64_t kept_ticks; /* time that others waited while this one had it */
};

struct tf_def_runtime {
	struct tf_def def;
	uint32_t kind;		   /* enum tf_runtime */
	uint32_t version;	   /* 0x030b02 = 3.11.2 */
	uint32_t features, wanted; /* of this kind: those that work, and all */
	uint32_t why;		   /* enum tf_runtime_why */
	/* RACES: of the program, functions that read, change and write back something, and classes; at most 65535. Live */
	uint16_t watched_functions, watched_classes;
};
enum tf_runtime_why {
	TF_RUNTIME_ENTERED = 0,
	TF_RUNTIME_NOT_YET =
		1, /* it has not begun to run a program, nor imported threads or tasks */
	TF_RUNTIME_UNKNOWN_VERSION = 2,
	TF_RUNTIME_FREE_THREADED = 3,
	TF_RUNTIME_OTHER_LAYOUT = 4, /* a build whose structs are not those of its version */
};
enum tf_runtime { TF_RUNTIME_CPYTHON = 1 };
enum tf_python_feature {
	TF_PYTHON_STACKS = 1,
	TF_PYTHON_LOCKS = 2,
	TF_PYTHON_TASKS = 4,
	TF_PYTHON_AWAITS = 8,
	TF_PYTHON_RACES = 32,	   /* --python-races */
	TF_PYTHON_HANDLERS = 128,  /* no feature: the program has handlers of its own for signals */
	TF_PYTHON_FINALISERS = 16, /* coroutines that nobody awaited */
};

#endif
