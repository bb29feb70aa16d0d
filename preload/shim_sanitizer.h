/* SPDX-License-Identifier: MIT */
/*
 * shim_sanitizer.h - the run time of a sanitizer in the host: whether there is one, and ThreadSanitizer's interface.
 *
 * Two orders of interceptors occur. A run time that is a library (gcc's default) comes after us: host -> libthrum -> libtsan -> libc.
 * One that was linked into the program (clang, gcc -static-libtsan) comes before: host -> its interceptor -> libthrum -> libc. In both
 * we call the next definition and nothing else; no lock is taken by another name (llvm-project issue 59820 tells of such a loop).
 *
 * The interface is looked for when the process boots: among dynamic symbols, and in a program that has a run time but does not
 * export it (gcc), in its .symtab. Where a function is not found its pointer is NULL.
 */
#ifndef THRUM_SHIM_SANITIZER_H
#define THRUM_SHIM_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What of the interface is used: TSAN(result, name, (parameters)). */
#define TSAN_INTERFACE(TSAN)                                                                       \
	TSAN(void, __tsan_mutex_pre_lock, (void *mutex, unsigned flags))                           \
	TSAN(void, __tsan_mutex_post_lock, (void *mutex, unsigned flags, int recursion))           \
	TSAN(void, __tsan_acquire, (void *address))                                                \
	TSAN(void, __tsan_release, (void *address))                                                \
	TSAN(int, __sanitizer_install_malloc_and_free_hooks,                                       \
	     (void (*made)(const volatile void *, size_t), void (*gone)(const volatile void *)))   \
	TSAN(size_t, __sanitizer_get_allocated_size, (const volatile void *block))                 \
	TSAN(void, __sanitizer_set_report_path, (const char *path))                                \
	TSAN(int, __tsan_get_report_data,                                                          \
	     (void *report, const char **kind, int *count, int *stacks, int *accesses,             \
	      int *locations, int *mutexes, int *threads, int *unique_tids, void **sleep,          \
	      uintptr_t sleep_frames))                                                             \
	TSAN(int, __tsan_get_report_mop,                                                           \
	     (void *report, uintptr_t i, int *thread, void **address, int *bytes, int *write,      \
	      int *atomic, void **ip, uintptr_t frames))                                           \
	TSAN(int, __tsan_get_report_loc,                                                           \
	     (void *report, uintptr_t i, const char **kind, void **address, uintptr_t *start,      \
	      uintptr_t *bytes, int *thread, int *fd, int *suppressible, void **ip,                \
	      uintptr_t frames))                                                                   \
	TSAN(int, __tsan_get_report_mutex,                                                         \
	     (void *report, uintptr_t i, uintptr_t *number, void **address, int *destroyed,        \
	      void **ip, uintptr_t frames))                                                        \
	TSAN(int, __tsan_get_report_thread,                                                        \
	     (void *report, uintptr_t i, int *thread, uint64_t *tid, int *runs, const char **name, \
	      int *parent, void **ip, uintptr_t frames))                                           \
	TSAN(int, __tsan_get_report_stack, (void *report, uintptr_t i, void **ip, uintptr_t frames))

/* Calls that we hook and a run time may not know: it has an interceptor for none, some or all. */
#define TSAN_GAPS(GAP)                  \
	GAP(pthread_mutex_clocklock)    \
	GAP(pthread_rwlock_clockrdlock) \
	GAP(pthread_rwlock_clockwrlock) \
	GAP(sem_clockwait)

/* Written at boot, not wiped by fork: a child has the same run time at the same place. */
extern struct tsan {
	bool present;	/* of any sanitizer … */
	bool linked_in; /* … linked into the program: its interceptors come before ours */
	bool thread;	/* ThreadSanitizer, or (in a stripped program) perhaps */
#define TSAN(result, name, parameters) result(*name) parameters;
	TSAN_INTERFACE(TSAN)
#undef TSAN
	struct {
#define GAP(name) bool name;
		TSAN_GAPS(GAP)
#undef GAP
	} misses; /* it knows locks, but not this way to take one */
} tsan __attribute__((visibility("hidden")));

/* ANY: is a sanitizer's run time in the process? Watchpoints and the like are off then. False until boot. */
static inline bool shim_has_sanitizer(void)
{
	return tsan.present;
}

/* BOOT: after the modules were looked at; once in a process image. */
void sanitizer_learn(void);

/* ANY, the guard open: a lock that ThreadSanitizer does not see taken, before and after; `mode`: enum trace_mode. */
void sanitizer_locks(void *lock, unsigned mode);
void sanitizer_locked(void *lock, unsigned mode, bool taken);

/*
 * ANY, the guard open: from now on files of ours may be out of reach (another root, another user). The run time ends the program where
 * it cannot open its log: it reports to standard error again.
 */
void sanitizer_confined(void);

/*
 * SLOW: a thread is made by a run time that is linked in: what its start routine is to the program. False: it is the run time's own
 * thread, of which the program knows nothing.
 */
bool sanitizer_thread(uintptr_t *routine, void *argument);

#endif
