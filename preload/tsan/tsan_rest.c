/* SPDX-License-Identifier: MIT */
/*
 * tsan_rest.c - the rest of what a program may call of ThreadSanitizer's own library, so that none ends at a name that nobody defines:
 * annotations of its predecessors, heaps of other languages, questions about reports and about the allocator. Safety class HOT.
 *
 * What orders, orders. What asks for reports is told that there are none: they are made afterwards.
 */
#define _GNU_SOURCE
#include "tsan.h"

#include <malloc.h>
#include <string.h>

void AnnotateBenignRaceSized(const char *file, int line, const volatile void *p, size_t n,
			     const char *why);

#define HERE CALLER_PC(), CALLER_SP()

/* ---- annotations ---- */

#define ANNOTATION(name, ...) EXPORT void name(const char *file, int line, ##__VA_ARGS__)
#define IS_NAMED(name)                  \
	ANNOTATION(name)                \
	{                               \
		(void)file, (void)line; \
	}
#define IS_OF_ONE(name)                          \
	ANNOTATION(name, const volatile void *p) \
	{                                        \
		(void)file, (void)line, (void)p; \
	}
#define IS_OF_RANGE(name)                                  \
	ANNOTATION(name, const volatile void *p, size_t n) \
	{                                                  \
		(void)file, (void)line, (void)p, (void)n;  \
	}

ANNOTATION(WTFAnnotateHappensBefore, const volatile void *p)
{
	(void)file, (void)line;
	sync_release((uintptr_t)p, HERE);
}
ANNOTATION(WTFAnnotateHappensAfter, const volatile void *p)
{
	(void)file, (void)line;
	sync_acquire((uintptr_t)p, HERE);
}
ANNOTATION(WTFAnnotateBenignRaceSized, const volatile void *p, size_t n, const char *why)
{
	AnnotateBenignRaceSized(file, line, p, n, why);
}
/* Of detectors before ThreadSanitizer, which gives them no meaning either. */
ANNOTATION(AnnotateCondVarWait, const volatile void *p, const volatile void *lock)
{
	(void)file, (void)line, (void)p, (void)lock;
}
ANNOTATION(AnnotateExpectRace, const volatile void *p, const char *why)
{
	(void)file, (void)line, (void)p, (void)why;
}
ANNOTATION(AnnotateEnableRaceDetection, int on)
{
	(void)file, (void)line, (void)on;
}
IS_OF_ONE(AnnotateCondVarSignal)
IS_OF_ONE(AnnotateCondVarSignalAll)
IS_OF_ONE(AnnotateMutexIsNotPHB)
IS_OF_ONE(AnnotateMutexIsUsedAsCondVar)
IS_OF_ONE(AnnotatePCQCreate)
IS_OF_ONE(AnnotatePCQDestroy)
IS_OF_ONE(AnnotatePCQPut)
IS_OF_ONE(AnnotatePCQGet)
IS_OF_ONE(AnnotateTraceMemory)
IS_OF_ONE(AnnotateThreadName)
IS_OF_ONE(AnnotateNoOp)
IS_OF_RANGE(AnnotateNewMemory)
IS_OF_RANGE(AnnotatePublishMemoryRange)
IS_OF_RANGE(AnnotateUnpublishMemoryRange)
IS_OF_RANGE(AnnotateMemoryIsInitialized)
IS_OF_RANGE(AnnotateMemoryIsUninitialized)
IS_NAMED(AnnotateFlushState)
IS_NAMED(AnnotateFlushExpectedRaces)
IS_NAMED(AnnotateIgnoreSyncBegin)
IS_NAMED(AnnotateIgnoreSyncEnd)

EXPORT int RunningOnValgrind(void)
{
	return 0;
}
EXPORT __attribute__((weak)) double ValgrindSlowdown(void)
{
	return 1;
}
EXPORT const char *ThreadSanitizerQuery(const char *query)
{
	return strcmp(query, "pure_happens_before") == 0 ? "1" : "0";
}

/* ---- a heap of another language ---- */

