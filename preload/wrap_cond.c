/* SPDX-License-Identifier: MIT */
/* wrap_cond.c - pthread condition variables; all rows are generic. */
#include "wrap_cond.h"

#define RESULT(rc) (rc)

#include "../spec/primitives/cond.def"

/*
 * These functions have two versions in glibc, so whoever looks for the next definition asks by version
 * (dlvsym, as ThreadSanitizer's runtime does) and passes a definition without one. A program of 2002 that
 * means the older version gets glibc's own: it has other structures.
 */
#if defined(__x86_64__)
#define TWO_VERSIONS(name) __asm__(".symver " #name ", " #name "@@@GLIBC_2.3.2");
TWO_VERSIONS(pthread_cond_init)
TWO_VERSIONS(pthread_cond_destroy)
TWO_VERSIONS(pthread_cond_wait)
TWO_VERSIONS(pthread_cond_timedwait)
TWO_VERSIONS(pthread_cond_signal)
TWO_VERSIONS(pthread_cond_broadcast)
#endif
