/* SPDX-License-Identifier: MIT */
/*
 * py.h - the probe for CPython: what the parts of preload/python/ share.
 *
 * The interpreter is found by the name of its audit hooks in whatever module has them, and is spoken to by its exported C API alone. The
 * probe puts pointers of ours into tables of built-in types and descriptors of ours on a few classes of the standard library; it wraps no
 * object, changes no module of the program, runs no Python code of its own. Each part checks what it is about to change and stays out
 * where that is not what it knows; what is missing is said in the trace (TF_DEF_RUNTIME).
 *
 * Safety class of all hooks here: the interpreter's lock (GIL) is held, shim's guard is not. Frames of the calling thread are read
 * without the GIL: they cannot change while the thread is inside a C call.
 */
#ifndef THRUM_PY_H
#define THRUM_PY_H

#include "../shim_emit.h"

typedef struct py_object {
	intptr_t references;
	struct py_type *type;
} PyObject;

/* The head of every type object; the offsets of what follows are in the layout. */
struct py_type {
	PyObject base;
	intptr_t size;
	const char *name;
};

/* PyMethodDef: part of the stable ABI. */
typedef PyObject *py_function(void *a, void *b, void *c, void *d, void *e);
struct py_method {
	const char *name;
	py_function *call;
	int flags;
	const char *doc;
};
enum {
	PY_VARARGS = 1,
	PY_KEYWORDS = 2,
	PY_NOARGS = 4,
	PY_O = 8,
	PY_FASTCALL = 128,
	PY_METHOD = 512
};

/* PyMemAllocatorEx. */
struct py_allocator {
	void *context;
	void *(*malloc)(void *context, size_t bytes);
	void *(*calloc)(void *context, size_t count, size_t bytes);
	void *(*realloc)(void *context, void *block, size_t bytes);
	void (*free)(void *context, void *block);
};

typedef int py_audit_hook(const char *event, PyObject *args, void *cookie);

#define PY(ret, name, params) extern ret(*py_##name) params __attribute__((visibility("hidden")));
#define PY_DATA(name) extern void *py_data_##name __attribute__((visibility("hidden")));
#include "../../spec/python_api.def"
#undef PY
#undef PY_DATA

#define PY_NONE ((PyObject *)py_data__Py_NoneStruct)
#define PY_FALSE ((PyObject *)py_data__Py_FalseStruct)
#define PY_TRUE ((PyObject *)py_data__Py_TrueStruct)

/* Where a minor version keeps what the probe reads; of builds with a GIL. */
struct py_layout {
	uint16_t minor;
	uint16_t thread_frame;	 /* of the thread state: the frame, or what holds it */
	int16_t frame_of_holder; /* -1 = the frame itself */
	uint16_t previous, code, instruction, owner; /* of a frame; owner 0 = it has none */
	uint16_t locals;			     /* the first local variable; of a frame */
	uint8_t c_stack_owner; /* frames with this owner or above are no code's */
	bool tagged;	       /* references of a frame have marks in their two lowest bits */
	uint8_t index_bytes; /* 0: the instruction is a pointer; else an int that counts so many bytes */
	uint16_t code_bytes, first_line, filename, name,
		qualname;		     /* of a code object; qualname 0 = none */
	uint16_t ascii_bytes, compact_bytes; /* heads of str objects */
	uint16_t code_size, function_size;   /* of the objects, as their types say */
};

extern const struct py_layout py_layouts[] __attribute__((visibility("hidden")));
extern const size_t py_layout_count __attribute__((visibility("hidden")));
/* BOOT: does this interpreter agree, as far as can be told before it starts? */
bool py_layout_fits(const struct py_layout *l);

/* The features of TF_DEF_RUNTIME. */
enum py_feature {
	PY_STACKS = TF_PYTHON_STACKS,
	PY_LOCKS = TF_PYTHON_LOCKS,
	PY_TASKS = TF_PYTHON_TASKS,
	PY_AWAITS = TF_PYTHON_AWAITS,
	PY_FINALISERS = TF_PYTHON_FINALISERS,
	PY_RACES = TF_PYTHON_RACES,
};

