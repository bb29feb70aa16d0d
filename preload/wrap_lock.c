/* SPDX-License-Identifier: MIT */
/*
 * wrap_lock.c - mutexes, read-write locks and spin locks: all rows are generic but
 * pthread_mutex_consistent.
 */
#include "wrap.h"

#define RESULT(rc) (rc)

#include "../spec/primitives/mutex.def"
#include "../spec/primitives/rwlock.def"

EXPORT int pthread_mutex_consistent(pthread_mutex_t *m)
{
	struct call call;
	int rc;

	if (!shim_enter(&call)) {
		return real_pthread_mutex_consistent(m);
	}
	shim_leave(&call);
	rc = real_pthread_mutex_consistent(m);
	shim_reenter(&call);
	call.stack = stack_id(&call);
	call.object = object_find(&call, m, TRACE_OBJECT_MUTEX);
	if (call.object) {
		emit_osr(call.s, TRACE_CONSISTENT, call.object->id, call.stack, rc);
	}
	shim_leave(&call);
	return rc;
}
