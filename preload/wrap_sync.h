/* SPDX-License-Identifier: MIT */
/* wrap_sync.h - running an initialiser once, shared by pthread_once and call_once. */
#ifndef THRUM_WRAP_SYNC_H
#define THRUM_WRAP_SYNC_H

#include "wrap.h"

/*
 * Calls real(control, runner) with the thread's events in between: ONCE_BEGIN and ONCE_END around
 * `routine` when this thread runs it, ONCE_PASS when another does or did. `caller` is the
 * wrapper's.
 */
void once_call(void *control, void (*routine)(void), struct arch_caller caller,
	       void (*real)(void *, void (*)(void)));

#endif
