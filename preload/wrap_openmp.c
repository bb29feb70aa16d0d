/* SPDX-License-Identifier: MIT */
/*
 * wrap_openmp.c - OpenMP's locks and critical sections. The compiler's calls name a critical section by a word of
 * its own; those without a name, and atomic updates that need a lock, get one here. Barriers are left alone: which
 * team meets there only the run-time library knows.
 */
#include "wrap_library.h"

enum {
	TRACE_OBJECT_OMP_LOCK = KIND_OF_LIBRARY(MUTEX, OPENMP),
	TRACE_OBJECT_OMP_NEST_LOCK = TRACE_OBJECT_OMP_LOCK | KIND_TYPE_1,
	TRACE_OBJECT_OMP_CRITICAL = KIND_OF_LIBRARY(MUTEX, OPENMP) | KIND_ZERO_BORN,
};

/* Constant, so that they need no memory: only their addresses count. */
static const char unnamed_critical = 0, atomic_update = 0;

static hot_inline const void *omp_critical(void)
{
	return &unnamed_critical;
}
static hot_inline const void *omp_atomic(void)
{
	return &atomic_update;
}

#include "../spec/primitives/openmp.def"
