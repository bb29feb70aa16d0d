/* SPDX-License-Identifier: MIT */
/*
 * tsan_annotate.c - what a program says of its own synchronisation: __tsan_acquire and _release, AnnotateHappensBefore and After,
 * locks of its own, fibers, parts that are not to be watched. Safety class HOT.
 */
#include "tsan.h"

void sync_release(uintptr_t address, uintptr_t pc, uintptr_t sp)
{
	struct lane *t = lane_get();
	uint64_t before = release_number(t, address);

	if (before) {
		sync_note(t, address, TM_RELEASE, before, 0, pc, sp);
	}
}

void sync_acquire(uintptr_t address, uintptr_t pc, uintptr_t sp)
{
	struct lane *t = lane_get();

	if (t->syncs) {
		sync_note(t, address, TM_ACQUIRE, 0, 0, pc, sp);
	}
}

#define RELEASE(p) sync_release((uintptr_t)(p), CALLER_PC(), CALLER_SP())
#define ACQUIRE(p) sync_acquire((uintptr_t)(p), CALLER_PC(), CALLER_SP())

EXPORT void __tsan_acquire(void *p)
{
	ACQUIRE(p);
}
EXPORT void __tsan_release(void *p)
{
	RELEASE(p);
}
EXPORT void AnnotateHappensBefore(const char *file, int line, const volatile void *p)
{
	(void)file, (void)line;
	RELEASE(p);
}
EXPORT void AnnotateHappensAfter(const char *file, int line, const volatile void *p)
{
	(void)file, (void)line;
	ACQUIRE(p);
}

/* ---- locks of the program's own ---- */

enum { TRY_LOCK_FAILED = 1 << 5 }; /* of sanitizer/tsan_interface.h */

EXPORT void __tsan_mutex_create(void *p, unsigned flags)
{
	(void)p, (void)flags;
}
EXPORT void __tsan_mutex_destroy(void *p, unsigned flags)
{
	(void)p, (void)flags;
}
EXPORT void __tsan_mutex_pre_lock(void *p, unsigned flags)
{
	(void)p, (void)flags;
}
EXPORT void __tsan_mutex_post_lock(void *p, unsigned flags, int recursion)
{
	(void)recursion;
	if (!(flags & TRY_LOCK_FAILED)) {
		ACQUIRE(p);
	}
}
EXPORT int __tsan_mutex_pre_unlock(void *p, unsigned flags)
{
	(void)flags;
	RELEASE(p);
	return 1;
}
EXPORT void __tsan_mutex_post_unlock(void *p, unsigned flags)
{
	(void)p, (void)flags;
}
EXPORT void __tsan_mutex_pre_signal(void *p, unsigned flags)
{
	(void)flags;
	RELEASE(p);
}
EXPORT void __tsan_mutex_post_signal(void *p, unsigned flags)
{
	(void)p, (void)flags;
}
EXPORT void __tsan_mutex_pre_divert(void *p, unsigned flags)
{
	(void)p, (void)flags;
}
EXPORT void __tsan_mutex_post_divert(void *p, unsigned flags)
{
	(void)p, (void)flags;
}
EXPORT void AnnotateRWLockCreate(const char *file, int line, const volatile void *p)
{
	(void)file, (void)line, (void)p;
}
EXPORT void AnnotateRWLockCreateStatic(const char *file, int line, const volatile void *p)
{
	(void)file, (void)line, (void)p;
}
EXPORT void AnnotateRWLockDestroy(const char *file, int line, const volatile void *p)
{
	(void)file, (void)line, (void)p;
}
EXPORT void AnnotateRWLockAcquired(const char *file, int line, const volatile void *p, long writes)
{
	(void)file, (void)line, (void)writes;
	ACQUIRE(p);
}
EXPORT void AnnotateRWLockReleased(const char *file, int line, const volatile void *p, long writes)
{
	(void)file, (void)line, (void)writes;
	RELEASE(p);
}

/* ---- what is not to be watched ---- */

