/* SPDX-License-Identifier: MIT */
/*
 * engage_library.h - exercises of the rows whose functions are in libraries that may not be here: GLib, Qt, OpenMP.
 * Each is called through the first definition in the process, which must be the recorder's; the library itself is
 * loaded when first asked for, so that the recorder has to find it late. Absent: nothing is expected.
 */
#ifndef THRUM_TESTS_ENGAGE_LIBRARY_H
#define THRUM_TESTS_ENGAGE_LIBRARY_H

#include <dlfcn.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Memory for one object of any of them: fresh each time. */
static void *fresh(void)
{
	static _Alignas(16) char memory[256][128];
	static unsigned used;

	return memory[used++ % 256];
}

/* NULL: no library of `names` has it. */
static void *library_function(const char *const *names, const char *function)
{
	for (; *names; names++) {
		void *library = dlopen(*names, RTLD_NOW | RTLD_GLOBAL);

		if (library && dlsym(library, function)) {
			return dlsym(RTLD_DEFAULT, function);
		}
	}
	return NULL;
}

static const char *const glib[] = { "libglib-2.0.so.0", NULL };
static const char *const openmp[] = { "libgomp.so.1", "libomp.so.5", NULL };
static const char *const libomp[] = { "libomp.so.5", NULL };
static const char *const qt[] = { "libQt5Core.so.5", "libQt6Core.so.6", NULL };

