/* SPDX-License-Identifier: MIT */
/*
 * py_context.h - what the context of a task (contextvars) says of whose work it does: a request's id and the like. See py_context.c.
 * The GIL is held; whether shim's guard is does not matter, but where it is said.
 */
#ifndef THRUM_PY_CONTEXT_H
#define THRUM_PY_CONTEXT_H

#include "py.h"

struct py_context {
	uint32_t bytes; /* 0 = nothing that would be shown */
	char text[TF_CONTEXT_TEXT];
};

/* SLOW, the guard not held: before a look; no exception is set. */
void py_context_look(void);
/* The text of a value as it is shown, at most `room` bytes, at least 4; 0 = of another type. */
size_t py_context_value(const PyObject *value, char *to, size_t room);
/* Of a contextvars.Context; `context` may be anything, and NULL. */
void py_context_read(struct py_context *ret, PyObject *context);
/* Of a task of asyncio. */
void py_context_read_task(struct py_context *ret, PyObject *task);
/* The attribute of another library's task that has the context. The guard is not held. */
void py_context_read_of(struct py_context *ret, PyObject *task, const char *attribute);

/* SLOW, the guard held: the task has it, unless that was said already. `look`: the newest. */
void py_context_define(const struct call *c, uint32_t task, uint32_t look,
		       const struct py_context *x);
/* SLOW, the guard not held, no exception set: a task of _asyncio that a finding may be about, between looks. */
void py_context_note(struct arch_caller caller, PyObject *task);

/* SLOW, once: the type of asyncio's tasks. */
void py_context_install(PyObject *task_type);

#endif