EXPORT void __tsan_java_init(uintptr_t heap, size_t bytes)
{
	(void)heap, (void)bytes;
}
EXPORT int __tsan_java_fini(void)
{
	return 0;
}
EXPORT void __tsan_java_alloc(uintptr_t p, size_t bytes)
{
	(void)p, (void)bytes;
}
EXPORT void __tsan_java_free(uintptr_t p, size_t bytes)
{
	generation_end(p, bytes);
}
EXPORT void __tsan_java_move(uintptr_t from, uintptr_t to, size_t bytes)
{
	generation_end(from, bytes);
	generation_end(to, bytes);
}
EXPORT uintptr_t __tsan_java_find(uintptr_t *from, uintptr_t to)
{
	(void)from, (void)to;
	return 0;
}
/* After the collector, which orders all: threads stood still for it. */
EXPORT void __tsan_java_finalize(void)
{
}

#define JAVA(name, does)                    \
	EXPORT void name(uintptr_t address) \
	{                                   \
		does(address, HERE);        \
	}
JAVA(__tsan_java_mutex_lock, sync_acquire)
JAVA(__tsan_java_mutex_unlock, sync_release)
JAVA(__tsan_java_mutex_read_lock, sync_acquire)
JAVA(__tsan_java_mutex_read_unlock, sync_release)
JAVA(__tsan_java_acquire, sync_acquire)
JAVA(__tsan_java_release, sync_release)
JAVA(__tsan_java_release_store, sync_release)
EXPORT void __tsan_java_mutex_lock_rec(uintptr_t address, int times)
{
	(void)times;
	sync_acquire(address, HERE);
}
EXPORT int __tsan_java_mutex_unlock_rec(uintptr_t address)
{
	sync_release(address, HERE);
	return 1;
}

/* ---- what all sanitizers have ---- */

#define UNALIGNED(bits)                                                              \
	EXPORT uint##bits##_t __sanitizer_unaligned_load##bits(const void *p)        \
	{                                                                            \
		uint##bits##_t value;                                                \
                                                                                     \
		access_range((uintptr_t)p, sizeof(value), TM_READ, HERE);            \
		memcpy(&value, p, sizeof(value));                                    \
		return value;                                                        \
	}                                                                            \
	EXPORT void __sanitizer_unaligned_store##bits(void *p, uint##bits##_t value) \
	{                                                                            \
		access_range((uintptr_t)p, sizeof(value), TM_WRITE, HERE);           \
		memcpy(p, &value, sizeof(value));                                    \
	}
UNALIGNED(16)
UNALIGNED(32)
UNALIGNED(64)

EXPORT void __sanitizer_print_stack_trace(void)
{
}
EXPORT void __sanitizer_set_report_path(const char *path)
{
	(void)path;
}
EXPORT void __sanitizer_set_report_fd(void *fd)
{
	(void)fd;
}
EXPORT void __sanitizer_report_error_summary(const char *summary)
{
	(void)summary;
}
/* It is called before ThreadSanitizer ends the program, which we never do. */
EXPORT void __sanitizer_set_death_callback(void (*callback)(void))
{
	(void)callback;
}
EXPORT void __sanitizer_symbolize_pc(void *pc, const char *format, char *text, size_t room)
{
	(void)pc, (void)format;
	if (room) {
		*text = 0;
	}
}
EXPORT void __sanitizer_symbolize_global(void *p, const char *format, char *text, size_t room)
{
	__sanitizer_symbolize_pc(p, format, text, room);
}
EXPORT int __sanitizer_get_module_and_offset_for_pc(void *pc, char *path, size_t room,
						    void **offset)
{
	(void)pc, (void)path, (void)room, (void)offset;
	return 0;
}
EXPORT int __sanitizer_acquire_crash_state(void)
{
	return 1;
}
/* The allocator is the program's: what it was asked for is not counted. */
EXPORT size_t __sanitizer_get_current_allocated_bytes(void)
{
	return 0;
}
EXPORT size_t __sanitizer_get_heap_size(void)
{
	return 0;
}
EXPORT size_t __sanitizer_get_free_bytes(void)
{
	return 0;
}
EXPORT size_t __sanitizer_get_unmapped_bytes(void)
{
	return 0;
}
EXPORT size_t __sanitizer_get_estimated_allocated_size(size_t bytes)
{
	return bytes;
}
EXPORT size_t __sanitizer_get_allocated_size(const volatile void *p)
{
	return malloc_usable_size((void *)(uintptr_t)p);
}
EXPORT int __sanitizer_get_ownership(const volatile void *p)
{
	return p != NULL;
}
