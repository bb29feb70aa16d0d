/* SPDX-License-Identifier: MIT */
/*
 * py_pool.h - work of thread pools. See py_pool.c. The GIL is held, the guard is not.
 */
#ifndef THRUM_PY_POOL_H
#define THRUM_PY_POOL_H

#include "py_task.h"

/* A SimpleQueue's: what went in, what came out. */
void py_pool_put(struct arch_caller caller, PyObject *item);
void py_pool_taken(struct arch_caller caller, PyObject *item);
/* The module concurrent.futures.thread; false: it is not complete yet. */
bool py_pool_install(PyObject *module);

#endif
