/* SPDX-License-Identifier: MIT */
/*
 * signal_storm.c - two timers and a pair of threads throw signals at threads that lock, wait, read and join; handlers
 * nest, run on stacks of their own, lock, post, fork, change masks and handlers, and longjmp out of every kind of
 * call that is recorded.
 *
 * What it prints depends on nothing but that all of that works.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, taken = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t handlers_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t s, empty;
static volatile int stop, spoilt, ticks, nested, jumps;
static __thread sigjmp_buf back;
static __thread volatile sig_atomic_t armed, depth;
static volatile sig_atomic_t child;

/* A handler that uses all that a handler may, and a lock that only handlers take with all signals blocked. */
static void on_tick(int number)
{
	int saved = errno;

	depth++;
	nested += depth > 1;
	sem_post(&s);
	sem_trywait(&s);
	if (!pthread_mutex_trylock(&m)) {
		pthread_mutex_unlock(&m);
	}
	if (number == SIGALRM) {
		raise(SIGUSR2); /* inside: another handler */
	}
	ticks++;
	depth--;
	if (errno != saved && errno != EAGAIN) {
		spoilt++;
	}
	errno = saved;
}

static void on_usr2(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	depth++;
	nested += depth > 1;
	if (info->si_signo != number || !context) {
		spoilt++;
	}
	pthread_mutex_lock(&handlers_lock);
	pthread_mutex_unlock(&handlers_lock);
	depth--;
	errno = saved;
}

/* Changes its own mask and another signal's handler: both must be as they were afterwards. */
static void on_winch(int number)
{
	struct sigaction other = { .sa_handler = SIG_IGN }, old;
	sigset_t set, before, after;
	int saved = errno;

	(void)number;
	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	sigaction(SIGPIPE, &other, &old);
	sigaction(SIGPIPE, &old, NULL);
	pthread_sigmask(SIG_SETMASK, &before, &after);
	if (!sigismember(&after, SIGURG)) {
		spoilt++;
	}
	errno = saved;
}

static void on_jump(int number)
{
	(void)number;
	if (armed) {
		armed = 0;
		jumps++;
		siglongjmp(back, 1);
	}
}

static void on_fork(int number)
{
	pid_t pid = fork();

	(void)number;
	if (!pid) {
		pthread_mutex_lock(&handlers_lock);
		pthread_mutex_unlock(&handlers_lock);
		_exit(7);
	}
	child = pid;
}

static void block_all(bool on)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGPROF);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGWINCH);
	if (pthread_sigmask(on ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL)) {
		spoilt++;
	}
}

static void *locker(void *p)
{
	stack_t alternate = { .ss_sp = malloc(65536), .ss_size = 65536 },
		off = { .ss_flags = SS_DISABLE };
	unsigned long *count = p;

	sigaltstack(&alternate, NULL);
	while (!stop) {
		errno = 77;
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		pthread_rwlock_rdlock(&l);
		pthread_rwlock_unlock(&l);
		block_all(true);
		pthread_mutex_lock(&handlers_lock);
		pthread_mutex_unlock(&handlers_lock);
		block_all(false);
		if (errno != 77) {
			spoilt++;
		}
		++*count;
	}
	block_all(true);
	sigaltstack(&off, NULL);
	free(alternate.ss_sp);
	return NULL;
}

/* ---- a jump out of each kind of call that blocks ---- */

static pthread_t sleeper;
static int ends[2];

static void *sleep_long(void *p)
{
	while (!stop) {
		usleep(1000);
	}
	return p;
}
static void jump_from_mutex(void)
{
	armed = 1;
	pthread_mutex_lock(&taken);
}
static void jump_from_wrlock(void)
{
	armed = 1;
	pthread_rwlock_wrlock(&l);
}
static void jump_from_sem(void)
{
	armed = 1;
	while (sem_wait(&empty)) {
	}
}
static void jump_from_join(void)
{
	armed = 1;
	pthread_join(sleeper, NULL);
}
static void jump_from_read(void)
{
	char byte;

	pthread_mutex_lock(&m);
	armed = 1;
	while (read(ends[0], &byte, 1) < 0) {
	}
}
static void jump_from_sleep(void)
{
	armed = 1;
	sleep(1000);
}
static void jump_from_barrier(void)
{
	static pthread_barrier_t b;

	pthread_barrier_init(&b, NULL, 2);
	armed = 1;
	pthread_barrier_wait(&b);
}

/* A signal until it is out. */
static void *shoot(void *p)
{
	pthread_t *target = p;

	while (!stop) {
		usleep(200);
		pthread_kill(*target, SIGHUP);
	}
	return NULL;
}

