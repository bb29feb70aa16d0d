/* SPDX-License-Identifier: MIT */
/*
 * count_preload.c - an LD_PRELOAD library that counts synchronisation calls, so that what thrum recorded can be checked
 * against someone who knows nothing of thrum's recorder. Only the list of functions is shared (spec/primitives).
 *
 * With COUNT_DIR set, each process image keeps its counters in COUNT_DIR/PID.N.count, a shared mapping: they are right at any
 * moment, after _exit and SIGKILL too. The file is an array of `struct counter`; counts.py reads it.
 *
 * Each wrapper calls the next definition in the load order, so the library works on either side of libthrum.so.
 * Must not: allocate, lock, or change what the caller sees.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <threads.h>
#include <unistd.h>

/* One function. `called` counts entries, so called - (ok + ownerdead + failed) calls never came back. */
struct counter {
	char name[40];
	uint64_t called;
	uint64_t ok;
	uint64_t ownerdead; /* EOWNERDEAD: locked, but a robust mutex of a dead thread */
	uint64_t failed;
	uint64_t ran; /* pthread_once, call_once, guards: the initialiser was run by this call */
};

/* The index of every function, whatever its row says. */
enum function {
#define PRIM(shape, kind, ret, name, params, args, object, mode, doc) FUNCTION_##name,
#include "../../spec/primitives/c11.def"
#include "../../spec/primitives/cond.def"
#include "../../spec/primitives/glib.def"
#include "../../spec/primitives/mutex.def"
#include "../../spec/primitives/rwlock.def"
#include "../../spec/primitives/sem.def"
#include "../../spec/primitives/sync.def"
#include "../../spec/primitives/thread.def"
#undef PRIM
	FUNCTION_fork,
	FUNCTION_vfork,
	FUNCTION_forkpty,
	FUNCTION_posix_spawn,
	FUNCTION_posix_spawnp,
	FUNCTION_clone,
	FUNCTIONS
};

enum { TABLE_BYTES = (FUNCTIONS * sizeof(struct counter) + 4095) / 4096 * 4096 };

