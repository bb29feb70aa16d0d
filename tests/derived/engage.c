/* SPDX-License-Identifier: MIT */
/*
 * engage.c - does every row of spec/primitives/ really get between a program and libc?
 *
 * Run under the recorder. Each row needs a function exercise_NAME here, else this does not link.
 * The program reads its own trace, which is mapped into it: after each exercise the number of
 * events and definitions must have grown by at least the number the exercise returns, or, for the
 * ways to end a process, the child's header must say how it ended.
 */
#include "../../trace/trace_format.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const char *trace_dir;
static struct timespec past, soon;

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t s;
static mtx_t cm;
static cnd_t cc;

/* ---- the trace of this process ---- */

static uint64_t count_file(const char *path, uint32_t *ret_exit)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	uint64_t events = 0;
	uint8_t *p;

	if (fd < 0 || fstat(fd, &st) || st.st_size < (off_t)TF_HEADER_BYTES) {
		return 0;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	*ret_exit = ((struct tf_process *)(void *)p)->exit_kind;
	for (off_t at = TF_HEADER_BYTES; at + TF_SEGMENT_BYTES <= st.st_size;
	     at += TF_SEGMENT_BYTES) {
		events += ((struct tf_segment *)(void *)(p + at))->events;
	}
	syscall(11 /* munmap, past the hook */, p, st.st_size);
	return events;
}

static uint64_t events_of(pid_t pid, uint32_t *ret_exit)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%d.1.map", trace_dir, (int)pid);
	return count_file(path, ret_exit);
}

/* ---- the exercises: each returns how many records it must leave ---- */

#define SIMPLE(name, records, ...)       \
	static int exercise_##name(void) \
	{                                \
		__VA_ARGS__;             \
		return records;          \
	}

SIMPLE(pthread_mutex_lock, 1, pthread_mutex_lock(&m); pthread_mutex_unlock(&m))
SIMPLE(pthread_mutex_trylock, 1, pthread_mutex_trylock(&m); pthread_mutex_unlock(&m))
SIMPLE(pthread_mutex_timedlock, 1, pthread_mutex_timedlock(&m, &past); pthread_mutex_unlock(&m))
SIMPLE(pthread_mutex_clocklock, 1, pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &past);
       pthread_mutex_unlock(&m))
SIMPLE(pthread_mutex_unlock, 2, pthread_mutex_lock(&m); pthread_mutex_unlock(&m))
SIMPLE(pthread_mutex_init, 1, static pthread_mutex_t x; pthread_mutex_init(&x, NULL))
SIMPLE(pthread_mutex_destroy, 2, static pthread_mutex_t x; pthread_mutex_init(&x, NULL);
       pthread_mutex_destroy(&x))
SIMPLE(pthread_mutex_consistent, 1, pthread_mutex_consistent(&m))
SIMPLE(pthread_rwlock_rdlock, 1, pthread_rwlock_rdlock(&l); pthread_rwlock_unlock(&l))
SIMPLE(pthread_rwlock_tryrdlock, 1, pthread_rwlock_tryrdlock(&l); pthread_rwlock_unlock(&l))
SIMPLE(pthread_rwlock_timedrdlock, 1, pthread_rwlock_timedrdlock(&l, &past);
       pthread_rwlock_unlock(&l))
SIMPLE(pthread_rwlock_clockrdlock, 1, pthread_rwlock_clockrdlock(&l, CLOCK_MONOTONIC, &past);
       pthread_rwlock_unlock(&l))
SIMPLE(pthread_rwlock_wrlock, 1, pthread_rwlock_wrlock(&l); pthread_rwlock_unlock(&l))
SIMPLE(pthread_rwlock_trywrlock, 1, pthread_rwlock_trywrlock(&l); pthread_rwlock_unlock(&l))
SIMPLE(pthread_rwlock_timedwrlock, 1, pthread_rwlock_timedwrlock(&l, &past);
       pthread_rwlock_unlock(&l))
SIMPLE(pthread_rwlock_clockwrlock, 1, pthread_rwlock_clockwrlock(&l, CLOCK_MONOTONIC, &past);
       pthread_rwlock_unlock(&l))
SIMPLE(pthread_rwlock_unlock, 2, pthread_rwlock_rdlock(&l); pthread_rwlock_unlock(&l))
SIMPLE(pthread_rwlock_init, 1, static pthread_rwlock_t x; pthread_rwlock_init(&x, NULL))
SIMPLE(pthread_rwlock_destroy, 2, static pthread_rwlock_t x; pthread_rwlock_init(&x, NULL);
       pthread_rwlock_destroy(&x))
