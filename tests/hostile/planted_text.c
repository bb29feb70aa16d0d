/* SPDX-License-Identifier: MIT */
/*
 * planted_text.c - under --races=deep: whatever blocks SIGTRAP, in all ways, and then runs all over its own text; children of all kinds of
 * fork; the text of those that libc tells of their fork, and of who blocked the signal, is that of the file.
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum { RUN_MS = 250 };

static volatile long shared[64];

/* Functions, each with places to plant at: those with an odd number are seldom called. */
#define FUNCTION(n)                                           \
	static __attribute__((noinline)) void touch_##n(void) \
	{                                                     \
		shared[(n) % 64]++;                           \
		shared[(n)*7 % 64] += shared[(n)*3 % 64] + n; \
	}
#define TEN(a)         \
	FUNCTION(a##0) \
	FUNCTION(a##1) \
	FUNCTION(a##2) \
	FUNCTION(a##3) \
	FUNCTION(a##4) FUNCTION(a##5) FUNCTION(a##6) FUNCTION(a##7) FUNCTION(a##8) FUNCTION(a##9)
TEN(1)
TEN(2)
TEN(3)
TEN(4)
#define NAMES(a)                                                                            \
	touch_##a##0, touch_##a##1, touch_##a##2, touch_##a##3, touch_##a##4, touch_##a##5, \
		touch_##a##6, touch_##a##7, touch_##a##8, touch_##a##9
static void (*const functions[])(void) = { NAMES(1), NAMES(2), NAMES(3), NAMES(4) };
enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

static void run_all(void)
{
	for (int i = 0; i < FUNCTIONS; i++) {
		functions[i]();
	}
}

static long cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *work(void *until)
{
	for (long n = 0; n % 1024 || cpu_ms() < *(long *)until; n++) {
		functions[n * 2 % FUNCTIONS]();
		if (n % 50000 == 0) {
			functions[(n / 50000 * 2 + 1) % FUNCTIONS]();
		}
	}
	return NULL;
}

/* Two threads, so that memory is watched. */
static void go_on(void)
{
	long until = cpu_ms() + RUN_MS;
	pthread_t t;

	if (pthread_create(&t, NULL, work, &until)) {
		abort();
	}
	work(&until);
	pthread_join(t, NULL);
}

/* ---- the text ---- */

static int compare(struct dl_phdr_info *info, size_t bytes, void *file)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && p->p_flags & PF_X) {
			return memcmp((const char *)info->dlpi_addr + p->p_vaddr,
				      (const char *)file + p->p_offset, p->p_filesz)
				       ? 1
				       : 2;
		}
	}
	(void)bytes;
	return 3;
}

static int text_is_as_the_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct stat st;
	void *file;

	if (fd < 0 || fstat(fd, &st)) {
		return 0;
	}
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	return dl_iterate_phdr(compare, file) == 2; /* the program comes first */
}

/* ---- ways ---- */

static void on_signal(int n)
{
	(void)n;
	run_all();
}

static int by_mask(void)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	run_all();
	return text_is_as_the_file();
}

static int by_procmask(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	run_all();
	return text_is_as_the_file();
}

static int by_number(void)
{
	sigsetmask(~0);
	run_all();
	return text_is_as_the_file();
}

static int by_hold(void)
{
	sighold(SIGTRAP);
	run_all();
	return text_is_as_the_file();
}

static int by_handler(void)
{
	struct sigaction a = { .sa_handler = on_signal };

	sigfillset(&a.sa_mask);
	sigaction(SIGUSR1, &a, NULL);
	raise(SIGUSR1);
	return text_is_as_the_file();
}

#if __GLIBC_PREREQ(2, 32)
static void *run_them(void *same)
{
	run_all();
	*(int *)same = text_is_as_the_file();
	return NULL;
}
#endif

/* A thread that begins with the signal blocked. */
static int by_attribute(void)
{
	int same = 1;
#if __GLIBC_PREREQ(2, 32)
	pthread_attr_t a;
	sigset_t all;
	pthread_t t;

	sigfillset(&all);
	pthread_attr_init(&a);
	pthread_attr_setsigmask_np(&a, &all);
	if (pthread_create(&t, &a, run_them, &same)) {
		abort();
	}
	pthread_join(t, NULL);
#endif
	return same;
}

static int by_suspend(void)
{
	struct sigaction a = { .sa_handler = on_signal };
	sigset_t one, others;

	sigaction(SIGUSR1, &a, NULL);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &one, NULL);
	raise(SIGUSR1);
	sigfillset(&others);
	sigdelset(&others, SIGUSR1);
	sigsuspend(&others);
	return text_is_as_the_file();
}

static int ended(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int by_fork(void)
{
	pid_t pid = fork();

	if (!pid) {
		int same = text_is_as_the_file();

		run_all();
		go_on();
		_exit(same);
	}
	return ended(pid);
}

/* libc knows nothing of it. */
static int by_raw_fork(void)
{
	pid_t pid = (pid_t)syscall(SYS_fork);

	if (!pid) {
		run_all();
		_exit(1);
	}
	return ended(pid);
}

static int by_vfork(void)
{
	pid_t pid = vfork();

	if (!pid) {
		run_all();
		_exit(1);
	}
	return ended(pid);
}

/* The program wants the signal itself. */
static int by_taking_it(void)
{
	signal(SIGTRAP, on_signal);
	run_all();
	raise(SIGTRAP);
	return text_is_as_the_file();
}

static int by_ignoring_it(void)
{
	signal(SIGTRAP, SIG_IGN);
	run_all();
	return text_is_as_the_file();
}

int main(void)
{
	static int (*const ways[])(void) = {
		by_mask, by_procmask, by_number, by_hold,      by_handler,   by_suspend,
		by_fork, by_raw_fork, by_vfork,	 by_taking_it, by_attribute, by_ignoring_it
	};

	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		pid_t pid = fork();

		if (!pid) {
			go_on();
			_exit(ways[i]());
		}
		printf("way %zu: %d\n", i, ended(pid));
	}
	return 0;
}
