/* SPDX-License-Identifier: MIT */
/*
 * py_lock.h - what the hooks of locks share. See py_lock.c, py_condition.c. The GIL is held.
 */
#ifndef THRUM_PY_LOCK_H
#define THRUM_PY_LOCK_H

#include "py_patch.h"

/* Code of functions of threading.py whose calls of a lock mean something else; 0 = this version has it not, or is not imported yet. */
struct py_meaning {
	uintptr_t wait, notify, notify_all, is_owned, join, shutdown, set_lock, bootstrap;
};
extern struct py_meaning py_meaning __attribute__((visibility("hidden")));

uintptr_t py_calling_code(void); /* 0 = no Python code */

/* TRACE_MODE_* of acquire(blocking=True, timeout=-1), and what came of it as an errno value. */
unsigned py_mode_of(const struct py_patched *p, void *b, void *c, void *d);
int py_result_of(const PyObject *result, unsigned mode);

bool py_conditions_install(void);
/* p->call(a, …) is the wait of Condition.wait, whose frame is the newest. */
PyObject *py_condition_wait(struct arch_caller caller, const struct py_patched *p, void *a, void *b,
			    void *c, void *d, void *e);
/* `frame` is of Condition.notify. */
void py_condition_notified(struct arch_caller caller, const uint8_t *frame);

#endif