SIMPLE(pthread_spin_lock, 1, pthread_spin_lock(&spin); pthread_spin_unlock(&spin))
SIMPLE(pthread_spin_trylock, 1, pthread_spin_trylock(&spin); pthread_spin_unlock(&spin))
SIMPLE(pthread_spin_unlock, 2, pthread_spin_lock(&spin); pthread_spin_unlock(&spin))
SIMPLE(pthread_spin_init, 1, static pthread_spinlock_t x; pthread_spin_init(&x, 0))
SIMPLE(pthread_spin_destroy, 2, static pthread_spinlock_t x; pthread_spin_init(&x, 0);
       pthread_spin_destroy(&x))

static int exercise_pthread_cond_timedwait(void)
{
	pthread_mutex_lock(&m);
	pthread_cond_timedwait(&c, &m, &past);
	pthread_mutex_unlock(&m);
	return 4;
}
static int exercise_pthread_cond_clockwait(void)
{
	pthread_mutex_lock(&m);
	pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, &past);
	pthread_mutex_unlock(&m);
	return 4;
}
static void *signal_it(void *p)
{
	pthread_mutex_lock(&m);
	pthread_cond_signal(&c);
	pthread_mutex_unlock(&m);
	return p;
}
static int exercise_pthread_cond_wait(void)
{
	pthread_t t;

	pthread_mutex_lock(&m); /* the signaller cannot get in before the wait */
	pthread_create(&t, NULL, signal_it, NULL);
	pthread_cond_wait(&c, &m);
	pthread_mutex_unlock(&m);
	pthread_join(t, NULL);
	return 8;
}
SIMPLE(pthread_cond_signal, 1, pthread_cond_signal(&c))
SIMPLE(pthread_cond_broadcast, 1, pthread_cond_broadcast(&c))
SIMPLE(pthread_cond_init, 1, static pthread_cond_t x; pthread_cond_init(&x, NULL))
SIMPLE(pthread_cond_destroy, 2, static pthread_cond_t x; pthread_cond_init(&x, NULL);
       pthread_cond_destroy(&x))

SIMPLE(sem_wait, 2, sem_post(&s); sem_wait(&s))
SIMPLE(sem_trywait, 1, sem_trywait(&s))
SIMPLE(sem_timedwait, 1, sem_timedwait(&s, &past))
SIMPLE(sem_clockwait, 1, sem_clockwait(&s, CLOCK_MONOTONIC, &past))
SIMPLE(sem_post, 1, sem_post(&s); sem_wait(&s))
SIMPLE(sem_init, 1, static sem_t x; sem_init(&x, 0, 1))
SIMPLE(sem_destroy, 2, static sem_t x; sem_init(&x, 0, 1); sem_destroy(&x))
static int exercise_sem_open(void)
{
	char name[64];
	sem_t *x;

	snprintf(name, sizeof(name), "/thrum-engage-%d", (int)getpid());
	x = sem_open(name, O_CREAT | O_EXCL, 0600, 3);
	if (x == SEM_FAILED) {
		return 0; /* no /dev/shm here */
	}
	sem_wait(x);
	sem_unlink(name);
	sem_close(x);
	return 2;
}
static int exercise_sem_close(void)
{
	return exercise_sem_open() ? 2 : 0;
}

static pthread_barrier_t barrier;
SIMPLE(pthread_barrier_init, 1, pthread_barrier_init(&barrier, NULL, 1))
SIMPLE(pthread_barrier_wait, 3, pthread_barrier_init(&barrier, NULL, 1);
       pthread_barrier_wait(&barrier))
SIMPLE(pthread_barrier_destroy, 2, pthread_barrier_init(&barrier, NULL, 1);
       pthread_barrier_destroy(&barrier))

static void nothing(void)
{
}
SIMPLE(pthread_once, 2, static pthread_once_t o; pthread_once(&o, nothing))
SIMPLE(call_once, 2, static once_flag o; call_once(&o, nothing))

/* Without libstdc++ in the process the guards have no real function to reach. */
static int guard(bool abort)
{
	void *library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_GLOBAL);
	int (*acquire)(int64_t *) = (int (*)(int64_t *))dlsym(RTLD_DEFAULT, "__cxa_guard_acquire");
	void (*end)(int64_t *) = (void (*)(int64_t *))dlsym(
		RTLD_DEFAULT, abort ? "__cxa_guard_abort" : "__cxa_guard_release");
	static int64_t guards[4];
	static int next;

	if (!library || !acquire || !end) {
		return 0;
	}
	if (acquire(&guards[next])) {
		end(&guards[next]);
	}
	next++;
	return 2;
}
SIMPLE(__cxa_guard_acquire, guard(false), (void)0)
SIMPLE(__cxa_guard_release, guard(false), (void)0)
SIMPLE(__cxa_guard_abort, guard(true), (void)0)

