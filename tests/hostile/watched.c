/* SPDX-License-Identifier: MIT */
/*
 * watched.c - programs in which watchpoints are in the way, or cannot be had: each prints the same with and without them. The argument says
 * which; watched.py has what `thrum info` must say of it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(x)                                                       \
	do {                                                          \
		if (!(x)) {                                           \
			printf("line %d: %s failed\n", __LINE__, #x); \
			fflush(stdout);                               \
			_exit(3);                                     \
		}                                                     \
	} while (0)

enum { LIMIT_MS = 400 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile long plain, own_of_main;
static long counted, expected;
static atomic_int trapped, ready;
static char *self;

static long processor_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Something to watch: one location without a lock, one with. */
static void touch(long n)
{
	for (long i = 0; i < n; i++) {
		plain++;
		pthread_mutex_lock(&lock);
		counted++;
		pthread_mutex_unlock(&lock);
	}
}

static void *busy(void *argument)
{
	long until = processor_ms() + LIMIT_MS, done = 0;

	(void)argument;
	ready++;
	for (; processor_ms() < until; done += 1000)
		touch(1000);
	pthread_mutex_lock(&lock);
	expected += done;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void start(pthread_t *threads, int count, void *(*run)(void *))
{
	for (int i = 0; i < count; i++)
		MUST(pthread_create(&threads[i], NULL, run, NULL) == 0);
}

static void finish(pthread_t *threads, int count)
{
	for (int i = 0; i < count; i++)
		MUST(pthread_join(threads[i], NULL) == 0);
	printf("%s\n", counted == expected ? "all counted" : "counts were lost");
}

static void work(void)
{
	pthread_t t[2];

	start(t, 2, busy);
	finish(t, 2);
}

static void *brief(void *argument)
{
	struct timespec nap = { 0, 100000000 };

	(void)argument;
	touch(2000);
	nanosleep(&nap, NULL);
	touch(2000);
	pthread_mutex_lock(&lock);
	expected += 4000;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void threads(void)
{
	static pthread_t t[300];

	start(t, 300, brief);
	finish(t, 300);
}

static void forks(void)
{
	pthread_t t[2];
	int right = 0, status;

	start(t, 2, busy);
	for (int i = 0; i < 30; i++) {
		pid_t child = fork();

		MUST(child >= 0);
		if (child == 0) {
			for (int k = 0; k < 100000; k++) /* the lock may be anybody's here */
				plain++;
			_exit(i & 63);
		}
		MUST(waitpid(child, &status, 0) == child);
		right += WIFEXITED(status) && WEXITSTATUS(status) == (i & 63);
	}
	printf("%d children\n", right);
	finish(t, 2);
}

static void become(void)
{
	pthread_t t[2];

	start(t, 2, busy);
	while (processor_ms() < LIMIT_MS / 2)
		usleep(1000);
	execl(self, self, "work", NULL);
	printf("not reached\n");
}

static void on_trap(int signal)
{
	(void)signal;
	trapped++;
}

static void handle_traps(void)
{
	struct sigaction a = { .sa_handler = on_trap }, old;

	MUST(sigaction(SIGTRAP, &a, &old) == 0);
	printf("before: %s\n", old.sa_handler == SIG_DFL ? "default" : "another");
}

/* The program has a handler of its own, from the start or later. */
static void own(void)
{
	handle_traps();
	raise(SIGTRAP);
	work();
	raise(SIGTRAP);
	printf("%d traps\n", (int)trapped);
}

static void late(void)
{
	pthread_t t[2];

	start(t, 2, busy);
	while (processor_ms() < LIMIT_MS / 2)
		usleep(1000);
	handle_traps();
	for (int i = 0; i < 2; i++)
		MUST(pthread_kill(t[i], SIGTRAP) == 0);
	while (trapped < 2)
		usleep(1000);
	finish(t, 2);
	raise(SIGTRAP);
	printf("%d traps\n", (int)trapped);
}

static void print_mask(const char *when)
{
	sigset_t mask;

	MUST(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
	printf("%s: SIGTRAP %s, SIGUSR1 %s\n", when,
	       sigismember(&mask, SIGTRAP) ? "blocked" : "open",
	       sigismember(&mask, SIGUSR1) ? "blocked" : "open");
}

/* Threads that block everything, by the library and behind its back. */
static void *masked(void *by_library)
{
	unsigned long all = ~0ul;
	sigset_t set;

	sigfillset(&set);
	if (by_library)
		MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	else
		MUST(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, sizeof(all)) == 0);
	return busy(NULL);
}

static void blocked(void)
{
	pthread_t t[2];

	print_mask("before");
	MUST(pthread_create(&t[0], NULL, masked, NULL) == 0);
	MUST(pthread_create(&t[1], NULL, masked, t) == 0);
	finish(t, 2);
	print_mask("after");
}

static void *wait_for_trap(void *argument)
{
	struct timespec most = { 20, 0 };
	siginfo_t info;
	sigset_t set;

	(void)argument;
	sigemptyset(&set);
	sigaddset(&set, SIGTRAP);
	ready++;
	MUST(sigtimedwait(&set, &info, &most) == SIGTRAP);
	trapped += info.si_pid == getpid() && info.si_code == SI_USER;
	return NULL;
}

/* SIGTRAP is a message between the program's threads. */
static void waits(void)
{
	pthread_t t[3];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTRAP);
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	start(t, 2, busy);
	start(t + 2, 1, wait_for_trap);
	while (ready < 3)
		usleep(1000);
	usleep(50000);
	MUST(pthread_kill(t[2], SIGTRAP) == 0);
	finish(t, 3);
	printf("%d traps\n", (int)trapped);
}

/* A thread for all signals, as daemons have it: it computes, too, with SIGTRAP blocked. */
static void *all_signals(void *argument)
{
	struct timespec soon = { 0, 1000000 };
	siginfo_t info;
	sigset_t set;
	int n, users = 0, others = 0;

	sigfillset(&set);
	ready++;
	for (;;) {
		touch(500);
		switch (users % 3) {
		case 0:
			MUST(sigwait(&set, &n) == 0);
			break;
		case 1:
			n = sigwaitinfo(&set, &info);
			break;
		default:
			n = sigtimedwait(&set, argument ? &info : NULL, &soon);
			break;
		}
		if (n == SIGTERM)
			break;
		users += n == SIGUSR1;
		others += n > 0 && n != SIGUSR1;
	}
	sigpending(&set);
	printf("others %d, %s, SIGTRAP pending %d\n", others, users > 9 ? "enough" : "too few",
	       sigismember(&set, SIGTRAP));
	return NULL;
}

static void sigwaits(void)
{
	pthread_t t[3];
	sigset_t set;

	sigfillset(&set);
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	start(t, 2, busy);
	start(t + 2, 1, all_signals);
	while (ready < 3)
		usleep(1000);
	for (int i = 0; i < 300; i++) {
		MUST(pthread_kill(t[2], SIGUSR1) == 0);
		usleep(1000);
	}
	MUST(pthread_kill(t[2], SIGTERM) == 0);
	MUST(pthread_join(t[2], NULL) == 0);
	for (int i = 0; i < 2; i++)
		MUST(pthread_join(t[i], NULL) == 0);
}

/* All are blocked but in the wait itself: nothing may end that before its time. */
static void lets_through(void)
{
	struct timespec brief = { 0, 2000000 };
	int ended = 0;
	pthread_t t[2];
	sigset_t set;

	start(t, 2, busy);
	sigfillset(&set);
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	sigemptyset(&set);
	for (int i = 0; i < 200; i++) {
		touch(2000);
		ended += i % 2 ? ppoll(NULL, 0, &brief, &set) != 0
			       : pselect(0, NULL, NULL, NULL, &brief, &set) != 0;
	}
	for (int i = 0; i < 2; i++)
		MUST(pthread_join(t[i], NULL) == 0);
	printf("%d ended early\n", ended);
}

/* What is pending goes along to the next image. */
static void become_blocked(void)
{
	pthread_t t[2];
	sigset_t set;

	sigfillset(&set);
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	start(t, 2, busy);
	touch(2000000);
	execl(self, self, "opened", NULL);
	printf("not reached\n");
}

static void opened(void)
{
	sigset_t set;

	sigemptyset(&set);
	MUST(pthread_sigmask(SIG_SETMASK, &set, NULL) == 0);
	work();
}

/* The filter answers perf_event_open with `error`; then the program begins anew. */
static void refuse(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	execl(self, self, "work", NULL);
}

static void denied(void)
{
	refuse(EACCES);
}

static void absent(void)
{
	refuse(ENOSYS);
}

/* Every signal but the stop of a breakpoint of ours is passed on, as a debugger told so does. Returns how often ours was met. */
static int trace(pid_t child, int *ret_status)
{
	int met = 0, status;
	pid_t stopped;

	for (;;) {
		int pass = 0;

		stopped = waitpid(-1, &status, __WALL);
		if (stopped < 0 || (stopped == child && (WIFEXITED(status) || WIFSIGNALED(status))))
			break;
		if (!WIFSTOPPED(status))
			continue;
		if (status >> 16 == 0 && WSTOPSIG(status) == SIGTRAP) {
			long dr6 = ptrace(PTRACE_PEEKUSER, stopped,
					  offsetof(struct user, u_debugreg[6]), 0);
			siginfo_t info;

			MUST(ptrace(PTRACE_GETSIGINFO, stopped, 0, &info) == 0);
			if (info.si_code == TRAP_HWBKPT && dr6 & 1) {
				ptrace(PTRACE_POKEUSER, stopped,
				       offsetof(struct user, u_debugreg[7]), 0);
				met++;
			} else {
				pass = SIGTRAP;
			}
		} else if (status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP) {
			pass = WSTOPSIG(status);
		}
		ptrace(PTRACE_CONT, stopped, 0, pass);
	}
	*ret_status = status;
	return met;
}

/* A debugger comes while the program runs, and wants a watchpoint of its own. */
static void debugged(void)
{
	int status, ends[2], met;
	pid_t child;
	char c;

	MUST(pipe(ends) == 0);
	fflush(stdout);
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		pthread_t t[2];

		prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
		start(t, 2, busy);
		while (processor_ms() < LIMIT_MS / 4)
			usleep(1000);
		MUST(write(ends[1], "r", 1) == 1);
		while (processor_ms() < LIMIT_MS / 2)
			own_of_main++, usleep(1000);
		finish(t, 2);
		fflush(stdout);
		_exit(7);
	}
	MUST(read(ends[0], &c, 1) == 1);
	MUST(ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACECLONE) == 0);
	MUST(ptrace(PTRACE_INTERRUPT, child, 0, 0) == 0);
	MUST(waitpid(child, &status, __WALL) == child && WIFSTOPPED(status));
	MUST(ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[0]), &own_of_main) ==
	     0);
	MUST(ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[7]), 0xd0001) == 0);
	MUST(ptrace(PTRACE_CONT, child, 0, 0) == 0);
	met = trace(child, &status);
	printf("met %d, status %d\n", met, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static const struct {
	const char *name;
	void (*run)(void);
} all[] = {
	{ "work", work },
	{ "threads", threads },
	{ "forks", forks },
	{ "become", become },
	{ "own", own },
	{ "late", late },
	{ "blocked", blocked },
	{ "waits", waits },
	{ "sigwaits", sigwaits },
	{ "lets-through", lets_through },
	{ "become-blocked", become_blocked },
	{ "opened", opened },
	{ "denied", denied },
	{ "absent", absent },
	{ "debugged", debugged },
};

int main(int argc, char **argv)
{
	self = argv[0];
	for (size_t i = 0; argc == 2 && i < sizeof(all) / sizeof(*all); i++) {
		if (strcmp(all[i].name, argv[1]) == 0) {
			all[i].run();
			return 0;
		}
	}
	return 64;
}