static void ignore(int change)
{
	struct lane *t = lane_get();

	if (t->events) {
		t->ignored += (uint32_t)change;
		t->on = t->syncs && !t->ignored;
	}
}

EXPORT void __tsan_ignore_thread_begin(void)
{
	ignore(1);
}
EXPORT void __tsan_ignore_thread_end(void)
{
	ignore(-1);
}
EXPORT void AnnotateIgnoreReadsBegin(const char *file, int line)
{
	(void)file, (void)line;
	ignore(1);
}
EXPORT void AnnotateIgnoreReadsEnd(const char *file, int line)
{
	(void)file, (void)line;
	ignore(-1);
}
EXPORT void AnnotateIgnoreWritesBegin(const char *file, int line)
{
	(void)file, (void)line;
	ignore(1);
}
EXPORT void AnnotateIgnoreWritesEnd(const char *file, int line)
{
	(void)file, (void)line;
	ignore(-1);
}

/* Accesses to it order themselves from now on: each is as an atomic one, and two of them are no race. */
EXPORT void AnnotateBenignRaceSized(const char *file, int line, const volatile void *p, size_t n,
				    const char *why)
{
	struct lane *t = lane_get();
	struct tm_record *r;

	(void)file, (void)line, (void)why;
	if (t->events && !tsan_header->flags) {
		if (lane_is_behind(t)) {
			lane_context(t, CALLER_SP());
		}
		r = reserve(t, 2);
		record_put(r, TM_A(TM_LENGTH, 0, n), 0);
		record_put(r + 1, TM_A(TM_BENIGN, 0, (uintptr_t)p),
			   TM_B(generation((uintptr_t)p), CALLER_PC()));
	}
}
EXPORT void AnnotateBenignRace(const char *file, int line, const volatile void *p, const char *why)
{
	AnnotateBenignRaceSized(file, line, p, 1, why);
}

/* ---- fibers: a switch orders what was before it with what follows, on whatever thread ---- */

EXPORT void *__tsan_get_current_fiber(void)
{
	return lane_get();
}
EXPORT void *__tsan_create_fiber(unsigned flags)
{
	static _Atomic uintptr_t next = 1;

	(void)flags;
	return (void *)(atomic_fetch_add(&next, 1) * 16);
}
EXPORT void __tsan_destroy_fiber(void *fiber)
{
	(void)fiber;
}
EXPORT void __tsan_switch_to_fiber(void *fiber, unsigned flags)
{
	(void)flags;
	RELEASE(fiber);
	ACQUIRE(fiber);
}
EXPORT void __tsan_set_fiber_name(void *fiber, const char *name)
{
	(void)fiber, (void)name;
}

/* ---- asked by programs that look at ThreadSanitizer's own reports: there are none ---- */

EXPORT void __tsan_flush_memory(void)
{
}
EXPORT void *__tsan_get_current_report(void)
{
	return NULL;
}
EXPORT void *__tsan_external_register_tag(const char *name)
{
	(void)name;
	return NULL;
}
EXPORT void __tsan_external_register_header(void *tag, const char *header)
{
	(void)tag, (void)header;
}
EXPORT void __tsan_external_assign_tag(void *p, void *tag)
{
	(void)p, (void)tag;
}
EXPORT void __tsan_external_read(void *p, void *caller, void *tag)
{
	(void)tag;
	access_note((uintptr_t)p, TM_READ, 1, (uintptr_t)caller, CALLER_SP());
}
EXPORT void __tsan_external_write(void *p, void *caller, void *tag)
{
	(void)tag;
	access_note((uintptr_t)p, TM_WRITE, 1, (uintptr_t)caller, CALLER_SP());
}

/* ---- a function-local static is initialised: who finds it done, by an atomic load of the guard, sees what this thread did ---- */

EXPORT void __cxa_guard_release(void *guard)
{
	static void (*real)(void *);

	RELEASE(guard);
	if (!real) {
		real = (void (*)(void *))tsan_real("__cxa_guard_release", "");
	}
	if (real) {
		real(guard);
	}
}
