/* SPDX-License-Identifier: MIT */
/*
 * tsan_heap.c - where blocks of the heap are allocated: for the words of a report, sampled as accesses are. That memory goes is told by
 * libthrum.so (tsan_lane.c). Safety class HOT, but for the first call of each.
 *
 * The search for the real functions may itself allocate: it gets memory of ours, which is never given back to the heap.
 */
#define _GNU_SOURCE
#include "tsan.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>

static struct {
	_Alignas(16) char bytes[16384];
	_Atomic size_t used;
} early;

static void *early_new(size_t bytes)
{
	size_t at = atomic_fetch_add(&early.used, (bytes + 15) & ~(size_t)15);

	return at + bytes <= sizeof(early.bytes) ? early.bytes + at : NULL;
}

static bool is_early(const void *p)
{
	return (uintptr_t)p - (uintptr_t)early.bytes < sizeof(early.bytes);
}

static hot_inline void note_block(void *p, size_t bytes, uintptr_t pc, uintptr_t sp)
{
	struct lane *t = lane_now;
	struct tm_record *r;

	if (!t || !t->events || !p || tsan_header->flags || !sample(t, pc)) {
		return;
	}
	if (lane_is_behind(t)) {
		lane_context(t, sp);
	}
	r = reserve(t, 2);
	record_put(r, TM_A(TM_LENGTH, 0, bytes), 0);
	record_put(r + 1, TM_A(TM_ALLOC, 0, (uintptr_t)p), TM_B(generation((uintptr_t)p), pc));
}

#define ALLOCATES(name, params, args, bytes, before)            \
	static void *(*real_##name)params;                      \
	EXPORT void *name params                                \
	{                                                       \
		void *p;                                        \
                                                                \
		if (unlikely(!FIND(name))) {                    \
			return before;                          \
		}                                               \
		p = real_##name args;                           \
		note_block(p, bytes, CALLER_PC(), CALLER_SP()); \
		return p;                                       \
	}

ALLOCATES(malloc, (size_t n), (n), n, early_new(n))
ALLOCATES(calloc, (size_t count, size_t n), (count, n), count *n, early_new(count *n))
ALLOCATES(memalign, (size_t align, size_t n), (align, n), n, NULL)
ALLOCATES(aligned_alloc, (size_t align, size_t n), (align, n), n, NULL)
ALLOCATES(valloc, (size_t n), (n), n, NULL)

static void *(*real_realloc)(void *, size_t);
EXPORT void *realloc(void *old, size_t n)
{
	void *p;

	if (unlikely(!FIND(realloc))) {
		return old ? NULL : early_new(n);
	}
	if (unlikely(is_early(old))) {
		size_t most = (size_t)(early.bytes + sizeof(early.bytes) - (char *)old);

		p = malloc(n);
		for (size_t i = 0; p && i < n && i < most; i++) {
			((char *)p)[i] = ((char *)old)[i];
		}
		return p;
	}
	p = real_realloc(old, n);
	if (n) {
		note_block(p, n, CALLER_PC(), CALLER_SP());
	}
	return p;
}

static int (*real_posix_memalign)(void **, size_t, size_t);
EXPORT int posix_memalign(void **ret, size_t align, size_t n)
{
	int rc;

	if (unlikely(!FIND(posix_memalign))) {
		return 12; /* ENOMEM */
	}
	rc = real_posix_memalign(ret, align, n);
	if (rc == 0) {
		note_block(*ret, n, CALLER_PC(), CALLER_SP());
	}
	return rc;
}

static void (*real_free)(void *);
EXPORT void free(void *p)
{
	if (likely(!is_early(p)) && FIND(free)) {
		real_free(p);
	}
}

/* libthrum.so asks for it from where it finds free. 0 where they are not of one allocator: then it knows no size. */
static size_t (*real_malloc_usable_size)(void *);
EXPORT size_t malloc_usable_size(void *p)
{
	static _Atomic int is_same; /* 1 no, 2 yes */
	Dl_info here, there;

	if (is_early(p) || !FIND(malloc_usable_size) || !FIND(free)) {
		return 0;
	}
	if (unlikely(!is_same)) {
		is_same = dladdr((void *)real_free, &here) &&
					  dladdr((void *)real_malloc_usable_size, &there) &&
					  here.dli_fbase == there.dli_fbase
				  ? 2
				  : 1;
	}
	return is_same == 2 ? real_malloc_usable_size(p) : 0;
}