static void *nop(void *p)
{
	return p;
}
static int nop11(void *p)
{
	(void)p;
	return 0;
}
SIMPLE(pthread_create, 4, pthread_t t; pthread_create(&t, NULL, nop, NULL); pthread_join(t, NULL))
SIMPLE(pthread_join, 4, pthread_t t; pthread_create(&t, NULL, nop, NULL); pthread_join(t, NULL))
static int exercise_pthread_tryjoin_np(void)
{
	pthread_t t;

	pthread_create(&t, NULL, nop, NULL);
	while (pthread_tryjoin_np(t, NULL)) {
	}
	return 4;
}
SIMPLE(pthread_timedjoin_np, 4, pthread_t t; pthread_create(&t, NULL, nop, NULL);
       pthread_timedjoin_np(t, NULL, &soon))
SIMPLE(pthread_clockjoin_np, 4, pthread_t t; pthread_create(&t, NULL, nop, NULL);
       pthread_clockjoin_np(t, NULL, CLOCK_REALTIME, &soon))
SIMPLE(pthread_detach, 2, pthread_t t; pthread_create(&t, NULL, nop, NULL); pthread_detach(t))
static void *pausing(void *p)
{
	for (;;) {
		pause();
	}
	return p;
}
SIMPLE(pthread_cancel, 5, pthread_t t; pthread_create(&t, NULL, pausing, NULL); pthread_cancel(t);
       pthread_join(t, NULL))
static void *leave(void *p)
{
	pthread_exit(p);
}
SIMPLE(pthread_exit, 5, pthread_t t; pthread_create(&t, NULL, leave, NULL); pthread_join(t, NULL))
SIMPLE(pthread_setname_np, 1, pthread_setname_np(pthread_self(), "engage"))

SIMPLE(mtx_lock, 1, mtx_lock(&cm); mtx_unlock(&cm))
SIMPLE(mtx_trylock, 1, mtx_trylock(&cm); mtx_unlock(&cm))
SIMPLE(mtx_timedlock, 1, mtx_timedlock(&cm, &past); mtx_unlock(&cm))
SIMPLE(mtx_unlock, 2, mtx_lock(&cm); mtx_unlock(&cm))
SIMPLE(mtx_init, 1, static mtx_t x; mtx_init(&x, mtx_plain))
SIMPLE(mtx_destroy, 2, static mtx_t x; mtx_init(&x, mtx_plain); mtx_destroy(&x))
static int exercise_cnd_timedwait(void)
{
	mtx_lock(&cm);
	cnd_timedwait(&cc, &cm, &past);
	mtx_unlock(&cm);
	return 4;
}
static int signal11(void *p)
{
	(void)p;
	mtx_lock(&cm);
	cnd_signal(&cc);
	mtx_unlock(&cm);
	return 0;
}
static int exercise_cnd_wait(void)
{
	thrd_t t;

	mtx_lock(&cm);
	thrd_create(&t, signal11, NULL);
	cnd_wait(&cc, &cm);
	mtx_unlock(&cm);
	thrd_join(t, NULL);
	return 8;
}
SIMPLE(cnd_signal, 1, cnd_signal(&cc))
SIMPLE(cnd_broadcast, 1, cnd_broadcast(&cc))
SIMPLE(cnd_init, 1, static cnd_t x; cnd_init(&x))
SIMPLE(cnd_destroy, 2, static cnd_t x; cnd_init(&x); cnd_destroy(&x))
SIMPLE(thrd_create, 4, thrd_t t; thrd_create(&t, nop11, NULL); thrd_join(t, NULL))
SIMPLE(thrd_join, 4, thrd_t t; thrd_create(&t, nop11, NULL); thrd_join(t, NULL))
SIMPLE(thrd_detach, 2, thrd_t t; thrd_create(&t, nop11, NULL); thrd_detach(t))
static int leave11(void *p)
{
	(void)p;
	thrd_exit(1);
}
SIMPLE(thrd_exit, 5, thrd_t t; thrd_create(&t, leave11, NULL); thrd_join(t, NULL))

/* ---- memory: acquire, release, and GONE when the block goes ---- */