/* Where a call is counted that comes before the constructor has made the file; what is here moves there. */
static struct counter early[FUNCTIONS] = {
#define PRIM(shape, kind, ret, fn, params, args, object, mode, doc) \
	[FUNCTION_##fn] = { .name = #fn },
#include "../../spec/primitives/c11.def"
#include "../../spec/primitives/cond.def"
#include "../../spec/primitives/glib.def"
#include "../../spec/primitives/mutex.def"
#include "../../spec/primitives/rwlock.def"
#include "../../spec/primitives/sem.def"
#include "../../spec/primitives/sync.def"
#include "../../spec/primitives/thread.def"
#undef PRIM
	[FUNCTION_fork] = { .name = "fork" },
	[FUNCTION_vfork] = { .name = "vfork" },
	[FUNCTION_forkpty] = { .name = "forkpty" },
	[FUNCTION_posix_spawn] = { .name = "posix_spawn" },
	[FUNCTION_posix_spawnp] = { .name = "posix_spawnp" },
	[FUNCTION_clone] = { .name = "clone" },
};

static struct counter *table = early; /* or the file, TABLE_BYTES */

static inline struct counter *counter_of(enum function f)
{
	return __atomic_load_n(&table, __ATOMIC_ACQUIRE) + f;
}

static char directory[3900];

static inline void add(uint64_t *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

/*
 * > 0 in the locks of GLib and Qt, which hold pthread objects: for the recorder the outer call is the event, so what it calls
 * inside is not counted. (A signal handler that runs there would count too little; no program of the rows has one.)
 */
static __thread unsigned muted __attribute__((tls_model("initial-exec")));

static inline void count_entry(enum function f)
{
	if (!muted) {
		add(&counter_of(f)->called);
	}
}

static inline void count_ran(enum function f)
{
	if (!muted) {
		add(&counter_of(f)->ran);
	}
}

/* `rc`: 0 = success, else an errno value or -1. Returns rc, errno untouched. */
static inline int count_result(enum function f, int rc)
{
	struct counter *c = counter_of(f);

	if (!muted) {
		add(rc == 0 ? &c->ok : rc == EOWNERDEAD ? &c->ownerdead : &c->failed);
	}
	return rc;
}

/* ---- the file ---- */

static void move(uint64_t *to, uint64_t *from)
{
	__atomic_fetch_add(to, __atomic_exchange_n(from, 0, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

/*
 * Other threads may count meanwhile, those that a constructor before ours has started: they do so in `early` until the table is
 * the file, and what was counted there follows. (Lost is a call that has read the address before and adds after that.)
 */
static void use_file(struct counter *file)
{
	for (unsigned f = 0; f < FUNCTIONS; f++) {
		memcpy(file[f].name, early[f].name, sizeof(file[f].name));
	}
	__atomic_store_n(&table, file, __ATOMIC_RELEASE);
	for (unsigned f = 0; f < FUNCTIONS; f++) {
		move(&file[f].called, &early[f].called);
		move(&file[f].ok, &early[f].ok);
		move(&file[f].ownerdead, &early[f].ownerdead);
		move(&file[f].failed, &early[f].failed);
		move(&file[f].ran, &early[f].ran);
	}
}

/* Leaves the counters in private memory when no file can be made; the reader then misses the process and says so. */
static void map_counters(void)
{
	char path[4096];
	int fd = -1, saved = errno;

	for (unsigned image = 0; fd < 0 && image < 1000; image++) {
		snprintf(path, sizeof(path), "%s/%d.%u.count", directory, (int)getpid(), image);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST) {
			break;
		}
	}
	if (fd >= 0) {
		if (ftruncate(fd, TABLE_BYTES) == 0) {
			void *file =
				mmap(NULL, TABLE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

			if (file != MAP_FAILED) {
				use_file(file);
			}
		}
		close(fd);
	}
	errno = saved;
}

/* The file is the parent's. */
static void after_fork_in_child(void)
{
	if (table != early) {
		munmap(table, TABLE_BYTES);
		table = early;
	}
	for (unsigned f = 0; f < FUNCTIONS; f++) {
		early[f].called = early[f].ok = early[f].ownerdead = early[f].failed =
			early[f].ran = 0;
	}
	map_counters();
}

__attribute__((constructor)) static void start(void)
{
	const char *dir = getenv("COUNT_DIR"); /* now: some programs empty their environment */

	if (dir && strlen(dir) < sizeof(directory)) {
		strcpy(directory, dir);
		map_counters();
		pthread_atfork(NULL, NULL, after_fork_in_child);
	}
}

/* ---- the next definition ---- */

static void *next(const char *name)
{
	static const char *const libraries[] = { "libstdc++.so.6", "libglib-2.0.so.0",
						 "libQt6Core.so.6", "libQt5Core.so.5" };
	void *f = dlsym(RTLD_NEXT, name);

	/* A library that came by dlopen is not in the global scope. */
	for (unsigned i = 0; i < sizeof(libraries) / sizeof(*libraries) && !f; i++) {
		void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);

		f = library ? dlsym(library, name) : NULL;
	}
	if (!f) {
		static const char message[] =
			"count_preload: a counted function has no real definition\n";

		if (write(2, message, sizeof(message) - 1) < 0) {
			_exit(70);
		}
		_exit(70);
	}
	return f;
}

/* Looked up at the first call; two threads at once find the same. */
#define NEXT(name)                                                                \
	({                                                                        \
		static __typeof__(&name) found;                                   \
		__typeof__(&name) f_ = __atomic_load_n(&found, __ATOMIC_RELAXED); \
		if (__builtin_expect(!f_, 0)) {                                   \
			f_ = (__typeof__(&name))(uintptr_t)next(#name);           \
			__atomic_store_n(&found, f_, __ATOMIC_RELAXED);           \
		}                                                                 \
		f_;                                                               \
	})

/* ---- functions that return 0 for success: every row but the CUSTOM ones ---- */

#define COUNTED(name, params, args)                                    \
	int name params                                                \
	{                                                              \
		count_entry(FUNCTION_##name);                          \
		return count_result(FUNCTION_##name, NEXT(name) args); \
	}

#define SHAPE_LOCK(name, params, args) COUNTED(name, params, args)
#define SHAPE_LOCK_CLOCKED(name, params, args) COUNTED(name, params, args)
#define SHAPE_UNLOCK(name, params, args) COUNTED(name, params, args)
#define SHAPE_INIT(name, params, args) COUNTED(name, params, args)
#define SHAPE_DESTROY(name, params, args) COUNTED(name, params, args)
#define SHAPE_COND_WAIT(name, params, args) COUNTED(name, params, args)
#define SHAPE_COND_WAKE(name, params, args) COUNTED(name, params, args)
#define SHAPE_SEM_WAIT(name, params, args) COUNTED(name, params, args)
#define SHAPE_SEM_WAIT_CLOCKED(name, params, args) COUNTED(name, params, args)
#define SHAPE_SEM_POST(name, params, args) COUNTED(name, params, args)
#define SHAPE_CUSTOM(name, params, args)

#define PRIM(shape, kind, ret, name, params, args, object, mode, doc) \
	SHAPE_##shape(name, params, args)
#include "../../spec/primitives/c11.def"
#include "../../spec/primitives/cond.def"
#include "../../spec/primitives/mutex.def"
#include "../../spec/primitives/rwlock.def"
#include "../../spec/primitives/sem.def"
#include "../../spec/primitives/sync.def"
#include "../../spec/primitives/thread.def"
#undef PRIM

/* ---- CUSTOM rows that return 0 for success ---- */

COUNTED(pthread_mutex_consistent, (pthread_mutex_t * m), (m))
COUNTED(sem_init, (sem_t * s, int pshared, unsigned value), (s, pshared, value))
COUNTED(sem_destroy, (sem_t * s), (s))
COUNTED(sem_close, (sem_t * s), (s))
COUNTED(pthread_barrier_init,
	(pthread_barrier_t *restrict b, const pthread_barrierattr_t *restrict a, unsigned n),
	(b, a, n))
COUNTED(pthread_create,
	(pthread_t *restrict t, const pthread_attr_t *restrict a, void *(*f)(void *),
	 void *restrict p),
	(t, a, f, p))
COUNTED(pthread_join, (pthread_t t, void **r), (t, r))
COUNTED(pthread_tryjoin_np, (pthread_t t, void **r), (t, r))
COUNTED(pthread_timedjoin_np, (pthread_t t, void **r, const struct timespec *w), (t, r, w))
COUNTED(pthread_clockjoin_np, (pthread_t t, void **r, clockid_t c, const struct timespec *w),
	(t, r, c, w))
COUNTED(pthread_detach, (pthread_t t), (t))
COUNTED(pthread_cancel, (pthread_t t), (t))
COUNTED(pthread_setname_np, (pthread_t t, const char *n), (t, n))
COUNTED(thrd_create, (thrd_t * t, int (*f)(void *), void *p), (t, f, p))
COUNTED(thrd_join, (thrd_t t, int *r), (t, r))
COUNTED(thrd_detach, (thrd_t t), (t))

/* ---- the rest ---- */

int pthread_barrier_wait(pthread_barrier_t *b)
{
	int rc;

	count_entry(FUNCTION_pthread_barrier_wait);
	rc = NEXT(pthread_barrier_wait)(b);
	count_result(FUNCTION_pthread_barrier_wait, rc == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : rc);
	return rc;
}

sem_t *sem_open(const char *name, int flags, ...)
{
	va_list more;
	mode_t mode;
	unsigned value;
	sem_t *s;

	va_start(more, flags);
	mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
	value = flags & O_CREAT ? va_arg(more, unsigned) : 0;
	va_end(more);
	count_entry(FUNCTION_sem_open);
	s = NEXT(sem_open)(name, flags, mode, value);
	count_result(FUNCTION_sem_open, s == SEM_FAILED ? -1 : 0);
	return s;
}

void pthread_exit(void *r)
{
	count_entry(FUNCTION_pthread_exit);
	NEXT(pthread_exit)(r);
	__builtin_unreachable();
}

void thrd_exit(int r)
{
	count_entry(FUNCTION_thrd_exit);
	NEXT(thrd_exit)(r);
	__builtin_unreachable();
}

void mtx_destroy(mtx_t *m)
{
	count_entry(FUNCTION_mtx_destroy);
	NEXT(mtx_destroy)(m);
	count_result(FUNCTION_mtx_destroy, 0);
}

void cnd_destroy(cnd_t *c)
{
	count_entry(FUNCTION_cnd_destroy);
	NEXT(cnd_destroy)(c);
	count_result(FUNCTION_cnd_destroy, 0);
}

/* The routine takes no argument, so it travels in thread-local storage; a nested once saves it by reading it first. */
static __thread void (*once_routine)(void) __attribute__((tls_model("initial-exec")));
static __thread enum function once_function __attribute__((tls_model("initial-exec")));

static void run_once_routine(void)
{
	void (*routine)(void) = once_routine;

	count_ran(once_function);
	routine();
}

int pthread_once(pthread_once_t *o, void (*f)(void))
{
	count_entry(FUNCTION_pthread_once);
	once_routine = f;
	once_function = FUNCTION_pthread_once;
	return count_result(FUNCTION_pthread_once, NEXT(pthread_once)(o, run_once_routine));
}

void call_once(once_flag *o, void (*f)(void))
{
	count_entry(FUNCTION_call_once);
	once_routine = f;
	once_function = FUNCTION_call_once;
	NEXT(call_once)(o, run_once_routine);
	count_result(FUNCTION_call_once, 0);
}

int __cxa_guard_acquire(int64_t *g);
void __cxa_guard_release(int64_t *g);
void __cxa_guard_abort(int64_t *g);

int __cxa_guard_acquire(int64_t *g)
{
	int run;

	count_entry(FUNCTION___cxa_guard_acquire);
	run = NEXT(__cxa_guard_acquire)(g);
	count_result(FUNCTION___cxa_guard_acquire, 0);
	if (run) {
		count_ran(FUNCTION___cxa_guard_acquire);
	}
	return run;
}

void __cxa_guard_release(int64_t *g)
{
	count_entry(FUNCTION___cxa_guard_release);
	NEXT(__cxa_guard_release)(g);
	count_result(FUNCTION___cxa_guard_release, 0);
}

void __cxa_guard_abort(int64_t *g)
{
	count_entry(FUNCTION___cxa_guard_abort);
	NEXT(__cxa_guard_abort)(g);
	count_result(FUNCTION___cxa_guard_abort, 0);
}

/* ---- locks of GLib and Qt, which hold pthread objects: once and what it runs are the user's ---- */

static void unmute(const unsigned *outer)
{
	muted = *outer;
}

#define MUTED(ret, name, params, args, count)                            \
	ret name params;                                                 \
	ret name params                                                  \
	{                                                                \
		unsigned outer __attribute__((cleanup(unmute))) = muted; \
                                                                         \
		count;                                                   \
		muted = outer + 1;                                       \
		return NEXT(name) args;                                  \
	}
#define MUTED_G_MUTEX(ret, name, params, args) \
	MUTED(ret, name, params, args, count_entry(FUNCTION_##name))
#define MUTED_G_REC_MUTEX(ret, name, params, args) \
	MUTED(ret, name, params, args, count_entry(FUNCTION_##name))
#define MUTED_G_RW_LOCK(ret, name, params, args) \
	MUTED(ret, name, params, args, count_entry(FUNCTION_##name))
#define MUTED_G_COND(ret, name, params, args) \
	MUTED(ret, name, params, args, count_entry(FUNCTION_##name))
#define MUTED_G_ONCE(ret, name, params, args)
#define MUTED_Q_MUTEX(ret, name, params, args) MUTED(ret, name, params, args, (void)0)
#define MUTED_Q_RW_LOCK(ret, name, params, args) MUTED(ret, name, params, args, (void)0)
#define MUTED_Q_SEM(ret, name, params, args) MUTED(ret, name, params, args, (void)0)
#define MUTED_Q_COND(ret, name, params, args) MUTED(ret, name, params, args, (void)0)
#define PRIM(shape, kind, ret, name, params, args, object, mode, doc) \
	MUTED_##kind(ret, name, params, args)
#include "../../spec/primitives/glib.def"
#include "../../spec/primitives/qt.def"
#undef PRIM

/* The child's handler starts its counters from zero. */
#define FORK(name, params, args)                                         \
	pid_t name params                                                \
	{                                                                \
		pid_t pid;                                               \
                                                                         \
		count_entry(FUNCTION_##name);                            \
		pid = NEXT(name) args;                                   \
		if (pid) {                                               \
			count_result(FUNCTION_##name, pid < 0 ? -1 : 0); \
		}                                                        \
		return pid;                                              \
	}

FORK(fork, (void), ())
FORK(forkpty, (int *fd, char *name, const struct termios *t, const struct winsize *w),
     (fd, name, t, w))

COUNTED(posix_spawn,
	(pid_t *restrict p, const char *restrict path, const posix_spawn_file_actions_t *restrict f,
	 const posix_spawnattr_t *restrict a, char *const v[restrict], char *const e[restrict]),
	(p, path, f, a, v, e))
COUNTED(posix_spawnp,
	(pid_t *restrict p, const char *restrict file, const posix_spawn_file_actions_t *restrict f,
	 const posix_spawnattr_t *restrict a, char *const v[restrict], char *const e[restrict]),
	(p, file, f, a, v, e))

int clone(int (*f)(void *), void *stack, int flags, void *arg, ...)
{
	va_list more;
	void *rest[3];
	int rc;

	va_start(more, arg);
	for (unsigned i = 0; i < 3; i++) {
		rest[i] = va_arg(more, void *);
	}
	va_end(more);
	rc = NEXT(clone)(f, stack, flags, arg, rest[0], rest[1], rest[2]);
	count_entry(FUNCTION_clone);
	count_result(FUNCTION_clone, rc < 0 ? -1 : 0);
	return rc;
}

/* Returns twice, the second time on a stack that the first one ruined: so this counts and leaves by a jump. */
__attribute__((used)) static void *counted_vfork(void)
{
	int saved = errno;
	void *real = (void *)(uintptr_t)NEXT(vfork);

	count_entry(FUNCTION_vfork);
	errno = saved;
	return real;
}

__asm__(".globl vfork\n"
	".type vfork, @function\n"
	"vfork:\n"
	"	subq $8, %rsp\n"
	"	call counted_vfork\n"
	"	addq $8, %rsp\n"
	"	jmp *%rax\n"
	".size vfork, .-vfork\n");