struct py_state {
	uint32_t version;		    /* 0x030b02 = 3.11.2; 0 = no interpreter */
	uint32_t features;		    /* enum py_feature that work */
	uintptr_t module_start, module_end; /* that holds the interpreter */
	uintptr_t bias;			    /* of that module */
	bool is_own_module; /* and nothing else: its libc calls are the interpreter's own */
	uintptr_t runtime,
		runtime_end; /* _PyRuntime: the GIL and other locks of the interpreter's own */
	const struct py_layout *layout; /* NULL = not this version: no frames */
	char library[512]; /* directory of the standard library, with a slash at the end */
	uint32_t library_bytes;
	uint8_t why;  /* enum tf_runtime_why */
	uint8_t over; /* the interpreter that was looked at is gone; another one may come */
};
extern struct py_state py __attribute__((visibility("hidden")));

static inline unsigned py_minor(void)
{
	return py.version >> 8 & 255;
}

/* ANY: the start of a thread that the interpreter makes. */
static inline bool python_starts(uintptr_t routine)
{
	return py.is_own_module && routine >= py.module_start && routine < py.module_end;
}

/* BOOT: looks for an interpreter; idempotent. After a dlopen again. */
void python_arm(void);
/* BOOT: this process is a new image; maybe a forked one. */
void python_new_image(void);
/* BOOT, as well: py_fail.c */
void py_fail_new_image(void);

/* BOOT: before the interpreter starts. */
bool py_audit_register(py_audit_hook *hook);
/* Inside the hook: the interpreter is about to forget its hooks. */
void py_audit_ends(void);

/* The thread state that holds the GIL: of 3.9 to 3.12 by one name, then by another; NULL = neither is there. */
extern void *(*py_state_now)(void)__attribute__((visibility("hidden")));

/* ANY: the interpreter is being taken down: thread states and modules go. */
static inline bool py_is_finalizing(void)
{
	return py.over || (py__Py_IsFinalizing	? py__Py_IsFinalizing()
			   : py_Py_IsFinalizing ? py_Py_IsFinalizing()
						: 0);
}

/* The stack of a hooked call with the Python frames in place of the interpreter's. SLOW-ish: no system call on a hit. */
const struct depot_entry *python_stack(struct call *c, const struct depot_entry *native);

/*
 * Where the interpreter calls methods and functions of objects: return addresses in its code, noted by the hooks that stand in for some. No
 * signal handler runs there, and above the Python frames lies nothing.
 */
enum { PY_METHOD_CALLS = 64 };
extern uintptr_t py_method_calls[PY_METHOD_CALLS] __attribute__((visibility("hidden")));
static inline uintptr_t *py_method_call(uintptr_t ip)
{
	return &py_method_calls[ip * 0x9e3779b97f4a7c15u >> 58];
}
static inline struct arch_caller py_note_caller(struct arch_caller caller)
{
	if (unlikely(*py_method_call(caller.ip) != caller.ip)) {
		*py_method_call(caller.ip) = caller.ip;
	}
	return caller;
}
/* In a hook that stands in for a method or function of Python's. */
#define PY_CALLER() py_note_caller(ARCH_CALLER())

/*
 * The stack of a method that Python code calls, where it is remembered, and where that code is no function of threading.py that means
 * something else by a lock; 0 = take the long way. HOT, the GIL held.
 */
uint32_t py_stack_of_plain(struct stream *s);
void py_stack_forget(void); /* nothing that is remembered holds any more */
/* What is remembered of a code object, that is noted, holds while the epoch is the same. */
uint32_t py_code_epoch(void);
void py_code_note(uintptr_t code);
/*
 * The Python frame that called us stays as it is until the second is called, with all around it: stacks of what runs meanwhile are only
 * compared up to it. The GIL is held.
 */
struct py_anchor {
	uintptr_t frame;
	uint64_t anchor, ours;
};
void py_stack_anchor(struct py_anchor *ret_outer);
void py_stack_anchor_gone(const struct py_anchor *outer);
bool py_locks_mean_plain(const uint8_t *frame); /* py_condition.c: the code of a frame */