static pthread_mutex_t *in_block(void *block)
{
	static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_t *x = block;

	*x = fresh;
	pthread_mutex_lock(x);
	pthread_mutex_unlock(x);
	return x;
}
SIMPLE(free, 3, free(in_block(malloc(200))))
static int exercise_realloc(void)
{
	void *volatile p = in_block(malloc(200)), *volatile wall = malloc(200), *q;

	q = realloc(p, 1 << 20); /* cannot stay where it is */
	free(wall);
	free(q);
	return 3;
}
static int exercise_munmap(void)
{
	void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	in_block((char *)p + 4096);
	munmap(p, 65536);
	return 3;
}
static int exercise_dlopen(void)
{
	void *h = dlopen("libm.so.6", RTLD_NOW);
	void *f = h ? dlsym(h, "cos") : NULL;

	if (h) {
		dlclose(h);
	}
	return f ? 0 : 1000; /* no record of its own: it must work, with its caller intact */
}
static int exercise_dlmopen(void)
{
	void *h = dlmopen(LM_ID_BASE, "libm.so.6", RTLD_NOW);

	return h && dlclose(h) == 0 ? 0 : 1000;
}
static int exercise_dlclose(void)
{
	return exercise_dlopen();
}

/* ---- what may end a wait from outside: a flag in the header ---- */

static uint32_t flags_now(void)
{
	char path[4096];
	struct tf_process head = { .flags = 0 };
	int fd;

	snprintf(path, sizeof(path), "%s/%d.1.map", trace_dir, (int)getpid());
	fd = open(path, O_RDONLY);
	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head)) {
		head.flags = 0;
	}
	close(fd);
	return head.flags;
}
/* ---- the process ---- */

static int child_ends(void (*end)(int), uint32_t kind)
{
	uint32_t exit_kind = 0;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		pthread_mutex_lock(&m); /* the child boots its own trace */
		pthread_mutex_unlock(&m);
		end(5);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 5 ||
	    events_of(pid, &exit_kind) < 3 || exit_kind != kind) {
		return 1000;
	}
	return 1; /* FORK, here */
}
SIMPLE(fork, child_ends(_exit, TRACE_EXIT_QUICK), (void)0)
SIMPLE(exit, child_ends(exit, TRACE_EXIT_DESTRUCTORS), (void)0)
SIMPLE(_exit, child_ends(_exit, TRACE_EXIT_QUICK), (void)0)
SIMPLE(_Exit, child_ends(_Exit, TRACE_EXIT_QUICK), (void)0)
SIMPLE(quick_exit, child_ends(quick_exit, TRACE_EXIT_QUICK), (void)0)
/* main itself was called through it: the file's end checks what main's return leaves. */
SIMPLE(__libc_start_main, 0, (void)0)

/* In this order: later ones use what earlier ones define. */
/* clang-format off */
#include "engage_annotate.h"
#include "engage_ipc.h"
#include "engage_bell.h"
#include "engage_library.h"
#include "engage_gloop.h"
#include "engage_process.h"
#include "engage_qtloop.h"
#include "engage_sd.h"
#include "engage_stdio.h"
#include "engage_uv.h"
#include "engage_transfer.h"
#include "engage_ev.h"
#include "engage_event.h"
/* clang-format on */

#define PRIM(shape, kind, ret, name, params, args, object, mode, doc) { #name, exercise_##name },
static const struct {
	const char *name;
	int (*exercise)(void);
} rows[] = {
#include "../../spec/primitives/all.def"
};
#undef PRIM

/* A child of vfork shares the recorder's memory: its _exit must not end the parent's record. */
static bool vfork_child_ends_nothing(void)
{
	uint32_t exit_kind = 0;
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		_exit(5);
	}
	waitpid(pid, &status, 0);
	events_of(getpid(), &exit_kind);
	return exit_kind == 0;
}

int main(int argc, char **argv)
{
	uint32_t ignored;
	int bad = 0;

	if (argc < 2) {
		return 2;
	}
	trace_dir = argv[1];
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec += 60;
	pthread_spin_init(&spin, 0);
	sem_init(&s, 0, 0);
	mtx_init(&cm, mtx_timed);
	cnd_init(&cc);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t before = events_of(getpid(), &ignored);
		int wanted = rows[i].exercise();
		uint64_t grown = events_of(getpid(), &ignored) - before;

		if (grown < (uint64_t)wanted) {
			printf("%s: %d records expected, %d written\n", rows[i].name, wanted,
			       (int)grown);
			bad++;
		}
	}
	if (!vfork_child_ends_nothing()) {
		printf("the end of a vfork child was taken for the program's\n");
		bad++;
	}
	printf("%d rows, %d do not engage\n", (int)(sizeof(rows) / sizeof(rows[0])), bad);
	return bad != 0;
}
