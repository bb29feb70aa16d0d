/* SPDX-License-Identifier: MIT */
/*
 * py_thread.h - Python's threads: whose end a lock or handle tells. See py_thread.c. The GIL is held.
 */
#ifndef THRUM_PY_THREAD_H
#define THRUM_PY_THREAD_H

#include "py_patch.h"

struct py_thread;

/* Up to 3.12 a thread takes a lock when it begins, which its end releases. */
void py_thread_lock(const void *lock);
void py_thread_lock_gone(const void *lock);
struct py_thread *py_thread_of(const void *lock); /* NULL = no thread's */

/* The calling thread is this threading.Thread: its name. */
void py_thread_named(struct arch_caller caller, PyObject *thread);

/* The call p->call(a, …), which waits for the end of `t`. */
PyObject *py_join(struct arch_caller caller, struct py_thread *t, unsigned mode,
		  const struct py_patched *p, void *a, void *b, void *c, void *d, void *e);

/* From 3.13. */
bool py_threads_install(PyObject *module);
void py_threads_new_image(void);

#endif