/* The innermost Python frame of the calling thread, skipping the interpreter's own; NULL = none, or the interpreter ends. */
const uint8_t *py_frame_now(void);
/* The same with the interpreter's own frames; from one of these to the next real one, itself if it is. */
const uint8_t *py_frame_raw(void);
/* HOT: the same where the GIL is held, in a hook that Python code called. */
static inline const uint8_t *py_frame_here(void)
{
	const struct py_layout *l = py.layout;
	uintptr_t state = l && !py_is_finalizing() && py_state_now ? (uintptr_t)py_state_now() : 0,
		  frame;

	if (!state) {
		return NULL;
	}
	frame = *(const uintptr_t *)(state + l->thread_frame);
	if (l->frame_of_holder >= 0 && frame) {
		frame = *(const uintptr_t *)(frame + (unsigned)l->frame_of_holder);
	}
	return (const uint8_t *)frame;
}
const uint8_t *py_frame_real(const uint8_t *frame);
const uint8_t *py_frame_back(const uint8_t *frame);
uintptr_t py_frame_code(const uint8_t *frame);
/* Byte offset of the instruction that runs; below 0 = none has begun. */
int32_t py_frame_at(const uint8_t *frame);
unsigned py_code_kind(uintptr_t code); /* enum tf_place_kind */
/* A local variable: borrowed; NULL = not bound. */
PyObject *py_frame_local(const uint8_t *frame, unsigned index);
/* SLOW: the synthetic address of a place in code; 0 = out of memory. `at`: byte offset of the instruction; -1 = where the code begins. */
uintptr_t py_place(uintptr_t code, int at);

/* SLOW, the guard held: the id of the stack of these instructions, the outermost first; 0 = none. */
uint32_t py_stack_of_places(const uintptr_t *code, const int *at, uint32_t count);

/* ANY: the end of the text of a str object, as UTF-8; how many bytes; 0 = none. */
size_t py_text(const PyObject *o, char *to, size_t room);
size_t py_text_start(const PyObject *o, char *to, size_t room); /* the same of its start */

/* SLOW, the GIL held: once each; false = could not. */
bool py_frames_install(void);
bool py_stack_install(void);
bool py_locks_install(void);
/* Of modules that the program imports: add to py.features what works. */
void py_tasks_install(void);
void py_uvloop_install(void);
void py_trio_install(void);
void py_greenlet_install(void);
void py_gevent_install(void);

/* SLOW: the newest py.features into the trace. py_boot.c. */
void py_say_runtime(void);
/* SLOW, the GIL held: queue.SimpleQueue, once its module is there; signals. py_queue.c. */
bool py_queues_install(void);
void py_module_look(void);
void py_module_announced(const char *name); /* its import begins */
extern uint32_t py_module_expected
	__attribute__((visibility("hidden"))); /* 0 = nothing to look for */
/* SLOW: what makes the semaphore that is being opened; NULL = not Python. With the name of the object. */
struct py_site;
const struct py_site *python_semaphore_site(void);
/* Whose thread begins an acquire() of multiprocessing's that will wait; NULL = none. The GIL is held until its first try is over. */
struct stream;
extern const struct stream *python_semaphore_waits __attribute__((visibility("hidden")));
void python_semaphore_named(uint32_t object, const struct py_site *site);

/* BOOT: the interpreter's own mutexes, its own semaphores go by libc alone from here on. py_native.c. */
void py_native_mutexes(void);
void py_native_semaphores(bool recorded); /* or come to us again */

/* pthread_cond_timedwait of the interpreter's own module: waits for the GIL are counted, TF_DEF_GIL. py_gil.c. */
int py_gil_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until);
void py_gil_new_image(void); /* BOOT */

/* Borrowed; NULL = the program has not imported it, or the interpreter ends. The GIL is held. */
PyObject *py_module(const char *name);

bool py_text_is(const char *a, const char *b);	      /* ANY */
bool py_text_has(const char *text, const char *word); /* ANY */

static inline const char *py_type_name(const PyObject *o)
{
	return o->type->name;
}

#endif