static void jump_out_of(void (*call)(void), pthread_mutex_t *held)
{
	if (!sigsetjmp(back, 1)) {
		call();
		spoilt++;
	}
	if (held) {
		pthread_mutex_unlock(held);
	}
}

static void *holder(void *p)
{
	pthread_mutex_lock(&taken);
	pthread_rwlock_rdlock(&l);
	while (!stop) {
		usleep(1000);
	}
	pthread_rwlock_unlock(&l);
	pthread_mutex_unlock(&taken);
	return p;
}

static void *jumper(void *p)
{
	(void)p;
	for (int i = 0; i < 20; i++) {
		jump_out_of(jump_from_mutex, NULL);
		jump_out_of(jump_from_sem, NULL);
		jump_out_of(jump_from_read, &m);
		jump_out_of(jump_from_sleep, NULL);
		jump_out_of(jump_from_barrier, NULL);
		jump_out_of(jump_from_wrlock, NULL);
	}
	jump_out_of(jump_from_join, NULL); /* leaves the thread marked as being joined */
	return NULL;
}

/* ---- */

static void install(int number, void (*handler)(int), int flags)
{
	struct sigaction a = { .sa_handler = handler, .sa_flags = flags }, old = a;

	if (sigaction(number, &a, NULL) || sigaction(number, NULL, &old) ||
	    old.sa_handler != handler || (old.sa_flags & flags) != flags) {
		spoilt++;
	}
}

static void storm(unsigned milliseconds)
{
	unsigned long counts[3] = { 0 };
	struct itimerval on = { { 0, 150 }, { 0, 150 } }, off = { { 0, 0 }, { 0, 0 } };
	struct itimerval on2 = { { 0, 370 }, { 0, 370 } };
	struct timespec start, now;
	pthread_t t[3];

	for (int i = 0; i < 3; i++) {
		pthread_create(&t[i], NULL, locker, &counts[i]);
	}
	setitimer(ITIMER_REAL, &on, NULL);
	setitimer(ITIMER_PROF, &on2, NULL);
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		pthread_mutex_lock(&m);
		pthread_cond_signal(&c);
		pthread_mutex_unlock(&m);
		for (int i = 0; i < 3; i++) {
			pthread_kill(t[i], i == 1 ? SIGWINCH : SIGUSR2);
		}
		usleep(100);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
		 (long)milliseconds);
	setitimer(ITIMER_REAL, &off, NULL);
	setitimer(ITIMER_PROF, &off, NULL);
	stop = 1;
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], NULL);
		spoilt += counts[i] == 0;
	}
	stop = 0;
}

static void jump_everywhere(void)
{
	pthread_t h, j, gun;

	pthread_create(&h, NULL, holder, NULL);
	pthread_create(&sleeper, NULL, sleep_long, NULL);
	while (pthread_mutex_trylock(&taken) == 0) {
		pthread_mutex_unlock(&taken);
		sched_yield();
	}
	while (pthread_rwlock_trywrlock(&l) == 0) {
		pthread_rwlock_unlock(&l);
		sched_yield();
	}
	pthread_create(&j, NULL, jumper, NULL);
	pthread_create(&gun, NULL, shoot, &j);
	pthread_join(j, NULL);
	stop = 1;
	pthread_join(gun, NULL);
	pthread_join(h, NULL);
}

int main(void)
{
	struct sigaction usr2 = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	int status, forks = 0;

	sem_init(&s, 0, 1000);
	sem_init(&empty, 0, 0);
	if (pipe(ends)) {
		return 1;
	}
	usr2.sa_sigaction = on_usr2;
	sigfillset(&usr2.sa_mask);
	sigaction(SIGUSR2, &usr2, NULL);
	install(SIGALRM, on_tick, SA_RESTART | SA_ONSTACK);
	install(SIGPROF, on_tick, SA_RESTART | SA_NODEFER);
	install(SIGUSR1, on_fork, SA_RESTART);
	install(SIGWINCH, on_winch, SA_RESTART | SA_ONSTACK);
	install(SIGHUP, on_jump, 0);
	storm(700);
	for (int i = 0; i < 10; i++) {
		pthread_mutex_lock(&m);
		raise(SIGUSR1);
		pthread_mutex_unlock(&m);
		forks += waitpid(child, &status, 0) == child && WIFEXITED(status) &&
			 WEXITSTATUS(status) == 7;
	}
	jump_everywhere();
	printf("ticks %d, nested %d, jumps %d, forks %d, spoilt %d\n", ticks > 0, nested > 0, jumps,
	       forks, spoilt);
	return 0;
}