/* Calls it, or gives the exercise up. */
#define DO(library, ret, name, params, args)                                              \
	do {                                                                              \
		ret(*function_) params = (ret(*) params)library_function(library, #name); \
		if (!function_) {                                                         \
			return 0;                                                         \
		}                                                                         \
		function_ args;                                                           \
	} while (0)
#define DO1(library, name, object) DO(library, int, name, (void *), (object))

/* One call on a fresh object, of which `records` come, itself after and before others. */
#define ALONE(library, name, records)        \
	static int exercise_##name(void)     \
	{                                    \
		DO1(library, name, fresh()); \
		return records;              \
	}
#define PAIR(library, name, other)       \
	static int exercise_##name(void) \
	{                                \
		void *o = fresh();       \
		DO1(library, name, o);   \
		DO1(library, other, o);  \
		return 2;                \
	}
/* `name` undoes what `other` did. */
#define UNDO(library, name, other)       \
	static int exercise_##name(void) \
	{                                \
		void *o = fresh();       \
		DO1(library, other, o);  \
		DO1(library, name, o);   \
		return 2;                \
	}

ALONE(glib, g_mutex_init, 1)
UNDO(glib, g_mutex_clear, g_mutex_init)
static int exercise_g_mutex_free(void)
{
	void *(*make)(void) = (void *(*)(void))library_function(glib, "g_mutex_new");
	void *o = make ? make() : NULL;

	if (!o) {
		return 0;
	}
	DO1(glib, g_mutex_lock, o);
	DO1(glib, g_mutex_unlock, o);
	DO1(glib, g_mutex_free, o);
	return 3;
}
PAIR(glib, g_mutex_lock, g_mutex_unlock)
PAIR(glib, g_mutex_trylock, g_mutex_unlock)
UNDO(glib, g_mutex_unlock, g_mutex_lock)
ALONE(glib, g_rec_mutex_init, 1)
UNDO(glib, g_rec_mutex_clear, g_rec_mutex_init)
PAIR(glib, g_rec_mutex_lock, g_rec_mutex_unlock)
PAIR(glib, g_rec_mutex_trylock, g_rec_mutex_unlock)
UNDO(glib, g_rec_mutex_unlock, g_rec_mutex_lock)
ALONE(glib, g_rw_lock_init, 1)
UNDO(glib, g_rw_lock_clear, g_rw_lock_init)
PAIR(glib, g_rw_lock_writer_lock, g_rw_lock_writer_unlock)
PAIR(glib, g_rw_lock_writer_trylock, g_rw_lock_writer_unlock)
UNDO(glib, g_rw_lock_writer_unlock, g_rw_lock_writer_lock)
PAIR(glib, g_rw_lock_reader_lock, g_rw_lock_reader_unlock)
PAIR(glib, g_rw_lock_reader_trylock, g_rw_lock_reader_unlock)
UNDO(glib, g_rw_lock_reader_unlock, g_rw_lock_reader_lock)
ALONE(glib, g_cond_init, 1)
UNDO(glib, g_cond_clear, g_cond_init)
static int exercise_g_cond_free(void)
{
	void *(*make)(void) = (void *(*)(void))library_function(glib, "g_cond_new");
	void *o = make ? make() : NULL;

	if (!o) {
		return 0;
	}
	DO1(glib, g_cond_signal, o);
	DO1(glib, g_cond_free, o);
	return 2;
}
static void *g_m, *g_c;
static void *signal_g(void *p)
{
	void (*lock)(void *) = (void (*)(void *))library_function(glib, "g_mutex_lock");
	void (*wake)(void *) = (void (*)(void *))library_function(glib, "g_cond_signal");
	void (*unlock)(void *) = (void (*)(void *))library_function(glib, "g_mutex_unlock");

	lock(g_m);
	wake(g_c);
	unlock(g_m);
	return p;
}
static int exercise_g_cond_wait(void)
{
	pthread_t t;

	g_m = fresh();
	g_c = fresh();
	DO1(glib, g_mutex_lock, g_m); /* the signaller cannot get in before the wait */
	pthread_create(&t, NULL, signal_g, NULL);
	DO(glib, void, g_cond_wait, (void *, void *), (g_c, g_m));
	DO1(glib, g_mutex_unlock, g_m);
	pthread_join(t, NULL);
	return 9;
}
#define G_WAIT(name, type, time)                                              \
	static int exercise_##name(void)                                      \
	{                                                                     \
		void *o = fresh(), *cond = fresh();                           \
		DO1(glib, g_mutex_lock, o);                                   \
		DO(glib, int, name, (void *, void *, type), (cond, o, time)); \
		DO1(glib, g_mutex_unlock, o);                                 \
		return 4;                                                     \
	}
G_WAIT(g_cond_wait_until, int64_t, 1)
static long g_time_val[2] = { 1, 1 };
G_WAIT(g_cond_timed_wait, void *, g_time_val)
ALONE(glib, g_cond_signal, 1)
ALONE(glib, g_cond_broadcast, 1)
static void *give_back(void *p)
{
	return p;
}
static int exercise_g_once_impl(void)
{
	DO(glib, void *, g_once_impl, (void *, void *(*)(void *), void *),
	   (fresh(), give_back, NULL));
	return 2;
}
#define G_INIT(name, enter, leave)                               \
	static int exercise_##name(void)                         \
	{                                                        \
		void *o = fresh();                               \
		DO1(glib, enter, o);                             \
		DO(glib, void, leave, (void *, size_t), (o, 1)); \
		return 2;                                        \
	}
G_INIT(g_once_init_enter, g_once_init_enter, g_once_init_leave)
G_INIT(g_once_init_leave, g_once_init_enter, g_once_init_leave)
G_INIT(g_once_init_enter_pointer, g_once_init_enter_pointer, g_once_init_leave_pointer)
G_INIT(g_once_init_leave_pointer, g_once_init_enter_pointer, g_once_init_leave_pointer)

ALONE(openmp, omp_init_lock, 1)
static int exercise_omp_init_lock_with_hint(void)
{
	DO(libomp, void, omp_init_lock_with_hint, (void *, int), (fresh(), 0));
	return 1;
}
UNDO(openmp, omp_destroy_lock, omp_init_lock)
PAIR(openmp, omp_set_lock, omp_unset_lock)
PAIR(openmp, omp_test_lock, omp_unset_lock)
UNDO(openmp, omp_unset_lock, omp_set_lock)
ALONE(openmp, omp_init_nest_lock, 1)
static int exercise_omp_init_nest_lock_with_hint(void)
{
	DO(libomp, void, omp_init_nest_lock_with_hint, (void *, int), (fresh(), 0));
	return 1;
}
UNDO(openmp, omp_destroy_nest_lock, omp_init_nest_lock)
PAIR(openmp, omp_set_nest_lock, omp_unset_nest_lock)
PAIR(openmp, omp_test_nest_lock, omp_unset_nest_lock)
UNDO(openmp, omp_unset_nest_lock, omp_set_nest_lock)
ALONE(openmp, omp_init_lock_, 1)
UNDO(openmp, omp_destroy_lock_, omp_init_lock_)
PAIR(openmp, omp_set_lock_, omp_unset_lock_)
PAIR(openmp, omp_test_lock_, omp_unset_lock_)
UNDO(openmp, omp_unset_lock_, omp_set_lock_)
ALONE(openmp, omp_init_nest_lock_, 1)
UNDO(openmp, omp_destroy_nest_lock_, omp_init_nest_lock_)
/* Fortran's variable only leads to the lock: it must have been made. */
#define NESTED(name, other)                           \
	static int exercise_##name(void)              \
	{                                             \
		void *o = fresh();                    \
		DO1(openmp, omp_init_nest_lock_, o);  \
		DO1(openmp, other, o);                \
		DO1(openmp, omp_unset_nest_lock_, o); \
		return 3;                             \
	}
NESTED(omp_set_nest_lock_, omp_set_nest_lock_)
NESTED(omp_test_nest_lock_, omp_test_nest_lock_)
NESTED(omp_unset_nest_lock_, omp_set_nest_lock_)
PAIR(openmp, GOMP_critical_start, GOMP_critical_end)
PAIR(openmp, GOMP_atomic_start, GOMP_atomic_end)
PAIR(openmp, GOMP_critical_name_start, GOMP_critical_name_end)
UNDO(openmp, GOMP_critical_end, GOMP_critical_start)
UNDO(openmp, GOMP_atomic_end, GOMP_atomic_start)
UNDO(openmp, GOMP_critical_name_end, GOMP_critical_name_start)
static int kmpc(void)
{
	static int32_t where[6];
	void *o = fresh();

	DO(libomp, void, __kmpc_critical, (void *, int, void *), (where, 0, o));
	DO(libomp, void, __kmpc_end_critical, (void *, int, void *), (where, 0, o));
	DO(libomp, void, __kmpc_critical_with_hint, (void *, int, void *, uint32_t),
	   (where, 0, o, 0));
	DO(libomp, void, __kmpc_end_critical, (void *, int, void *), (where, 0, o));
	return 4;
}
static int exercise___kmpc_critical(void)
{
	return kmpc();
}
static int exercise___kmpc_critical_with_hint(void)
{
	return kmpc();
}
static int exercise___kmpc_end_critical(void)
{
	return kmpc();
}

/* ---- Qt: constructed where Qt 5 has a constructor; zeros do as well for Qt 6 ---- */

#define Q_NEW(name, params, args)                 \
	static int exercise_##name(void)          \
	{                                         \
		void *o = fresh();                \
		DO(qt, void, name, params, args); \
		return 1;                         \
	}
#define Q_OLD(name, make, params, args)           \
	static int exercise_##name(void)          \
	{                                         \
		void *o = fresh();                \
		DO(qt, void, make, params, args); \
		DO1(qt, name, o);                 \
		return 2;                         \
	}
Q_NEW(_ZN6QMutexC1ENS_13RecursionModeE, (void *, int), (o, 0))
Q_NEW(_ZN6QMutexC2ENS_13RecursionModeE, (void *, int), (o, 0))
Q_OLD(_ZN6QMutexD1Ev, _ZN6QMutexC1ENS_13RecursionModeE, (void *, int), (o, 0))
Q_OLD(_ZN6QMutexD2Ev, _ZN6QMutexC1ENS_13RecursionModeE, (void *, int), (o, 0))
#define Q_LOCK(name, make, make_params, make_args, params, args, other) \
	static int exercise_##name(void)                                \
	{                                                               \
		void *o = fresh();                                      \
		DO(qt, void, make, make_params, make_args);             \
		DO(qt, int, name, params, args);                        \
		DO1(qt, other, o);                                      \
		return 3;                                               \
	}
#define Q_M_LOCK(name, params, args)                                                        \
	Q_LOCK(name, _ZN6QMutexC1ENS_13RecursionModeE, (void *, int), (o, 0), params, args, \
	       _ZN6QMutex6unlockEv)
Q_M_LOCK(_ZN6QMutex4lockEv, (void *), (o))
Q_M_LOCK(_ZN6QMutex7tryLockEi, (void *, int), (o, 10))
static int exercise__ZN6QMutex6unlockEv(void)
{
	return exercise__ZN6QMutex4lockEv();
}
Q_NEW(_ZN15QRecursiveMutexC1Ev, (void *), (o))
Q_NEW(_ZN15QRecursiveMutexC2Ev, (void *), (o))
Q_OLD(_ZN15QRecursiveMutexD1Ev, _ZN15QRecursiveMutexC1Ev, (void *), (o))
Q_OLD(_ZN15QRecursiveMutexD2Ev, _ZN15QRecursiveMutexC1Ev, (void *), (o))
static const char *const qt6[] = { "libQt6Core.so.6", NULL };
static int exercise__ZN15QRecursiveMutex7tryLockEi(void)
{
	void *o = fresh();

	DO(qt6, int, _ZN15QRecursiveMutex7tryLockEi, (void *, int), (o, -1));
	DO1(qt6, _ZN15QRecursiveMutex6unlockEv, o);
	return 2;
}
static int exercise__ZN15QRecursiveMutex6unlockEv(void)
{
	return exercise__ZN15QRecursiveMutex7tryLockEi();
}
#define Q_RW(name, params, args)                                                               \
	Q_LOCK(name, _ZN14QReadWriteLockC1ENS_13RecursionModeE, (void *, int), (o, 0), params, \
	       args, _ZN14QReadWriteLock6unlockEv)
Q_NEW(_ZN14QReadWriteLockC1ENS_13RecursionModeE, (void *, int), (o, 0))
Q_NEW(_ZN14QReadWriteLockC2ENS_13RecursionModeE, (void *, int), (o, 0))
Q_OLD(_ZN14QReadWriteLockD1Ev, _ZN14QReadWriteLockC1ENS_13RecursionModeE, (void *, int), (o, 0))
Q_OLD(_ZN14QReadWriteLockD2Ev, _ZN14QReadWriteLockC1ENS_13RecursionModeE, (void *, int), (o, 0))
Q_RW(_ZN14QReadWriteLock11lockForReadEv, (void *), (o))
Q_RW(_ZN14QReadWriteLock12lockForWriteEv, (void *), (o))
Q_RW(_ZN14QReadWriteLock14tryLockForReadEv, (void *), (o))
Q_RW(_ZN14QReadWriteLock14tryLockForReadEi, (void *, int), (o, 10))
Q_RW(_ZN14QReadWriteLock15tryLockForWriteEv, (void *), (o))
Q_RW(_ZN14QReadWriteLock15tryLockForWriteEi, (void *, int), (o, 10))
static int exercise__ZN14QReadWriteLock6unlockEv(void)
{
	return exercise__ZN14QReadWriteLock12lockForWriteEv();
}
#define Q_S(name, params, args) \
	Q_LOCK(name, _ZN10QSemaphoreC1Ei, (void *, int), (o, 5), params, args, _ZN10QSemaphoreD1Ev)
Q_NEW(_ZN10QSemaphoreC1Ei, (void *, int), (o, 1))
Q_NEW(_ZN10QSemaphoreC2Ei, (void *, int), (o, 1))
Q_OLD(_ZN10QSemaphoreD1Ev, _ZN10QSemaphoreC1Ei, (void *, int), (o, 0))
Q_OLD(_ZN10QSemaphoreD2Ev, _ZN10QSemaphoreC1Ei, (void *, int), (o, 0))
Q_S(_ZN10QSemaphore7acquireEi, (void *, int), (o, 2))
Q_S(_ZN10QSemaphore10tryAcquireEi, (void *, int), (o, 2))
Q_S(_ZN10QSemaphore10tryAcquireEii, (void *, int, int), (o, 2, 10))
Q_S(_ZN10QSemaphore7releaseEi, (void *, int), (o, 2))
Q_NEW(_ZN14QWaitConditionC1Ev, (void *), (o))
Q_NEW(_ZN14QWaitConditionC2Ev, (void *), (o))
Q_OLD(_ZN14QWaitConditionD1Ev, _ZN14QWaitConditionC1Ev, (void *), (o))
Q_OLD(_ZN14QWaitConditionD2Ev, _ZN14QWaitConditionC1Ev, (void *), (o))
Q_OLD(_ZN14QWaitCondition7wakeOneEv, _ZN14QWaitConditionC1Ev, (void *), (o))
Q_OLD(_ZN14QWaitCondition7wakeAllEv, _ZN14QWaitConditionC1Ev, (void *), (o))
/* INIT twice, lock, wait, wake, unlock: with a timeout in the past, or in a moment. */
#define Q_WAIT(name, make, lock, unlock, params, args)     \
	static int exercise_##name(void)                   \
	{                                                  \
		void *o = fresh(), *cond = fresh();        \
		DO1(qt, _ZN14QWaitConditionC1Ev, cond);    \
		DO(qt, void, make, (void *, int), (o, 0)); \
		DO1(qt, lock, o);                          \
		DO(qt, int, name, params, args);           \
		DO1(qt, unlock, o);                        \
		return 6;                                  \
	}
Q_WAIT(_ZN14QWaitCondition4waitEP6QMutexm, _ZN6QMutexC1ENS_13RecursionModeE, _ZN6QMutex4lockEv,
       _ZN6QMutex6unlockEv, (void *, void *, unsigned long), (cond, o, 1))
Q_WAIT(_ZN14QWaitCondition4waitEP6QMutex14QDeadlineTimer, _ZN6QMutexC1ENS_13RecursionModeE,
       _ZN6QMutex4lockEv, _ZN6QMutex6unlockEv, (void *, void *, int64_t, int64_t),
       (cond, o, 1, (int64_t)1 << 32))
Q_WAIT(_ZN14QWaitCondition4waitEP14QReadWriteLockm, _ZN14QReadWriteLockC1ENS_13RecursionModeE,
       _ZN14QReadWriteLock11lockForReadEv, _ZN14QReadWriteLock6unlockEv,
       (void *, void *, unsigned long), (cond, o, 1))
Q_WAIT(_ZN14QWaitCondition4waitEP14QReadWriteLock14QDeadlineTimer,
       _ZN14QReadWriteLockC1ENS_13RecursionModeE, _ZN14QReadWriteLock12lockForWriteEv,
       _ZN14QReadWriteLock6unlockEv, (void *, void *, int64_t, int64_t),
       (cond, o, 1, (int64_t)1 << 32))

/* ---- raw futexes: two records of the wait that fails at once, one of the wake ---- */

static int exercise_syscall(void)
{
	static uint32_t word = 1;

	if (syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL) != -1 || errno != EAGAIN ||
	    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1) != 0 ||
	    syscall(SYS_getpid) != getpid()) {
		return 1000;
	}
	return 3;
}

#endif
