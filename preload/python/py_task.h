/* SPDX-License-Identifier: MIT */
/*
 * py_task.h - asyncio's tasks and what waits for what. The GIL is held.
 */
#ifndef THRUM_PY_TASK_H
#define THRUM_PY_TASK_H

#include "../shim_task.h"
#include "../wrap_library.h"
#include "py_patch.h"

enum {
	PY_LOOP = KIND_OF_LIBRARY(LOOP, ASYNCIO),
	PY_ASYNC_LOCK = KIND_OF_LIBRARY(MUTEX, ASYNCIO) | KIND_ZERO_BORN,
};

/* A new reference; NULL without an exception. */
PyObject *py_get(PyObject *o, const char *name);
void py_drop(PyObject *o); /* NULL is fine */
/* The code of a coroutine, generator, function, bound method or partial; 0 = none that we know. Lives as long as `o` does. */
uintptr_t py_code_of(PyObject *o);
/* The guard is held: where that code begins, as a callback of a task. */
void *py_place_of(uintptr_t code);

/* What the interpreter says of a task; asked before the guard is taken: it may use memory and locks, which are the host's business. */
struct py_about {
	const void *loop; /* its address only */
	uintptr_t code;	  /* of its coroutine */
	uint32_t bytes;
	char text[256]; /* "name (function)" */
};

/* Of a task of asyncio's. */
void py_task_about(struct py_about *a, PyObject *task);
/* No loop. `name`, `coroutine` may be NULL. */
void py_about(struct py_about *a, PyObject *name, PyObject *coroutine);
/* The guard is held: a name for the task, made by the task that runs here, at c->stack. */
void py_define_name(const struct call *c, const struct task *t, const char *text, uint32_t bytes);
/* The guard is held: TASK_NEW of it, with its name. */
void py_meet(struct call *c, PyObject *task, unsigned kind, const struct py_about *a);

bool py_is_task(PyObject *o);
bool py_task_is_done(PyObject *task);

/* A callback that a loop calls: a step of a task, or another. */
struct py_step {
	struct task_run run;
	PyObject *task; /* a reference; NULL = another callback */
	struct task *t; /* of it, as far as known */
	int32_t locks;	/* of threads, that were held when it began */
};

/* HOT: locks of threads that the calling one has, about: one that another gave back for it counts. */
static inline int32_t py_locks_held(void)
{
	const struct stream *s = shim_stream;

	return s ? (int32_t)s->held + s->python_held : 0;
}

/*
 * In task.flags, beside those of py_cancel.c: it ended with an exception. The collector of cycles, in which such tasks often are, empties a
 * task before it is destroyed: then it cannot be asked any more.
 */
enum { PY_TASK_FAILED = 128 };

/* ---- py_task_end.c ---- */

struct py_task_going {
	struct task *t; /* NULL = nothing is to be told of it */
	bool is_done;	/* its result is there */
	bool is_over;	/* or nobody is warned that it is pending */
	uint32_t stood; /* a stack: where it waits; 0 = not known */
};
/* Before the program's or the interpreter's own code tidies up after `task`, which may have no reference any more. */
struct py_task_going py_task_goes(struct arch_caller caller, PyObject *task);
/* After that: its end, FINISHED or DESTROYED. */
void py_task_gone(const struct py_task_going *g, struct arch_caller caller, PyObject *task);
void py_task_ends_install(PyObject *task_type);

/* Whose step or wake-up a callback is: borrowed; NULL = no task's. */
PyObject *py_step_task(PyObject *callback);
/* `handle`: by what the callback is known, if another thread posted it. No exception is set. */
void py_step_begin(struct py_step *step, struct arch_caller caller, PyObject *handle,
		   PyObject *callback);
void py_step_begin_of(struct py_step *step, struct arch_caller caller, PyObject *task);
void py_step_end(struct py_step *step, struct arch_caller caller);

/* ---- py_loop.c ---- */

bool py_loops_install(PyObject *loop, PyObject *runners);
void py_note_loop(struct arch_caller caller, PyObject *loop, enum trace_loop_step step);
/* call_soon_threadsafe(callback) was called. */
void py_note_post(struct arch_caller caller, PyObject *loop, const void *handle,
		  PyObject *callback);
const void *py_post_channel(void); /* of --python-races: what posted callbacks are handed over by */

/* Tasks that were made, ended or ran a step so far: what was seen before holds while it does not change. */
extern uint64_t py_task_changes __attribute__((visibility("hidden")));
/* Tasks of asyncio that were made and have not ended, about. */
extern int64_t py_tasks_alive __attribute__((visibility("hidden")));
/* Steps of tasks that began so far. */
extern uint64_t py_task_steps __attribute__((visibility("hidden")));

/* Every task of asyncio; no exception is set meanwhile. The guard is not held. */
void py_each_task(void (*visit)(struct arch_caller caller, PyObject *task, void *cookie),
		  struct arch_caller caller, void *cookie);

uint32_t py_task_number(PyObject *o); /* of the trace; 0 = not known */
/* The guard is held: `def` into the trace, with its time and, of a lock, the object. */
void py_await_define(struct call *c, struct tf_def_await *def);
/* The loop of this thread that is about to wait at this epoll descriptor. */
struct py_rest {
	int fd;
	bool is_endless; /* the wait has no limit of time */
};
/* The greenlets; `rest` NULL = their hub gives up. */
void py_gevent_look(struct arch_caller caller, uint32_t look, const struct py_rest *rest);
/* Every task of a kind that is in the table until it is destroyed. */
void py_each_task_of(unsigned kind,
		     void (*visit)(struct arch_caller caller, PyObject *task, void *cookie),
		     struct arch_caller caller, void *cookie);
/* A switch: looks for modules that came meanwhile. */
void py_gevent_switched(void);
/* gevent's loop ends for want of anything to wait for. */
void py_look_loop_exit(struct arch_caller caller);
/* The tasks of the trio run of this thread. */
void py_trio_look(struct arch_caller caller, uint32_t look);

bool py_look_is_due(void);
bool py_look_is_overdue(void);
/* The program has a handler of its own for a signal that others send. */
bool py_signals_are_handled(void);
/* enum tf_await_flag of a loop that cannot be asked itself; NULL = it does not wait. Reads what the kernel says. */
uint32_t py_rest_flags(const struct py_rest *rest);

/* Looks at every task, unless nothing changed since it last did: TF_DEF_AWAIT. `rest` NULL = no loop of this thread waits. */
void py_look_at_awaits(struct arch_caller caller, const struct py_rest *rest);

#endif
