/* SPDX-License-Identifier: MIT */
/*
 * same_results.c - what each call gives back, what it leaves in errno, in the thread's cancellation state and type, and
 * whether it is a cancellation point: printed, so that a recorder that changes one of them is seen.
 *
 * Each call is made in three threads: one that nobody cancels; one with a cancel pending but cancellation disabled; one
 * with a cancel pending, which ends in the call exactly where that is a cancellation point.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { PRESET = 4711, NOT_BACK = -4711 };

static pthread_mutex_t m, strict, robust;
static pthread_cond_t c;
static pthread_rwlock_t l;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static pthread_once_t once;
static sem_t s, empty;
static mtx_t cm;
static cnd_t cc;
static once_flag flag;
static int f[2], pair[2];
static pthread_t detached;
static const struct timespec past = { 1, 0 }, none = { 0, 0 };
static char bytes[8];

static void nothing(void)
{
}
static void *end(void *p)
{
	return p;
}
static int c11_end(void *p)
{
	(void)p;
	return 7;
}
static int locked(pthread_mutex_t *mutex)
{
	return pthread_mutex_lock(mutex);
}
/* Whether a join or a wait is cancelled depends on who is first; cancel_waits.c is about that. */
static void never_cancel(void)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
}
static int start_and_join(void)
{
	pthread_t t;
	int rc = pthread_create(&t, NULL, end, NULL);

	never_cancel();
	return rc ? rc : pthread_join(t, NULL);
}
static int start_and_join_c11(void)
{
	thrd_t t;
	int result = 0;

	never_cancel();
	return thrd_create(&t, c11_end, NULL) == thrd_success &&
			       thrd_join(t, &result) == thrd_success
		       ? result
		       : -1;
}
static int fork_and_wait(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		_exit(3);
	}
	never_cancel();
	return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : -1;
}
static int lock_file(int op)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC), rc = flock(fd, op);

	close(fd);
	return rc;
}
static int file_lock(int fd, int command, short type)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };

	return fcntl(fd, command, &range);
}
static int poll_none(int timeout)
{
	struct pollfd p = { pair[0], POLLIN, 0 };

	return poll(&p, 1, timeout);
}
static int take_units(int number)
{
	struct sembuf op = { 0, 1, IPC_NOWAIT };

	return semop(number, &op, 1);
}

/* Each ends at once in all three threads, whatever the others did: `prepare` makes everything anew. */
#define CALLS                                                                        \
	CALL(pthread_mutex_lock(&m))                                                 \
	CALL(pthread_mutex_trylock(&m))                                              \
	CALL((locked(&m), pthread_mutex_trylock(&m)))                                \
	CALL((locked(&m), pthread_mutex_timedlock(&m, &past)))                       \
	CALL((locked(&m), pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &past)))      \
	CALL((locked(&strict), pthread_mutex_lock(&strict)))                         \
	CALL(pthread_mutex_unlock(&strict))                                          \
	CALL((locked(&m), pthread_mutex_destroy(&m)))                                \
	CALL((locked(&robust), pthread_mutex_consistent(&robust)))                   \
	CALL(pthread_rwlock_rdlock(&l))                                              \
	CALL(pthread_rwlock_wrlock(&l))                                              \
	CALL((pthread_rwlock_wrlock(&l), pthread_rwlock_rdlock(&l)))                 \
	CALL((pthread_rwlock_wrlock(&l), pthread_rwlock_tryrdlock(&l)))              \
	CALL((pthread_rwlock_rdlock(&l), pthread_rwlock_trywrlock(&l)))              \
	CALL((pthread_rwlock_rdlock(&l), pthread_rwlock_timedwrlock(&l, &past)))     \
	CALL(pthread_spin_lock(&spin))                                               \
	CALL((pthread_spin_lock(&spin), pthread_spin_trylock(&spin)))                \
	CALL((locked(&m), pthread_cond_timedwait(&c, &m, &past)))                    \
	CALL((locked(&m), pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, &past)))   \
	CALL(pthread_cond_signal(&c))                                                \
	CALL(pthread_cond_broadcast(&c))                                             \
	CALL(pthread_cond_destroy(&c))                                               \
	CALL(pthread_barrier_wait(&barrier))                                         \
	CALL(pthread_barrier_init(&barrier, NULL, 0))                                \
	CALL(pthread_once(&once, nothing))                                           \
	CALL(sem_wait(&s))                                                           \
	CALL(sem_trywait(&empty))                                                    \
	CALL(sem_timedwait(&s, &past))                                               \
	CALL(sem_timedwait(&empty, &past))                                           \
	CALL(sem_clockwait(&empty, CLOCK_MONOTONIC, &past))                          \
	CALL(sem_post(&s))                                                           \
	CALL(sem_init(&s, 0, ~0u))                                                   \
	CALL(sem_open("/thrum-absent", 0) == SEM_FAILED)                             \
	CALL(mtx_lock(&cm))                                                          \
	CALL((mtx_lock(&cm), mtx_trylock(&cm)))                                      \
	CALL((mtx_lock(&cm), mtx_timedlock(&cm, &past)))                             \
	CALL((mtx_lock(&cm), cnd_timedwait(&cc, &cm, &past)))                        \
	CALL(cnd_signal(&cc))                                                        \
	CALL((call_once(&flag, nothing), 0))                                         \
	CALL(start_and_join())                                                       \
	CALL(start_and_join_c11())                                                   \
	CALL(pthread_join(pthread_self(), NULL))                                     \
	CALL(pthread_join(detached, NULL))                                           \
	CALL(pthread_tryjoin_np(pthread_self(), NULL))                               \
	CALL(pthread_timedjoin_np(detached, NULL, &past))                            \
	CALL(pthread_detach(detached))                                               \
	CALL(pthread_setname_np(pthread_self(), "a name that is far too long"))      \
	CALL(fork_and_wait())                                                        \
	CALL((int)wait(NULL))                                                        \
	CALL((int)waitpid(-1, NULL, WNOHANG))                                        \
	CALL(close(-1))                                                              \
	CALL(dup2(-1, 3))                                                            \
	CALL((int)read(pair[0], bytes, 0))                                           \
	CALL((int)read(-1, bytes, 1))                                                \
	CALL((int)write(f[1], bytes, 1))                                             \
	CALL((int)write(-1, bytes, 1))                                               \
	CALL((int)send(pair[0], bytes, 1, MSG_DONTWAIT))                             \
	CALL((int)recv(pair[1], bytes, 1, MSG_DONTWAIT))                             \
	CALL(connect(f[0], NULL, 0))                                                 \
	CALL(accept(pair[0], NULL, NULL))                                            \
	CALL(poll_none(0))                                                           \
	CALL(poll(NULL, 0, 1))                                                       \
	CALL(select(0, NULL, NULL, NULL, &(struct timeval){ 0, 1 }))                 \
	CALL(nanosleep(&none, NULL))                                                 \
	CALL(nanosleep(&(struct timespec){ -1, 0 }, NULL))                           \
	CALL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL))           \
	CALL(usleep(1))                                                              \
	CALL(fsync(f[0]))                                                            \
	CALL(lock_file(LOCK_EX | LOCK_NB))                                           \
	CALL(flock(-1, LOCK_EX))                                                     \
	CALL(lockf(-1, F_LOCK, 1))                                                   \
	CALL(file_lock(-1, F_SETLKW, F_WRLCK))                                       \
	CALL(take_units(-1))                                                         \
	CALL(sigtimedwait(&(sigset_t){ 0 }, NULL, &none))                            \
	CALL(pthread_sigmask(99, &(sigset_t){ 0 }, NULL))                            \
	CALL(sigaction(SIGKILL, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL)) \
	CALL(munmap((void *)1, 1))                                                   \
	CALL(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, -1, 0) == MAP_FAILED)             \
	CALL((flockfile(stderr), ftrylockfile(stderr)))                              \
	CALL((free(malloc(10)), 0))                                                  \
	CALL(system(NULL))

static const char *const text[] = {
#define CALL(...) #__VA_ARGS__,
	CALLS
#undef CALL
};

enum { FIRST = __COUNTER__ + 1, COUNT = sizeof(text) / sizeof(text[0]) };

static int make_call(int number)
{
	switch (number + FIRST) {
#define CALL(...)         \
	case __COUNTER__: \
		return __VA_ARGS__;
		CALLS
#undef CALL
	}
	return NOT_BACK;
}

static void *detach_self(void *p)
{
	pthread_detach(pthread_self());
	while (sem_wait(p)) {
	}
	return NULL;
}

static void prepare(void)
{
	static sem_t end_detached;
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutex_init(&m, &a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&strict, &a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_NORMAL);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &a);
	pthread_cond_init(&c, NULL);
	pthread_rwlock_init(&l, NULL);
	pthread_spin_init(&spin, 0);
	pthread_barrier_init(&barrier, NULL, 1);
	once = (pthread_once_t)PTHREAD_ONCE_INIT;
	sem_init(&s, 0, 1);
	sem_init(&empty, 0, 0);
	mtx_init(&cm, mtx_timed);
	cnd_init(&cc);
	flag = (once_flag)ONCE_FLAG_INIT;
	if (!detached) {
		sem_init(&end_detached, 0, 0);
		pthread_create(&detached, NULL, detach_self, &end_detached);
		usleep(20000);
	}
}

enum way { ALONE, DISABLED, PENDING, WAYS };

static struct {
	enum way way;
	int number, back, error, state, type;
} now;

static void *caller(void *p)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	if (now.way != ALONE) {
		pthread_cancel(pthread_self());
	}
	if (now.way != DISABLED) {
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	}
	errno = PRESET;
	now.back = make_call(now.number);
	now.error = errno;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &now.state);
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &now.type);
	return p;
}

int main(void)
{
	int cancelled = 0;

	signal(SIGPIPE, SIG_IGN);
	if (pipe(f) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) {
		return 2;
	}
	for (int i = 0; i < (int)COUNT; i++) {
		printf("%s:", text[i]);
		for (enum way way = ALONE; way < WAYS; way++) {
			pthread_t t;
			void *result;

			prepare();
			now = (__typeof__(now)){ way, i, NOT_BACK, 0, 0, 0 };
			if (pthread_create(&t, NULL, caller, NULL) || pthread_join(t, &result)) {
				return 3;
			}
			if (now.back == NOT_BACK) {
				printf(" cancelled");
				cancelled++;
			} else {
				printf(" %d errno %d state %d type %d", now.back,
				       now.error == PRESET ? 0 : now.error, now.state, now.type);
			}
			funlockfile(stderr);
		}
		printf("\n");
	}
	/* Without any, the third way would show nothing. */
	return cancelled < 20;
}
